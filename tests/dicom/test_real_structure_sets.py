"""Every real structure set read as pydicom, an independent reader, reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from orthanc_stl.dicom.structure_set import read_roi_names, read_structure_set
from orthanc_stl.errors import InvalidInput
from testing.data import shared_file, shared_files
from tests.dicom.listing import listing

FILES = [
    file
    for file in shared_files("rtstruct/**/*.dcm")
    if not file.name.lower().startswith(("ct", "tinyfs_ct", "00"))  # images
]
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "INTERPOLATED_PLANAR")


def name_of(file: Path) -> str:
    return f"{file.parent.name}-{file.name}"


def points_of(contour: Dataset) -> np.ndarray:
    return np.array(contour.get("ContourData") or [], float).reshape(-1, 3)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_same_as_by_pydicom(file: Path) -> None:
    data = file.read_bytes()
    structures = read_structure_set(data)
    ds = pydicom.dcmread(file, force=True)
    assert {roi.number: roi.name for roi in structures.rois} == {
        int(item.ROINumber): str(item.ROIName).strip() for item in ds.StructureSetROISequence
    }
    assert read_roi_names(data) == sorted({roi.name for roi in structures.rois})
    drawn = {int(item.ReferencedROINumber): item for item in ds.ROIContourSequence}
    for roi in structures.rois:
        theirs = drawn.get(roi.number, Dataset())
        assert list(roi.color or ()) == list(theirs.get("ROIDisplayColor") or [])
        expected = {
            number: points_of(contour)
            for number, contour in enumerate(theirs.get("ContourSequence") or [], 1)
            if contour.ContourGeometricType in CLOSED and len(np.unique(points_of(contour), axis=0)) >= 3
        }
        ours, notes = roi.read()
        assert [contour.number for contour in ours] == list(expected)
        left_out = {number for fault in roi.summary.faults if fault.left_out for number in fault.numbers}
        assert left_out == {item.number for item in roi.items} - set(expected)
        assert len(notes) == len(roi.summary.faults)
        for contour in ours:
            np.testing.assert_array_equal(contour.points, expected[contour.number])


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_roi_is_usable_or_says_why(file: Path) -> None:
    structures = read_structure_set(file.read_bytes())
    for roi, listed in zip(structures.rois, listing(structures), strict=True):
        if listed["Usable"]:
            (contours,), _ = structures.contours([roi.number])
            assert sum(listed["Contours"].values()) >= len(contours.contours) > 0
        else:
            assert listed["Reason"]
            with pytest.raises(InvalidInput, match=r"^ROI -?\d+ "):
                structures.contours([roi.number])


def test_pinnacle_names_its_two_kinds_of_useless_contours() -> None:
    structures = read_structure_set(shared_file("rtstruct/pinnacle96-prostate/rtss.dcm").read_bytes())
    faults = [fault for roi in structures.rois for fault in roi.summary.faults]
    assert sum(len(fault.numbers) for fault in faults if "fewer than three" in fault.one) == 84
    assert sum(len(fault.numbers) for fault in faults if "type POINT" in fault.one) == 13


def test_oncentra_with_two_frames_of_reference() -> None:
    structures = read_structure_set(shared_file("rtstruct/oncentra/rtstruct_points_2for.dcm").read_bytes())
    assert [roi.usable for roi in structures.rois].count(True) == 2
    assert structures.frame_of_reference_uid
