"""What the DICOM objects of a study that is built in code share, and how they become files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, generate_uid

SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "big": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
}


@dataclass(frozen=True)
class Study:
    """What all objects of a study share, and how the file is written."""

    seed: str = "phantom"
    patient_name: str = "Phantom^Torso"
    patient_id: str | None = "PHANTOM"
    study_description: str = "Phantom study"
    character_set: str | Sequence[str] | None = None
    syntax: str = "explicit"
    preamble: bool = True
    meta: bool = True
    undefined_lengths: bool = False
    extra: dict[str, object] = field(default_factory=dict)

    def uid(self, of: str) -> str:
        return str(generate_uid(entropy_srcs=[self.seed, of]))


def instance_of(study: Study, sop_class: str, modality: str, what: str, series_description: str) -> Dataset:
    ds = Dataset()
    if study.character_set is not None:
        ds.SpecificCharacterSet = study.character_set
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, study.uid(what)
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20240102", "030405", "A1"
    ds.Modality, ds.Manufacturer = modality, "Phantom builder"
    ds.ReferringPhysicianName = "Doctor^Who"
    ds.StudyDescription, ds.SeriesDescription = study.study_description, series_description
    ds.PatientName = study.patient_name
    if study.patient_id is not None:
        ds.PatientID = study.patient_id
    ds.PatientBirthDate, ds.PatientSex = "19700101", "O"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study.uid("study"), study.uid(f"series of {what}")
    ds.StudyID, ds.SeriesNumber = "1", "1"
    for keyword, value in study.extra.items():
        setattr(ds, keyword, value)
    return ds


def file_of(ds: Dataset, study: Study | None = None) -> bytes:
    """The bytes of a data set, in the study's transfer syntax, with or without preamble and meta information."""
    study = study or Study()
    if study.undefined_lengths:
        undefine_lengths(ds)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(SYNTAXES[study.syntax])
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    buffer = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong in the data set is meant to be
        dcmwrite(buffer, ds, enforce_file_format=True)
    data = buffer.getvalue()
    meta_length = 144 + int.from_bytes(data[140:144], "little")
    if not study.meta:
        return data[meta_length:]
    return data if study.preamble else data[132:]


def undefine_lengths(ds: Dataset) -> None:
    """All sequences and items of `ds` end by delimiters once it is written."""
    for element in ds:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                undefine_lengths(item)
