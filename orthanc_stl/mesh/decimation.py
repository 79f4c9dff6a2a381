"""Fewer triangles, within a distance of the full surface that is measured.

    full = Mesh(vertices, triangles)
    fewer = decimated(full, tolerance=0.1)
    fewer.mesh, fewer.distance

The work is done by fast-simplification (edge collapses by quadric errors: Garland and Heckbert, SIGGRAPH 1997). On the
organs of a structure set it kept within 0.1 mm with a tenth to a fifth of the triangles; manifold3d's `simplify` with
the same tolerance left half as many again, and strayed by up to 2.4 mm.

What comes out is checked here: closed, no vertex at which sheets touch, the same Euler number, no triangle without area
or turned over, the surface nowhere through itself, and the distance to the full surface measured in both directions.
Around each place where that fails, the full triangles are kept and the rest is done again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import fast_simplification
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.fans import distances_to_fans
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.topology import Topology, crowded_vertices, neighbours_of, topology_of
from orthanc_stl.mesh.triangles import area_normals, unit_normals
from orthanc_stl.mesh.types import Mesh

QUADRICS = 2.5
"""A quadric error adds up squared distances to the planes of several triangles. Told to stop at 2.5 times the
squared tolerance, the largest measured distance is mostly 0.7 to 1.0 of the tolerance (31 organs)."""

STEPS, FIRST_STEP, ERROR_UNIT = 100, 3, 1e-9
"""Of fast-simplification: step k of 100 collapses edges of errors below 1e-9 (k + 3)^aggressiveness."""

GENTLE, STEEP = 2.0, 7.0
"""Aggressiveness: how the errors allowed grow from step to step. For a tolerance a low one wastes no steps on errors
that no edge has (twice as fast, the same result); for a number of triangles it must reach large errors."""

BETWEEN_SAMPLES = 0.95
"""Of the tolerance: what may be measured at vertices and middles of edges. Between them, at 28 samples in each triangle
of 34 meshes, a little more was found, and nowhere more than the tolerance (0.098 mm at 0.1)."""

ROUNDS = 6
"""How often places that fail the check are kept as they are and the rest is done again. Organs took 1 to 3."""

SHARES = (1.0, 0.4)
"""Of the tolerance, one after the other, where the rounds do not end well."""

MORE = (1.0, 1.5, 2.5, 5.0)
"""Times the number of triangles asked for, one after another, where the rounds with fewer do not end well."""

SMALL_PIECE = 200
"""Triangles: a piece of fewer stays as it is."""

MOST_KEPT = 0.3
"""Of the triangles: where more would be kept as they are, less is tried instead."""

_one_at_a_time = threading.Lock()  # fast-simplification keeps its mesh in global variables


@dataclass(frozen=True)
class Decimated:
    """`distance`: the largest between `mesh` and the full surface, measured in both directions, in mm.

    It is taken at all vertices of both and at the middle of each edge of the new mesh. Zero if `mesh` is the full
    surface itself.
    """

    mesh: Mesh
    distance: float


class _Full:
    """The full surface, with what is needed to find distances to it, made when it is first needed."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self._mesh.vertices, balanced_tree=False, compact_nodes=False)

    @cached_property
    def _distance(self) -> SurfaceDistance:
        return SurfaceDistance(self._mesh)

    def distance(self) -> SurfaceDistance:
        return self._distance

    def nearest_vertices(self, points: np.ndarray) -> np.ndarray:
        """The number of the nearest vertex to each of `points` `(n, 3)`."""
        return np.asarray(self._tree.query(points, workers=-1)[1])


@dataclass(frozen=True)
class _Attempt:
    """`became` `(n,) int64`: the vertex of `mesh` that each vertex of the full mesh was collapsed into."""

    mesh: Mesh
    became: np.ndarray


@dataclass(frozen=True)
class _Goal:
    """What fast-simplification is told: to work on the mesh times `scale`, down to `count` triangles."""

    scale: float
    count: int
    aggressiveness: float


def decimated(mesh: Mesh, *, tolerance: float | None = None, triangles: int | None = None) -> Decimated:
    """`mesh` with fewer triangles.

    `tolerance` (mm): as few as can be, none farther than that from the full surface. `triangles`: so many at most,
    wherever they come to lie, and more only if so few would not be a closed surface of the same Euler number. At most
    one of the two; with neither, a tolerance of 0, or a mesh that is not closed, the mesh comes back as it is.

    Raises ValueError for both, a negative tolerance or fewer than four triangles.
    """
    if tolerance is not None and triangles is not None:
        raise ValueError("got a tolerance and a number of triangles, expected one of them")
    if tolerance is not None and not 0 <= tolerance < np.inf:
        raise ValueError(f"got a tolerance of {tolerance} mm, expected 0 or more")
    if triangles is not None and triangles < 4:
        raise ValueError(f"got {triangles} triangles, expected 4 or more: a closed surface has no fewer")
    goals: Iterator[_Goal] = iter(())
    if tolerance:
        goals = _within(tolerance)
    elif triangles is not None:
        goals = _to_count(mesh, triangles)
    topology = topology_of(mesh.triangles, len(mesh.vertices))
    if not topology.closed:
        return Decimated(mesh, 0.0)
    limit = np.inf if tolerance is None else tolerance * BETWEEN_SAMPLES
    full: _Full | None = None
    found: Decimated | None = None
    for goal in goals:
        full = full or _Full(mesh)
        with contextlib.suppress(TooLarge):  # triangles heaped up, as in no surface: they are left as they are
            found = _reached(goal, mesh, full, topology.euler_number, limit)
        if found is not None:
            return found
    return Decimated(mesh, 0.0)


def _within(tolerance: float) -> Iterator[_Goal]:
    for share in SHARES:
        largest = QUADRICS * (tolerance * share) ** 2
        yield _Goal(float(np.sqrt(ERROR_UNIT * (STEPS - 1 + FIRST_STEP) ** GENTLE / largest)), 4, GENTLE)


def _to_count(mesh: Mesh, triangles: int) -> Iterator[_Goal]:
    some = mesh.vertices[mesh.triangles[:: 1 + len(mesh.triangles) // 1000]]
    side = float(np.linalg.norm(some[:, 1] - some[:, 0], axis=1).mean()) if len(some) else 0.0
    for more in MORE:
        count = round(triangles * more)
        if count < len(mesh.triangles):
            yield _Goal(1 / side if side > 0 else 1.0, count, STEEP)


def _reached(goal: _Goal, mesh: Mesh, full: _Full, euler_number: int, limit: float) -> Decimated | None:
    """The mesh that passes the check, after as many rounds as it takes; None if it takes too many."""
    kept = _of_small_pieces(mesh)
    if kept.mean() > MOST_KEPT:
        return None
    for turn in range(ROUNDS):
        attempt = _collapsed(mesh, kept, goal)
        topology = topology_of(attempt.mesh.triangles, len(attempt.mesh.vertices))
        bad, distance = _wrong_vertices(attempt.mesh, topology), 0.0
        if not len(bad):
            if topology.euler_number != euler_number:
                return None  # a whole piece or handle went
            far, distance = _far_vertices(mesh, full, attempt, limit)
            bad = np.union1d(_turned_over(attempt.mesh, full), far)
            if turn or not len(bad):  # the dearest check: not in the first round, which nearly always finds something
                pairs = crossing_triangles(attempt.mesh)
                as_before = pairs.min(axis=1, initial=len(attempt.mesh.triangles)) >= (
                    len(attempt.mesh.triangles) - int(kept.sum())
                )  # the full surface crosses itself there: it stays as it was
                bad = np.union1d(bad, attempt.mesh.triangles[pairs[~as_before]].reshape(-1))
        if not len(bad):
            return Decimated(attempt.mesh, distance)
        again = np.isin(attempt.became, bad)
        kept |= again[mesh.triangles].any(axis=1)
        if kept.mean() > MOST_KEPT:
            return None
    return None


def _of_small_pieces(mesh: Mesh) -> np.ndarray:
    """Which triangles `(m,) bool` belong to pieces of few: those could go altogether."""
    count = len(mesh.vertices)
    ends = mesh.triangles[:, [0, 1, 0, 2]].reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(count, count))
    piece = connected_components(graph, directed=False)[1][mesh.triangles[:, 0]]
    return np.asarray(np.bincount(piece)[piece] < SMALL_PIECE)


def _collapsed(mesh: Mesh, kept: np.ndarray, goal: _Goal) -> _Attempt:
    """`mesh` after fast-simplification's work on all but the triangles that are `kept`, which are put back after it.

    The edge of what is worked on does not move, so the two fit together.
    """
    count = len(mesh.vertices)
    middle = mesh.vertices.mean(axis=0, dtype=np.float64)
    rest = mesh.triangles[~kept]
    used = np.flatnonzero(np.bincount(rest.reshape(-1), minlength=count))
    number = np.zeros(count, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    with _one_at_a_time:
        points, triangles, collapses = fast_simplification.simplify(
            (mesh.vertices[used] - middle) * goal.scale,
            number[rest],
            target_count=max(4, goal.count - int(kept.sum())),
            agg=goal.aggressiveness,
            preserve_border=True,
            return_collapses=True,
        )
    target = _targets(len(used), collapses)
    remaining, place = np.unique(target, return_inverse=True)
    if len(remaining) != len(points):  # a piece that went altogether leaves vertices in no triangle
        return _Attempt(Mesh(mesh.vertices[:0], mesh.triangles[:0]), np.zeros(count, np.int64))
    became = np.full(count, -1, np.int64)
    became[used] = place.reshape(-1)
    alone = np.flatnonzero(became < 0)
    became[alone] = len(points) + np.arange(len(alone))
    vertices = np.concatenate(((points / goal.scale + middle).astype(np.float32), mesh.vertices[alone]))
    both = np.concatenate((triangles, became[mesh.triangles[kept]]))
    return _Attempt(Mesh(vertices, both.astype(np.int32)), became)


def _targets(count: int, collapses: np.ndarray) -> np.ndarray:
    """Which vertex each of `count` was collapsed into in the end; `collapses` `(k, 2)`: the second into the first."""
    target = np.arange(count)
    if len(collapses):
        target[collapses[:, 1]] = collapses[:, 0]
    while True:
        onward = target[target]
        if np.array_equal(onward, target):
            return target
        target = onward


def _wrong_vertices(mesh: Mesh, topology: Topology) -> np.ndarray:
    """Vertices where the mesh is no manifold, or with a triangle that has no area in float32."""
    if not topology.closed:
        return topology.bad_vertices if len(topology.bad_vertices) else np.array([0])
    corners = np.ascontiguousarray(mesh.vertices[mesh.triangles].reshape(-1, 9).T)
    flat = np.abs(area_normals(corners)).max(axis=0) == 0
    return np.union1d(crowded_vertices(mesh.triangles, len(mesh.vertices)), mesh.triangles[flat])


def _far_vertices(mesh: Mesh, full: _Full, attempt: _Attempt, limit: float) -> tuple[np.ndarray, float]:
    """Vertices of the new mesh near which it is farther than `limit` from the full one, and the largest distance."""
    fewer = attempt.mesh
    onward = np.roll(fewer.triangles, -1, axis=1)
    rising = fewer.triangles < onward  # each edge of a closed mesh is passed both ways
    edges = np.stack((fewer.triangles[rising], onward[rising]), axis=1)
    middles = fewer.vertices[edges].mean(axis=1, dtype=np.float64)
    samples = np.concatenate((fewer.vertices, middles))
    # The triangles around the nearest vertex, or around what became of one, are nearly always near enough; only where
    # they are not, the whole surface is searched.
    there = distances_to_fans(samples, full.nearest_vertices(samples), mesh)
    _search(there, samples, limit, full.distance)
    back = distances_to_fans(mesh.vertices.astype(np.float64), attempt.became, fewer)
    _search(back, mesh.vertices, limit, lambda: SurfaceDistance(fewer))
    of_vertices, of_edges = np.split(there > limit, (len(fewer.vertices),))
    bad = (np.flatnonzero(of_vertices), edges[of_edges].reshape(-1), attempt.became[back > limit])
    return np.unique(np.concatenate(bad)), float(max(there.max(), back.max()))


def _search(found: np.ndarray, points: np.ndarray, limit: float, surface: Callable[[], SurfaceDistance]) -> None:
    """Puts true distances to the surface in the place of bounds over `limit`, or of all where there is none."""
    over = np.flatnonzero(found > limit) if np.isfinite(limit) else np.arange(len(found))
    if len(over):
        found[over] = surface().unsigned(points[over])


def _turned_over(mesh: Mesh, full: _Full) -> np.ndarray:
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
    turned = full.distance().signed(middle + step) < full.distance().signed(middle - step)
    return np.unique(mesh.triangles[suspects[turned]])
