"""Nexus models in Raw Data objects: either plugin reads the other's, and they validate."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from orthanc_stl.dicom.nexus import nexus_object
from orthanc_stl.dicom.study_context import read_study_context
from orthanc_stl.errors import InvalidField, InvalidInput, Overridden
from testing.phantoms import Study, ball, structure_set
from tests.dicom.validators import assert_valid

MODEL = b" sxN" + bytes(252)
PARENT = read_study_context(
    structure_set([ball(radius=6, points=24)], Study(character_set="ISO_IR 100", patient_name="Müller"))
)


def read(dicom: bytes) -> Dataset:
    return pydicom.dcmread(BytesIO(dicom))


def made(content: bytes = MODEL, **knobs: Any) -> bytes:
    return nexus_object(content, version="1.2.3", **knobs)


def test_private_block_is_the_original_s() -> None:
    ds = read(made())
    assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.66"
    assert (ds[0x42050010].VR, ds[0x42050010].value) == ("LO", "OrthancSTL")
    assert (ds[0x42051001].VR, ds[0x42051001].value) == ("OB", MODEL)
    assert 0x42051002 not in ds


def test_what_the_original_knows_it_by() -> None:
    ds = read(made())
    assert (ds.Manufacturer, ds.Modality) == ("ORTHANC^STL", "OT")
    assert ds.CreatorVersionUID == "1.2.826.0.1.3680043.8.498.90514926286349109728701975613711986292"


def test_the_length_of_an_odd_model_is_kept() -> None:
    ds = read(made(MODEL + b"!"))
    assert ds[0x42051001].value == MODEL + b"!\0"
    assert ds[0x42051002].value == len(MODEL) + 1


@pytest.mark.parametrize("content", [MODEL, MODEL + b"!"])
@pytest.mark.parametrize("level", ["patient", "study", None])
def test_is_valid(content: bytes, level: str | None) -> None:
    assert_valid(made(content, parent=PARENT, level=level) if level else made(content))


def test_joins_a_study() -> None:
    ds = read(made(parent=PARENT))
    assert (ds.StudyInstanceUID, ds.StudyDescription) == (PARENT.study_instance_uid, "Phantom study")
    assert (ds.PatientName, ds.PatientID) == ("Müller", "PHANTOM")
    assert ds.SeriesInstanceUID != PARENT.reference.series_instance_uid


def test_joins_a_patient_in_a_new_study() -> None:
    ds = read(made(parent=PARENT, level="patient", tags={"StudyDescription": "Models"}))
    assert ds.StudyInstanceUID != PARENT.study_instance_uid
    assert (ds.PatientID, ds.StudyDescription, ds.StudyID) == ("PHANTOM", "Models", "")


def test_joins_a_series_of_nexus_models() -> None:
    first = made(parent=PARENT, tags={"SeriesDescription": "Bones", "SeriesNumber": "42"})
    second = made(parent=read_study_context(first), level="series", instance_number=2)
    a, b = read(first), read(second)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SeriesDescription", "SeriesNumber", "SeriesDate"):
        assert a[keyword].value == b[keyword].value
    assert a.SOPInstanceUID != b.SOPInstanceUID
    assert b.InstanceNumber == 2
    assert_valid(second)


def test_does_not_join_a_series_of_something_else() -> None:
    with pytest.raises(InvalidInput, match="holds RT Structure Set Storage objects; a series of Nexus models"):
        made(parent=PARENT, level="series")


def test_without_parent_it_is_a_patient_of_its_own_or_of_tags() -> None:
    assert read(made()).PatientID != read(made()).PatientID
    ds = read(made(tags={"PatientID": "P", "PatientName": "A^B", "StudyInstanceUID": "1.2.3", "StudyDate": "20240101"}))
    assert (ds.PatientID, ds.PatientName, ds.StudyInstanceUID, ds.StudyDate) == ("P", "A^B", "1.2.3", "20240101")


REFUSED = {
    "": [
        "Modality",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "SOPClassUID",
        "CreatorVersionUID",
        "4205,0010",
        "4205,1001",
    ],
    "patient": ["PatientID", "PatientName", "StudyInstanceUID", "Modality"],
    "study": ["PatientID", "StudyDescription", "StudyInstanceUID", "Modality"],
    "series": ["PatientID", "StudyDescription", "SeriesDescription", "SeriesNumber", "Modality"],
}


@pytest.mark.parametrize(("level", "name"), [(level, name) for level, names in REFUSED.items() for name in names])
def test_tags_of_the_parent_are_refused(level: str, name: str) -> None:
    parent = read_study_context(made(parent=PARENT)) if level else None
    with pytest.raises(Overridden):
        made(parent=parent, level=level or "study", tags={name: "2"})


def test_wrong_value_of_a_tag() -> None:
    with pytest.raises(InvalidField, match="SeriesDescription"):
        made(tags={"SeriesDescription": 5})
