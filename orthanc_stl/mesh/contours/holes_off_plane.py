"""Outlines that lie between the slices of a ROI, within a larger one on either side: holes drawn a little off the plane
of their outline, or a body that narrows there.

Slices are as far apart as the larger outlines are. One more outline between two of them that are a slice apart is no
slice of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.planes import Outline, RoiOutlines
from orthanc_stl.mesh.contours.polygon import signed_area
from orthanc_stl.mesh.contours.shapes import inside
from orthanc_stl.mesh.contours.steps import first_ahead, local_steps, steps_above
from orthanc_stl.mesh.types import Rank

ON_PLANE = 0.1
"""A fraction of the distance between slices: what is no farther off a plane belongs to it (`regions.ONE_PLANE`)."""

SMALLER = 0.9
"""A fraction of the areas of the outlines before and behind: what is larger is a slice of a body that hardly
changes."""

A_SLICE = 1.5
"""Times the steps beside them: two outlines no farther apart follow on each other, without a slice between."""

MOVED = 0.35
"""A fraction of the way between the two: what is no farther from the one than this is moved to its plane."""

MUCH_SMALLER = 0.6
"""A fraction of the areas of the two: bodies do narrow to more than this in one slice. What is larger is moved only
where there is one OFTEN, and is one more slice else."""

OFTEN = 0.5
"""A fraction of the steps between larger outlines, in which there is an outline between the two."""

OFF_PLANE = 0.08
"""Of the way between the two: what leaves only a thin wall, or is one more slice, is told of from here on. Nearer ones
may be short parts far above each other, whose gaps are told."""

HALFWAY = 0.45
"""Of the way between the two: what is farther from both is told of only where other slices are as far apart as the two:
beside a gap it is the slice between them."""

CUTS_OUT_NOTHING = "cuts out nothing"
"""How the sentence on outlines that stay between planes ends."""

ONE_MORE = "one more slice"
"""What outlines between two slices are taken for that are nearly as large."""

NAMED = 5
"""The heights that one sentence names."""


@dataclass(frozen=True)
class _Between:
    """Outline `own` lies between `before` and `behind` and within both; `part` of the way, counted from the nearer one.

    `alike`: it is not MUCH_SMALLER than both, and there are few such. `slices`: whether these two are known to be one
    slice apart; `as_others`: whether slices beside them are no farther apart.
    """

    own: int
    nearer: int
    part: float
    alike: bool
    slices: bool
    as_others: bool

    @property
    def is_moved(self) -> bool:
        return self.slices and self.part <= MOVED and not self.alike

    @property
    def is_off_plane(self) -> bool:
        return self.slices and self.part >= OFF_PLANE and (self.as_others or self.part <= HALFWAY)


@dataclass(frozen=True)
class _Drawn:
    """The outlines of a ROI upwards, and of each its place along the normal, its box, its area (mm²) and its step."""

    outlines: Sequence[Outline]
    position: np.ndarray
    low: np.ndarray
    high: np.ndarray
    area: np.ndarray
    step: np.ndarray

    @staticmethod
    def of(outlines: Sequence[Outline]) -> _Drawn:
        outlines = sorted(outlines, key=lambda outline: outline.position)
        return _Drawn(
            outlines,
            np.array([outline.position for outline in outlines]),
            np.array([outline.points.min(axis=0) for outline in outlines]),
            np.array([outline.points.max(axis=0) for outline in outlines]),
            np.array([abs(signed_area(outline.points)) for outline in outlines]),
            np.array([outline.step for outline in outlines]),
        )

    def on_its_plane_within(self, k: int) -> np.ndarray:
        """Which `(n,) bool` lie on the plane of outline k and within its box: itself, and islands in it."""
        near = np.abs(self.position - self.position[k]) <= ON_PLANE * self.step[k]
        return near & (self.low >= self.low[k]).all(axis=1) & (self.high <= self.high[k]).all(axis=1)

    def encloses(self, other: int, k: int) -> bool:
        """Whether `other` is off the plane of outline k and encloses it."""
        near = ON_PLANE * min(self.step[k], self.step[other])
        if abs(self.position[k] - self.position[other]) <= near:
            return False
        return bool(inside(self.outlines[k].points, [self.outlines[other].points]).all())


def with_holes_on_planes(roi: RoiOutlines, findings: Findings) -> RoiOutlines:
    """The ROI with such outlines on the plane of the nearer one, where they are no slices; which is told, as is what
    stays where it is."""
    if len(roi.outlines) < 3:
        return roi
    drawn = _Drawn.of(roi.outlines)
    found = _found(drawn, SMALLER)
    known = {one.own for one in found}
    thin = [one for one in _found(drawn, 1.0) if one.is_off_plane and one.own not in known]
    _tell(roi.name, drawn, found, thin, findings)
    moved = [one for one in found if one.is_moved]
    if not moved:
        return roi
    placed = drawn.position.copy()
    for one in moved:
        placed[drawn.on_its_plane_within(one.own)] = drawn.position[one.nearer]
    steps = local_steps(placed, drawn.low, drawn.high)
    both = zip(placed.tolist(), steps.tolist(), strict=True)
    again = [
        replace(outline, position=place, step=step) for outline, (place, step) in zip(drawn.outlines, both, strict=True)
    ]
    return replace(roi, outlines=tuple(again))


def _found(drawn: _Drawn, smaller: float) -> list[_Between]:
    """`smaller`: of the areas before and behind, at most."""
    count = len(drawn.outlines)
    above = _enclosing(drawn.position, drawn.low, drawn.high, drawn.area, smaller)
    upwards = (drawn.low[::-1], drawn.high[::-1], drawn.area[::-1])
    below = count - 1 - _enclosing(-drawn.position[::-1], *upwards, smaller)[::-1]
    between = {
        k: (int(below[k]), int(above[k]))
        for k in np.flatnonzero((below >= 0) & (above < count)).tolist()
        if drawn.encloses(int(below[k]), k) and drawn.encloses(int(above[k]), k)
    }
    between = {k: ends for k, ends in between.items() if not between.keys() & set(ends)}
    if not between:
        return []
    outermost = _outermost(drawn, below, above)
    larger = np.ones(count, bool)
    for k in (*between, *outermost):
        larger &= ~drawn.on_its_plane_within(k)
    steps = _steps(drawn, np.flatnonzero(larger))
    few = bool(len(between) < OFTEN * np.isfinite(steps[0]).sum())
    found = [_between(drawn, k, ends, steps, few) for k, ends in between.items() if larger[ends[0]] and larger[ends[1]]]
    return [*found, *_beyond_ends(drawn, found, outermost)]


def _enclosing(position: np.ndarray, low: np.ndarray, high: np.ndarray, area: np.ndarray, smaller: float) -> np.ndarray:
    """For each outline the next one (`position` ascending) that is larger, so that its own area is less than `smaller`
    of it, and whose box encloses its own: its place, or their number."""
    place = np.arange(len(position))

    def encloses(mine: np.ndarray, others: slice) -> np.ndarray:
        met = np.less.outer(area[mine], smaller * area[others])
        if not met.any():  # a body that hardly changes
            return met
        met &= np.less.outer(place[mine], place[others])
        for axis in (0, 1):
            met &= low[others, axis] <= low[mine, axis, None]
            met &= high[others, axis] >= high[mine, axis, None]
        return met

    return first_ahead(len(position), encloses)


def _steps(drawn: _Drawn, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the next of `which` above and below each of them lies (mm along the normal); infinite for others."""
    position, low, high = drawn.position[which], drawn.low[which], drawn.high[which]
    usual = local_steps(position, low, high).min()
    least = ON_PLANE * usual if np.isfinite(usual) else 0.0
    above, below = np.full((2, len(drawn.outlines)), np.inf)
    above[which] = steps_above(position, low, high, least)
    below[which] = steps_above(-position[::-1], low[::-1], high[::-1], least)[::-1]
    return above, below


def _between(drawn: _Drawn, k: int, ends: tuple[int, int], steps: tuple[np.ndarray, np.ndarray], few: bool) -> _Between:
    above, below = steps
    before, behind = ends
    whole = drawn.position[behind] - drawn.position[before]
    parts = np.abs(drawn.position[k] - drawn.position[list(ends)]) / whole
    others = [below[before], above[behind], *(step for step in (above[before], below[behind]) if step < whole / 1.1)]
    apart = min(others)
    slices, as_others = bool(np.isfinite(apart) and whole <= A_SLICE * apart), bool(apart <= A_SLICE * whole)
    alike = few and bool(drawn.area[k] >= MUCH_SMALLER * drawn.area[list(ends)].min())
    return _Between(k, ends[int(np.argmin(parts))], float(parts.min()), alike, slices, as_others)


def _outermost(drawn: _Drawn, below: np.ndarray, above: np.ndarray) -> dict[int, int]:
    """Those that lie over one larger outline and under nothing, or under one and over nothing; and which that is."""
    position, low, high = drawn.position, drawn.low, drawn.high
    last = np.isinf(steps_above(position, low, high, 0.0))
    first = np.isinf(steps_above(-position[::-1], low[::-1], high[::-1], 0.0)[::-1])
    found = {k: int(below[k]) for k in np.flatnonzero(last & (below >= 0)).tolist()}
    found |= {k: int(above[k]) for k in np.flatnonzero(first & (above < len(position))).tolist()}
    return {k: end for k, end in found.items() if drawn.encloses(end, k)}


def _beyond_ends(drawn: _Drawn, found: Sequence[_Between], outermost: Mapping[int, int]) -> list[_Between]:
    """Those of the outermost that are as far off the plane of the larger one as moved ones are off theirs."""
    moved = [one for one in found if one.is_moved]
    usual = np.array([drawn.position[one.own] - drawn.position[one.nearer] for one in moved])
    more = []
    for k, end in outermost.items():
        alike = np.abs(drawn.position[k] - drawn.position[end] - usual) <= ON_PLANE * np.abs(usual)
        if alike.any():
            more.append(replace(moved[int(np.argmax(alike))], own=k, nearer=end))
    return more


def _tell(name: str, drawn: _Drawn, found: Sequence[_Between], thin: Sequence[_Between], findings: Findings) -> None:
    """`thin`: those that leave only a thin wall; these stay where they are."""
    moved = [one for one in found if one.is_moved]
    if moved:
        farthest = max(abs(drawn.position[one.own] - drawn.position[one.nearer]) for one in moved)
        is_hole = "it is taken for a hole there" if len(moved) == 1 else "they are taken for holes there"
        off = f"up to {farthest:.3g} mm off the plane of a larger one and between slices: {is_hole}"
        findings.roi(Rank.GUESSED, name, f"has {_named(drawn, moved)}, {off}")
    kept = [*(one for one in found if not one.is_moved and one.slices), *thin]
    holes = [one for one in kept if not one.alike]
    if holes:
        off = f"between the planes of larger ones: what is meant as a hole there {CUTS_OUT_NOTHING}"
        findings.roi(Rank.GUESSED, name, f"has {_named(drawn, holes)}, {off}")
    more = [one for one in kept if one.alike and one.is_off_plane]
    if more:
        places = [float(drawn.position[one.own]) for one in more]
        findings.roi(Rank.GUESSED, name, taken_for_slices(places, "between two larger ones"))


def taken_for_slices(places: Sequence[float], between: str) -> str:
    """The sentence on outlines at `places` (mm along the normal)."""
    taken = "it is taken for" if len(places) == 1 else "each is taken for"
    return f"has {outlines_at(places)}, {between}: {taken} {ONE_MORE}, not for a hole in the nearer one"


def _named(drawn: _Drawn, found: Sequence[_Between]) -> str:
    return outlines_at([float(drawn.position[one.own]) for one in found])


def outlines_at(places: Sequence[float]) -> str:
    """ "outlines at ..." for `places` (mm along the normal)."""
    heights = sorted(set(places))
    listed = ", ".join(f"{height:.6g}" for height in heights[:NAMED]) + ", ..." * (len(heights) > NAMED)
    what = "an outline" if len(places) == 1 else "outlines"
    return f"{what} at {listed} mm along the normal of its planes"
