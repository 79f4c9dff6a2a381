"""What is a guess where slices are unevenly apart: how thick they are, and whether one more is a slice at all."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from orthanc_stl.mesh.contours.check import VOLUME_TOLERANCE, Expected
from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.gaps import BESIDE
from orthanc_stl.mesh.contours.holes_off_plane import CUTS_OUT_NOTHING, outlines_at
from orthanc_stl.mesh.contours.parts import Chain
from orthanc_stl.mesh.contours.planes import WHOLE_MM
from orthanc_stl.mesh.types import Rank

ANOTHER = 1.25
"""Times the shorter of two distances between slices: a longer one is another spacing."""

CHANGED = 1.05
"""Times the shorter of two distances between slices: where the longer one is more, sizes that change there are in
doubt."""

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
    return ends


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
    """
    steps, areas = np.diff(chain.positions).tolist(), [layer.area for layer in chain.layers]
    moved = straight = 0.0
    for k in range(1, len(steps) - 1):
        below, above = median(steps[max(0, k - BESIDE) : k]), median(steps[k + 1 : k + 1 + BESIDE])
        if max(below, above) > CHANGED * min(below, above):
            straight += _cone(steps[k], areas[k], areas[k + 1])
            moved += (below - above) / 4 * (areas[k] - areas[k + 1])
    return max(straight, abs(moved + straight))


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
