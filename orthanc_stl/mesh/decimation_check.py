"""Whether a mesh of fewer triangles may stand for the full surface, and at which vertices it may not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.spatial import KDTree

from orthanc_stl.mesh.collapses import Attempt
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.fans import Fans
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.topology import crowded_vertices, neighbours_of
from orthanc_stl.mesh.triangles import area_normals, chosen_part, corners_of, unit_normals
from orthanc_stl.mesh.types import Mesh

DOUBTFUL = 0.5
"""A fraction of the distance allowed: where a surface is farther, more points of the edges there are measured."""

ON_EDGES = (0.25, 0.375, 0.625, 0.75)
"""Where on a doubtful edge these points lie, besides its middle: parts of the way from its first end."""

FEW_POINTS = 200
"""For no more points than these, all triangles near each are looked at; VTK's locator of the whole surface takes longer
to be made."""

SEVERAL = 16
"""How many of the nearest vertices are tried. Where a gap is thinner than a voxel, a few may all be beyond it."""


class MeasuredSurface:
    """A surface that distances are measured to, with what that needs, made when it is first needed."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh

    @cached_property
    def _fans(self) -> Fans:
        return Fans(self.mesh)

    @cached_property
    def _whole(self) -> SurfaceDistance:
        return SurfaceDistance(self.mesh)

    def distances(self, points: np.ndarray, near: np.ndarray, limit: float) -> np.ndarray:
        """Of `points` `(n, 3)` to the surface; exact where that is over `limit`, a bound elsewhere.

        The triangles around the vertex `near` `(n,)` each are nearly always near enough. Only where they are not, the
        whole surface is searched.
        """
        if not np.isfinite(limit):
            return self._whole.unsigned(points)
        found = self._bounds(points, near, limit)
        over = np.flatnonzero(found > limit)
        if len(over) > FEW_POINTS:
            found[over] = self._whole.unsigned(points[over])
        elif len(over):
            found[over] = self._fans.within_bounds(points[over], found[over])
        return found

    def _bounds(self, points: np.ndarray, near: np.ndarray, limit: float) -> np.ndarray:
        return self._fans.distances(points, near, limit)


class FullSurface(MeasuredSurface):
    """The full surface, whose vertices are looked for by their place, too."""

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.mesh.vertices, balanced_tree=False, compact_nodes=False)

    def _bounds(self, points: np.ndarray, near: np.ndarray, limit: float) -> np.ndarray:
        """The nearest vertex may lie on another sheet of the surface: then several are tried."""
        found = super()._bounds(points, near, limit)
        over = np.flatnonzero(found > limit)
        if len(over):
            count = min(SEVERAL, len(self.mesh.vertices))
            several = self._tree.query(points[over], np.arange(1, count + 1))[1].reshape(-1)
            there = super()._bounds(np.repeat(points[over], count, axis=0), several, limit)
            found[over] = np.minimum(found[over], there.reshape(-1, count).min(axis=1))
        return found

    @cached_property
    def _longest_edge(self) -> float:
        return max(
            float(np.sqrt(sum((a - b) ** 2 for a, b in zip(*ends, strict=True)).max(initial=0)))
            for ends in combinations(np.take(self.mesh.vertices.T, self.mesh.triangles.T, axis=1).swapaxes(0, 1), 2)
        )

    def around(self, points: np.ndarray) -> SurfaceDistance:
        """What measures distances from `points` `(n, 3)`: to the part of the surface that is near them."""
        to_vertex = self._tree.query(points)[0]
        near = np.zeros(len(self.mesh.vertices), bool)
        for found in self._tree.query_ball_point(points, (to_vertex + self._longest_edge) * (1 + 1e-6)):
            near[found] = True  # the nearest triangle has a corner there
        return SurfaceDistance(chosen_part(self.mesh, near[self.mesh.triangles].any(axis=1)))

    def nearest_vertices(self, points: np.ndarray) -> np.ndarray:
        """The number of the nearest vertex to each of `points` `(n, 3)`."""
        return np.asarray(self._tree.query(points, workers=-1)[1])


def crossing_vertices(attempt: Attempt, as_before: np.ndarray) -> np.ndarray:
    """The vertices of triangles that cross, unless the two are `as_before` `(m,) bool`: the full surface does there."""
    pairs = crossing_triangles(attempt.mesh)
    return np.unique(attempt.mesh.triangles[pairs[~as_before[pairs].all(axis=1)]])


def wrong_vertices(mesh: Mesh, twins: np.ndarray) -> np.ndarray:
    """Vertices of a closed mesh, whose `twins` are known, where sheets touch, or of a triangle without area."""
    corners = corners_of(mesh.vertices, mesh.triangles)
    flat = np.abs(area_normals(corners)).max(axis=0) == 0
    return np.union1d(crowded_vertices(mesh.triangles, len(mesh.vertices), twins), mesh.triangles[flat])


def far_vertices(full: FullSurface, attempt: Attempt, changed: np.ndarray, limit: float) -> tuple[np.ndarray, float]:
    """Vertices of the new mesh near which it is farther than `limit` from the full one, and the largest distance of
    the others. Only triangles that have `changed` `(m,) bool` since this was last asked are looked at.
    """
    mesh, fewer, triangles = full.mesh, attempt.mesh, attempt.mesh.triangles[changed]
    small = MeasuredSurface(fewer)
    touched = np.zeros(len(fewer.vertices), bool)
    touched[triangles] = True
    edges = _edges(triangles)
    own = np.flatnonzero(touched)
    samples = np.concatenate((fewer.vertices[own], _along(fewer, edges, (0.5,))))
    nearest = full.nearest_vertices(samples)
    there = full.distances(samples, nearest, limit)
    before = np.flatnonzero(touched[attempt.became])
    back = small.distances(mesh.vertices[before].astype(np.float64), attempt.became[before], limit)
    doubtful = DOUBTFUL * min(limit, max(there.max(initial=0), back.max(initial=0)))

    of_vertices, of_middles = np.split(there, (len(own),))
    looked_at = edges[of_middles > doubtful]
    points = _along(fewer, looked_at, ON_EDGES)
    on_edges = full.distances(points, full.nearest_vertices(points), limit)

    around = np.zeros(len(mesh.vertices), bool)
    around[nearest[there > doubtful]] = around[before[back > doubtful]] = True
    full_edges = _edges(mesh.triangles[around[mesh.triangles].any(axis=1)])
    ends = attempt.became[full_edges]
    ways = ON_EDGES[:2], (0.5, *ON_EDGES[2:])
    near_ends = np.concatenate([np.repeat(end, len(way)) for end, way in zip(ends.T, ways, strict=True)])
    points = np.concatenate([_along(mesh, full_edges, way) for way in ways])
    on_full_edges = small.distances(points, near_ends, limit)

    bad = (
        own[of_vertices > limit],
        edges[of_middles > limit].reshape(-1),
        np.repeat(looked_at, len(ON_EDGES), axis=0)[on_edges > limit].reshape(-1),
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


def turned_over(mesh: Mesh, twins: np.ndarray, changed: np.ndarray, full: FullSurface) -> np.ndarray:
    """The vertices of triangles that face into the body, of those that have `changed` `(m,) bool`.

    Such a one makes a fold, so only triangles at folds are looked at: a step outwards must not lead deeper.
    """
    normals = unit_normals(corners_of(mesh.vertices, mesh.triangles))
    first, second = neighbours_of(twins)
    folded = (normals[first] * normals[second]).sum(axis=1) < 0
    suspects = np.unique(np.concatenate((first[folded], second[folded])))
    suspects = suspects[changed[suspects]]
    if not len(suspects):
        return suspects
    corners = mesh.vertices[mesh.triangles[suspects]].astype(np.float64)
    middle, step = corners.mean(axis=1), normals[suspects] * (1e-3 * np.ptp(corners, axis=1).max(axis=1))[:, None]
    ends = np.concatenate((middle + step, middle - step))
    outwards, inwards = np.split(full.around(ends).signed(ends), 2)
    return np.unique(mesh.triangles[suspects[outwards < inwards]])
