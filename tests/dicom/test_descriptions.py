"""Series and content descriptions in 64 characters, and the UIDs that a new object takes over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from orthanc_stl.dicom.encapsulated_model import Description, series_description
from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.dicom.study_context import read_study_context
from orthanc_stl.dicom.text import described, long_string
from orthanc_stl.dicom.values import is_valid
from orthanc_stl.errors import InvalidInput
from testing.data import shared_file
from testing.phantoms import ball, structure_set
from tests.dicom.test_encapsulated_stl import made, read, source_of

LONG = "Contours of the planning system, approved by the physicist on Monday"


@pytest.mark.parametrize(
    ("source", "names", "expected"),
    [
        ("Contours", ("Heart", "Lung L"), "Contours: Heart, Lung L"),
        (LONG[:64], ("Heart",), "Contours of the planning system, approved by the physicis: Heart"),
        ("x" * 64, ("Sphere",), "x" * 56 + ": Sphere"),
        ("Contours", ("y" * 64,), "y" * 64),
        ("Contours", ("y" * 80, "Heart"), "y" * 55 + " + 1 more"),
        ("", ("Heart",), "Heart"),
        ("Contours", (), "Contours"),
        ("", (), "The title"),
        ("", ("", " "), "The title"),
        (
            LONG[:64],
            tuple(f"ROI {n}" for n in range(40)),
            "Contours of the planning s: ROI 0, ROI 1, ROI 2, ROI 3 + 36 more",
        ),
    ],
)
def test_series_description_keeps_the_names(source: str, names: tuple[str, ...], expected: str) -> None:
    context = source_of(series_description=source)
    ds = read(made(context, description=Description("The title", names), references=[]))
    assert ds.SeriesDescription == expected


@given(st.text(max_size=80), st.lists(st.text(max_size=70), max_size=12))
def test_a_description_is_one_value_that_has_the_first_name(source: str, names: list[str]) -> None:
    text = described(source, names)
    assert len(text) <= 64
    assert is_valid("LO", text)
    first = next((name for name in map(long_string, names) if name), "")
    assert first[:50].strip() in text


@pytest.mark.timeout(60)  # work that grows with the square of the size would take hours
def test_thousands_of_names_are_counted() -> None:
    assert described("", ["n"] * 10_000).endswith(" more")


def test_the_file_of_a_public_report() -> None:
    structures = read_structure_set(shared_file("faults/long_series_description.dcm").read_bytes())
    assert series_description(structures.source, ["Sphere"]) == "x" * 56 + ": Sphere"


@pytest.mark.parametrize("uid", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_a_uid_that_nothing_can_refer_to_is_damage(uid: str) -> None:
    data = structure_set([ball(radius=6, points=24)])
    value = str(getattr(read(data), uid)).encode()
    with pytest.raises(InvalidInput, match=f"its {uid} is not ASCII"):
        read_study_context(data.replace(value, value[:-1] + b"\xff"))
    with pytest.raises(InvalidInput, match=f"its {uid} is not ASCII or not one value"):
        read_study_context(data.replace(value, value[:5] + b"\\" + value[6:]))


def test_no_value_can_be_written_that_its_vr_cannot_hold() -> None:
    with pytest.raises(InvalidInput, match=r"FrameOfReferenceUID \(0020,0052\) holds letters outside ASCII"):
        made(frame_of_reference_uid="1.2.\ufffd")


def test_a_frame_of_reference_that_is_not_ascii_is_made_anew() -> None:
    structures = read_structure_set(shared_file("faults/nonascii-uid.dcm").read_bytes())
    ds = read(made(structures.source, frame_of_reference_uid=structures.frame_of([1])[0]))
    assert UID(ds.FrameOfReferenceUID).is_valid
    assert ds.SourceInstanceSequence[0].ReferencedSOPInstanceUID == structures.source.reference.sop_instance_uid
