"""Each file of the shared faults, from its bytes to the stored object: what their README says is right."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pydicom
import pytest

from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.stl import read_stl
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.report import report_of
from orthanc_stl.rest.http.body import read_object
from orthanc_stl.rest.http.content import content
from orthanc_stl.tasks import TASKS
from testing.data import shared_file, shared_files
from tests.engine.converted import convert

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


@dataclass(frozen=True)
class Right:
    """Of the model of `chosen` (empty: of all): mL, what the one warning says (empty: there is none), and its topology.

    `series`: the Series Description, where the file is there for it.
    """

    volume: float
    told: str = ""
    chosen: int | str = ""
    pieces: int = 1
    euler_number: int = 2
    resolution: int = 96
    series: str = ""


@dataclass(frozen=True)
class Refused:
    sentence: str


TUBE = 37.630
BOX = 6.0  # of 12 triangles
MASK = 14.417

FILES: dict[str, tuple[Right | Refused, ...]] = {
    "gdcm56_offset.dcm": (Right(42.334, pieces=2, euler_number=4),),
    "kidneys_jitter.dcm": (Right(42.334, pieces=2, euler_number=4),),
    "slice_in_two_halves.dcm": (Right(TUBE),),
    "mix1_3.dcm": (Right(115.558),),
    "sparse_third.dcm": (Right(76.62),),
    "zrad9_mouse005.dcm": (Right(0.9048),),
    "metres.dcm": (Right(37.6e-9, "its coordinates seem to be metres"),),
    "couch.dcm": (Right(6888, "the surface is not smoothed", "CouchSurface", euler_number=0, resolution=128),),
    "skin3mm.dcm": (Right(2018.455, euler_number=0, resolution=64),),
    "res_tube32.dcm": (Right(0.7509),),
    "keyhole256_w0.05.dcm": (Right(28.246, euler_number=0),),
    "dup_resampled.dcm": (Right(TUBE, 'contour 11 of ROI "x" is skipped: it repeats contour 5'),),
    "traced_twice_one.dcm": (Right(TUBE, 'contour 5 of ROI "x" goes round twice'),),
    "traced_twice.dcm": (Right(TUBE, '10 contours of ROI "x" go round twice'),),
    "overlapping_parts.dcm": (Right(37.709, "they are united"),),
    "rtutils137_dupnumber.dcm": (
        Right(TUBE, 'its number 3 is also that of "Rectum"', "Bladder"),
        Right(6.021, 'its number 3 is also that of "Bladder"', "Rectum"),
    ),
    "oblique_int.dcm": (Right(113.10, "they are flattened"),),
    "wavy03.dcm": (Right(TUBE, "they are flattened"),),
    "saddle_closed.dcm": (Refused("contour 1 is not flat or not parallel to the others, it strays by 10 mm"),),
    "declared_plus1.dcm": (Right(TUBE, "say another Number of Contour Points than there are"),),
    "data_trailing_backslash.dcm": (Right(TUBE, "have a stray backslash"),),
    "type_lower.dcm": (Right(TUBE, 'are of type "closed_planar"'),),
    "type_missing.dcm": (Right(TUBE, "say no type"),),
    "num_float.dcm": (Right(TUBE, chosen=7),),
    "ref_missing.dcm": (Right(TUBE, "its contours name no ROI"),),
    "no_sss.dcm": (Right(TUBE, "it was named by its number", "ROI 1"),),
    "labels117_float_in_int16_header.nii.gz": (
        Right(80.26, pieces=117, euler_number=234),
        Right(0.686, chosen=5),
    ),
    "mask_with_ignored_-1.nii.gz": (
        Right(24.0, "below zero, down to -1", pieces=2, euler_number=4),
        Right(MASK, chosen=1),
    ),
    "quaternion_1.00002.nii.gz": (Right(MASK),),
    "trailing16.nii": (Right(MASK, "16 bytes after its voxels"),),
    "gz_then_garbage.nii.gz": (Right(MASK, "other bytes after its gzip data"),),
    "dim4_is_0.nii.gz": (Right(MASK, "dimensions of size 0 were taken for 1"),),
    "body_System.Text.Json.json": (Right(MASK),),
    "stl_bom.stl": (Right(BOX),),
    "stl_name_my_vertex_model.stl": (Right(BOX),),
    "stl_92_bytes_after.stl": (Right(BOX),),
    "encapsulated_ascii_odd_no_length.dcm": (Right(BOX, "the stored model has no unit"),),
    "long_series_description.dcm": (Right(65.15, chosen="Sphere", series="x" * 56 + ": Sphere"),),
    "bent-contour.dcm": (Refused("contour 1 is not flat or not parallel to the others, it strays by 4 mm"),),
    "nonascii-uid.dcm": (Right(16.94, "its Frame of Reference UID is not ASCII"),),
}
SLOW = ("skin3mm.dcm", "couch.dcm")
ROWS = [
    pytest.param(
        name, row, id=f"{name} {getattr(row, 'chosen', '')}".strip(), marks=[pytest.mark.slow] * (name in SLOW)
    )
    for name, rows in FILES.items()
    for place, row in enumerate(rows, 1)
]


def test_the_table_has_each_file() -> None:
    names = {file.name for file in shared_files("faults/*") if file.name not in ("README.md", "odd.stl")}
    assert names <= set(FILES)


def bytes_of(name: str) -> bytes:
    """Of the file; of the file in a JSON body as `/stl/encode-nifti` takes it out."""
    data = shared_file(f"faults/{name}").read_bytes()
    return bytes(content(read_object(data, "Nifti"), "Nifti", missing="").whole()) if name.endswith(".json") else data


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_what_is_right(name: str, row: Right | Refused) -> None:
    data = bytes_of(name)
    if isinstance(row, Refused):
        (listed,) = TASKS["list_structures"]({}, [data], lambda *now: None)[0]["structures"]
        assert (listed["Usable"], row.sentence in listed["Reason"]) == (False, True)
        with pytest.raises(InvalidInput) as refused:
            convert(data, name, None)
        assert row.sentence in str(refused.value)
        return
    chosen: list[int | str] | None = [row.chosen] if row.chosen else None
    more = {"Resolution": row.resolution} | ({"Fields": {"Labels": chosen}} if chosen and ".nii" in name else {})
    answer, stored = convert(data, name, chosen, **more)
    assert [row.told in warning for warning in answer["Warnings"]] == [True] * bool(row.told)
    mesh = read_stl(read_encapsulated_stl(stored).document)
    report = report_of(mesh)
    assert report.closed
    assert report.volume / 1000 == pytest.approx(row.volume, rel=0.01)
    assert (len(pieces_of(mesh)), report.euler_number) == (row.pieces, row.euler_number)
    assert answer["VolumeMl"] == pytest.approx(report.volume / 1000, rel=1e-3, abs=1e-4)
    if row.volume == BOX:
        assert answer["Triangles"] == 12
    dataset = pydicom.dcmread(BytesIO(stored))
    assert dataset.SOPClassUID.name == "Encapsulated STL Storage"
    assert dataset.SeriesDescription == row.series or not row.series
    if row.told and name not in (*SLOW, "encapsulated_ascii_odd_no_length.dcm"):
        with pytest.raises(InvalidInput, match="Strict"):
            convert(data, name, chosen, **more, Strict=True)


def test_what_dicom_padded_to_an_even_length() -> None:
    """The core pads the odd file by a NUL, with which it was refused; the other one is stored so, without a length."""
    odd = shared_file("faults/odd.stl").read_bytes()
    assert len(odd) % 2 == 1
    assert len(read_stl(odd + b"\0").triangles) == len(read_stl(odd).triangles) == 1
    padded = shared_file("faults/encapsulated_ascii_odd_no_length.dcm").read_bytes()
    facts: dict[str, Any] = dict(TASKS["stored_info"]({}, [padded], lambda *now: None)[0])
    assert (facts["Triangles"], facts["VolumeMl"]) == (12, 6.0)


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
