"""Nexus models in Raw Data objects (1.2.840.10008.5.1.4.1.1.66), so that either plugin reads the other's.

Modules of PS3.3 A.37; C.19.1 Raw Data. The model is in a private block, as the original plugin has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from orthanc_stl.dicom import tags as user_tags
from orthanc_stl.dicom.elements import Buffer
from orthanc_stl.dicom.modules import date_and_time, date_time, set_values, sop_common
from orthanc_stl.dicom.sop_classes import (
    NEXUS_CONTENT_TAG,
    NEXUS_CREATOR,
    NEXUS_CREATOR_TAG,
    NEXUS_GROUP,
    NEXUS_LENGTH_TAG,
    NEXUS_MODALITY,
    RAW_DATA,
)
from orthanc_stl.dicom.study_context import StudyContext, class_name
from orthanc_stl.dicom.writing import file_bytes
from orthanc_stl.errors import InvalidInput

MANUFACTURER = "ORTHANC^STL"

# By these the original's Orthanc Explorer knows a Nexus object; its releases "mainline", 1.1 and 1.2 had one each.
CREATOR_VERSION_UIDS = tuple(
    "1.2.826.0.1.3680043.8.498." + last
    for last in (
        "90514926286349109728701975613711986292",
        "13468660186379895313063577332103681503",
        "69380801008493335183088431949117714013",
    )
)

_MODALITY = 0x00080060
_CREATOR_VERSION_UID = 0x00089123
_STUDY_INSTANCE_UID = 0x0020000D

Level = Literal["patient", "study", "series"]


def nexus_object(
    content: Buffer,
    *,
    version: str,
    parent: StudyContext | None = None,
    level: Level = "study",
    series_number: int = 1,
    instance_number: int = 1,
    tags: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> bytes:
    """The DICOM file of a Nexus model.

    `parent` is an instance of the patient, study or Nexus series (`level`) that the object joins; without one it is a
    study and patient of its own, unless `tags` name them. `series_number` is that of a new series. Raises InvalidInput
    if the series is of no Nexus models, and UnknownTag, Overridden or InvalidField for what `tags` may not hold.
    """
    if parent and level == "series" and parent.reference.sop_class_uid != RAW_DATA:
        found = class_name(parent.reference.sop_class_uid)
        raise InvalidInput(f"the parent series holds {found} objects; a series of Nexus models was expected")
    now = now or datetime.now().astimezone()
    ds = Dataset()
    _patient_and_study(ds, parent, level)
    _series(ds, parent if level == "series" else None, series_number, now)
    ds.Manufacturer = MANUFACTURER
    ds.SoftwareVersions = version
    ds.AcquisitionContextSequence = []  # C.7.6.14 is mandatory, and may be empty
    _raw_data(ds, instance_number, now)
    sop_common(ds, RAW_DATA, now)
    ds.add_new(NEXUS_CREATOR_TAG, "LO", NEXUS_CREATOR)
    size = memoryview(content).nbytes
    if size % 2:
        ds.add_new(NEXUS_LENGTH_TAG, "UL", size)  # else the byte that pads the element would count as the model's
    terms = user_tags.apply_tags(
        ds, tags or {}, lambda tag: _is_refused(tag, parent, level), parent.stated if parent else None
    )
    return file_bytes(ds, NEXUS_CONTENT_TAG, content, terms or (parent.character_set if parent else ()))


def _is_refused(tag: int, parent: StudyContext | None, level: Level) -> bool:
    if tag in (_MODALITY, _CREATOR_VERSION_UID) or tag >> 16 == NEXUS_GROUP or user_tags.identifies(tag):
        return True
    if parent is None:
        return False
    if user_tags.places_patient(tag) or tag == _STUDY_INSTANCE_UID:
        return True
    if level == "patient":
        return False
    return user_tags.places_study(tag) or (level == "series" and user_tags.places_series(tag))


def _patient_and_study(ds: Dataset, parent: StudyContext | None, level: Level) -> None:
    """C.7.1.1 and C.7.2.1, with C.7.2.2"""
    ds.StudyDate = ds.StudyTime = ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ""
    ds.StudyInstanceUID = generate_uid(prefix=None)
    if parent is None:
        ds.PatientName = ds.PatientBirthDate = ds.PatientSex = ""
        ds.PatientID = str(uuid4())  # as Orthanc's create-dicom: else all such objects would be of one patient
        return
    set_values(ds, parent.patient)
    if level != "patient":
        set_values(ds, parent.study)


def _series(ds: Dataset, joined: StudyContext | None, number: int, now: datetime) -> None:
    """C.7.3.1"""
    ds.Modality = NEXUS_MODALITY
    ds.SeriesInstanceUID = generate_uid(prefix=None)
    ds.SeriesNumber = str(number)
    ds.SeriesDate, ds.SeriesTime = date_and_time(now)
    ds.Laterality = ""  # Type 2C: which side a model is of is not known
    if joined:
        set_values(ds, joined.series)
        ds.SeriesInstanceUID = joined.reference.series_instance_uid


def _raw_data(ds: Dataset, instance_number: int, now: datetime) -> None:
    """C.19.1"""
    ds.InstanceNumber = str(instance_number)
    ds.ContentDate, ds.ContentTime = date_and_time(now)
    ds.AcquisitionDateTime = date_time(now)
    ds.CreatorVersionUID = CREATOR_VERSION_UIDS[0]
