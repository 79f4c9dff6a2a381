"""Where a surface passes through itself: pairs of triangles that cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.triangles import CHUNK, area_normals
from orthanc_stl.mesh.types import Mesh

MOST_PAIRS = 20_000_000
"""Pairs of boxes followed at once: 3 GB. Meshes of a million triangles have half as many."""

PAIRS_AT_ONCE = 65536
"""Pairs of boxes that are followed further downwards together: they stay in the cache."""

ROUNDING = 1e-13
"""A fraction of lengths: what float64 may be wrong by in a product of coordinates, and more."""

SPREAD = np.sum([(np.arange(1024) >> bit & 1) << 3 * bit for bit in range(10)], axis=0, dtype=np.int32)
"""Numbers of ten bits, with two zeros after each bit."""

BENT = 1.0
"""How far the ends of two unit normals are apart that differ by 60 degrees."""

AT_END = 1e-9
"""A fraction of an edge: crossings so near to an end count as touching. Of a triangle: so far outside they still
count."""


def crossing_triangles(mesh: Mesh, normals: np.ndarray | None = None, changed: np.ndarray | None = None) -> np.ndarray:
    """Pairs `(k, 2) int64` of triangles that pass through each other, the lower number first.

    Triangles with a common edge do not count, nor do such as touch (unless an edge touches an edge) or lie in one
    plane. With the unit `normals` `(m, 3)`, only pairs whose normals differ by 60 degrees or more; with those that are
    `changed` `(m,) bool`, only pairs of which one is, so that the time grows with their number.
    Raises TooLarge for a heap of triangles in one place.
    """
    if len(mesh.triangles) < 2:
        return np.zeros((0, 2), np.int64)
    a, b, c = (mesh.vertices[corners] for corners in mesh.triangles.T)
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    pairs = overlapping_boxes(low, high, normals, changed)
    if normals is None and changed is None:
        return _crossing(mesh, pairs)
    some = np.unique(pairs)
    found = _crossing(Mesh(mesh.vertices, mesh.triangles[some]), np.searchsorted(some, pairs))
    return np.asarray(some[found])


def _crossing(mesh: Mesh, pairs: np.ndarray) -> np.ndarray:
    """The `pairs` `(k, 2)` of triangles that cross."""
    if not len(pairs):
        return pairs
    points = mesh.vertices.astype(np.float64)
    shared, place = _common_corners(mesh.triangles, pairs)
    maybe = _not_beside(points, mesh.triangles, pairs, shared, place)
    pairs, shared, place = pairs[maybe], shared[maybe], place[maybe]
    apart, fans = np.flatnonzero(shared == 0), np.flatnonzero(shared == 1)
    apart = apart[_cross_apart(points, mesh.triangles, pairs[apart])]
    fans = fans[_cross_at_corner(points, mesh.triangles, pairs[fans], place[fans])]
    crossing = np.concatenate((apart, fans))
    return np.asarray(np.sort(pairs[np.sort(crossing)], axis=1))


def _common_corners(triangles: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many corners the triangles of each pair have in common, and which: 3 i + j for corners i and j."""
    columns = np.ascontiguousarray(triangles.T)
    one, two = columns[:, pairs[:, 0]], columns[:, pairs[:, 1]]
    shared, place = np.zeros(len(pairs), np.int8), np.zeros(len(pairs), np.int8)
    for i in range(3):
        for j in range(3):
            same = one[i] == two[j]
            shared += same
            place[same] = 3 * i + j
    return shared, place


def _not_beside(
    points: np.ndarray, triangles: np.ndarray, pairs: np.ndarray, shared: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """The numbers of the `pairs` without a common edge, but for those of which one triangle clearly lies on one side
    of the other's plane, a common corner aside: such do not cross. That is so for most neighbours on a smooth surface.
    """
    corners = np.ascontiguousarray((points - points.mean(axis=0)).T.take(triangles.T, axis=1))
    normals = area_normals(corners.swapaxes(0, 1).reshape(9, -1))
    heights = (normals * corners[:, 0]).sum(axis=0)
    unsure = ROUNDING * np.abs(normals).sum(axis=0) * np.abs(corners).max(initial=0)
    maybe = np.flatnonzero(shared < 2)
    for side in (0, 1):
        found = []
        for start in range(0, len(maybe), CHUNK):
            some = maybe[start : start + CHUNK]
            own, other = pairs[some, side], pairs[some, 1 - side]
            common = np.where(shared[some] == 1, place[some] // 3 if side else place[some] % 3, 3)
            plane = [values.take(own) for values in (*normals, heights, unsure)]
            beside = _beside(plane, corners, other, common)
            found.append(some[~beside])
        maybe = np.concatenate([np.zeros(0, np.int64), *found])
    return maybe


def _beside(plane: Sequence[np.ndarray], corners: np.ndarray, other: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Whether all corners of triangles `other` `(n,)`, but for `common` ones, lie on one side of a `plane` each."""
    x, y, z, height, unsure = plane
    above, below = np.ones(len(other), bool), np.ones(len(other), bool)
    for corner in range(3):
        at = [values.take(other) for values in corners[:, corner]]
        distance = x * at[0] + y * at[1] + z * at[2] - height
        skipped = common == corner
        above &= (distance > unsure) | skipped
        below &= (distance < -unsure) | skipped
    return above | below


def _cross_apart(points: np.ndarray, triangles: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Which `pairs` of triangles without a common corner cross, by number."""
    a, b = points[triangles[pairs[:, 0]]], points[triangles[pairs[:, 1]]]
    maybe = np.flatnonzero(_straddles(a, b) & _straddles(b, a))
    a, b = a[maybe], b[maybe]
    crossing = np.zeros(len(maybe), bool)
    for i in range(3):
        j = (i + 1) % 3
        crossing |= _crosses(a[:, i], a[:, j], b) | _crosses(b[:, i], b[:, j], a)
    return np.asarray(maybe[crossing])


def _cross_at_corner(points: np.ndarray, triangles: np.ndarray, pairs: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Which `pairs` of triangles with one common corner (its `place` in both) cross, by number.

    An edge from that corner touches the other triangle there, and passes nowhere else: only the edges opposite can.
    """
    turn = np.arange(3)
    first = np.take_along_axis(triangles[pairs[:, 0]], (place[:, None] // 3 + turn) % 3, axis=1)
    second = np.take_along_axis(triangles[pairs[:, 1]], (place[:, None] % 3 + turn) % 3, axis=1)
    a, b = ([points[corners[:, k]] - points[corners[:, 0]] for k in (1, 2)] for corners in (first, second))
    maybe = np.flatnonzero(_parts(a, b) & _parts(b, a))
    one, two = points[first[maybe]], points[second[maybe]]
    crossing = _crosses(one[:, 1], one[:, 2], two) | _crosses(two[:, 1], two[:, 2], one)
    return np.asarray(maybe[crossing])


def _parts(a: list[np.ndarray], b: list[np.ndarray]) -> np.ndarray:
    """Whether the plane through 0 and both of `a` lies between the two of `b`, each `(n, 3)`."""
    normal = _cross(a[0], a[1])
    return np.asarray(np.einsum("nx,nx->n", normal, b[0]) * np.einsum("nx,nx->n", normal, b[1]) < 0)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross products of two arrays `(n, 3)`; numpy's own takes several times as long."""
    return np.stack([a[:, i] * b[:, j] - a[:, j] * b[:, i] for i, j in ((1, 2), (2, 0), (0, 1))], axis=1)


def overlapping_boxes(
    low: np.ndarray, high: np.ndarray, normals: np.ndarray | None = None, changed: np.ndarray | None = None
) -> np.ndarray:
    """Pairs `(k, 2) int64` of boxes `low`, `high` `(n, 3)` that overlap, each pair once.

    With unit `normals` `(n, 3)`: only those that differ by 60 degrees or more. With those `changed` `(n,) bool`: only
    pairs of which one at least is.

    Boxes are sorted along a space-filling curve and joined two by two; pairs of overlapping ones are then followed
    downwards from the whole. Raises TooLarge where there are far more of them than a surface has.
    """
    count = len(low)
    order = _along_curve((low + high) / 2)
    rows = [low[order].T, high[order].T]
    if normals is not None:
        rows += [normals[order].T, np.zeros((1, count), normals.dtype)]
    levels = [np.ascontiguousarray(np.concatenate(rows))]
    asked = [np.ones(count, bool) if changed is None else changed[order]]
    while levels[-1].shape[1] > 1:
        if levels[-1].shape[1] % 2:
            levels[-1] = np.pad(levels[-1], ((0, 0), (0, 1)), mode="edge")
            levels[-1][:3, -1], levels[-1][3:6, -1] = np.inf, -np.inf
            asked[-1] = np.pad(asked[-1], (0, 1))
        levels.append(_joined(levels[-1]))
        asked.append(asked[-1][::2] | asked[-1][1::2])
    found: list[np.ndarray] = []
    total = 0
    left = [(len(levels) - 1, np.zeros(1, np.int64), np.zeros(1, np.int64))]
    while left:
        level, first, second = left.pop()
        if not level:
            pair = np.stack((first, second), axis=1)
            found.append(pair[(first != second) & (np.maximum(first, second) < count)])
            total += len(found[-1])
            if total > MOST_PAIRS:
                raise TooLarge(f"got triangles of which more than {MOST_PAIRS} pairs overlap, expected a surface")
            continue
        first, second = _one_level_down(first, second, levels[level - 1], None if changed is None else asked[level - 1])
        for start in range(0, len(first), PAIRS_AT_ONCE):
            left.append((level - 1, first[start : start + PAIRS_AT_ONCE], second[start : start + PAIRS_AT_ONCE]))
    return np.asarray(order[np.concatenate([np.zeros((0, 2), np.int64), *found])])


def _joined(boxes: np.ndarray) -> np.ndarray:
    """Of boxes `(6 or 10, n)` the ones of two each: lowest and highest corner; then a point amid their normals, and how
    far from it the normals are at most.
    """
    one, two = boxes[:, ::2], boxes[:, 1::2]
    both = np.empty(one.shape, boxes.dtype)
    np.minimum(one[:3], two[:3], out=both[:3])
    np.maximum(one[3:6], two[3:6], out=both[3:6])
    if len(boxes) > 6:
        both[6:9] = (one[6:9] + two[6:9]) / 2
        away = one[6:9] - both[6:9]
        both[9] = np.sqrt((away * away).sum(axis=0)) + np.maximum(one[9], two[9])
    return both


def _one_level_down(
    first: np.ndarray, second: np.ndarray, boxes: np.ndarray, asked: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Of pairs of boxes: the pairs that overlap of the two in each, which are `boxes` `(6 or 10, n)`; those of which
    one at least is `asked` `(n,) bool`."""
    same = first == second
    one, two = first[~same] * 2, second[~same] * 2
    own = first[same] * 2
    first = np.concatenate((own, own + 1, own, one, one, one + 1, one + 1))
    second = np.concatenate((own, own + 1, own + 1, two, two + 1, two, two + 1))
    if asked is not None:
        chosen = np.flatnonzero(asked.take(first) | asked.take(second))
        first, second = first.take(chosen), second.take(chosen)
    for axis in range(3):
        meet = boxes[axis].take(first) <= boxes[axis + 3].take(second)
        meet &= boxes[axis].take(second) <= boxes[axis + 3].take(first)
        chosen = np.flatnonzero(meet)
        first, second = first.take(chosen), second.take(chosen)
    if len(boxes) > 6:
        apart = sum((middle.take(first) - middle.take(second)) ** 2 for middle in boxes[6:9])
        needed = np.maximum(BENT - boxes[9].take(first) - boxes[9].take(second), 0)
        bent = np.flatnonzero(apart >= needed * needed)
        first, second = first.take(bent), second.take(bent)
    return first, second


def _along_curve(points: np.ndarray) -> np.ndarray:
    """The order `(n,)` of `points` `(n, 3)` along Morton's curve."""
    low = points.min(axis=0)
    scale = 1023 / max(float((points - low).max()), 1e-30)
    x, y, z = ((points - low) * scale).astype(np.int32).T
    return np.argsort(SPREAD.take(x) | SPREAD.take(y) << 1 | SPREAD.take(z) << 2, kind="stable")


def _straddles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether the corners of `b` `(n, 3, 3)` lie on both sides of the planes of `a`."""
    normal = _cross(a[:, 1] - a[:, 0], a[:, 2] - a[:, 0])
    side = np.einsum("nx,nkx->nk", normal, b - a[:, :1])
    return np.asarray((side.min(axis=1) < 0) & (side.max(axis=1) > 0))


def _crosses(start: np.ndarray, end: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Whether edges from `start` to `end` `(n, 3)` pass through triangles `(n, 3, 3)` (Moeller and Trumbore, 1997)."""
    way, e1, e2 = end - start, corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = _cross(way, e2)
    size = (e1 * across).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = start - corners[:, 0]
        u = (offset * across).sum(axis=1) / size
        other = _cross(offset, e1)
        v = (way * other).sum(axis=1) / size
        t = (e2 * other).sum(axis=1) / size
        return np.asarray((np.minimum(np.minimum(u, v), 1 - u - v) > -AT_END) & (t > AT_END) & (t < 1 - AT_END))
