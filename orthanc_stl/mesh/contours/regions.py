"""Outlines of a plane -> regions: an outline with its holes.

Outlines inside others are holes, and islands within holes are regions again (even-odd).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from manifold3d import CrossSection, FillRule

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.planes import THINNEST, Outline, RoiOutlines
from orthanc_stl.mesh.contours.polygon import ahead, length_of
from orthanc_stl.mesh.contours.sections import section_of
from orthanc_stl.mesh.contours.shapes import (
    APART,
    WITHIN,
    Shape,
    joined,
    once,
    overlapping,
    simple,
)
from orthanc_stl.mesh.contours.staircases import without_steps
from orthanc_stl.mesh.types import Rank

ONE_PLANE = 0.1
"""A fraction of the slice spacing there: outlines that lie no farther apart are of one plane."""

SAME_AREA = 2e-3
"""A fraction of the area of a plane: smoothing that changes it by more has made outlines cross."""


@dataclass(frozen=True)
class Region:
    """An outline with its holes, each (m, 2); `position` mm along the normal; `area` mm², `length` of outlines mm.

    `step`: how far apart slices are there, infinite if nothing tells it. `plane` counts planes upwards.
    """

    outlines: tuple[np.ndarray, ...]
    position: float
    plane: int
    area: float
    length: float
    step: float

    @cached_property
    def low(self) -> np.ndarray:
        return np.min([outline.min(axis=0) for outline in self.outlines], axis=0)

    @cached_property
    def high(self) -> np.ndarray:
        return np.max([outline.max(axis=0) for outline in self.outlines], axis=0)

    @cached_property
    def middle(self) -> np.ndarray:
        """The centroid of the first outline."""
        points = self.outlines[0] - self.low
        following = ahead(points)
        cross = points[:, 0] * following[:, 1] - following[:, 0] * points[:, 1]
        whole = float(cross.sum())
        if not whole:
            return (self.low + self.high) / 2
        return ((points + following) * cross[:, None]).sum(axis=0) / (3 * whole) + self.low

    @cached_property
    def section(self) -> CrossSection:
        return section_of(self.outlines)


def regions_of(roi: RoiOutlines, smooth: bool, findings: Findings) -> list[Region]:
    """The regions of all planes of a ROI, upwards. `smooth`: without the steps of outlines drawn along pixels.

    Raises TooManyOverlaps before it compares them.
    """
    regions: list[Region] = []
    for plane, members in enumerate(planes_of(roi.outlines)):
        whole = [Shape.of(outline) for outline in (_without_steps(members) if smooth else members)]
        whole = [shape for shape in whole if _encloses(roi.name, shape, findings)]
        shapes = [part for shape in whole for part in simple(roi.name, shape, findings)]
        if len(shapes) > 1:
            shapes = once(roi.name, shapes, findings)
        regions += _grouped(shapes, plane) if shapes else []
    return regions


def _encloses(name: str, shape: Shape, findings: Findings) -> bool:
    """Whether the outline encloses an area; one that comes back on itself all along does not."""
    least = THINNEST * length_of(shape.points) ** 2
    if shape.area > least or section_of([shape.points], FillRule.NonZero).area() > least:  # it may go round twice
        return True
    what = "back on itself all along, so that it encloses nothing"
    one, several = f"is skipped: it comes {what}", f"are skipped: they come {what}".replace("it encl", "they encl")
    findings.contour(Rank.LEFT_OUT, name, shape.number, one, several.replace("itself", "themselves"))
    return False


def planes_of(outlines: Sequence[Outline]) -> list[list[Outline]]:
    """The outlines by planes, upwards. A plane is no thicker than ONE_PLANE: outlines are not chained to it."""
    planes: list[list[Outline]] = []
    lowest, step = 0.0, 0.0
    for outline in sorted(outlines, key=lambda outline: outline.position):
        if planes and np.isinf(outline.step) and np.isinf(step):
            near = outline.position - lowest <= ONE_PLANE * float(np.ptp(outline.points, axis=0).max())
        else:
            near = bool(planes) and outline.position - lowest <= ONE_PLANE * min(step, outline.step)
        if near:
            planes[-1].append(outline)
            step = min(step, outline.step)
        else:
            planes.append([outline])
            lowest, step = outline.position, outline.step
    return [sorted(plane, key=lambda outline: outline.number) for plane in planes]


def _without_steps(outlines: list[Outline]) -> list[Outline]:
    """The outlines of a plane without steps of pixels, if they enclose what they did."""
    smooth = [replace(outline, points=without_steps(outline.points)) for outline in outlines]
    if all(new.points is old.points for new, old in zip(smooth, outlines, strict=True)):
        return outlines
    before, after = (section_of([outline.points for outline in each]) for each in (outlines, smooth))
    same = abs(after.area() - before.area()) <= SAME_AREA * before.area()
    return smooth if same and after.num_contour() == before.num_contour() else outlines


def _grouped(shapes: list[Shape], plane: int) -> list[Region]:
    """Outlines with the holes in them, as regions; outlines that cross (XOR) are one region."""
    if len(shapes) == 1:
        return [_region(shapes, plane)]
    around: dict[int, list[int]] = {k: [] for k in range(len(shapes))}
    pairs: list[tuple[int, int]] = []
    for i, j in overlapping(shapes):
        common = (shapes[i].section ^ shapes[j].section).area()
        small, large = (i, j) if shapes[i].area <= shapes[j].area else (j, i)
        if common <= APART * shapes[small].area:
            continue
        if common >= WITHIN * shapes[small].area:
            around[small].append(large)
        else:
            pairs.append((i, j))
    for k, outer in around.items():
        if len(outer) % 2:  # a hole, of the smallest outline around it
            pairs.append((k, min(outer, key=lambda i: shapes[i].area)))
    group = joined(len(shapes), pairs)
    members: dict[int, list[Shape]] = {}
    for k in sorted(range(len(shapes)), key=lambda k: (len(around[k]), shapes[k].number)):
        members.setdefault(group[k], []).append(shapes[k])
    return [_region(found, plane) for found in members.values()]


def _region(shapes: Sequence[Shape], plane: int) -> Region:
    outlines = tuple(shape.points for shape in shapes)
    area = shapes[0].area if len(shapes) == 1 else section_of(outlines).area()
    length = sum(length_of(outline) for outline in outlines)
    position = float(np.mean([shape.position for shape in shapes]))
    return Region(outlines, position, plane, area, length, min(shape.step for shape in shapes))
