"""Single faults of a surface mended where they are: slivers folded over, and triangles that cross.

At a fault, each of its edges is collapsed into either end for trial, and each edge at its corners flipped; the change
that leaves the fewest faults near there, and of such the fewest triangles, is kept, of those that move the surface by
less than WITHIN.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orthanc_stl.mesh.feet import squared_distances
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.solids.slivers import faults_of
from orthanc_stl.mesh.triangles import chosen_part
from orthanc_stl.mesh.types import Mesh

WITHIN = 0.02
"""In mm: how far the surface is moved at most."""

MOST_FAULTS = 60
"""Triangles with a fault; a surface with more is left as it is."""


def mended(mesh: Mesh) -> Mesh:
    """A closed `mesh` with as many of its faults mended as may be."""
    points, triangles = mesh.vertices.astype(np.float64), mesh.triangles
    faults = faults_of(points, triangles).tolist()
    if not 0 < len(faults) <= MOST_FAULTS:
        return mesh
    for _ in range(3 * len(faults)):
        changed = _mended_at(points, triangles, faults.pop(0))
        if changed is not None:
            triangles, faults = changed, faults_of(points, changed).tolist()
        if not faults:
            break
    return chosen_part(Mesh(mesh.vertices, triangles), np.ones(len(triangles), bool))


def _mended_at(points: np.ndarray, triangles: np.ndarray, fault: int) -> np.ndarray | None:
    """The `triangles` with the best change near one of them; None if none makes it better."""
    around = np.isin(triangles, triangles[fault]).any(axis=1)
    box = points[triangles[around]].reshape(-1, 3)
    low, high = points[triangles].min(axis=1), points[triangles].max(axis=1)
    near = ((low <= box.max(axis=0)) & (high >= box.min(axis=0))).all(axis=1)
    patch = triangles[near]
    crossing = crossing_triangles(Mesh(points, patch))
    before = len(faults_of(points, patch, crossing))
    best, least = None, (before, len(patch), 0.0)
    for removed, added in _changes(patch, triangles[around], triangles[fault]):
        moved = _moved_by(points, patch[removed], added)
        if moved > WITHIN:
            continue
        changed = np.concatenate((patch[~removed], added))
        crossing_now = crossing_after(points, crossing, removed, changed)
        now = (len(faults_of(points, changed, crossing_now)), len(changed), moved)
        if now[:2] < (before, len(patch)) and now < least:
            best, least = changed, now
    return None if best is None else np.concatenate((triangles[~near], best))


def crossing_after(points: np.ndarray, crossing: np.ndarray, removed: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """The pairs that cross of `changed` triangles: those left of `crossing`, and those of the triangles added at the
    end, looked for among no others."""
    left = np.count_nonzero(~removed)
    numbers = np.cumsum(~removed) - 1
    added = crossing_triangles(Mesh(points, changed), changed=np.arange(len(changed)) >= left)
    return np.concatenate((numbers[crossing[~removed[crossing].any(axis=1)]], added))


def _changes(patch: np.ndarray, around: np.ndarray, fault: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Which triangles `(m,) bool` of `patch` a change removes, and those `(k, 3)` that it adds: edges of the `fault`
    collapsed, and edges of the triangles `around` it flipped that have an end in common with it."""
    edges = np.unique(np.sort(np.concatenate((around[:, :2], around[:, 1:], around[:, ::2])), axis=1), axis=0)
    edges = edges[np.isin(edges, fault).any(axis=1)]
    has = {corner: (patch == corner).any(axis=1) for corner in np.unique(around).tolist()}
    for one, other in edges.tolist():
        both = has[one] & has[other]
        sides = np.setdiff1d(patch[both], (one, other))
        if np.count_nonzero(both) != 2 or len(sides) != 2:
            continue
        if np.isin((one, other), fault).all() and len(np.intersect1d(patch[has[one]], patch[has[other]])) == 4:
            for gone, kept in ((one, other), (other, one)):
                left = patch[has[gone] & ~both]
                yield has[gone], np.where(left == gone, kept, left).astype(patch.dtype)
        if not (has[int(sides[0])] & has[int(sides[1])]).any():
            first = patch[both][(patch[both] == sides[0]).any(axis=1)][0]
            start, end = np.roll(first, -int(np.flatnonzero(first == sides[0])[0]))[1:]
            yield both, np.array([(sides[0], start, sides[1]), (sides[0], sides[1], end)], patch.dtype)


def _moved_by(points: np.ndarray, old: np.ndarray, new: np.ndarray) -> float:
    """How far corners, middles and middles of edges of either triangles `(m, 3)` are from the other ones, in mm."""
    if not len(new):
        return np.inf
    return max(_away(points[old], points[new]), _away(points[new], points[old]))


def _away(ones: np.ndarray, others: np.ndarray) -> float:
    found = np.concatenate((ones, (ones + np.roll(ones, 1, axis=1)) / 2, ones.mean(axis=1, keepdims=True)), axis=1)
    found = found.reshape(-1, 3)
    which = np.repeat(np.arange(len(others)), len(found))
    corners = list(others[which].transpose(1, 2, 0))
    squares = squared_distances(np.tile(found.T, (1, len(others))), corners).reshape(len(others), -1)
    return float(np.sqrt(squares.min(axis=0).max()))
