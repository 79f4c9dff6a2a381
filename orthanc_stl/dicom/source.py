"""What an object made by us takes over from the object it is made from: patient, study, and how to refer to it."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_for_tag
from pydicom.uid import UID

from orthanc_stl.dicom.elements import Buffer, DicomFile, open_file
from orthanc_stl.dicom.text import character_sets, decode
from orthanc_stl.dicom.values import cleaned
from orthanc_stl.errors import InvalidInput

# PS3.3 C.7.1.1 Patient, C.7.2.1 General Study, C.7.2.2 Patient Study: their text attributes.
_PATIENT_AND_STUDY = frozenset((
    0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00081030, 0x00081048, 0x00081060, 0x00081080,
    0x00100010, 0x00100020, 0x00100021, 0x00100022, 0x00100030, 0x00100032, 0x00100033, 0x00100034,
    0x00100035, 0x00100040, 0x00101001, 0x00101010, 0x00101020, 0x00101030, 0x00102000,
    0x00102110, 0x00102160, 0x00102180, 0x001021A0, 0x001021B0, 0x00102203, 0x00104000,
    0x00120062, 0x00120063, 0x0020000D, 0x00200010,
))  # fmt: skip

# Of these an object must have at least an empty value (Type 2).
_TYPE_2 = (0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00200010)

# These decide where Orthanc files an object: taken over as they are, valid or not.
_PLACING = frozenset((0x00100020, 0x0020000D))

_SPECIFIC_CHARACTER_SET = 0x00080005
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_SERIES_DESCRIPTION = 0x0008103E
_STUDY_INSTANCE_UID = 0x0020000D
_SERIES_INSTANCE_UID = 0x0020000E
_FRAME_OF_REFERENCE_UID = 0x00200052
_LAST = 0x00200052

_WANTED = _PATIENT_AND_STUDY | {
    _SPECIFIC_CHARACTER_SET,
    _SOP_CLASS_UID,
    _SOP_INSTANCE_UID,
    _SERIES_DESCRIPTION,
    _SERIES_INSTANCE_UID,
    _FRAME_OF_REFERENCE_UID,
}


@dataclass(frozen=True)
class Reference:
    """One instance, as another object refers to it."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True)
class Source:
    """The object that something is made from, or an instance of the study that it goes to.

    `patient_and_study`: keyword to text (a list of texts where the attribute has several values), valid values only;
    `character_set`: the terms of Specific Character Set; `frame_of_reference_uid` is empty if the object names none.
    """

    patient_and_study: dict[str, str | list[str]]
    character_set: tuple[str, ...]
    reference: Reference
    study_instance_uid: str
    series_description: str
    frame_of_reference_uid: str


def read_source(data: Buffer | DicomFile) -> Source:
    """Read the head of any DICOM instance. Raises InvalidInput if it has no UIDs of study, series and instance."""
    file = data if isinstance(data, DicomFile) else open_file(data)
    raw: dict[int, bytes] = {}
    for element in file.elements():
        if element.tag > _LAST:
            break
        if element.tag in _WANTED:
            raw[element.tag] = file.value(element)
    terms = character_sets(raw.get(_SPECIFIC_CHARACTER_SET, b""))
    uids = {tag: uid_of(raw.get(tag, b"")) for tag in (_SOP_CLASS_UID, _SOP_INSTANCE_UID, _STUDY_INSTANCE_UID)}
    uids[_SERIES_INSTANCE_UID] = uid_of(raw.get(_SERIES_INSTANCE_UID, b""))
    for tag, uid in uids.items():
        if not uid:
            raise InvalidInput(f"this DICOM file has no {keyword_for_tag(tag)}")
    return Source(
        _patient_and_study(raw, terms),
        terms,
        Reference(uids[_SOP_CLASS_UID], uids[_SOP_INSTANCE_UID], uids[_SERIES_INSTANCE_UID]),
        uids[_STUDY_INSTANCE_UID],
        decode(raw.get(_SERIES_DESCRIPTION, b""), terms),
        uid_of(raw.get(_FRAME_OF_REFERENCE_UID, b"")),
    )


def uid_of(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip("\0 ")


def class_name(sop_class_uid: str) -> str:
    """The name of a SOP class for messages: "CT Image Storage", or the UID if the standard has no name for it."""
    return UID(sop_class_uid).name if sop_class_uid else "nameless"


def _patient_and_study(raw: dict[int, bytes], terms: tuple[str, ...]) -> dict[str, str | list[str]]:
    copied: dict[str, str | list[str]] = {keyword_for_tag(tag): "" for tag in _TYPE_2}
    for tag in sorted(_PATIENT_AND_STUDY & raw.keys()):
        vr, keyword = dictionary_VR(tag), keyword_for_tag(tag)
        text = decode(raw[tag], terms, person_name=vr == "PN")
        if tag in _PLACING:
            copied[keyword] = text
            continue
        values = [cleaned(vr, value.strip()) for value in (text.split("\\") if dictionary_VM(tag) != "1" else [text])]
        if any(values):
            copied[keyword] = values if len(values) > 1 else values[0]
    if copied["PatientSex"] not in ("M", "F", "O"):
        copied["PatientSex"] = ""
    return copied
