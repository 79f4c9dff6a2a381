"""Outlines that may be meant as holes but lie on planes of their own: told of, for they cut out nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.links import Link
from orthanc_stl.mesh.contours.regions import Region
from orthanc_stl.mesh.types import Rank

SMALLER = 0.6
"""Of the areas of the regions before and behind: a slice that is smaller than both, ..."""

NEARER = 0.25
"""... and no farther from the one than this, of the way from there to the other, hardly is a slice of its own."""

NAMED = 5
"""Heights in one sentence."""


def tell_of_holes_off_plane(name: str, regions: Sequence[Region], links: Sequence[Link], findings: Findings) -> None:
    """`links` are those before gaps are looked for. What is up to a tenth of the spacing off a plane belongs to it."""
    above: dict[int, list[int]] = {k: [] for k in range(len(regions))}
    below: dict[int, list[int]] = {k: [] for k in range(len(regions))}
    for link in links:
        above[link.lower].append(link.upper)
        below[link.upper].append(link.lower)
    usual = float(np.median([region.step for region in regions])) if regions else 0.0
    heights = {
        regions[k].position
        for before, behind in ((below, above), (above, below))
        for k in range(len(regions))
        for near in before[k]
        if _is_doubtful(regions, k, near, behind[k] + behind[near], usual)
    }
    if heights:
        listed = ", ".join(f"{height:.6g}" for height in sorted(heights)[:NAMED]) + ", ..." * (len(heights) > NAMED)
        one = len(heights) == 1
        text = (
            f"has {'an outline' if one else 'outlines'} at {listed} mm along the normal of its planes, a little off the"
            " plane of a larger one: what is meant as a hole there cuts out nothing"
        )
        findings.roi(Rank.GUESSED, name, text)


def _is_doubtful(regions: Sequence[Region], k: int, near: int, others: Sequence[int], usual: float) -> bool:
    """`usual`: how far apart slices usually are (mm): what is farther away is beyond a gap."""
    place, start = regions[k].position, regions[near].position
    off = abs(place - start)
    beyond = [j for j in others if (regions[j].position - place) * (place - start) > 0]
    return any(
        off <= NEARER * min(abs(regions[j].position - start), usual)
        and regions[k].area < SMALLER * min(regions[near].area, regions[j].area)
        for j in beyond
    )
