"""Surfaces whose truth is known in any orientation, and the volumes that planning systems count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from benchmarks.rows import Row
from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.mesh.build import model_from_contours
from orthanc_stl.mesh.contours import Contour
from tests.data import FOLDER
from tests.mesh import solids

TILTED = (Rotation.from_euler("xyz", [33, -48, 71], degrees=True), (150.2, -90.1, 300.7))
SOLIDS = {
    "ball": solids.ball(30),
    "cylinder": solids.cylinder(10),
    "cone": solids.cone(),
    "torus": solids.torus(),
    "hollow shell": solids.hollow_shell(),
    "two balls 5 mm apart": solids.two_balls(),
    "fork": solids.fork(),
    "thin plate": solids.thin_plate(),
}
ECLIPSE = ("rtstruct/eclipse-dicompyler/rtss.dcm", "rtstruct/eclipse8-prostate/RS.dcm")
SMALLEST_ML = 5.0


def orientation() -> Iterator[Row]:
    """Upright and tilted: the same numbers."""
    proper = 0
    for name, solid in SOLIDS.items():
        upright, tilted = solids.model_of(solid), solids.model_of(solid, *TILTED)
        before = float(solids.distances(upright.mesh, solid).mean())
        after = float(solids.distances(tilted.mesh, solid, *TILTED).mean())
        yield Row(f"{name}, upright: mean distance", None, before, "mm")
        yield Row(f"{name}, tilted: mean distance", None, after, "mm", "as upright", after <= 1.1 * before + 0.005)
        error = 100 * (tilted.report.volume / solid.volume - 1)
        yield Row(f"{name}, tilted: volume error", None, error, "%", "within 1 %", abs(error) <= 1)
        for report in (upright.report, tilted.report):
            proper += report.closed and report.volume > 0 and report.euler_number == solid.euler_number
    every = 2 * len(SOLIDS)
    yield Row("closed, outward, of the Euler number expected", None, proper, "", f"all {every}", proper == every)


def planning() -> Iterator[Row]:
    """`EndCaps` false, against the trapezoid rule over the areas of the contours, as Eclipse counts volumes."""
    errors = [error for file in ECLIPSE if (FOLDER / file).exists() for error in _errors((FOLDER / file).read_bytes())]
    if not errors:
        print("(the structure sets from Eclipse are not here: name the folder of the data by ORTHANC_STL_DATA)")
        return
    median, worst = float(np.median(errors)), max(errors)
    name = f"{len(errors)} Eclipse ROIs of {SMALLEST_ML:g} mL and more, against the trapezoid rule"
    yield Row(f"{name}: median", None, median, "%", "0.5 %", median <= 0.5)
    yield Row(f"{name}: worst", None, worst, "%", "3.5 %", worst <= 3.5)


def _errors(data: bytes) -> Iterator[float]:
    """Of each ROI that is large enough, in percent."""
    structures = read_structure_set(data)
    for roi in structures.rois:
        if not roi.usable:
            continue
        rois, _ = structures.contours([roi.number])
        truth = trapezoid_rule(rois[0].contours)
        if truth / 1000 >= SMALLEST_ML:
            report = model_from_contours(
                rois, surroundings=structures.surroundings([roi.number]), end_caps=False
            ).report
            yield abs(100 * (report.volume / truth - 1))


def trapezoid_rule(contours: Sequence[Contour]) -> float:
    """mm3, of axial contours: those within another one of their plane are holes."""
    planes: dict[float, list[np.ndarray]] = {}
    for contour in contours:
        planes.setdefault(round(float(contour.points[0, 2]), 2), []).append(contour.points[:, :2])
    heights = sorted(planes)
    areas = [
        sum(
            _area(one) * (-1) ** sum(_within(one[0], other) for other in planes[z] if other is not one)
            for one in planes[z]
        )
        for z in heights
    ]
    return float(np.trapezoid(areas, heights))


def _area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _within(point: np.ndarray, polygon: np.ndarray) -> bool:
    """By the number of edges that a ray from the point to the right crosses."""
    start, end = polygon - point, np.roll(polygon, -1, axis=0) - point
    crossed = (start[:, 1] > 0) != (end[:, 1] > 0)
    start, end = start[crossed], end[crossed]
    places = start[:, 0] - start[:, 1] * (end[:, 0] - start[:, 0]) / (end[:, 1] - start[:, 1])
    return bool(np.count_nonzero(places > 0) % 2)
