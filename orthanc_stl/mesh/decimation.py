"""Fewer triangles, within a distance of the full surface that is measured.

    full = Mesh(vertices, triangles)
    fewer = decimated(full, tolerance=0.1)
    fewer.mesh, fewer.distance

The work is done by fast-simplification (edge collapses by quadric errors: Garland and Heckbert, SIGGRAPH 1997). On the
organs of a structure set it kept within 0.1 mm with a tenth to a fifth of the triangles; manifold3d's `simplify` with
the same tolerance left half as many again, and strayed by up to 2.4 mm.

What comes out is checked (decimation_check.py): closed, no vertex at which sheets touch, the same Euler number, no
triangle without area or turned over, the surface nowhere through itself, and the distance to the full surface measured
in both directions. Where that fails, the collapses of the vertices there are taken back, until nothing fails.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.collapses import ERROR_UNIT, FIRST_STEP, ONE_ERROR, STEPS, Attempt, Goal, collapsed_to, with_kept
from orthanc_stl.mesh.decimation_check import (
    FullSurface,
    crossing_vertices,
    far_vertices,
    turned_over,
    wrong_vertices,
)
from orthanc_stl.mesh.topology import closed_twins, topology_of
from orthanc_stl.mesh.triangles import corners_of, unit_normals
from orthanc_stl.mesh.types import Mesh

QUADRICS = 2.95
"""A quadric error adds up squared distances to the planes of several triangles. Told to stop at 2.95 times the
squared tolerance, 31 organs have 5 % fewer triangles than at 2.5; at 3.2 some need so many collapses taken back that
they end with half as many again."""

GENTLE, STEEP = 1.0, 7.0
"""Aggressiveness: how the errors allowed grow from step to step. For a tolerance a low one wastes no steps on errors
that no edge has (twice as fast, the same result); for a number of triangles it must reach large errors."""

COARSE = 18.0
"""Times the tolerance: where the edges of the full surface are longer on average, as of voxels of 1 mm and more at the
default tolerance, half of the triangles stay, and it hardly matters which edges go first: a single step with one error
takes half of the time of a hundred with growing ones, and leaves 4 % more. Of finer surfaces, it leaves up to 16 % more
and more has to be taken back."""

QUADRICS_AT_ONCE = 2.4
"""As QUADRICS, for that step."""

BETWEEN_SAMPLES = 0.96
"""A fraction of the tolerance: what may be measured. Between the points that are measured a little more was found at 15
to 28 points in each triangle of both surfaces, on organs at 256: up to 0.962 of the tolerance."""

ROUNDS = 12
"""How often collapses are taken back where the check fails. Organs took 1 to 4."""

SHARES = (1.0, 0.4)
"""Of the tolerance, one after the other, where the rounds do not end well."""

MORE = (1.0, 1.5, 2.5, 5.0)
"""Times the number of triangles asked for, one after another, where the rounds with fewer do not end well."""

AGAIN = 3
"""How often fewer triangles are asked for, where more come out than were asked for."""

SMALL_PIECE = 200
"""A number of triangles: a piece of fewer stays as it is."""

MOST_KEPT = 0.3
"""A fraction of the vertices: where more would be kept as they are, less is tried instead."""


@dataclass(frozen=True)
class Decimated:
    """`distance`: the largest between `mesh` and the full surface, measured in both directions, in mm.

    It is taken at all vertices of both and at the middle of each edge of the new mesh, and at more points of the edges
    where either surface is far from the other. Zero if `mesh` is the full surface itself.
    """

    mesh: Mesh
    distance: float


LEAST = 1e-9
"""In mm: a tolerance below that is none, for float32 coordinates tell no such distances apart."""


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
    goals: Iterator[Goal] = iter(())
    if tolerance and tolerance > LEAST:
        goals = _within(tolerance, mesh)
    elif triangles is not None:
        goals = _to_count(mesh, triangles)
    limit = np.inf if tolerance is None else tolerance * BETWEEN_SAMPLES
    full: FullSurface | None = None
    found: Decimated | None = None
    for goal in goals:
        if full is None:
            twins = closed_twins(mesh.triangles, len(mesh.vertices))
            if twins is None:
                break
            full = FullSurface(mesh, twins)
        with contextlib.suppress(TooLarge):  # triangles heaped up, as in no surface: they are left as they are
            found = _at_most(goal, full, limit)
        if found is not None:
            return found
    return Decimated(mesh, 0.0)


def _within(tolerance: float, mesh: Mesh) -> Iterator[Goal]:
    if _side(mesh) > COARSE * tolerance:
        yield Goal(float(np.sqrt(ONE_ERROR / QUADRICS_AT_ONCE)) / tolerance, 4, None)
    for share in SHARES:
        largest = QUADRICS * (tolerance * share) ** 2
        yield Goal(float(np.sqrt(ERROR_UNIT * (STEPS - 1 + FIRST_STEP) ** GENTLE / largest)), 4, GENTLE)


def _to_count(mesh: Mesh, triangles: int) -> Iterator[Goal]:
    side = _side(mesh)
    for more in MORE:
        count = round(triangles * more)
        if count < len(mesh.triangles):
            yield Goal(1 / side if side > 0 else 1.0, count, STEEP)


def _side(mesh: Mesh) -> float:
    """How long edges are on average (mm), by a thousand of the triangles."""
    some = mesh.vertices[mesh.triangles[:: 1 + len(mesh.triangles) // 1000]]
    return float(np.linalg.norm(some[:, 1] - some[:, 0], axis=1).mean()) if len(some) else 0.0


def _at_most(goal: Goal, full: FullSurface, limit: float) -> Decimated | None:
    """As `_reached`; where collapses taken back leave more triangles than asked for, again with as many fewer."""
    found = _reached(goal, full, limit)
    count = goal.count
    for _ in range(AGAIN):
        over = len(found.mesh.triangles) - goal.count if found and goal.aggressiveness == STEEP else 0
        count -= over
        if over <= 0 or count < 4:
            break
        fewer = _reached(replace(goal, count=count), full, limit)
        if fewer is None:
            break
        found = fewer
    return found


def _reached(goal: Goal, full: FullSurface, limit: float) -> Decimated | None:
    """The mesh that passes the check, after as many rounds as it takes; None if it takes too many."""
    mesh = full.mesh
    kept = np.bincount(mesh.triangles.reshape(-1), minlength=len(mesh.vertices)) == 0
    euler_number = int(np.count_nonzero(~kept)) - len(mesh.triangles) // 2
    kept[mesh.triangles[_of_small_pieces(full.twins)]] = True
    if kept.mean() > MOST_KEPT:
        return None
    collapsed = collapsed_to(mesh, kept, goal)
    if collapsed is None:
        return None
    unchecked = np.ones(len(mesh.vertices), bool)
    distance = 0.0
    for _ in range(ROUNDS):
        attempt = with_kept(mesh, collapsed, kept)
        bad, largest = _bad_vertices(attempt, full, euler_number, unchecked, kept, limit)
        if bad is None:
            return None
        distance = max(distance, largest)
        if not len(bad):
            return Decimated(attempt.mesh, distance)
        more = np.isin(attempt.became, bad) & ~kept
        kept |= more
        unchecked |= more
        if kept.mean() > MOST_KEPT or not more.any():
            return None
    return None


def _bad_vertices(
    attempt: Attempt, full: FullSurface, euler_number: int, unchecked: np.ndarray, kept: np.ndarray, limit: float
) -> tuple[np.ndarray | None, float]:
    """The vertices at which an attempt fails, and the largest distance elsewhere; None if a piece or a handle went.

    `unchecked` `(n,) bool`: the vertices of the full mesh around which the distance is still to be measured. Once it
    was, all are set to False. `kept` `(n,) bool`: those that are where they were.
    """
    mesh = attempt.mesh
    count = len(mesh.vertices)
    twins = closed_twins(mesh.triangles, count)
    if twins is None:
        bad = topology_of(mesh.triangles, count).bad_vertices
        return (bad if len(bad) else np.array([0])), 0.0
    normals = unit_normals(corners_of(mesh.vertices, mesh.triangles))
    wrong = wrong_vertices(mesh, twins, normals)
    if len(wrong):
        return wrong, 0.0
    used = np.bincount(mesh.triangles.reshape(-1), minlength=count)
    if int(np.count_nonzero(used)) - len(mesh.triangles) // 2 != euler_number:
        return None, 0.0
    before = full.mesh.triangles[attempt.origin]
    changed = unchecked[before].any(axis=1)
    far, largest = far_vertices(full, attempt, twins, changed, limit)
    unchecked[:] = False
    bad = np.union1d(turned_over(attempt, twins, normals, changed, full), far)
    if not len(bad):
        bad = crossing_vertices(attempt, normals, kept[before].all(axis=1))
    return bad, largest


def _of_small_pieces(twins: np.ndarray) -> np.ndarray:
    """Which triangles `(m,) bool` belong to pieces of few: those could go altogether."""
    count = len(twins) // 3
    starts = np.arange(0, len(twins) + 1, 3, dtype=np.int32)
    beyond = csr_array((np.ones(len(twins), bool), (twins // 3).astype(np.int32), starts), shape=(count, count))
    piece = connected_components(beyond, directed=False)[1]
    return np.asarray(np.bincount(piece)[piece] < SMALL_PIECE)
