"""Files after public reports, all the way from the bytes to the stored object: what its README says is right."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest

from orthanc_stl.engine import kept_files
from orthanc_stl.errors import InvalidInput
from orthanc_stl.tasks import TASKS
from testing.data import shared_file
from testing.phantoms import ct_slices
from tests.mutants import SERIES

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")

STRUCTURE_SETS = {
    ("rtutils137_dupnumber", "Bladder"): (37.630, "is also that of"),
    ("rtutils137_dupnumber", "Rectum"): (6.021, "is also that of"),
    ("declared_plus1", 1): (37.630, "Number of Contour Points"),
    ("data_trailing_backslash", 1): (37.630, "stray backslash"),
    ("type_lower", 1): (37.630, "closed_planar"),
    ("type_missing", 1): (37.630, "say no type"),
    ("num_float", 7): (37.630, ""),
    ("ref_missing", 1): (37.630, "name no ROI"),
    ("no_sss", 1): (37.630, "named by its number"),
    ("nonascii-uid", 1): (None, "Frame of Reference UID is not ASCII"),
}


def test_every_file_after_a_public_report_has_a_test() -> None:
    folder = shared_file("faults/README.md").parent
    texts = [path.read_text() for path in Path(__file__).parents[1].rglob("*.*") if path.suffix in (".py", ".json")]
    names = [path.name.partition(".nii")[0] if ".nii" in path.name else path.stem for path in folder.iterdir()]
    assert [name for name in names if name != "README" and not any(name in text for text in texts)] == []


def convert(data: bytes, name: str, structures: list[int | str] | None, **more: Any) -> tuple[dict[str, Any], bytes]:
    chosen = {"Structures": structures} if structures else {"All": True}
    request = chosen | {"Resolution": 96, "Limits": {"max_nifti_mb": 64}} | more
    options = {"Request": request, "Roles": ["source", "study"], "Name": name, "Series": SERIES}
    kept_files.forget()  # as a worker does between two requests
    facts, files = TASKS["convert"](options, [data, ct_slices(planes=[0], size=4)[0]], lambda *now: None)
    return facts["answer"], bytes(files[0])


@pytest.mark.parametrize(("name", "chosen"), STRUCTURE_SETS)
def test_structure_sets(name: str, chosen: int | str) -> None:
    volume, told = STRUCTURE_SETS[name, chosen]
    data = shared_file(f"faults/{name}.dcm").read_bytes()
    answer, stored = convert(data, "", [chosen])
    if volume:
        assert answer["VolumeMl"] == pytest.approx(volume, rel=0.01)
    assert [told in warning for warning in answer["Warnings"]] == [True] * bool(told)
    assert pydicom.dcmread(BytesIO(stored)).SOPClassUID.name == "Encapsulated STL Storage"
    if told:
        with pytest.raises(InvalidInput, match=told):
            convert(data, "", [chosen], Strict=True)


def test_a_bent_contour_is_not_usable_and_not_converted() -> None:
    data = shared_file("faults/bent-contour.dcm").read_bytes()
    (listed,) = TASKS["list_structures"]({}, [data], lambda *now: None)[0]["structures"]
    assert (listed["Usable"], listed["SkippedContours"]) == (False, 1)
    with pytest.raises(InvalidInput, match="not flat"):
        convert(data, "", [1])


@pytest.mark.parametrize(
    ("name", "volume"),
    [
        ("labels117_float_in_int16_header.nii.gz", 80.26),
        ("quaternion_1.00002.nii.gz", 14.417),
        ("trailing16.nii", 14.417),
        ("gz_then_garbage.nii.gz", 14.417),
        ("dim4_is_0.nii.gz", 14.417),
    ],
)
def test_volumes(name: str, volume: float) -> None:
    answer, stored = convert(shared_file(f"faults/{name}").read_bytes(), name, None)
    assert answer["VolumeMl"] == pytest.approx(volume, rel=0.01)
    assert pydicom.dcmread(BytesIO(stored)).SeriesDescription


def test_labels_of_a_volume_by_their_number() -> None:
    data = shared_file("faults/labels117_float_in_int16_header.nii.gz").read_bytes()
    assert convert(data, "x.nii.gz", [5])[0]["VolumeMl"] == pytest.approx(0.686, rel=0.01)
    ignored = shared_file("faults/mask_with_ignored_-1.nii.gz").read_bytes()
    assert convert(ignored, "x.nii.gz", [1])[0]["VolumeMl"] == pytest.approx(14.417, rel=0.01)


def test_a_text_of_odd_length_that_nobody_measured() -> None:
    data = shared_file("faults/encapsulated_ascii_odd_no_length.dcm").read_bytes()
    facts, _ = TASKS["stored_info"]({}, [data], lambda *now: None)
    assert (facts["Triangles"], facts["VolumeMl"]) == (12, 6.0)


def test_the_name_stays_in_a_long_series_description() -> None:
    data = shared_file("faults/long_series_description.dcm").read_bytes()
    _, stored = convert(data, "", ["Sphere"])
    assert pydicom.dcmread(BytesIO(stored)).SeriesDescription == "x" * 56 + ": Sphere"


@pytest.mark.parametrize(
    "name",
    [
        "seg/highdicom/seg_image_ct_binary.dcm",
        "rtdose/pydicom/rtdose.dcm",
        "surfaces/surface_segmentation_tetrahedron.dcm",
    ],
)
def test_a_uid_that_is_not_ascii_in_other_objects(name: str) -> None:
    data = shared_file(name).read_bytes()
    frame = str(pydicom.dcmread(BytesIO(data)).FrameOfReferenceUID).encode()
    fields = {"Fields": {"Levels": ["50%"]}}
    with pytest.raises(InvalidInput, match=r"its \(0020,0052\) is not ASCII"):
        convert(data.replace(frame, frame[:-1] + b"\xff"), "", None, **fields)
