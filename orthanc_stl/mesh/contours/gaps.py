"""Which steps from plane to plane are gaps: what lies beyond is another part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from statistics import median

import numpy as np

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.links import GAP, Link, components
from orthanc_stl.mesh.contours.regions import Region
from orthanc_stl.mesh.contours.steps import FAR_GAP
from orthanc_stl.mesh.types import Rank

FINE = 10
"""A percentile: FAR_GAP of two steps in a row on either side are a gap, whatever lies on the other side, for slices
that lie alone are far apart; so are, of a link longer than its outlines are wide, FAR_GAP of so many of the ROI's
steps."""

BESIDE = 3
"""Steps on either side that a gap is judged against, by their median; the side with the larger ones counts. So does
the shorter of the two steps next to it: three in a row are a spacing, whatever lies beyond them."""

FALLS_INTO = "falls into"
"""How the sentence on gaps begins."""

GOES_ON = "goes on"
"""How the sentence on outlines that do not overlap begins."""


def without_gaps(
    name: str, regions: Sequence[Region], links: list[Link], usual: float | None, findings: Findings
) -> list[Link]:
    """The links that are no gaps. `usual`: the usual distance between slices of the file (mm), if anything tells it.

    The longest are judged first, for beyond a gap is nothing that others are judged by.
    """
    step = {link: regions[link.upper].position - regions[link.lower].position for link in links}
    up: dict[int, Link] = {}
    down: dict[int, Link] = {}
    longest_first = sorted(links, key=lambda link: step[link], reverse=True)
    for link in longest_first:
        up[link.lower] = down[link.upper] = link
    fine = float(np.percentile(list(step.values()), FINE, method="lower")) if step else 0.0
    gaps: set[Link] = set()
    for link in longest_first:
        below = _beside(link.lower, down, step, lambda link: link.lower, gaps)
        above = _beside(link.upper, up, step, lambda link: link.upper, gaps)
        sides = [median(side) for side in (below, above) if side]
        if below and above:
            sides.append(min(below[0], above[0]))
        known = max(sides) if sides else usual
        small = [median(side) for side in (below, above) if len(side) > 1]
        small += [fine] if step[link] > max(_extent(regions[link.lower]), _extent(regions[link.upper])) else []
        far = step[link] > FAR_GAP * min(small, default=np.inf)
        if far or (known is not None and step[link] > GAP * known):
            gaps.add(link)
    kept = [link for link in links if link not in gaps]
    _tell_of_gaps(name, regions, kept, gaps, findings)
    apart = sum(link.apart for link in kept)
    if apart:
        often = "once" if apart == 1 else f"{apart} times"
        text = f"{GOES_ON} {often} from an outline to the nearest one of the next slice, which it does not overlap"
        findings.roi(Rank.GUESSED, name, text)
    return kept


def _extent(region: Region) -> float:
    return float((region.high - region.low).max())


def _beside(
    start: int, way: dict[int, Link], step: dict[Link, float], onward: Callable[[Link], int], gaps: set[Link]
) -> list[float]:
    """The steps that follow from region `start`, at most BESIDE, up to a gap."""
    steps: list[float] = []
    while start in way and len(steps) < BESIDE:
        link = way[start]
        if link in gaps:
            break
        steps.append(step[link])
        start = onward(link)
    return steps


def _tell_of_gaps(
    name: str, regions: Sequence[Region], kept: Sequence[Link], gaps: Collection[Link], findings: Findings
) -> None:
    if not gaps:
        return
    after = components(len(regions), kept)
    before = components(len(regions), [*kept, *gaps])
    more = max(after) - max(before)
    if not more:
        return
    ends = sorted({(regions[gap.lower].position, regions[gap.upper].position) for gap in gaps})
    listed = ", ".join(f"{low:.6g} to {high:.6g}" for low, high in ends[:5]) + (", ..." if len(ends) > 5 else "")
    text = f"{FALLS_INTO} {max(after) + 1} pieces, gaps at z = {listed} mm along the normal of its planes"
    findings.roi(Rank.GUESSED, name, text)
