"""Modules that the objects made by us share, in the standard's names (PS3.3 Annex C)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from orthanc_stl.dicom.study_context import Reference, StudyContext, Values

MANUFACTURER = "Orthanc STL plugin"
MODEL_NAME = "orthanc-stl"
DEVICE_SERIAL_NUMBER = "none"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """PS3.3 8.8, one item of a code sequence."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def sop_instance(reference: Reference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_instance_uid
    return item


def set_values(ds: Dataset, values: Values) -> None:
    for keyword, value in values.items():
        setattr(ds, keyword, value)


def patient_and_study(ds: Dataset, source: StudyContext) -> None:
    """C.7.1.1 Patient, C.7.2.1 General Study, C.7.2.2 Patient Study, as the source has them."""
    set_values(ds, source.patient)
    set_values(ds, source.study)


def enhanced_general_equipment(ds: Dataset, version: str) -> None:
    """C.7.5.1 and C.7.5.2."""
    ds.Manufacturer = MANUFACTURER
    ds.ManufacturerModelName = MODEL_NAME
    ds.DeviceSerialNumber = DEVICE_SERIAL_NUMBER
    ds.SoftwareVersions = version


def sop_common(ds: Dataset, sop_class_uid: str, now: datetime) -> None:
    """C.12.1, with new UIDs of instance and series. Specific Character Set comes last, when all texts are known."""
    ds.SOPClassUID = sop_class_uid
    ds.SOPInstanceUID = generate_uid(prefix=None)
    ds.InstanceCreationDate, ds.InstanceCreationTime = date_and_time(now)


def common_instance_reference(ds: Dataset, references: Sequence[Reference]) -> None:
    """C.12.2: the instances of this study that the object refers to, by series."""
    by_series: dict[str, list[Dataset]] = {}
    for reference in references:
        by_series.setdefault(reference.series_instance_uid, []).append(sop_instance(reference))
    series = []
    for uid, instances in by_series.items():
        item = Dataset()
        item.SeriesInstanceUID = uid
        item.ReferencedInstanceSequence = instances
        series.append(item)
    if series:
        ds.ReferencedSeriesSequence = series


def date_and_time(now: datetime) -> tuple[str, str]:
    """DA and TM of a moment."""
    return now.strftime("%Y%m%d"), now.strftime("%H%M%S.%f")


def date_time(now: datetime) -> str:
    """DT of a moment, with its offset from UTC."""
    return now.strftime("%Y%m%d%H%M%S.%f%z")
