"""A body as the stack of its slices, each as thick as it is and with straight sides: what contours say without voxels.

The volume of the union, in how many pieces it is, and its Euler number are exact for the stack. A faithful surface has
the same pieces and the same Euler number: it rounds the steps of the stack, but tears and closes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from manifold3d import CrossSection, JoinType, OpType

from orthanc_stl.mesh.contours.links import width_of
from orthanc_stl.mesh.contours.parts import Chain
from orthanc_stl.mesh.contours.polygon import signed_area
from orthanc_stl.mesh.contours.shapes import joined, meeting_boxes

SAME_PLACE = 0.02
"""A fraction of the thinnest slice: ends of slices that are nearer along the normal are one, for planes are means."""

SHARE_OF_WIDTH = 0.25
"""A fraction of its width: a vessel that moves on is stacked of slices that each move by no more."""

MOST_SLICES = 64
"""From one outline of such a vessel to the next."""

NOTHING = 1e-7
"""A fraction of the smaller of two areas that lie over each other: what they share, or a hole in it, is rounding if
smaller."""


@dataclass(frozen=True)
class Slice:
    """`sections` from `low` to `high` (mm along the normal)."""

    low: float
    high: float
    sections: tuple[CrossSection, ...]


@dataclass(frozen=True)
class Suggested:
    """What a stack says of the surface around it: in how many pieces it is, and its Euler number."""

    pieces: int
    euler_number: int


def slices_of(chain: Chain) -> list[Slice]:
    """From halfway to the plane below to halfway to the plane above; beyond an end plane as far as the body goes."""
    if chain.shift is not None:
        return _moving_slices(chain, np.array(chain.shift))
    places = chain.positions
    marks = [chain.low, *((places[1:] + places[:-1]) / 2).tolist(), chain.high]
    return [
        Slice(marks[k], marks[k + 1], tuple(region.section for region in layer.regions))
        for k, layer in enumerate(chain.layers)
        if marks[k + 1] > marks[k]
    ]


def _moving_slices(chain: Chain, shift: np.ndarray) -> list[Slice]:
    start, end = chain.positions.tolist()
    first, second = (layer.regions[0] for layer in chain.layers)
    farthest = SHARE_OF_WIDTH * min(width_of(first), width_of(second))
    count = int(np.ceil(min(float(np.hypot(*shift)) / farthest, MOST_SLICES)))
    found = []
    for region, place, low, high in (
        (first, start, chain.low, (start + end) / 2),
        (second, end, (start + end) / 2, chain.high),
    ):
        marks = np.linspace(low, high, count + 1).tolist()
        for below, above in pairwise(marks):
            part = ((below + above) / 2 - place) / (end - start)
            moved = region.section.translate((part * shift[0], part * shift[1]))
            found.append(Slice(below, above, (moved,)))
    return found


def stacked(chains: Sequence[Chain], grown: float = 0.0) -> Iterator[tuple[float, float, list[CrossSection]]]:
    """The union of chains of parallel planes, upwards: from where to where, and its connected areas there.

    `grown`: by how much (mm) areas are made larger first.
    """
    slices = [found for chain in chains for found in slices_of(chain)]
    if not slices:
        return
    ends = np.unique([end for found in slices for end in (found.low, found.high)])
    least = SAME_PLACE * min(found.high - found.low for found in slices)
    marks = ends[np.diff(ends, prepend=-np.inf) > least]
    first = np.searchsorted(marks, [found.low + least for found in slices]) - 1
    last = np.searchsorted(marks, [found.high + least for found in slices]) - 1
    order = np.argsort(first, kind="stable")
    active: list[int] = []
    following = 0
    for place, (low, high) in enumerate(pairwise(marks.tolist())):
        while following < len(order) and first[order[following]] <= place:
            active.append(int(order[following]))
            following += 1
        active = [k for k in active if last[k] > place]
        sections = [section for k in active for section in slices[k].sections]
        if grown:
            sections = [section.offset(grown, JoinType.Miter) for section in sections]
        if len(sections) > 1:
            sections = [CrossSection.batch_boolean(sections, OpType.Add)]
        yield low, high, [area for section in sections for area in section.decompose()]


def volume_of_stack(chains: Sequence[Chain]) -> float:
    """mm³ of the union."""
    return sum((high - low) * sum(area.area() for area in areas) for low, high, areas in stacked(chains))


def suggested(chains: Sequence[Chain], grown: float = 0.0) -> Suggested:
    """Of the union. The Euler number of a solid is that of its slices less that of what they share: a surface has twice
    as much."""
    characteristic, count = 0, 0
    pairs: list[tuple[int, int]] = []
    below: list[CrossSection] = []
    for _, _, areas in stacked(chains, grown):
        characteristic += sum(2 - area.num_contour() for area in areas)
        for i, j in _over_each_other(below, areas):
            shared = _characteristic(below[i] ^ areas[j], NOTHING * min(below[i].area(), areas[j].area()))
            if shared is not None:
                characteristic -= shared
                pairs.append((count - len(below) + i, count + j))
        count += len(areas)
        below = areas
    return Suggested(len(set(joined(count, pairs))), 2 * characteristic)


def _over_each_other(below: Sequence[CrossSection], above: Sequence[CrossSection]) -> list[tuple[int, int]]:
    """The pairs whose boxes overlap."""
    if not below or not above:
        return []
    one, other = (np.array([area.bounds() for area in areas]) for areas in (below, above))
    return [(i, j) for i, j in meeting_boxes(one, other).tolist()]


def _characteristic(shared: CrossSection, least: float) -> int | None:
    """Outlines less holes, of those of at least `least` mm²; None if there is none."""
    if shared.is_empty():
        return None
    found = [(area.num_contour(), area) for area in shared.decompose()]
    kept = [_holed(area, least) if contours > 1 else 1 for contours, area in found if area.area() > least]
    return sum(kept) if kept else None


def _holed(area: CrossSection, least: float) -> int:
    return 1 - sum(signed_area(np.asarray(loop)) < -least for loop in area.to_polygons())
