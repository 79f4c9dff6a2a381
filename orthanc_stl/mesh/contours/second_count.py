"""The volume of a ROI counted a second time, without its parts, links and forks.

The closing check compares a surface with the plan that it was made by. A plan that is wrong itself is seen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from orthanc_stl.mesh.contours.check import expected_of
from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.gaps import FALLS_INTO, GOES_ON
from orthanc_stl.mesh.contours.links import AHEAD, first_met, over
from orthanc_stl.mesh.contours.parts import LONE_SLICE_SPACING, Chain, Usual
from orthanc_stl.mesh.contours.regions import Region
from orthanc_stl.mesh.contours.steps import FAR_GAP, local_steps, steps_above
from orthanc_stl.mesh.contours.uneven_slices import doubt_uneven_slices
from orthanc_stl.mesh.types import Rank

SAME_SLICE = 0.1
"""A fraction of the least step: regions that are nearer along the normal are of one slice."""

SIDE_BY_SIDE = 0.5
"""A fraction of the longest step: regions that are nearer may lie side by side, with boxes that overlap."""


def check_plan(name: str, regions: Sequence[Region], chains: Sequence[Chain], usual: Usual, findings: Findings) -> None:
    """Tells where the chains that were made of `regions` do not enclose what these count, and what of it is a guess.

    What is told of gaps, of outlines that do not overlap, and of rounded heights is not told twice. Without end caps
    there is nothing to compare.
    """
    if not chains or not usual.end_caps:
        return
    expected = expected_of(chains)
    guessed = doubt_uneven_slices(name, chains, expected, findings)
    found = volume_by_outlines(regions, usual.spacing or LONE_SLICE_SPACING)
    if replace(expected, open=expected.open + guessed).differs(found) and not (
        findings.tells(name, FALLS_INTO) or findings.tells(name, GOES_ON)
    ):
        text = (
            f"encloses {expected.volume / 1000:.4g} mL as its outlines are joined to parts, and {found / 1000:.4g} mL"
            " if each outline is as thick as the way to the next ones: one of the two is wrong, so look at the model"
        )
        findings.roi(Rank.CHANGED_SHAPE, name, text)


def volume_by_outlines(regions: Sequence[Region], alone: float) -> float:
    """The volume (mm³) outline by outline, without parts, links and gaps: each region's area times half the way to the
    next region over it and under it, as far as boxes tell, and areas where these are SIDE_BY_SIDE, but no farther than
    FAR_GAP times the way to the nearer one; of a region that has neither, its area times `alone` (mm)."""
    order = sorted(regions, key=lambda region: region.position)
    position = np.array([region.position for region in order])
    low, high = np.array([region.low for region in order]), np.array([region.high for region in order])
    steps = local_steps(position, low, high)
    known = steps[np.isfinite(steps)]
    shortest, longest = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    least = SAME_SLICE * shortest
    above = steps_above(position, low, high, least)
    below = steps_above(-position[::-1], low[::-1], high[::-1], least)[::-1]
    for k in np.flatnonzero(np.minimum(above, below) < SIDE_BY_SIDE * longest).tolist():
        met = first_met(order, k, over(low, high, k, slice(k + 1, k + 1 + AHEAD)), set())
        above[k] = position[met[0]] - position[k] if met else np.inf
        met = first_met(order, k, over(low, high, k, slice(max(0, k - AHEAD), k))[::-1], set())
        below[k] = position[k] - position[met[0]] if met else np.inf
        steps[k] = min(above[k], below[k])
    most = FAR_GAP * np.minimum(np.minimum(above, below), steps)
    above, below = np.where(above <= most, above, np.inf), np.where(below <= most, below, np.inf)
    near = np.minimum(above, below)
    near[np.isinf(near)] = alone
    thick = (np.where(np.isinf(above), near, above) + np.where(np.isinf(below), near, below)) / 2
    return float(np.array([region.area for region in order]) @ thick)
