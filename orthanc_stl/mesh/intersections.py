"""Where a surface passes through itself: pairs of triangles that cross."""

from __future__ import annotations

import numpy as np

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.types import Mesh

MOST_PAIRS = 20_000_000
"""Pairs of boxes followed at once: 3 GB. Meshes of a million triangles have half as many."""

LITTLE = 1e-9
"""Of an edge: crossings so near to an end count as touching. Of a triangle: so far outside they still count."""


def crossing_triangles(mesh: Mesh) -> np.ndarray:
    """Pairs `(k, 2) int64` of triangles that pass through each other, the lower number first.

    Triangles with a common edge do not count, nor do such as touch (unless an edge touches an edge) or lie in one
    plane. Raises TooLarge for a heap of triangles in one place.
    """
    if len(mesh.triangles) < 2:
        return np.zeros((0, 2), np.int64)
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    pairs = overlapping_boxes(corners.min(axis=1), corners.max(axis=1))
    common = mesh.triangles[pairs[:, 0]][:, :, None] == mesh.triangles[pairs[:, 1]][:, None, :]
    apart = common.sum(axis=(1, 2)) < 2
    pairs, common = pairs[apart], common[apart]
    a, b = corners[pairs[:, 0]], corners[pairs[:, 1]]
    maybe = _straddles(a, b) & _straddles(b, a)
    pairs, common, a, b = pairs[maybe], common[maybe], a[maybe], b[maybe]
    crossing = np.zeros(len(pairs), bool)
    for i in range(3):
        for one, other, shared in ((a, b, common.any(axis=2)), (b, a, common.any(axis=1))):
            j = (i + 1) % 3  # an edge from a common corner touches the other triangle there, and passes nowhere else
            crossing |= _crosses(one[:, i], one[:, j], other) & ~shared[:, i] & ~shared[:, j]
    return np.asarray(np.sort(pairs[crossing], axis=1))


def overlapping_boxes(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Pairs `(k, 2) int64` of boxes `low`, `high` `(n, 3)` that overlap, each pair once.

    Boxes are sorted along a space-filling curve and joined two by two; pairs of overlapping ones are then followed
    downwards from the whole. Raises TooLarge where there are far more of them than a surface has.
    """
    count = len(low)
    order = _along_curve((low + high) / 2)
    levels = [(low[order], high[order])]
    while len(levels[-1][0]) > 1:
        below, above = levels[-1]
        if len(below) % 2:
            below, above = np.append(below, [[np.inf] * 3], axis=0), np.append(above, [[-np.inf] * 3], axis=0)
            levels[-1] = below, above
        levels.append((np.minimum(below[::2], below[1::2]), np.maximum(above[::2], above[1::2])))
    first, second = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for below, above in reversed(levels[:-1]):
        same = first == second
        one, two = first[~same] * 2, second[~same] * 2
        own = first[same] * 2
        first = np.concatenate((own, own + 1, own, one, one, one + 1, one + 1))
        second = np.concatenate((own, own + 1, own + 1, two, two + 1, two, two + 1))
        meet = np.ones(len(first), bool)
        for axis in range(3):
            meet &= below[first, axis] <= above[second, axis]
            meet &= below[second, axis] <= above[first, axis]
        first, second = first[meet], second[meet]
        if len(first) > MOST_PAIRS:
            raise TooLarge(f"got triangles of which more than {MOST_PAIRS} pairs overlap, expected a surface")
    found = np.stack((first, second), axis=1)
    found = found[(first != second) & (found.max(axis=1, initial=0) < count)]
    return np.asarray(order[found])


def _along_curve(points: np.ndarray) -> np.ndarray:
    """The order `(n,)` of `points` `(n, 3)` along Morton's curve."""
    low = points.min(axis=0)
    scale = 1023 / max(float((points - low).max()), 1e-30)
    key = np.zeros(len(points), np.int64)
    for axis, values in enumerate(((points - low) * scale).astype(np.int64).T):
        for bit in range(10):
            key |= (values >> bit & 1) << (3 * bit + axis)
    return np.argsort(key, kind="stable")


def _straddles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether the corners of `b` `(n, 3, 3)` lie on both sides of the planes of `a`."""
    normal = np.cross(a[:, 1] - a[:, 0], a[:, 2] - a[:, 0])
    side = np.einsum("nx,nkx->nk", normal, b - a[:, :1])
    return np.asarray((side.min(axis=1) < 0) & (side.max(axis=1) > 0))


def _crosses(start: np.ndarray, end: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Whether edges from `start` to `end` `(n, 3)` pass through triangles `(n, 3, 3)` (Moeller and Trumbore, 1997)."""
    way, e1, e2 = end - start, corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(way, e2)
    size = (e1 * across).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = start - corners[:, 0]
        u = (offset * across).sum(axis=1) / size
        other = np.cross(offset, e1)
        v = (way * other).sum(axis=1) / size
        t = (e2 * other).sum(axis=1) / size
        return np.asarray((np.minimum(np.minimum(u, v), 1 - u - v) > -LITTLE) & (t > LITTLE) & (t < 1 - LITTLE))
