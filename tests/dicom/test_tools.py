"""Structure sets as OHIF, rt-utils, TotalSegmentator, tools on highdicom, plastimatch and 3D Slicer write them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pydicom
import pytest

from orthanc_stl.dicom.encapsulated_model import Description
from orthanc_stl.dicom.structure_set import read_roi_names, read_structure_set
from orthanc_stl.mesh.contours.build import surface_from_contours
from testing.phantoms import Study
from tests.dicom import tools
from tests.dicom.stl_objects import encapsulate

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom warns of what these programs write

PROGRAMS: dict[str, tuple[Callable[[], bytes], dict[str, float], tuple[int, int, int]]] = {
    "OHIF (dcmjs)": (tools.ohif, {"Liver": 37.630, "Kidney left": 9.408}, (221, 130, 101)),
    "rt-utils": (tools.rt_utils, {"Liver": 37.630, "Kidney left": 9.408}, (255, 0, 255)),
    "TotalSegmentator": (tools.totalsegmentator, {"liver": 37.630, "kidney_left": 9.408}, (255, 0, 255)),
    "highdicom": (tools.highdicom_based, {"Liver": 37.630, "Kidney left": 9.408}, (0, 128, 255)),
    "plastimatch": (tools.plastimatch, {"Liver": 37.630, "Kidney left": 9.408}, (255, 0, 0)),
    "3D Slicer": (tools.slicer, {"Liver": 37.630, "Kidney left": 9.408}, (255, 0, 0)),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_structures_of(program: str) -> None:
    build, volumes, color = PROGRAMS[program]
    data = build()
    structures = read_structure_set(data)
    usable = [roi for roi in structures.rois if roi.usable]
    assert [roi.name for roi in usable] == list(volumes)
    assert {roi.color for roi in usable} == {color}
    assert set(volumes) <= set(read_roi_names(data))
    assert structures.frame_of([roi.number for roi in usable]) == (Study().uid("frame 0"), [])
    for roi, radius in zip(usable, (20, 10), strict=True):
        (contours,), notes = structures.contours([roi.number])
        assert notes == []
        assert len(contours.contours) == 10
        middle = np.array([60.0 if radius == 10 else 0.0, 0.0])
        for contour in contours.contours:
            far = np.linalg.norm(contour.points[:, :2] - middle, axis=1)
            np.testing.assert_allclose(far, radius, atol=0.008)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_model_of(program: str) -> None:
    build, volumes, _ = PROGRAMS[program]
    structures = read_structure_set(build())
    for name, volume in volumes.items():
        numbers = [roi.number for roi in structures.rois if roi.name == name]
        rois, _ = structures.contours(numbers)
        surface = surface_from_contours(rois, surroundings=structures.surroundings(numbers), resolution=64)
        assert surface.report.volume / 1000 == pytest.approx(volume, rel=0.01)
        assert (surface.report.closed, surface.report.euler_number, surface.report.warnings) == (True, 2, ())


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_object_of_a_model_of(program: str) -> None:
    build, volumes, _ = PROGRAMS[program]
    structures = read_structure_set(build())
    source = structures.source
    file = encapsulate(
        bytes(84),
        source=source,
        description=Description("Title", tuple(volumes)),
        references=[source.reference],
        version="1",
    )
    ds = pydicom.dcmread(BytesIO(file))
    assert (ds.PatientID, ds.StudyInstanceUID) == ("PHANTOM", Study().uid("study"))
    assert ds.SourceInstanceSequence[0].ReferencedSOPInstanceUID == source.reference.sop_instance_uid
    assert all(name in ds.SeriesDescription for name in volumes)


def test_thin_structures_of_totalsegmentator_say_why_they_are_not_usable() -> None:
    structures = read_structure_set(tools.totalsegmentator())
    assert len(structures.rois) == 117
    reasons = {roi.reason for roi in structures.rois if not roi.usable}
    assert reasons == {"2 contours have fewer than three distinct points (1-2): left out"}


def test_rt_utils_after_a_structure_was_taken_out() -> None:
    """It numbers a new ROI by how many there are: rt-utils issue 137."""
    structures = read_structure_set(tools.rt_utils(numbers=[2, 2]))
    assert [(roi.number, roi.name, roi.usable) for roi in structures.rois] == [
        (2, "Liver", True), (3, "Kidney left", True),
    ]  # fmt: skip
    (kidney,), _ = structures.contours([3])
    assert kidney.contours[0].points[:, 0].max() == pytest.approx(70)
