"""Keyholes: an outline that runs along a bridge to a hole, around it, and back beside the bridge.

The slit between the two ways of the bridge is no part of the body that anybody meant: it is how a hole is written in
one outline. Where it is wider than nothing, it would cut the wall open in this slice only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType

from orthanc_stl.mesh.contours.polygon import ahead, behind, length_of, signed_area

WIDEST = 0.1
"""A fraction of the bridge's length: wider slits are taken for what they are."""

WIDEST_OF_ALL = 0.03
"""A fraction of the outline's extent: the same, however long the bridge is."""

LONG = 3.0
"""Edges this many times as long as the outline's median edge may be bridges."""


CLOSINGS = (0.0005, 0.002, 0.006, 0.015)
"""A fraction of the outline's extent: half the widths of slits that are looked for where the bridge has many points."""

UNROUND = 1.8
"""How many times as long (squared) an outline with a bridge is as a circle of its area, at least."""

SLENDER = 3.0
"""A slit is so many times as long as wide."""

STILL_SLENDER = 2.0
"""A slit that stays open and is told of is so many times as long as wide."""

WIDE_CLOSINGS = (0.025, 0.04, 0.06, 0.08, 0.105)
"""As CLOSINGS, for slits that stay open and are told of: wider ones are a shape of their own."""

CIRCLE = 0.02
"""A fraction of half the width that a closing fills: so near the largest circle in a slit is found."""

ROUND = 64
"""How many points the circle has that outlines are grown and shrunk with by WIDE_CLOSINGS."""

FRINGE = 0.1
"""A fraction of half the width: a closing leaves this much along outlines that are drawn with few points."""

MOST_LOOPS = 64
"""Areas and holes of an outline that crosses itself: one with more is no outline with a slit, and looking for it in the
519 of 100 random points took minutes."""


def opened(points: np.ndarray, area: float) -> tuple[list[np.ndarray], float]:
    """The outline (m, 2) itself, or the outlines that its bridges join, the outer one first; and the widest slit (mm).

    `area` is what it encloses. A slit of an outline that stays one is wider than those that are closed: it is open.
    """
    if length_of(points) ** 2 < UNROUND * 4 * np.pi * area:
        return [points], 0.0
    loops, widest = [points], 0.0
    for _ in range(len(points) // 4):
        cut = next(((k, pair) for k, loop in enumerate(loops) if (pair := _bridge(loop))), None)
        if cut is None:
            break
        k, (there, back) = cut
        loop = loops.pop(k)
        widest = max(widest, float(np.linalg.norm(loop[there] - loop[(back + 1) % len(loop)])))
        inner = loop[there + 1 : back + 1]
        outer = np.concatenate([loop[back + 1 :], loop[: there + 1]])
        loops += [outer, inner]
    if len(loops) == 1:
        return _closed(points)
    return sorted(loops, key=lambda loop: -float(np.prod(np.ptp(loop, axis=0)))), widest


def _closed(points: np.ndarray) -> tuple[list[np.ndarray], float]:
    """The same for a bridge of many points: the narrowest closing (out and back in) that leaves a hole, with nothing
    but the slits closed."""
    extent = float(np.ptp(points, axis=0).max())
    whole = CrossSection([np.ascontiguousarray(points)], FillRule.EvenOdd)
    loops = whole.num_contour()
    for share in CLOSINGS:
        half = share * extent
        slits = [
            slit
            for slit in (whole.offset(half).offset(-half) - whole).decompose()
            if slit.area() > SLENDER * 4 * half**2
        ]
        if not slits:
            continue
        filled = whole
        for slit in slits:
            filled = filled + slit.offset(0.02 * half)
        if filled.num_contour() > loops:
            found = [np.asarray(loop) for loop in filled.to_polygons()]
            found = [loop for loop in found if abs(signed_area(loop)) > half * extent]
            if len(found) > 1:
                return sorted(found, key=lambda loop: -abs(signed_area(loop))), 2 * half
    return [points], _open_slit(whole, extent, WIDE_CLOSINGS)


def slit_of_crossing(points: np.ndarray, section: CrossSection) -> float:
    """The same width for an outline (m, 2) that crosses itself, whose slits stay open however narrow they are."""
    if section.num_contour() > MOST_LOOPS:
        return 0.0
    if length_of(points) ** 2 < UNROUND * 4 * np.pi * section.area():
        return 0.0
    return _open_slit(section, float(np.ptp(points, axis=0).max()), (*reversed(WIDE_CLOSINGS), *reversed(CLOSINGS)))


def _open_slit(whole: CrossSection, extent: float, closings: Sequence[float]) -> float:
    """How wide (mm) the slit to a hole is that stays open; 0 if there is none.

    The hole is larger than the slit, and a closing of the slit leaves it.
    """
    for share in closings:
        half = share * extent
        grown = _grown(whole, half)
        if grown.num_contour() < 2:  # without a hole now, so without one when it is shrunk again
            continue
        closed = _grown(grown, -half)
        fringe = FRINGE * half
        widest = 0.0
        for core in _grown(closed - whole, -fringe).decompose():
            slit = _grown(core, fringe)
            width, area = _width(slit), slit.area()
            if area <= STILL_SLENDER * width**2:
                continue
            filled = whole + _grown(slit, fringe)
            if min(_loops(filled, area), _loops(closed, area)) > _loops(whole, area):
                widest = max(widest, width, _widest_circle(slit, half))
        if widest:
            return widest
    return 0.0


def _loops(section: CrossSection, least: float) -> int:
    """The outlines and holes of more than `least` mm²."""
    return sum(abs(signed_area(np.asarray(loop))) > least for loop in section.to_polygons())


def _grown(section: CrossSection, width: float) -> CrossSection:
    """Grown by `width` mm on all sides; shrunk if that is less than 0."""
    return section.offset(width, JoinType.Round, circular_segments=ROUND)


def _width(slit: CrossSection) -> float:
    """The width (mm) of a rectangle of the same area and perimeter."""
    around = sum(float(np.linalg.norm(loop - behind(loop), axis=1).sum()) for loop in slit.to_polygons())
    return (around / 2 - float(np.sqrt(max(0.0, around**2 / 4 - 4 * slit.area())))) / 2


def _widest_circle(slit: CrossSection, most: float) -> float:
    """The diameter (mm) of the largest circle within it, up to 2 * `most`. The ends of a slit that a closing fills are
    hollow, so that it looks narrower than it is by its area."""
    low, high = 0.0, most
    while high - low > CIRCLE * most:
        middle = (low + high) / 2
        low, high = (low, middle) if _grown(slit, -middle).is_empty() else (middle, high)
    return 2 * low


def _bridge(loop: np.ndarray) -> tuple[int, int] | None:
    """The edges `there` < `back` that are the two ways of a bridge, if there is one."""
    if len(loop) < 8:
        return None
    following = ahead(loop)
    length = np.hypot(*(following - loop).T)
    long = np.flatnonzero(length > LONG * np.median(length))
    if len(long) < 2 or len(long) > len(loop) // 4:
        return None
    start, end = loop[long], following[long]
    width = np.maximum(
        np.linalg.norm(start[:, None] - end[None], axis=2), np.linalg.norm(end[:, None] - start[None], axis=2)
    )
    widest = np.minimum(WIDEST * length[long], WIDEST_OF_ALL * np.ptp(loop, axis=0).max())
    near = width <= np.minimum(widest[:, None], widest[None])
    first, second = np.nonzero(np.triu(near & _outside_between(loop, start, end), 1))
    for i, j in zip(long[first].tolist(), long[second].tolist(), strict=True):
        if j - i >= 4 and len(loop) - (j - i) >= 4:
            return i, j
    return None


def _outside_between(loop: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """For each two edges, whether the strip between them is outside: the body is on the other side of both."""
    turn = np.sign(signed_area(loop))
    along = end - start
    across = (end[None] + start[None] - end[:, None] - start[:, None]) / 2
    return np.asarray(turn * (along[:, None, 0] * across[..., 1] - along[:, None, 1] * across[..., 0]) < 0)
