"""A slice that is drawn in parts, side by side, which lie a little apart along the normal: the parts of one slice.

Parts that lie within a tenth of a slice are of one plane anyway (`regions.ONE_PLANE`). Farther apart, they would be
slices of their own, each of half a body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType, OpType

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.planes import Outline, RoiOutlines
from orthanc_stl.mesh.contours.polygon import length_of, signed_area
from orthanc_stl.mesh.contours.sections import section_of
from orthanc_stl.mesh.contours.shapes import joined
from orthanc_stl.mesh.contours.steps import local_steps
from orthanc_stl.mesh.types import Rank

APART = (0.098, 0.35)
"""Of the way to the next whole slice: how far apart the parts lie. Less is seen to be one plane."""

LARGER = 75
"""A percentile: so many steps from plane to plane are shorter than the usual distance of slices."""

FARTHER = 1.2
"""Times the usual distance: no farther the next whole slice is taken to be."""

NEVER = 0.45
"""A fraction of the usual distance between planes: where no two lie nearer to each other, no slice is split."""

BESIDE = 0.05
"""A fraction of the extent of the parts: no farther apart in the plane, they lie side by side."""

SLIT = 1e-3
"""A fraction of the extent of the parts: so far they are grown to be joined, and shrunk again."""

IN_COMMON = 0.1
"""A fraction of the smaller of two parts: what they may have in common."""

WHOLE = 1.3
"""A whole slice is so many times as large as a part, at least."""

AS_WHOLE = 0.8
"""A fraction of the larger: as much the parts together have in common with the next whole slice, at least."""


def with_slices_whole(roi: RoiOutlines, findings: Findings) -> RoiOutlines:
    """The ROI with the parts of each slice on one plane, which is told."""
    outlines = sorted(roi.outlines, key=lambda outline: outline.position)
    position = np.array([outline.position for outline in outlines])
    steps = np.diff(position)
    steps = steps[steps > 0]
    usual = float(np.percentile(steps, LARGER)) if len(steps) > 1 else 0.0
    if not usual or steps.min() > NEVER * usual:
        return roi
    boxes = np.array([(*o.points.min(axis=0), *o.points.max(axis=0)) for o in outlines])
    area = np.array([abs(signed_area(outline.points)) for outline in outlines])
    groups = _groups(outlines, position, boxes, area, usual)
    if not groups:
        return roi
    farthest = max(float(np.ptp(position[group])) for group in groups)
    text = (
        f"has slices that are drawn in parts, side by side and up to {farthest:.3g} mm apart along the normal of its"
        " planes: the parts of each are taken to be of one plane"
    )
    findings.roi(Rank.GUESSED, roi.name, text)
    split = {k for group in groups for k in group}
    whole = [outline for k, outline in enumerate(outlines) if k not in split]
    for group in groups:
        place = float(np.average(position[group], weights=area[group]))
        first = replace(min((outlines[k] for k in group), key=lambda outline: outline.number), position=place)
        whole += [replace(first, points=points) for points in _welded([outlines[k].points for k in group])]
    return replace(roi, outlines=_with_steps(whole))


def _welded(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outlines of parts together, without the slits between them."""
    width = SLIT * float(np.ptp(np.concatenate(parts), axis=0).max())
    grown = [section_of([part], FillRule.NonZero).offset(width, JoinType.Miter) for part in parts]
    whole = CrossSection.batch_boolean(grown, OpType.Add).offset(-width, JoinType.Miter)
    loops = [np.asarray(loop) for loop in whole.to_polygons()]
    return [loop for loop in loops if abs(signed_area(loop)) > width * length_of(loop)]


def _with_steps(outlines: Sequence[Outline]) -> tuple[Outline, ...]:
    position = np.array([outline.position for outline in outlines])
    low, high = (np.array([end(outline.points, axis=0) for outline in outlines]) for end in (np.min, np.max))
    steps = local_steps(position, low, high).tolist()
    return tuple(replace(outline, step=step) for outline, step in zip(outlines, steps, strict=True))


def _groups(
    outlines: Sequence[Outline], position: np.ndarray, boxes: np.ndarray, area: np.ndarray, usual: float
) -> list[list[int]]:
    """The places of outlines that together are a slice. `usual`: how far apart slices are (mm)."""
    count = len(outlines)
    sections: dict[int, CrossSection] = {}

    def section(k: int) -> CrossSection:
        if k not in sections:
            sections[k] = section_of([outlines[k].points])
        return sections[k]

    whole = [_next_whole(k, position, boxes, area) for k in range(count)]
    step = [min(abs(position[k] - position[i]), FARTHER * usual) if k >= 0 else 0.0 for i, k in enumerate(whole)]
    pairs = []
    for i in range(count):
        end = int(np.searchsorted(position, position[i] + APART[1] * step[i], side="right"))
        for j in range(i + 1, end):
            low, high = np.minimum(boxes[i, :2], boxes[j, :2]), np.maximum(boxes[i, 2:], boxes[j, 2:])
            slack = BESIDE * float((high - low).max())
            apart = np.maximum(boxes[i, :2], boxes[j, :2]) - np.minimum(boxes[i, 2:], boxes[j, 2:])
            if position[j] > position[i] and (apart <= slack).all() and _beside(section(i), section(j), slack):
                pairs.append((i, j))
    group = joined(count, pairs)
    members: dict[int, list[int]] = {}
    for k in sorted({k for pair in pairs for k in pair}):
        members.setdefault(group[k], []).append(k)
    return [
        found
        for found in members.values()
        if _is_slice([section(k) for k in found], section(whole[found[0]]))
        and APART[0] <= np.ptp(position[found]) / step[found[0]] <= APART[1]
    ]


def _next_whole(k: int, position: np.ndarray, boxes: np.ndarray, area: np.ndarray) -> int:
    """The nearest outline along the normal that encloses the box of outline k, or nearly, and is larger; else -1."""
    slack = BESIDE * float((boxes[k, 2:] - boxes[k, :2]).max())
    around = (boxes[:, :2] <= boxes[k, :2] + slack).all(axis=1) & (boxes[:, 2:] >= boxes[k, 2:] - slack).all(axis=1)
    found = np.flatnonzero(around & (area >= WHOLE * area[k]) & (position != position[k]))
    return int(found[np.argmin(np.abs(position[found] - position[k]))]) if len(found) else -1


def _beside(one: CrossSection, other: CrossSection, slack: float) -> bool:
    """Whether two areas lie side by side and hardly over each other."""
    if (one ^ other).area() > IN_COMMON * min(one.area(), other.area()):
        return False
    return not (one.offset(slack) ^ other).is_empty()


def _is_slice(parts: Sequence[CrossSection], whole: CrossSection) -> bool:
    together = CrossSection.batch_boolean(list(parts), OpType.Add)
    return bool((together ^ whole).area() >= AS_WHOLE * max(together.area(), whole.area()))
