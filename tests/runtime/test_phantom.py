"""The demo's torso: what a person sees first."""

from __future__ import annotations

import io

import numpy as np
import pytest

from orthanc_stl.dicom.structure_set import StructureSet, read_structure_set
from orthanc_stl.mesh.contours.build import surface_from_contours
from runtime.phantom import study


@pytest.fixture(scope="module")
def structure_set() -> StructureSet:
    file = io.BytesIO()
    dataset = dict(study.study())["structures.dcm"]
    dataset.save_as(file, enforce_file_format=True)
    return read_structure_set(file.getvalue())


# The right lung is hollow where the tumour is.
@pytest.mark.parametrize(
    ("number", "name", "euler_number"), [(1, "Body", 2), (2, "Lung_L", 2), (3, "Lung_R", 4), (4, "Heart", 2)]
)
def test_each_organ_is_one_body_without_crumbs(
    structure_set: StructureSet, number: int, name: str, euler_number: int
) -> None:
    rois, skipped = structure_set.contours([number])
    assert structure_set.roi(number).name == name
    assert skipped == []
    assert min(area(contour.points) for contour in rois[0].contours) >= 16  # four pixels of 2 mm
    model = surface_from_contours(rois, resolution=128)
    assert model.report.warnings == ()
    assert (model.report.closed, model.report.euler_number) == (True, euler_number)


def test_the_tumour_has_its_cavity(structure_set: StructureSet) -> None:
    rois, _ = structure_set.contours([5])
    assert surface_from_contours(rois, resolution=128).report.euler_number == 4


def area(points: np.ndarray) -> float:
    """Of an axial contour `(n, 3) float`, mm2."""
    x, y = points[:, 0], points[:, 1]
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
