"""Linked regions -> parts: where they end, and how they are drawn.

All of it is decided for each connected part on its own, and spacing may change along a part. What is drawn are chains:
regions on planes upwards, with what lies between two neighbouring planes of a chain. A part is one chain wherever each
plane is linked to the next; where its branches have planes of their own, it is several, which meet in planes that they
share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from manifold3d import CrossSection, OpType

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.gaps import BESIDE, without_gaps
from orthanc_stl.mesh.contours.links import Link, components, links_of, with_forks
from orthanc_stl.mesh.contours.planes import RoiOutlines
from orthanc_stl.mesh.contours.regions import Region
from orthanc_stl.mesh.contours.shapes import boxes_of
from orthanc_stl.mesh.types import Rank

LONE_SLICE_SPACING = 1.0
"""In mm: the thickness of a slice when nothing in the structure set tells a spacing."""

AS_FAR = 0.25
"""A part that ends on a plane is a chain's only if the next plane of the chain is as far as its own last step, within
this fraction of it: then it ends halfway between the two."""


@dataclass(frozen=True)
class Layer:
    """The regions of a chain on one plane, at `position` mm along the normal."""

    position: float
    regions: tuple[Region, ...]

    @property
    def outlines(self) -> tuple[np.ndarray, ...]:
        return tuple(outline for region in self.regions for outline in region.outlines)

    @cached_property
    def boxes(self) -> tuple[np.ndarray, np.ndarray]:
        """`(n, 4)` (low u, low v, high u, high v) of its outlines, and of the holes in them."""
        kinds = slice(0, 1), slice(1, None)
        outer, holes = ([line for region in self.regions for line in region.outlines[kind]] for kind in kinds)
        return boxes_of(outer), boxes_of(holes)

    @property
    def area(self) -> float:
        return sum(region.area for region in self.regions)

    @property
    def section(self) -> CrossSection:
        sections = [region.section for region in self.regions]
        return sections[0] if len(sections) == 1 else CrossSection.batch_boolean(sections, OpType.Add)


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

    @cached_property
    def changes(self) -> np.ndarray:
        """mm² that belong to only one of two neighbouring layers, for each pair of them upwards."""
        sections = [layer.section for layer in self.layers]
        changes = [one.area() + other.area() - 2 * (one ^ other).area() for one, other in pairwise(sections)]
        return np.maximum(changes, 0.0)


@dataclass(frozen=True)
class Usual:
    """What the file tells of the distance between slices (mm), None if nothing."""

    spacing: float | None
    end_caps: bool


def chains_of(roi: RoiOutlines, regions: Sequence[Region], usual: Usual, findings: Findings) -> list[Chain]:
    """The chains of one ROI: its parts, each with the ends that it has."""
    links = without_gaps(roi.name, regions, links_of(regions), usual.spacing, findings)
    regions, links = with_forks(regions, links)
    part = components(len(regions), links)
    chains: list[Chain] = []
    members: dict[int, list[int]] = {}
    own: dict[int, list[Link]] = {}
    for k, number in enumerate(part):
        members.setdefault(number, []).append(k)
    for link in links:
        own.setdefault(part[link.lower], []).append(link)
    for number, found in members.items():
        chains += _chains(roi, number, regions, found, own.get(number, []), usual)
    if any(len(chain.layers) == 1 for chain in chains):
        _tell_of_single_slices(roi.name, chains, usual, findings)
    return chains


def _tell_of_single_slices(name: str, chains: Sequence[Chain], usual: Usual, findings: Findings) -> None:
    single = [chain for chain in chains if len(chain.layers) == 1 and chain.high > chain.low]
    if usual.spacing is None and any(len(chain.layers) == 1 for chain in chains) and len(chains) == len(single):
        text = f"has a single slice and nothing else tells the slice spacing: it is taken to be {LONE_SLICE_SPACING} mm"
        findings.roi(Rank.GUESSED, name, text)
    if not usual.end_caps and single:
        text = f'a single slice of ROI "{name}" is given the thickness of a slice: without, it would have none'
        findings.sentence(Rank.GUESSED, name, text)


def _chains(
    roi: RoiOutlines, part: int, regions: Sequence[Region], members: Sequence[int], links: Sequence[Link], usual: Usual
) -> list[Chain]:
    """The chains of one part."""
    planes = sorted({regions[k].plane for k in members})
    rank = {plane: place for place, plane in enumerate(planes)}
    regular = all(
        not link.oblique and rank[regions[link.upper].plane] == rank[regions[link.lower].plane] + 1 for link in links
    )
    on_planes = _by_plane(regions, members)
    if regular and _ends_evenly(regions, members, links, planes):
        return [_chain(roi, part, regions, list(on_planes.values()), usual, (True, True))]
    return _strands(roi, part, _on_one_height(regions, on_planes), members, links, usual)


def _on_one_height(regions: Sequence[Region], on_planes: Mapping[int, Sequence[int]]) -> list[Region]:
    """The regions, with those of a part on one plane at the mean of their heights: so its chains meet there."""
    found = list(regions)
    for members in on_planes.values():
        if len({regions[k].position for k in members}) > 1:
            for k in members:
                found[k] = replace(regions[k], position=_height(regions, members))
    return found


def _height(regions: Sequence[Region], members: Sequence[int]) -> float:
    """The mean position (mm along the normal) of regions on one plane, by their areas."""
    weights = [regions[k].area for k in members]
    return float(np.average([regions[k].position for k in members], weights=weights if sum(weights) > 0 else None))


def _by_plane(regions: Sequence[Region], members: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The members on each plane, upwards."""
    found: dict[int, list[int]] = {}
    for k in sorted(members, key=lambda k: (regions[k].plane, k)):
        found.setdefault(regions[k].plane, []).append(k)
    return {plane: tuple(on_it) for plane, on_it in found.items()}


def _ends_evenly(
    regions: Sequence[Region], members: Sequence[int], links: Sequence[Link], planes: Sequence[int]
) -> bool:
    """Whether halfway to the next plane of the part is half a slice for all that ends between its planes."""
    up = {link.lower: regions[link.upper].position for link in links}
    down = {link.upper: regions[link.lower].position for link in links}
    place = {
        plane: float(np.mean([regions[k].position for k in found]))
        for plane, found in _by_plane(regions, members).items()
    }
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
    leaving = Counter(lower for lower, _ in straight)
    runs: list[list[tuple[int, ...]]] = []
    ending: dict[tuple[int, ...], list[list[tuple[int, ...]]]] = {}
    for lower, upper in straight:
        before = ending.get(lower, [])
        if leaving[lower] == 1 and len(before) == 1:
            (run,) = ending.pop(lower)
            run.append(upper)
        else:
            run = [lower, upper]
            runs.append(run)
        ending.setdefault(upper, []).append(run)
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
        layers.append(Layer(_height(regions, members), tuple(regions[k] for k in members)))
    positions = np.array([layer.position for layer in layers])
    below = above = (usual.spacing or LONE_SLICE_SPACING) / 2
    if len(layers) > 1:
        steps = np.diff(positions)
        below = min(float(np.median(steps[:BESIDE])), float(steps[0])) / 2 if usual.end_caps and ends[0] else 0.0
        above = min(float(np.median(steps[-BESIDE:])), float(steps[-1])) / 2 if usual.end_caps and ends[1] else 0.0
    low, high = float(positions[0]) - below, float(positions[-1]) + above
    return Chain(roi, part, tuple(layers), low, high, shift, (not ends[0], not ends[1]))
