"""Whether a mesh of fewer triangles may stand for the full surface, and at which vertices it may not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.spatial import KDTree

from orthanc_stl.mesh.collapses import Attempt
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.feet import Feet
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.topology import crowded_vertices, neighbours_of
from orthanc_stl.mesh.triangles import area_normals, chosen_part, corners_of
from orthanc_stl.mesh.types import Mesh

DOUBTFUL = 0.5
"""A fraction of the distance allowed: where a surface is farther, more points of the edges there are measured."""

ON_EDGES = (0.25, 0.33, 0.42, 0.58, 0.67, 0.75)
"""Where on a doubtful edge these points lie, besides its middle: parts of the way from its first end."""

ON_FULL_EDGES = (0.25, 0.375), (0.5, 0.625, 0.75)
"""The same on an edge of the full surface, which are shorter: nearer to its first end, and to the other."""

FEW_POINTS = 200
"""For no more points than these, all triangles near each are looked at; VTK's locator of the whole surface takes longer
to be made."""

LONG = 0.1
"""A fraction of the longest side of a surface's box: with a triangle as long as this, much of it is near any point."""

ELSEWHERE = -1
"""Instead of a triangle's number, for a point that was looked for on the whole surface."""


class MeasuredSurface:
    """A closed surface that distances are measured to, with what that needs, made when it is first needed."""

    def __init__(self, mesh: Mesh, twins: np.ndarray) -> None:
        """`twins`: of the mesh's half-edges (topology.closed_twins)."""
        self.mesh = mesh
        self.twins = twins

    @cached_property
    def _feet(self) -> Feet:
        return Feet(self.mesh, self.twins)

    @cached_property
    def _whole(self) -> SurfaceDistance:
        return SurfaceDistance(self.mesh)

    @cached_property
    def triangle_at(self) -> np.ndarray:
        """One of the triangles at each vertex, `(n,) int64`."""
        found = np.zeros(len(self.mesh.vertices), np.int64)
        found[self.mesh.triangles] = np.arange(len(self.mesh.triangles))[:, None]
        return found

    def distances(self, points: np.ndarray, start: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
        """Of `points` `(n, 3)` to the surface; exact where that is over `limit`, a bound elsewhere. And the triangles
        `(n,)` that have the feet of the points, or ELSEWHERE.

        From triangle `start` `(n,)` each it is walked to the foot; only where that is too far away, the whole surface
        is searched.
        """
        found, at = self._feet.found(points, start)
        over = np.flatnonzero(found > limit) if np.isfinite(limit) else np.arange(len(points))
        if len(over) > FEW_POINTS:
            found[over] = self._whole.unsigned(points[over])
        elif len(over):
            found[over] = self._feet.within_bounds(points[over], found[over])
        if np.isfinite(limit):
            at[over] = ELSEWHERE
        return found, at


class FullSurface(MeasuredSurface):
    """The full surface, of which parts are looked for by their place, too."""

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.mesh.vertices, balanced_tree=False, compact_nodes=False)

    @cached_property
    def _longest_edge(self) -> float:
        return max(
            float(np.sqrt(sum((a - b) ** 2 for a, b in zip(*ends, strict=True)).max(initial=0)))
            for ends in combinations(np.take(self.mesh.vertices.T, self.mesh.triangles.T, axis=1).swapaxes(0, 1), 2)
        )

    def around(self, points: np.ndarray) -> SurfaceDistance:
        """What measures distances from `points` `(n, 3)`: to the part of the surface that is near them.

        To all of it where a triangle is LONG, as on the faces of a cut: all would be near.
        """
        if self._longest_edge > LONG * float(np.ptp(self.mesh.vertices, axis=0).max()):
            return self._whole
        to_vertex = self._tree.query(points)[0]
        near = np.zeros(len(self.mesh.vertices), bool)
        for found in self._tree.query_ball_point(points, (to_vertex + self._longest_edge) * (1 + 1e-6)):
            near[found] = True  # the nearest triangle has a corner there
        return SurfaceDistance(chosen_part(self.mesh, near[self.mesh.triangles].any(axis=1)))


def crossing_vertices(attempt: Attempt, normals: np.ndarray, as_before: np.ndarray) -> np.ndarray:
    """The vertices of triangles that cross, unless the two are `as_before` `(m,) bool`: the full surface does there.

    Only pairs are looked at whose unit `normals` `(m, 3)` differ by 60 degrees or more. No triangle is turned over and
    all are near the full surface, so where two cross, either a layer of the body or a gap in it is thinner there than
    both distances: its two sides, which face opposite ways, or the rim between them, cross then too.
    """
    pairs = crossing_triangles(attempt.mesh, normals)
    return np.unique(attempt.mesh.triangles[pairs[~as_before[pairs].all(axis=1)]])


def wrong_vertices(mesh: Mesh, twins: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Vertices of a closed mesh where sheets touch, or of a triangle without area.

    `twins`: of its half-edges; `normals` `(m, 3)`: of its triangles, zero without area.
    """
    flat = ~normals.any(axis=1)
    return np.union1d(crowded_vertices(mesh.triangles, len(mesh.vertices), twins), mesh.triangles[flat])


def far_vertices(
    full: FullSurface, attempt: Attempt, twins: np.ndarray, changed: np.ndarray, limit: float
) -> tuple[np.ndarray, float]:
    """Vertices of the new mesh near which it is farther than `limit` from the full one, and the largest distance of
    the others.

    Only triangles that have `changed` `(m,) bool` since this was last asked are looked at, and of these such as have a
    vertex that several of the full mesh became.
    """
    mesh, fewer = full.mesh, attempt.mesh
    small = MeasuredSurface(fewer, twins)
    moved = np.bincount(attempt.became, minlength=len(fewer.vertices)) > 1
    touched = np.zeros(len(fewer.vertices), bool)
    touched[fewer.triangles[changed]] = True
    own = np.flatnonzero(touched & moved)
    edges, of_triangle = _edges(fewer.triangles, changed)
    chosen = moved[edges].any(axis=1)
    edges, of_triangle = edges[chosen], of_triangle[chosen]
    one_of = np.empty(len(fewer.vertices), np.int64)
    one_of[attempt.became] = np.arange(len(mesh.vertices))
    samples = np.concatenate((fewer.vertices[own], _along(fewer, edges, (0.5,))))
    start = np.concatenate((full.triangle_at[one_of[own]], attempt.origin[of_triangle]))
    there, feet = full.distances(samples, start, limit)

    before = np.flatnonzero((touched & moved)[attempt.became])
    foot = small.triangle_at[attempt.became]
    foot[mesh.triangles[attempt.origin]] = np.arange(len(fewer.triangles))[:, None]
    back, foot[before] = small.distances(mesh.vertices[before].astype(np.float64), foot[before], limit)
    doubtful = DOUBTFUL * min(limit, max(there.max(initial=0), back.max(initial=0)))

    of_vertices, of_middles = np.split(there, (len(own),))
    looked_at = edges[of_middles > doubtful]
    start = np.where(feet == ELSEWHERE, start, feet)
    points = _along(fewer, looked_at, ON_EDGES)
    on_edges, _ = full.distances(points, np.repeat(start[len(own) :][of_middles > doubtful], len(ON_EDGES)), limit)

    of_feet = mesh.triangles[np.unique(start[there > doubtful])]
    around = np.zeros(len(mesh.vertices), bool)
    around[before[back > doubtful]] = True
    full_edges, _ = _edges(mesh.triangles, around[mesh.triangles].any(axis=1))
    full_edges = np.concatenate(
        (full_edges[around[full_edges].any(axis=1)], of_feet[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2))
    )
    one, other = foot[full_edges].T
    full_edges = full_edges[(one != other) | (one == ELSEWHERE)]  # over one triangle no point is farther than both ends
    near_ends = np.concatenate([np.repeat(end, len(way)) for end, way in zip(full_edges.T, ON_FULL_EDGES, strict=True)])
    points = np.concatenate([_along(mesh, full_edges, way) for way in ON_FULL_EDGES])
    start = np.where(foot == ELSEWHERE, small.triangle_at[attempt.became], foot)
    on_full_edges, _ = small.distances(points, start[near_ends], limit)

    bad = (
        own[of_vertices > limit],
        edges[of_middles > limit].reshape(-1),
        np.repeat(looked_at, len(ON_EDGES), axis=0)[on_edges > limit].reshape(-1),
        attempt.became[before[back > limit]],
        attempt.became[near_ends[on_full_edges > limit]],
    )
    found = np.concatenate((there, back, on_edges, on_full_edges))
    return np.unique(np.concatenate(bad)), float(found[found <= limit].max(initial=0))


def _edges(triangles: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The edges `(n, 2)` of the triangles of a closed mesh that are `chosen` `(m,) bool`, each once, or, at the rim of
    what is chosen, not at all; and a triangle `(n,)` of each.
    """
    numbers = np.flatnonzero(chosen)
    triangles = triangles[numbers]
    onward = triangles[:, [1, 2, 0]]
    rising = triangles < onward  # each edge is passed both ways
    return np.stack((triangles[rising], onward[rising]), axis=1), numbers[np.nonzero(rising)[0]]


def _along(mesh: Mesh, edges: np.ndarray, ways: Sequence[float]) -> np.ndarray:
    """Points `(n * len(ways), 3) float64` on each edge, at these shares of the way from its first end to the other."""
    first, second = (mesh.vertices[ends].astype(np.float64)[:, None] for ends in edges.T)
    return np.asarray((first + np.array(ways)[:, None] * (second - first)).reshape(-1, 3))


def turned_over(
    attempt: Attempt, twins: np.ndarray, normals: np.ndarray, changed: np.ndarray, full: FullSurface
) -> np.ndarray:
    """The vertices of triangles that face into the body, of those that have `changed` `(m,) bool`.

    Such a one makes a fold, or faces away from the triangle that it was, so only such are looked at: a step outwards
    must not lead deeper.
    """
    mesh = attempt.mesh
    first, second = neighbours_of(twins)
    folded = sum(way.take(first) * way.take(second) for way in normals.T) < 0
    once = area_normals(corners_of(full.mesh.vertices, full.mesh.triangles[attempt.origin]))
    suspect = (normals.T * once).sum(axis=0) < 0
    suspect[first[folded]] = suspect[second[folded]] = True
    suspects = np.flatnonzero(suspect & changed)
    if not len(suspects):
        return suspects
    places = mesh.vertices[mesh.triangles[suspects]].astype(np.float64)
    middle, step = places.mean(axis=1), normals[suspects] * (1e-3 * np.ptp(places, axis=1).max(axis=1))[:, None]
    ends = np.concatenate((middle + step, middle - step))
    outwards, inwards = np.split(full.around(ends).signed(ends), 2)
    return np.unique(mesh.triangles[suspects[outwards < inwards]])
