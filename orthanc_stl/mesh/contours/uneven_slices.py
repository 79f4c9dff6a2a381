"""What is a guess where slices are unevenly apart: how thick they are, and whether one more is a slice at all."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from orthanc_stl.mesh.contours.check import VOLUME_TOLERANCE, Expected, jumps_of
from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.gaps import BESIDE
from orthanc_stl.mesh.contours.holes_off_plane import (
    CUTS_OUT_NOTHING,
    OFF_PLANE,
    OFTEN,
    ONE_MORE,
    outlines_at,
    taken_for_slices,
)
from orthanc_stl.mesh.contours.links import NOT_ALIKE
from orthanc_stl.mesh.contours.parts import Chain, Layer
from orthanc_stl.mesh.contours.planes import WHOLE_MM
from orthanc_stl.mesh.contours.steps import LARGER
from orthanc_stl.mesh.types import Rank

ANOTHER = 1.25
"""Times the shorter of two distances between slices: a longer one is another spacing."""

CHANGED = 1.05
"""Times the shorter of two distances between slices: where the longer one is more, sizes that change there are in
doubt."""

AS_FAR = 0.1
"""A fraction of the usual distance between slices: what differs from it by less is as far."""

UNEVEN = 0.02
"""A fraction of that distance: one of the two steps is longer by more than this in each of several pairs in a row. What
is more even is a finer spacing."""

BESIDE_IT = 0.02
"""A fraction of its area: as much of a hole lies beside the outline that it is in, at most."""

SOME = 0.2
"""A fraction of VOLUME_TOLERANCE: of doubts that are more than that together, those that are more than this are told
of."""


def doubt_uneven_slices(name: str, chains: Sequence[Chain], expected: Expected, findings: Findings) -> float:
    """Tells where uneven slices, and what `expected` has of jumps, may change the volume of chains by more than
    VOLUME_TOLERANCE; gives the mm³ by which the thickness of their ends is a guess."""
    volume = expected.volume
    least = VOLUME_TOLERANCE * volume
    uneven = [chain for chain in chains if _is_uneven(chain)]
    ends = sum(_end_in_doubt(chain) for chain in chains)
    changes = sum(_change_in_doubt(chain) for chain in chains)
    told = SOME * least if ends + changes + expected.jumps > least else np.inf
    if ends > told and not findings.tells(name, WHOLE_MM):
        text = (
            "has slices that are unevenly apart at an end, which is taken to be as thick as the slices beside it: its"
            f" volume may be off by {100 * ends / volume:.1f} %"
        )
        findings.roi(Rank.GUESSED, name, text)
    if changes > told and not findings.tells(name, CUTS_OUT_NOTHING):
        text = (
            "changes its size where the distance between its slices changes: that is taken to be halfway between the"
            f" two slices, and its volume may be off by {100 * changes / volume:.1f} %"
        )
        findings.roi(Rank.GUESSED, name, text)
    more = [found for chain in uneven for found in _one_more(chain).items()]
    less = sum(at_place for _, at_place in more)
    if abs(less) > least and not findings.tells(name, CUTS_OUT_NOTHING):
        places = outlines_at(sorted({place for place, _ in more}))
        text = (
            f"has {places}, between two neighbouring slices: without that, its volume would be"
            f" {100 * abs(less) / volume:.1f} % {'larger' if less > 0 else 'smaller'}"
        )
        findings.roi(Rank.GUESSED, name, text)
    _doubt_holes(name, chains, least, findings)
    return ends


def _doubt_holes(name: str, chains: Sequence[Chain], least: float, findings: Findings) -> None:
    """Tells of outlines between two slices that may be holes in the nearer one, if that is more than `least` mm³."""
    if findings.tells(name, CUTS_OUT_NOTHING) or findings.tells(name, ONE_MORE):
        return
    holes = [found for chain in chains for found in _holes_or_slices(chain).items()]
    if sum(volume for _, volume in holes) > least:
        text = taken_for_slices([place for place, _ in holes], "between two that are one slice apart")
        findings.roi(Rank.GUESSED, name, text)


def _holes_or_slices(chain: Chain) -> dict[float, float]:
    """Outlines between two that are as far apart as slices are, and within the nearer one of them, by their places (mm
    along the normal): the mm³ that each is as a hole."""
    steps, layers = np.diff(chain.positions), chain.layers
    if len(steps) < 3:
        return {}
    usual = float(np.percentile(steps, LARGER, method="higher"))
    whole = np.abs(steps - usual) <= AS_FAR * usual
    found: list[int] = []
    for run in np.split(np.arange(len(steps)), np.flatnonzero(np.diff(whole)) + 1):
        if not whole[run[0]] and len(run) % 2 == 0 and _are_pairs(steps[run] / usual):
            found += run[1::2].tolist()
    if len(found) >= OFTEN * (len(steps) - len(found)):
        return {}
    found = [k for k in found if _may_be_hole(layers[k - 1 : k + 2], usual)]
    return {float(chain.positions[k]): layers[k].area * usual for k in found}


def _are_pairs(steps: np.ndarray) -> bool:
    """Whether each two of the steps are a whole one together, and of more than two the first is always the longer one,
    or always the shorter one."""
    first, second = steps[::2], steps[1::2]
    longer = first - second
    alike = len(longer) == 1 or (longer > UNEVEN).all() or (longer < -UNEVEN).all()
    return bool(alike and (np.abs(first + second - 1) <= AS_FAR).all())


def _may_be_hole(layers: Sequence[Layer], usual: float) -> bool:
    """Whether the second of three layers lies within the nearer one of the others, and off its plane."""
    below, own, above = layers
    if any(len(region.outlines) > 1 for region in own.regions):
        return False
    ways = [(abs(own.position - other.position), other) for other in (below, above)]
    nearest = min(way for way, _ in ways)
    near = [other for way, other in ways if way <= nearest + AS_FAR * usual]
    return nearest >= OFF_PLANE * usual and any(
        (own.section - other.section).area() <= BESIDE_IT * own.area for other in near
    )


def _end_in_doubt(chain: Chain) -> float:
    """mm³ that a chain would have more or less if its end slices were as thick as the step next to each: where slices
    are unevenly apart, the median of three steps is taken if it is shorter."""
    steps = np.diff(chain.positions)
    if not len(steps):
        return 0.0
    ends = (
        (chain.positions[0] - chain.low, steps[0], steps[:BESIDE], chain.layers[0].area),
        (chain.high - chain.positions[-1], steps[-1], steps[-BESIDE:], chain.layers[-1].area),
    )
    return float(
        sum(max(0.0, step - float(np.median(some))) / 2 * area for thick, step, some, area in ends if thick > 0)
    )


def _is_uneven(chain: Chain) -> bool:
    steps = np.diff(chain.positions)
    return len(steps) > 2 and bool(steps.max() > ANOTHER * steps.min())


def _change_in_doubt(chain: Chain) -> float:
    """mm³ that a chain may have more or less where the distance between slices changes, and with it the area.

    Each slice may be as thick as slices are apart on its own side, so that the two do not meet halfway, and straight.
    Where one step alone is longer, there may be nothing between the two.
    """
    steps, areas = np.diff(chain.positions).tolist(), [layer.area for layer in chain.layers]
    jumps = jumps_of(np.diff(np.sqrt(areas)) / steps)
    between = straight = 0.0
    moved = np.zeros(2)
    for k in range(1, len(steps) - 1):
        some = median(steps[max(0, k - BESIDE) : k]), median(steps[k + 1 : k + 1 + BESIDE])
        sides = (steps[k - 1], steps[k + 1]), some
        changed = [max(side) > CHANGED * min(side) for side in sides]
        if any(changed):
            straight += _cone(steps[k], areas[k], areas[k + 1])
            moved += np.array(changed) * np.subtract(*np.transpose(sides)) / 4 * (areas[k] - areas[k + 1])
        elif jumps[k] and steps[k] > CHANGED * max(some) and max(areas[k : k + 2]) > NOT_ALIKE * min(areas[k : k + 2]):
            straight += _cone(steps[k], areas[k], areas[k + 1])
            between += (steps[k] - sum(some) / 2) * (areas[k] + areas[k + 1]) / 2
    return max(straight, float(np.abs(moved + straight).max())) + between


def _one_more(chain: Chain) -> dict[float, float]:
    """Slices between two that are no farther apart than slices are on either side, by their places (mm along the
    normal): by how many mm³ the chain would be larger without each."""
    steps, areas = np.diff(chain.positions).tolist(), [layer.area for layer in chain.layers]
    apart = {k: steps[k - 1] + steps[k] for k in range(1, len(steps))}
    for k, whole in list(apart.items()):
        sides = [side for side in (steps[max(0, k - 1 - BESIDE) : k - 1], steps[k + 1 : k + 1 + BESIDE]) if side]
        if whole > ANOTHER * min(median(side) for side in sides):
            del apart[k]
    found = {}
    for k, whole in apart.items():
        if whole <= min(apart.get(k - 1, np.inf), apart.get(k + 1, np.inf)):  # of two neighbours the other is a slice
            below, above, (before, area, behind) = steps[k - 1], steps[k], areas[k - 1 : k + 2]
            less = (below * (behind - area) + above * (before - area)) / 2
            found[float(chain.positions[k])] = less + _cone(below, before, area) + _cone(above, area, behind)
    return found


def _cone(step: float, area: float, other: float) -> float:
    """By how many mm³ a cone between two areas (mm²) has less than half of the step at each of them."""
    return float(step * (np.sqrt(other) - np.sqrt(area)) ** 2 / 6)
