"""Encapsulated STL objects: module by module what is in them, that they validate, and that they read back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from orthanc_stl.dicom.encapsulated_model import Description
from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.dicom.study_context import Reference, StudyContext, read_study_context
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.types import Note, Rank
from testing.data import shared_files
from testing.phantoms import Study, ball, ct_slices, file_of, structure_set
from tests.dicom.stl_objects import TITLE_RTSTRUCT, encapsulate
from tests.dicom.validators import assert_valid

STL = b"orthanc-stl".ljust(80) + (1).to_bytes(4, "little") + bytes(range(50))
ODD_STL = STL + b"!"
NOW = datetime(2024, 2, 29, 23, 59, 58, 123456, timezone(timedelta(hours=-3, minutes=-30)))
WARNING = 'ROI 3 "Lung L\\R", contour 7 has no points: skipped'
NOTE = Note(Rank.LEFT_OUT, "", WARNING)


def source_of(study: Study | None = None, **options: Any) -> StudyContext:
    return read_study_context(structure_set([ball(radius=6, points=24)], study, **options))


def made(source: StudyContext | None = None, stl: bytes = STL, **options: Any) -> bytes:
    source = source or source_of()
    options.setdefault("description", Description(TITLE_RTSTRUCT, ("Heart", "Lung"), (255, 128, 0), {}, (NOTE,)))
    options.setdefault("references", [source.reference])
    return encapsulate(stl, source=source, version="1.2.3", now=NOW, **options)


def read(dicom: bytes) -> Dataset:
    return pydicom.dcmread(BytesIO(dicom))


def item_of(sequence: Iterable[Dataset]) -> Dataset:
    (item,) = sequence
    return item


# Modules, in the order of PS3.3 A.85.1 --------------------------------------------------------------------------------


def test_patient_and_study_are_those_of_the_source() -> None:
    ds = read(made())
    assert (ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex) == (
        "Phantom^Torso",
        "PHANTOM",
        "19700101",
        "O",
    )
    assert ds.StudyInstanceUID == Study().uid("study")
    assert (ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber) == ("20240102", "030405", "1", "A1")
    assert (ds.ReferringPhysicianName, ds.StudyDescription) == ("Doctor^Who", "Phantom study")


def test_series() -> None:
    ds = read(made())
    assert (ds.Modality, ds.SeriesNumber, ds.SeriesDescription) == ("M3D", 1, "Contours: Heart, Lung")
    assert ds.SeriesInstanceUID != Study().uid("series of rtstruct")


def test_frame_of_reference_is_the_given_or_a_new_one() -> None:
    ds = read(made(frame_of_reference_uid="1.2.3"))
    assert (ds.FrameOfReferenceUID, ds.PositionReferenceIndicator) == ("1.2.3", "")
    assert read(made()).FrameOfReferenceUID != read(made()).FrameOfReferenceUID


def test_equipment() -> None:
    ds = read(made())
    assert (ds.Manufacturer, ds.ManufacturerModelName) == ("Orthanc STL plugin", "orthanc-stl")
    assert ds.DeviceSerialNumber
    assert ds.SoftwareVersions == "1.2.3"


def test_document() -> None:
    ds = read(made(stl=ODD_STL))
    assert (ds.InstanceNumber, ds.BurnedInAnnotation, ds.MIMETypeOfEncapsulatedDocument) == (1, "NO", "model/stl")
    assert ds.DocumentTitle == "STL model generated from DICOM RT-STRUCT"
    assert len(ds.ConceptNameCodeSequence) == 0
    assert ds.EncapsulatedDocument == ODD_STL + b"\0"
    assert ds.EncapsulatedDocumentLength == len(ODD_STL)


def test_one_clock_with_its_offset() -> None:
    ds = read(made())
    assert ds.AcquisitionDateTime == "20240229235958.123456-0330"
    for what in ("Content", "InstanceCreation", "Series"):
        assert (ds[f"{what}Date"].value, ds[f"{what}Time"].value) == ("20240229", "235958.123456")


def test_manufacturing_model() -> None:
    ds = read(made())
    units = item_of(ds.MeasurementUnitsCodeSequence)
    assert (units.CodeValue, units.CodingSchemeDesignator, units.CodeMeaning) == ("mm", "UCUM", "mm")
    assert ds.ContentDescription == "Heart, Lung"
    assert len(ds.RecommendedDisplayCIELabValue) == 3
    assert ds.ModelGroupUID
    algorithm = item_of(ds.DerivationAlgorithmSequence)
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("orthanc-stl", "1.2.3")
    assert WARNING in algorithm.AlgorithmParameters


def test_the_source_is_referred_to() -> None:
    ds = read(made())
    for instance in (
        item_of(ds.SourceInstanceSequence),
        item_of(item_of(ds.ReferencedSeriesSequence).ReferencedInstanceSequence),
    ):
        assert instance.ReferencedSOPInstanceUID == Study().uid("rtstruct")
        assert instance.ReferencedSOPClassUID.name == "RT Structure Set Storage"
    assert item_of(ds.ReferencedSeriesSequence).SeriesInstanceUID == Study().uid("series of rtstruct")


def test_many_sources_are_grouped_by_series() -> None:
    images = [Reference("1.2.840.10008.5.1.4.1.1.2", f"1.2.{n}", f"1.3.{n % 2}") for n in range(5)]
    dicom = made(references=images)
    ds = read(dicom)
    assert len(ds.SourceInstanceSequence) == 5
    assert [len(series.ReferencedInstanceSequence) for series in ds.ReferencedSeriesSequence] == [3, 2]
    assert read_encapsulated_stl(dicom).sources == tuple(f"1.2.{n}" for n in range(5))
    assert_valid(dicom)


def test_without_sources_nothing_is_referred_to() -> None:
    dicom = made(source=read_study_context(ct_slices(planes=[0])[0]), references=[])
    ds = read(dicom)
    assert "SourceInstanceSequence" not in ds
    assert "ReferencedSeriesSequence" not in ds
    assert_valid(dicom)


def test_meta_information_names_the_sop_class() -> None:
    ds = read(made())
    assert ds.file_meta.MediaStorageSOPClassUID == ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.104.3"
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
    assert ds.file_meta.TransferSyntaxUID.name == "Explicit VR Little Endian"


def test_two_objects_differ_in_their_uids() -> None:
    first, second = read(made()), read(made())
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "ModelGroupUID"):
        assert first[keyword].value != second[keyword].value


# Values ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("character_set", ["ISO_IR 100", "ISO_IR 192"])
def test_names_that_are_cut_are_counted(character_set: str) -> None:
    description = Description("Title", tuple(f"Ganglion N° {n}" for n in range(30)))
    dicom = made(source_of(Study(character_set=character_set), series_description="Übersicht"), description=description)
    ds = read(dicom)
    assert ds.SeriesDescription == "Übersicht: Ganglion N° 0, Ganglion N° 1, Ganglion N° 2 + 27 more"
    assert ds.ContentDescription == "Ganglion N° 0, Ganglion N° 1, Ganglion N° 2 + 27 more"
    assert read_encapsulated_stl(dicom).names == description.names
    if character_set == "ISO_IR 100":  # dciodvfy counts bytes, where PS3.5 section 6.2 counts characters
        assert_valid(dicom)


@pytest.mark.parametrize("name", ["L\\R", '"quoted"', "<b>bold</b>&amp;", "tab\tand\nline", "'; DROP TABLE", "x" * 64])
def test_odd_names(name: str) -> None:
    structures = read_structure_set(structure_set([ball(name="?", radius=6, points=24, raw_name=name.encode())]))
    description = Description(TITLE_RTSTRUCT, (structures.rois[0].name,))
    dicom = made(structures.source, description=description)
    assert structures.rois[0].name == name
    assert read_encapsulated_stl(dicom).names == (name.replace("\t", " ").replace("\n", " "),)
    assert read(dicom).ContentDescription == name.replace("\\", "/").replace("\t", " ").replace("\n", " ")
    assert_valid(dicom)


def test_every_warning_is_read_back_with_the_parameters() -> None:
    description = Description(
        "T", ("A", "B"), None, {"Resolution": "256", "Smooth": "true"}, (NOTE, Note(Rank.GUESSED, "", "second"))
    )
    model = read_encapsulated_stl(made(description=description))
    assert model.warnings == (WARNING, "second")
    assert model.parameters == {"Resolution": "256", "Smooth": "true"}
    assert model.names == ("A", "B")


def test_too_many_warnings_are_counted() -> None:
    warnings = tuple(f"ROI 3, contour {n} has no points: skipped" for n in range(1000))
    notes = tuple(Note(Rank.LEFT_OUT, "", warning) for warning in warnings)
    dicom = made(description=Description("T", ("A",), None, {}, notes))
    told = read_encapsulated_stl(dicom).warnings
    assert told[:-1] == warnings[: len(told) - 1]
    assert len(told) > 150
    assert told[-1] == f"and {1000 - len(told) + 1} more lines"
    assert_valid(dicom)


BROKEN = {
    "StudyDate": "2024-13-45",
    "StudyTime": "99:99",
    "PatientBirthDate": "19990230",
    "PatientSex": "unknown",
    "AccessionNumber": "a number of more than sixteen characters",
    "PatientAge": "12",
    "PatientWeight": "heavy",
    "StudyID": "x" * 40,
}


@pytest.mark.filterwarnings("ignore")
def test_invalid_values_of_the_source_are_mended_or_left_out() -> None:
    dicom = made(source_of(Study(extra={k: v for k, v in BROKEN.items() if k != "PatientWeight"})))
    ds = read(dicom)
    assert (ds.StudyDate, ds.StudyTime, ds.PatientBirthDate, ds.PatientSex) == ("", "", "", "")
    assert (ds.AccessionNumber, ds.StudyID) == ("a number of more", "x" * 16)
    assert "PatientAge" not in ds
    assert_valid(dicom)


def test_absent_type_2_attributes_are_empty() -> None:
    bare = Dataset()
    bare.SOPClassUID, bare.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.3"
    bare.StudyInstanceUID, bare.SeriesInstanceUID = "1.2.4", "1.2.5"
    dicom = made(read_study_context(file_of(bare)))
    ds = read(dicom)
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"):
        assert ds[keyword].value == ""
    assert_valid(dicom)


def test_sequences_of_patient_and_study_are_copied_if_complete() -> None:
    procedure, nothing, other = Dataset(), Dataset(), Dataset()
    procedure.CodeValue, procedure.CodingSchemeDesignator = "77477000", "SCT"
    procedure.CodeMeaning = "Tomodensitométrie"
    nothing.CodeValue = "no meaning"
    other.PatientID, other.TypeOfPatientID = "OTHER", "TEXT"
    extra: dict[str, object] = {"ProcedureCodeSequence": [procedure, nothing], "OtherPatientIDsSequence": [other]}
    dicom = made(source_of(Study(character_set="ISO_IR 100", extra=extra)))
    ds = read(dicom)
    assert item_of(ds.ProcedureCodeSequence).CodeMeaning == "Tomodensitométrie"
    assert item_of(ds.OtherPatientIDsSequence).PatientID == "OTHER"
    assert_valid(dicom)


def test_source_without_uids_is_refused() -> None:
    bare = Dataset()
    bare.SOPClassUID, bare.SOPInstanceUID, bare.SeriesInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.3", "1.2.5"
    with pytest.raises(InvalidInput, match="no StudyInstanceUID"):
        read_study_context(file_of(bare))


# Validity -------------------------------------------------------------------------------------------------------------


def test_is_valid() -> None:
    assert_valid(made())
    assert_valid(made(stl=ODD_STL))


FIRST_IMAGE_OF_EACH_SERIES = {file.parent: file for file in reversed(shared_files("rtstruct/**/image/*.dcm"))}
REAL_FILES = [
    file for file in shared_files("rtstruct/**/*.dcm") if FIRST_IMAGE_OF_EACH_SERIES.get(file.parent, file) == file
]


@pytest.mark.parametrize("file", REAL_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_object_of_every_real_file_is_valid(file: Path) -> None:
    data = file.read_bytes()
    source = read_study_context(data)
    try:
        names = tuple(roi.name for roi in read_structure_set(data).rois)
    except InvalidInput:
        names = ("mask",)
    assert_valid(made(source, description=Description(TITLE_RTSTRUCT, names, (1, 2, 3), {}, (NOTE,))))
