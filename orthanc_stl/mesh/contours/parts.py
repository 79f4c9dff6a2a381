"""Regions -> parts: which lie over each other, how far apart their slices are, where they end.

All of it is decided for each connected part on its own. A region is linked to those that it overlaps on the next plane
above and below on which it overlaps any; so parts whose planes lie elsewhere, or whose spacing is another, do not know
of each other, and spacing may change along a part. A thin oblique vessel whose outlines overlap little or not at all
from slice to slice is followed from outline to outline.

What is drawn are chains: regions on planes upwards, with what lies between two neighbouring planes of a chain. A part
is one chain wherever each plane is linked to the next; where its branches have planes of their own, it is several,
which meet in planes that they share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.planes import RoiOutlines
from orthanc_stl.mesh.contours.regions import APART, Region
from orthanc_stl.mesh.types import Rank

GAP = 2.5
"""Planes farther apart than this many of the steps beside them belong to separate parts: one missing slice (2 steps,
uneven ones included) is bridged, two missing slices (3 steps) are a gap."""

BESIDE = 3
"""Steps on either side that a gap is judged against, by their median; the side with the larger ones counts."""

LONE_SLICE_SPACING = 1.0
"""mm: the thickness of a slice when nothing in the structure set tells a spacing."""

OBLIQUE = 0.2
"""Of its width: a region that moves farther than this from plane to plane is followed, not blended. Blending takes
1.3 % of a round vessel that moves so far, 20 % of one that moves by 0.8 of its width."""

ONE_SLICE = 0.25
"""Of the step to them: branches whose next outlines are no farther apart along the normal are of one slice."""

AS_FAR = 0.25
"""A part that ends on a plane is a chain's only if the next plane of the chain is as far as its own last step, within
this fraction of it: then it ends halfway between the two."""

NOT_ALIKE = 2.5
"""Regions whose areas differ by more than this factor are not taken for one vessel."""

REACH = 2.0
"""Widths: how far from each other the middles of outlines of one vessel may lie if they do not overlap."""


@dataclass(frozen=True)
class Link:
    """Regions `lower` and `upper` (their places in the list) are of one body. `oblique`: a vessel that moves on."""

    lower: int
    upper: int
    oblique: bool = False


@dataclass(frozen=True)
class Layer:
    """The regions of a chain on one plane, at `position` mm along the normal."""

    position: float
    regions: tuple[Region, ...]

    @property
    def outlines(self) -> tuple[np.ndarray, ...]:
        return tuple(outline for region in self.regions for outline in region.outlines)

    @property
    def area(self) -> float:
        return sum(region.area for region in self.regions)


@dataclass(frozen=True)
class Chain:
    """Layers upwards; the body goes from `low` to `high`, mm along the normal. `part` counts the ROI's parts.

    `shift`: how far (mm along u and v) the second of two layers lies from the first, for a vessel that moves on.
    `joined`: whether others of the part go on below its lowest plane, and above its highest.
    """

    roi: RoiOutlines
    part: int
    layers: tuple[Layer, ...]
    low: float
    high: float
    shift: tuple[float, float] | None = None
    joined: tuple[bool, bool] = (False, False)

    @property
    def positions(self) -> np.ndarray:
        return np.array([layer.position for layer in self.layers])


@dataclass(frozen=True)
class Usual:
    """What the file tells of the distance between slices (mm), None if nothing."""

    spacing: float | None
    end_caps: bool


def links_of(regions: Sequence[Region]) -> list[Link]:
    """Which regions (upwards by plane) are of one body, before gaps are looked for."""
    if not regions:
        return []
    plane = np.array([region.plane for region in regions])
    low = np.array([region.low for region in regions])
    high = np.array([region.high for region in regions])
    pairs: set[tuple[int, int]] = set()
    for k in range(len(regions)):
        over = (low <= high[k]).all(axis=1) & (high >= low[k]).all(axis=1)
        above = np.flatnonzero(over & (plane > plane[k]))
        pairs.update((k, j) for j in _first_met(regions, k, above, pairs))
        below = np.flatnonzero(over & (plane < plane[k]))[::-1]
        pairs.update((j, k) for j in _first_met(regions, k, below, pairs))
    return _with_vessels(regions, sorted(pairs))


def _first_met(regions: Sequence[Region], k: int, others: np.ndarray, known: set[tuple[int, int]]) -> list[int]:
    """Those of `others`, nearest plane first, that region k overlaps on the first plane where it overlaps any.

    `known`: pairs (lower, upper) that are known to overlap.
    """
    met: list[int] = []
    one = regions[k]
    for j in others.tolist():
        other = regions[j]
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
    open_below = [k for k in range(len(regions)) if not downs[k]]
    nearest: dict[int, tuple[float, int]] = {}
    wanted: dict[int, tuple[float, int]] = {}
    for i in open_above if open_below else []:
        for j in open_below:
            one, other = regions[i], regions[j]
            step = other.position - one.position
            if one.plane >= other.plane or not step <= 1.5 * min(one.step, other.step):
                continue
            far = float(np.hypot(*(other.middle - one.middle)))
            if far <= REACH * (width_of(one) + width_of(other)) / 2 and _alike(one, other):
                wanted[i] = min(wanted.get(i, (np.inf, -1)), (far, j))
                nearest[j] = min(nearest.get(j, (np.inf, -1)), (far, i))
    links += [Link(i, j, True) for i, (_, j) in sorted(wanted.items()) if nearest[j][1] == i]
    return links


def width_of(region: Region) -> float:
    """The diameter of a round region, twice the width of a long one (mm)."""
    return 4 * region.area / region.length


def _alike(one: Region, other: Region) -> bool:
    return max(one.area, other.area) <= NOT_ALIKE * min(one.area, other.area)


def _moves_on(one: Region, other: Region) -> bool:
    far = float(np.hypot(*(other.middle - one.middle)))
    return far > OBLIQUE * min(width_of(one), width_of(other)) and _alike(one, other)


def chains_of(roi: RoiOutlines, regions: Sequence[Region], usual: Usual, findings: Findings) -> list[Chain]:
    """The chains of one ROI: its parts, each with the ends that it has."""
    links = _without_gaps(roi.name, regions, links_of(regions), usual, findings)
    regions, links = _with_forks(regions, links)
    part = _components(len(regions), links)
    chains: list[Chain] = []
    for number in range(max(part, default=-1) + 1):
        members = [k for k in range(len(regions)) if part[k] == number]
        own = [link for link in links if part[link.lower] == number]
        chains += _chains(roi, number, regions, members, own, usual)
    if any(len(chain.layers) == 1 for chain in chains):
        _tell_of_single_slices(roi.name, chains, usual, findings)
    return chains


def _tell_of_single_slices(name: str, chains: Sequence[Chain], usual: Usual, findings: Findings) -> None:
    single = [chain for chain in chains if len(chain.layers) == 1 and chain.high > chain.low]
    if usual.spacing is None and any(len(chain.layers) == 1 for chain in chains) and len(chains) == len(single):
        text = f"has a single slice and nothing else tells the slice spacing: it is taken to be {LONE_SLICE_SPACING} mm"
        findings.roi(Rank.GUESSED, name, text)
    if not usual.end_caps and single:
        text = f'a single slice of ROI "{name}" is given the thickness of a slice without EndCaps too'
        findings.sentence(Rank.GUESSED, name, text)


def _without_gaps(
    name: str, regions: Sequence[Region], links: list[Link], usual: Usual, findings: Findings
) -> list[Link]:
    """The links that are no gaps."""
    step = {link: regions[link.upper].position - regions[link.lower].position for link in links}
    up: dict[int, Link] = {}
    down: dict[int, Link] = {}
    for link in sorted(links, key=lambda link: step[link], reverse=True):
        up[link.lower] = down[link.upper] = link
    kept, gaps = [], []
    for link in links:
        below = _beside(link.lower, down, step, lambda link: link.lower)
        above = _beside(link.upper, up, step, lambda link: link.upper)
        sides = [float(np.median(side)) for side in (below, above) if side]
        known = max(sides) if sides else usual.spacing
        if known is not None and step[link] > GAP * known:
            gaps.append(link)
        else:
            kept.append(link)
    _tell_of_gaps(name, regions, kept, gaps, findings)
    return kept


def _beside(start: int, way: dict[int, Link], step: dict[Link, float], onward: object) -> list[float]:
    """The steps that follow from region `start`, at most BESIDE."""
    steps: list[float] = []
    while start in way and len(steps) < BESIDE:
        link = way[start]
        steps.append(step[link])
        start = onward(link)  # type: ignore[operator]
    return steps


def _tell_of_gaps(
    name: str, regions: Sequence[Region], kept: Sequence[Link], gaps: Sequence[Link], findings: Findings
) -> None:
    if not gaps:
        return
    after = _components(len(regions), kept)
    before = _components(len(regions), [*kept, *gaps])
    more = max(after) - max(before)
    if not more:
        return
    ends = sorted({(regions[gap.lower].position, regions[gap.upper].position) for gap in gaps})
    listed = ", ".join(f"{low:.6g} to {high:.6g}" for low, high in ends[:5]) + (", ..." if len(ends) > 5 else "")
    text = f"falls into {max(after) + 1} pieces, gaps at z = {listed} mm along the normal of its planes"
    findings.roi(Rank.GUESSED, name, text)


def _with_forks(regions: Sequence[Region], links: list[Link]) -> tuple[list[Region], list[Link]]:
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


def _components(count: int, links: Iterable[Link]) -> list[int]:
    """The number of the connected part that each of `count` regions belongs to, from 0, in order."""
    group = list(range(count))

    def root(k: int) -> int:
        while group[k] != k:
            group[k] = group[group[k]]
            k = group[k]
        return k

    for link in links:
        a, b = root(link.lower), root(link.upper)
        group[max(a, b)] = min(a, b)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(k), len(numbers)) for k in range(count)]


def _chains(
    roi: RoiOutlines, part: int, regions: Sequence[Region], members: Sequence[int], links: Sequence[Link], usual: Usual
) -> list[Chain]:
    """The chains of one part."""
    planes = sorted({regions[k].plane for k in members})
    rank = {plane: place for place, plane in enumerate(planes)}
    regular = all(
        not link.oblique and rank[regions[link.upper].plane] == rank[regions[link.lower].plane] + 1 for link in links
    )
    if regular and _ends_evenly(regions, members, links, planes):
        sets = [tuple(k for k in members if regions[k].plane == plane) for plane in planes]
        return [_chain(roi, part, regions, sets, usual, (True, True))]
    return _strands(roi, part, regions, members, links, usual)


def _ends_evenly(
    regions: Sequence[Region], members: Sequence[int], links: Sequence[Link], planes: Sequence[int]
) -> bool:
    """Whether halfway to the next plane of the part is half a slice for all that ends between its planes."""
    up = {link.lower: regions[link.upper].position for link in links}
    down = {link.upper: regions[link.lower].position for link in links}
    place = {plane: np.mean([regions[k].position for k in members if regions[k].plane == plane]) for plane in planes}
    rank = {plane: k for k, plane in enumerate(planes)}
    for k in members:
        here, at = regions[k].position, rank[regions[k].plane]
        for linked, other, beyond in ((up, down, at + 1), (down, up, at - 1)):
            if k in linked or k not in other or not 0 <= beyond < len(planes):
                continue
            step, last = abs(place[planes[beyond]] - here), abs(other[k] - here)
            if abs(step - last) > AS_FAR * last:
                return False
    return True


def _strands(
    roi: RoiOutlines, part: int, regions: Sequence[Region], members: Sequence[int], links: Sequence[Link], usual: Usual
) -> list[Chain]:
    """The chains of a part whose branches have planes of their own, or move on."""
    spans: dict[tuple[int, ...], tuple[set[int], set[int]]] = {}
    for link in links:
        key = (link.lower, link.upper, 1) if link.oblique else (regions[link.lower].plane, regions[link.upper].plane, 0)
        span = spans.setdefault(key, (set(), set()))
        span[0].add(link.lower)
        span[1].add(link.upper)
    straight = sorted(
        ((tuple(sorted(low)), tuple(sorted(high))) for key, (low, high) in spans.items() if not key[2]),
        key=lambda sets: regions[sets[0][0]].plane,
    )
    runs: list[list[tuple[int, ...]]] = []
    for lower, upper in straight:
        before = [run for run in runs if run[-1] == lower]
        follows = sum(other == lower for other, _ in straight) == 1 and len(before) == 1
        if follows:
            before[0].append(upper)
        else:
            runs.append([lower, upper])
    runs += [[(key[0],), (key[1],)] for key in spans if key[2]]
    oblique = {(key[0], key[1]) for key in spans if key[2]}
    has_above, has_below = {link.lower for link in links}, {link.upper for link in links}
    chains = []
    for run in runs:
        ends = not any(k in has_below for k in run[0]), not any(k in has_above for k in run[-1])
        shift = None
        if len(run) == 2 and (run[0][0], run[1][0]) in oblique and len(run[0]) == len(run[1]) == 1:
            moved = regions[run[1][0]].middle - regions[run[0][0]].middle
            shift = (float(moved[0]), float(moved[1]))
        chains.append(_chain(roi, part, regions, run, usual, ends, shift))
        if usual.end_caps:
            chains += _caps(roi, part, regions, run, (has_below, has_above), ends)
    return chains


def _caps(
    roi: RoiOutlines, part: int, regions: Sequence[Region], run: Sequence[tuple[int, ...]],
    linked: tuple[set[int], set[int]], ends: tuple[bool, bool],
) -> list[Chain]:  # fmt: skip
    """Half a slice for each region at an end of a run that ends there, if others of its plane go on."""
    caps = []
    for at, inner, of, ended, way in ((0, 1, linked[0], ends[0], -1), (-1, -2, linked[1], ends[1], 1)):
        if ended:
            continue
        for k in run[at]:
            if k not in of:
                region = regions[k]
                half = abs(region.position - regions[run[inner][0]].position) / 2
                low, high = sorted((region.position, region.position + way * half))
                layers = (Layer(region.position, (region,)),)
                caps.append(Chain(roi, part, layers, low, high, None, (way > 0, way < 0)))
    return caps


def _chain(
    roi: RoiOutlines, part: int, regions: Sequence[Region], sets: Sequence[tuple[int, ...]], usual: Usual,
    ends: tuple[bool, bool], shift: tuple[float, float] | None = None,
) -> Chain:  # fmt: skip
    """A slice has thickness: an end goes on for half a step, unless there are to be no end caps; a single slice is one
    slice thick in any case."""
    layers = []
    for members in sets:
        found = tuple(regions[k] for k in members)
        weights = [region.area for region in found]
        mean = float(np.average([region.position for region in found], weights=weights if sum(weights) > 0 else None))
        layers.append(Layer(mean, found))
    positions = np.array([layer.position for layer in layers])
    below = above = (usual.spacing or LONE_SLICE_SPACING) / 2
    if len(layers) > 1:
        steps = np.diff(positions)
        below = min(float(np.median(steps[:BESIDE])), float(steps[0])) / 2 if usual.end_caps and ends[0] else 0.0
        above = min(float(np.median(steps[-BESIDE:])), float(steps[-1])) / 2 if usual.end_caps and ends[1] else 0.0
    low, high = float(positions[0]) - below, float(positions[-1]) + above
    return Chain(roi, part, tuple(layers), low, high, shift, (not ends[0], not ends[1]))
