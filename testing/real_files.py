"""What is known of real structure sets: the volumes that a planning system gives to its organs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.contour import RoiContours
from testing.data import FOLDER

ECLIPSE = ("rtstruct/eclipse-dicompyler/rtss.dcm", "rtstruct/eclipse8-prostate/RS.dcm")

SMALLEST = 5000
"""mm³: of smaller structures planning systems print too few digits."""


def planned_volumes(resolution: int) -> Iterator[tuple[str, float, float]]:
    """Name, our volume without EndCaps, and the trapezoid rule's (mm³), of each larger organ in Eclipse's files."""
    for file in (FOLDER / name for name in ECLIPSE):
        if not file.exists():
            continue
        structures = read_structure_set(file.read_bytes())
        for roi in structures.rois:
            if not roi.usable:
                continue
            rois, _ = structures.contours([roi.number])
            theirs = trapezoid_rule(rois[0])
            if theirs >= SMALLEST:
                around = structures.surroundings([roi.number])
                model = surface_from_contours(rois, surroundings=around, resolution=resolution, end_caps=False)
                yield roi.name, model.report.volume, theirs


def trapezoid_rule(roi: RoiContours) -> float:
    """The volume (mm³) of axial contours: holes (contours inside another) are taken off."""
    planes: dict[float, list[np.ndarray]] = {}
    for contour in roi.contours:
        planes.setdefault(round(float(contour.points[0, 2]), 2), []).append(contour.points[:, :2])
    heights = sorted(planes)
    return float(np.trapezoid([_area(planes[z]) for z in heights], heights))


def _area(outlines: list[np.ndarray]) -> float:
    total = 0.0
    for i, outline in enumerate(outlines):
        around = sum(_holds(other, outline[0]) for j, other in enumerate(outlines) if j != i)
        x, y = (outline - outline[0]).T
        total += (-1) ** around * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return total


def _holds(outline: np.ndarray, point: np.ndarray) -> bool:
    start, end = outline, np.roll(outline, -1, axis=0)
    passed = (start[:, 1] > point[1]) != (end[:, 1] > point[1])
    start, end = start[passed], end[passed]
    x = start[:, 0] + (point[1] - start[:, 1]) / (end[:, 1] - start[:, 1]) * (end[:, 0] - start[:, 0])
    return bool(np.count_nonzero(x > point[0]) % 2)
