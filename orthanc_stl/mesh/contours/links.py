"""Which regions are of one body from plane to plane.

A region is linked to those that it overlaps on the next plane above and below on which it overlaps any; so parts whose
planes lie elsewhere, or whose spacing is another, do not know of each other. A thin oblique vessel whose outlines
overlap little or not at all from slice to slice is followed from outline to outline. A link over a gap is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orthanc_stl.mesh.contours.regions import Region
from orthanc_stl.mesh.contours.shapes import APART, joined

GAP = 2.5
"""Planes farther apart than this many of the steps beside them belong to separate parts: one missing slice (2 steps,
uneven ones included) is bridged, two missing slices (3 steps) are a gap."""

OBLIQUE = 0.2
"""A fraction of its width: a region that moves farther than this from plane to plane is followed, not blended. Blending
takes 1.3 % of a round vessel that moves so far, 20 % of one that moves by 0.8 of its width."""

ONE_SLICE = 0.25
"""A fraction of the step to them: branches whose next outlines are no farther apart along the normal are of one
slice."""

LEFT_OVER = 0.25
"""A fraction of what the smaller of two regions does not share with the other: a vessel that moves on shares nearly all
of itself once it is moved back; a region that grows to one side shares all of itself as it is, and only its middle
moves."""

NOT_ALIKE = 2.5
"""Regions whose areas differ by more than this factor are not taken for one vessel."""

FARTHEST_STEP = 1.5
"""Of the slice spacing: how far the next slice of a region lies at most, if it is not the nearest one on both sides."""

AHEAD = 10_000
"""Regions upwards and downwards among which the next one is looked for: two planes of `limits.MOST_IN_PLANE`."""

REACH = 2.0
"""In widths: how far from each other the middles of outlines of one vessel may lie if they do not overlap."""


LEAST_MOVE = 0.25
"""A fraction of how far the middle of such an outline lies from that of the next: so far at least it moved from slice
to slice before or moves after. What stood still does not jump."""


@dataclass(frozen=True)
class Link:
    """Regions `lower` and `upper` (their places in the list) are of one body. `oblique`: a vessel that moves on;
    `apart`: so far that its outlines do not overlap."""

    lower: int
    upper: int
    oblique: bool = False
    apart: bool = False


def links_of(regions: Sequence[Region]) -> list[Link]:
    """Which regions (upwards by plane) are of one body, before gaps are looked for."""
    if not regions:
        return []
    low = np.array([region.low for region in regions])
    high = np.array([region.high for region in regions])
    pairs: set[tuple[int, int]] = set()
    upwards: set[tuple[int, int]] = set()
    downwards: set[tuple[int, int]] = set()
    for k in range(len(regions)):
        ahead = over(low, high, k, slice(k + 1, k + 1 + AHEAD))
        found = {(k, j) for j in first_met(regions, k, ahead, pairs)}
        upwards |= found
        pairs |= found
        behind = over(low, high, k, slice(max(0, k - AHEAD), k))[::-1]
        found = {(j, k) for j in first_met(regions, k, behind, pairs)}
        downwards |= found
        pairs |= found
    above = {i: _way(regions, i, j) for i, j in upwards}
    below = {j: _way(regions, i, j) for i, j in downwards}
    kept = [
        (i, j)
        for i, j in sorted(pairs)
        if ((i, j) in upwards and (i, j) in downwards)
        or _is_next(regions, (i, j) if (i, j) in upwards else (j, i), below if (i, j) in upwards else above)
    ]
    return _with_vessels(regions, kept)


def _way(regions: Sequence[Region], lower: int, upper: int) -> float:
    return regions[upper].position - regions[lower].position


def _is_next(regions: Sequence[Region], pair: tuple[int, int], other_way: Mapping[int, float]) -> bool:
    """Whether a region that meets another, which itself has a nearer neighbour, is no farther than its next slice: else
    it ends beside that neighbour.

    `other_way`: how far on its other side the next one lies that a region meets. Where boxes overlap of what lies side
    by side, that tells more than its step, as long as the slices of the other are no nearer.
    """
    own, other = pair
    step = max(regions[own].step, min(other_way.get(own, 0.0), regions[other].step))
    return abs(_way(regions, own, other)) <= FARTHEST_STEP * step


def over(low: np.ndarray, high: np.ndarray, k: int, others: slice) -> np.ndarray:
    """Which of `others` have a box that overlaps that of region k."""
    met = (low[others] <= high[k]).all(axis=1) & (high[others] >= low[k]).all(axis=1)
    return np.flatnonzero(met) + others.start


def first_met(regions: Sequence[Region], k: int, others: np.ndarray, known: set[tuple[int, int]]) -> list[int]:
    """Those of `others`, nearest plane first, that region k overlaps on the first plane where it overlaps any.

    `known`: pairs (lower, upper) that are known to overlap.
    """
    met: list[int] = []
    one = regions[k]
    for j in others.tolist():
        other = regions[j]
        if other.plane == one.plane:
            continue
        if met and other.plane != regions[met[0]].plane:
            break
        pair = (k, j) if one.plane < other.plane else (j, k)
        if pair in known or (one.section ^ other.section).area() > APART * min(one.area, other.area):
            met.append(j)
    return met


def _with_vessels(regions: Sequence[Region], pairs: list[tuple[int, int]]) -> list[Link]:
    ups = np.bincount([i for i, _ in pairs], minlength=len(regions))
    downs = np.bincount([j for _, j in pairs], minlength=len(regions))
    links = [Link(i, j, ups[i] == downs[j] == 1 and _moves_on(regions[i], regions[j])) for i, j in pairs]
    open_above = [k for k in range(len(regions)) if not ups[k]]
    open_below = np.array([k for k in range(len(regions)) if not downs[k]], dtype=int)
    ends = [regions[k] for k in open_below]
    places = np.array([region.position for region in ends])
    middles = np.array([region.middle for region in ends]).reshape(-1, 2)
    widths, areas = np.array([width_of(region) for region in ends]), np.array([region.area for region in ends])
    farthest = places - GAP * np.array([region.step for region in ends])
    planes = np.array([region.plane for region in ends])
    below, above = {j: i for i, j in pairs}, dict(pairs)
    nearest: dict[int, tuple[float, int]] = {}
    wanted: dict[int, tuple[float, int]] = {}
    for i in open_above:
        one = regions[i]
        beyond = (places > one.position) & (planes > one.plane) & (one.position >= farthest)
        step = one.step
        if np.isinf(step):
            step = float(np.min(places[beyond] - one.position)) if beyond.any() else 0.0
        near = np.flatnonzero(beyond & (places <= one.position + GAP * step))
        far = np.hypot(*(middles[near] - one.middle).T)
        alike = np.maximum(areas[near], one.area) <= NOT_ALIKE * np.minimum(areas[near], one.area)
        within = alike & (far <= REACH * (widths[near] + width_of(one)) / 2)
        for j, distance in zip(open_below[near[within]].tolist(), far[within].tolist(), strict=True):
            moves = [_apart(regions[k], regions[m]) for k, m in ((below.get(i, i), i), (j, above.get(j, j))) if k != m]
            if moves and max(moves) < LEAST_MOVE * distance:
                continue
            wanted[i] = min(wanted.get(i, (np.inf, -1)), (distance, j))
            nearest[j] = min(nearest.get(j, (np.inf, -1)), (distance, i))
    found = {i: j for i, (_, j) in sorted(wanted.items()) if nearest[j][1] == i}
    for j, (_, i) in sorted(nearest.items()):  # a vessel that forks has two that are nearest to it
        if i in found and (found[i] == j or regions[found[i]].plane == regions[j].plane):
            links.append(Link(i, j, True, True))
    return links


def _apart(one: Region, other: Region) -> float:
    """How far their middles lie from each other in the plane (mm)."""
    return float(np.hypot(*(other.middle - one.middle)))


def width_of(region: Region) -> float:
    """The diameter of a round region, twice the width of a long one (mm)."""
    return 4 * region.area / region.length


def _alike(one: Region, other: Region) -> bool:
    return max(one.area, other.area) <= NOT_ALIKE * min(one.area, other.area)


def _moves_on(one: Region, other: Region) -> bool:
    move = other.middle - one.middle
    if float(np.hypot(*move)) <= OBLIQUE * min(width_of(one), width_of(other)) or not _alike(one, other):
        return False
    smaller = min(one.area, other.area)
    unshared = smaller - float((one.section ^ other.section).area())
    if unshared <= OBLIQUE * smaller / 2:
        return False
    moved = one.section.translate((float(move[0]), float(move[1])))
    return smaller - float((moved ^ other.section).area()) <= LEFT_OVER * unshared


def with_forks(regions: Sequence[Region], links: list[Link]) -> tuple[list[Region], list[Link]]:
    """Where branches that leave a region have their next planes at different heights, each is drawn on the nearest of
    these too. So they leave it together, and nothing of it is drawn for each of them."""
    found = list(regions)
    for upwards in (True, False):
        leaving: dict[int, list[Link]] = {}
        for link in links:
            if not link.oblique:
                leaving.setdefault(link.lower if upwards else link.upper, []).append(link)
        for start, own in leaving.items():
            ends = [link.upper if upwards else link.lower for link in own]
            nearest = min(ends, key=lambda k: abs(found[k].position - found[start].position))
            _together(found, ends, ONE_SLICE * abs(found[nearest].position - found[start].position), nearest)
            for link, end in zip(own, ends, strict=True):
                if found[end].plane == found[nearest].plane:
                    continue
                joint = len(found)
                found.append(replace(found[end], position=found[nearest].position, plane=found[nearest].plane))
                links = [other for other in links if other != link]
                links += [Link(start, joint), Link(joint, end)] if upwards else [Link(joint, start), Link(end, joint)]
    return found, links


def _together(found: list[Region], ends: Sequence[int], far: float, nearest: int) -> None:
    """Puts those of `ends` that lie no farther than `far` (mm) beyond the nearest on one plane with it."""
    slice_ = [k for k in ends if abs(found[k].position - found[nearest].position) <= far]
    if len({found[k].plane for k in slice_}) > 1:
        mean = float(np.average([found[k].position for k in slice_], weights=[found[k].area for k in slice_]))
        plane = found[nearest].plane
        for k in slice_:
            found[k] = replace(found[k], position=mean, plane=plane)


def components(count: int, links: Iterable[Link]) -> list[int]:
    """The number of the connected part that each of `count` regions belongs to, from 0, in order."""
    return joined(count, ((link.lower, link.upper) for link in links))
