"""Whether a mesh of fewer triangles may stand for the full surface, and at which vertices it may not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.spatial import KDTree

from orthanc_stl.mesh.collapses import Attempt
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.fans import distances_to_fans
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.topology import Topology, crowded_vertices, neighbours_of
from orthanc_stl.mesh.triangles import area_normals, chosen_part, unit_normals
from orthanc_stl.mesh.types import Mesh

DOUBTFUL = 0.5
"""Of what is allowed: where a surface is farther, more points of the edges there are measured."""

BESIDES = (0.25, 0.375, 0.625, 0.75)
"""The places of these on an edge."""

FEW_POINTS = 500
"""For no more, the surface around each is searched, and not the whole."""


class FullSurface:
    """The full surface, with what is needed to find distances to it, made when it is first needed."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self._mesh.vertices, balanced_tree=False, compact_nodes=False)

    @cached_property
    def _distance(self) -> SurfaceDistance:
        return SurfaceDistance(self._mesh)

    @cached_property
    def _longest_edge(self) -> float:
        ends = self._mesh.vertices[self._mesh.triangles].transpose(1, 0, 2)
        return float(np.sqrt(max(((a - b) ** 2).sum(axis=1).max(initial=0) for a, b in combinations(ends, 2))))

    def distance_from(self, points: np.ndarray) -> SurfaceDistance:
        """What measures distances from `points` `(n, 3)`: few need only the part of the surface that is near them."""
        if len(points) > FEW_POINTS:
            return self._distance
        to_vertex = self._tree.query(points)[0]
        near = np.zeros(len(self._mesh.vertices), bool)
        for found in self._tree.query_ball_point(points, (to_vertex + self._longest_edge) * (1 + 1e-6)):
            near[found] = True  # the nearest triangle has a corner there
        return SurfaceDistance(chosen_part(self._mesh, near[self._mesh.triangles].any(axis=1)))

    def nearest_vertices(self, points: np.ndarray) -> np.ndarray:
        """The number of the nearest vertex to each of `points` `(n, 3)`."""
        return np.asarray(self._tree.query(points, workers=-1)[1])


def crossing_vertices(attempt: Attempt, as_before: np.ndarray) -> np.ndarray:
    """The vertices of triangles that cross, unless the two are `as_before` `(m,) bool`: the full surface does there."""
    pairs = crossing_triangles(attempt.mesh)
    return np.unique(attempt.mesh.triangles[pairs[~as_before[pairs].all(axis=1)]])


def wrong_vertices(mesh: Mesh, topology: Topology) -> np.ndarray:
    """Vertices where the mesh is no manifold, or with a triangle that has no area in float32."""
    if not topology.closed:
        return topology.bad_vertices if len(topology.bad_vertices) else np.array([0])
    corners = np.ascontiguousarray(mesh.vertices[mesh.triangles].reshape(-1, 9).T)
    flat = np.abs(area_normals(corners)).max(axis=0) == 0
    return np.union1d(crowded_vertices(mesh.triangles, len(mesh.vertices)), mesh.triangles[flat])


def far_vertices(
    mesh: Mesh, full: FullSurface, attempt: Attempt, changed: np.ndarray, limit: float
) -> tuple[np.ndarray, float]:
    """Vertices of the new mesh near which it is farther than `limit` from the full one, and the largest distance of
    the others. Only triangles that have `changed` `(m,) bool` since this was last asked are looked at.
    """
    fewer, triangles = attempt.mesh, attempt.mesh.triangles[changed]
    touched = np.zeros(len(fewer.vertices), bool)
    touched[triangles] = True
    edges = _edges(triangles)
    own = np.flatnonzero(touched)
    samples = np.concatenate((fewer.vertices[own], _along(fewer, edges, (0.5,))))
    nearest = full.nearest_vertices(samples)
    there = _to_full(samples, nearest, mesh, full, limit)
    before = np.flatnonzero(touched[attempt.became])
    back = _to_fewer(mesh.vertices[before].astype(np.float64), attempt.became[before], fewer, limit)
    doubtful = DOUBTFUL * min(limit, max(there.max(initial=0), back.max(initial=0)))

    of_vertices, of_middles = np.split(there, (len(own),))
    looked_at = edges[of_middles > doubtful]
    points = _along(fewer, looked_at, BESIDES)
    on_edges = _to_full(points, full.nearest_vertices(points), mesh, full, limit)

    around = np.zeros(len(mesh.vertices), bool)
    around[nearest[there > doubtful]] = around[before[back > doubtful]] = True
    full_edges = _edges(mesh.triangles[around[mesh.triangles].any(axis=1)])
    ends = attempt.became[full_edges]
    ways = BESIDES[:2], (0.5, *BESIDES[2:])
    near_ends = np.concatenate([np.repeat(end, len(way)) for end, way in zip(ends.T, ways, strict=True)])
    points = np.concatenate([_along(mesh, full_edges, way) for way in ways])
    on_full_edges = _to_fewer(points, near_ends, fewer, limit)

    bad = (
        own[of_vertices > limit],
        edges[of_middles > limit].reshape(-1),
        np.repeat(looked_at, len(BESIDES), axis=0)[on_edges > limit].reshape(-1),
        attempt.became[before[back > limit]],
        near_ends[on_full_edges > limit],
    )
    found = np.concatenate((there, back, on_edges, on_full_edges))
    return np.unique(np.concatenate(bad)), float(found[found <= limit].max(initial=0))


def _edges(triangles: np.ndarray) -> np.ndarray:
    """The edges `(n, 2)` of triangles of a closed mesh, each once."""
    onward = np.roll(triangles, -1, axis=1)
    rising = triangles < onward  # each edge is passed both ways
    return np.stack((triangles[rising], onward[rising]), axis=1)


def _along(mesh: Mesh, edges: np.ndarray, ways: Sequence[float]) -> np.ndarray:
    """Points `(n * len(ways), 3) float64` on each edge, at these shares of the way from its first end to the other."""
    first, second = mesh.vertices[edges].astype(np.float64).transpose(1, 0, 2)[:, :, None]
    return np.asarray((first + np.array(ways)[:, None] * (second - first)).reshape(-1, 3))


def _to_full(points: np.ndarray, nearest: np.ndarray, mesh: Mesh, full: FullSurface, limit: float) -> np.ndarray:
    """Distances of points of the new mesh. The triangles around the nearest vertex, or around what became of one, are
    nearly always near enough; only where they are not, the whole surface is searched."""
    found = distances_to_fans(points, nearest, mesh, limit)
    _search(found, points, limit, full.distance_from)
    return found


def _to_fewer(points: np.ndarray, became: np.ndarray, fewer: Mesh, limit: float) -> np.ndarray:
    """Distances of points of the full surface."""
    found = distances_to_fans(points, became, fewer, limit)
    _search(found, points, limit, lambda _: SurfaceDistance(fewer))
    return found


def _search(
    found: np.ndarray, points: np.ndarray, limit: float, surface: Callable[[np.ndarray], SurfaceDistance]
) -> None:
    """Puts true distances to the surface in the place of bounds over `limit`, or of all where there is none."""
    over = np.flatnonzero(found > limit) if np.isfinite(limit) else np.arange(len(found))
    if len(over):
        found[over] = surface(points[over]).unsigned(points[over])


def turned_over(mesh: Mesh, full: FullSurface) -> np.ndarray:
    """The vertices of triangles that face into the body.

    Such a one makes a fold, so only triangles at folds are looked at: a step outwards must not lead deeper.
    """
    normals = unit_normals(mesh.vertices[mesh.triangles].reshape(-1, 9)).astype(np.float64)
    first, second = neighbours_of(mesh.triangles, len(mesh.vertices))
    folded = (normals[first] * normals[second]).sum(axis=1) < 0
    suspects = np.unique(np.concatenate((first[folded], second[folded])))
    corners = mesh.vertices[mesh.triangles[suspects]].astype(np.float64)
    middle, step = corners.mean(axis=1), normals[suspects] * (1e-3 * np.ptp(corners, axis=1).max(axis=1))[:, None]
    if not len(suspects):
        return suspects
    outwards, inwards = np.split(
        full.distance_from(ends := np.concatenate((middle + step, middle - step))).signed(ends), 2
    )
    return np.unique(mesh.triangles[suspects[outwards < inwards]])
