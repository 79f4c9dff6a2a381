"""What an object made by us takes over from the object it is made from: patient, study, and how to refer to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.uid import UID

from orthanc_stl.dicom import sop_classes
from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.dicom.elements import Buffer, DicomFile, Element, elements, items, open_file
from orthanc_stl.dicom.text import character_sets, decode
from orthanc_stl.dicom.values import cleaned, is_valid
from orthanc_stl.errors import InvalidInput, reading

# PS3.3 C.7.1.1 Patient: texts, then sequences.
_PATIENT = frozenset((
    0x00100010, 0x00100020, 0x00100021, 0x00100022, 0x00100030, 0x00100032, 0x00100033, 0x00100034, 0x00100035,
    0x00100040, 0x00101001, 0x00102160, 0x00102201, 0x00102292, 0x00102297, 0x00102298, 0x00102299, 0x00104000,
    0x00120062, 0x00120063,
    0x00100024, 0x00101002, 0x00102202, 0x00102293, 0x00102294, 0x00120064,
))  # fmt: skip

# C.7.2.1 General Study and C.7.2.2 Patient Study: texts, then sequences.
_STUDY = frozenset((
    0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00081030, 0x00081048, 0x00081060, 0x00081080, 0x00101010,
    0x00101020, 0x00101030, 0x00102000, 0x00102110, 0x00102180, 0x001021A0, 0x001021B0, 0x00102203, 0x0020000D,
    0x00200010,
    0x00080051, 0x00081032,
))  # fmt: skip

# The same modules and C.7.2.3 Clinical Trial Study, as far as they are outside of group 0010: what places an object in
# a study.
STUDY_TAGS = frozenset((
    0x00080020, 0x00080030, 0x00080050, 0x00080051, 0x00080090, 0x00080096, 0x0008009C, 0x0008009D, 0x00081030,
    0x00081032, 0x00081048, 0x00081049, 0x00081060, 0x00081062, 0x00081080, 0x00081084, 0x00081110, 0x0020000D,
    0x00200010, 0x00321033, 0x00321034, 0x00380010, 0x00380014,
))  # fmt: skip

# C.7.3.1 General Series: what an object that joins the series says as well.
_SERIES = frozenset((0x00080021, 0x00080031, 0x0008103E, 0x00200011))

# Of these an object must have at least an empty value (Type 2).
_PATIENT_TYPE_2 = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_STUDY_TYPE_2 = ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID")

# Required, perhaps empty, for an animal (Type 2C): an empty value says something, so it is taken over as well.
_OF_ANIMALS = frozenset((0x00102292, 0x00102293, 0x00102294, 0x00102297, 0x00102299, 0x00102203))

# These decide where Orthanc files an object: taken over as they are, valid or not.
_PLACING = frozenset((0x00100020, 0x0020000D))

# Attributes of Type 1 by which an item of a copied sequence is known: those of the Code Sequence, HL7v2 Hierarchic
# Designator and Other Patient IDs macros. An item without them would spoil an object otherwise valid, and is left out.
_NEEDED_IN_ITEMS = {
    0x00080051: ("LocalNamespaceEntityID", "UniversalEntityID"),
    0x00100024: ("UniversalEntityID", "TypeOfPatientID", "AssigningFacilitySequence"),
    0x00101002: ("PatientID",),
    0x00102294: ("BreedRegistrationNumber",),
}
_CODED = ("CodeValue", "LongCodeValue", "URNCodeValue")

# A copied sequence may hold sequences of codes; nothing in these modules is deeper.
_DEPTH = 3
_MOST_ITEMS = 100

_SPECIFIC_CHARACTER_SET = 0x00080005
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_STUDY_INSTANCE_UID = 0x0020000D
_SERIES_INSTANCE_UID = 0x0020000E
_FRAME_OF_REFERENCE_UID = 0x00200052
_LAST = max(STUDY_TAGS)

_UIDS = (_SOP_CLASS_UID, _SOP_INSTANCE_UID, _STUDY_INSTANCE_UID, _SERIES_INSTANCE_UID)
_FILED_APART = frozenset((_SOP_CLASS_UID, _SOP_INSTANCE_UID, _SERIES_INSTANCE_UID, _SPECIFIC_CHARACTER_SET))
_WANTED = _PATIENT | _STUDY | _SERIES | {*_UIDS, _SPECIFIC_CHARACTER_SET, _FRAME_OF_REFERENCE_UID}

Values = dict[str, str | list[str] | list[Dataset]]

Stated = str | list[dict[int, "Stated"]]
"""A value as text, the items of a sequence as tag to value."""


@dataclass(frozen=True)
class Reference:
    """One instance, as another object refers to it."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True)
class StudyContext:
    """The object that something is made from, or an instance of the study that it goes to.

    `patient`, `study`, `series`: the modules' attributes, keyword to text (a list where there are several values) or to
    items, valid values only; `stated`: the values of these modules as they are, valid or not, by tag; `character_set`:
    the terms of Specific Character Set; `frame_of_reference_uid` is empty if the object names none.
    """

    patient: Values
    study: Values
    series: Values
    character_set: tuple[str, ...]
    reference: Reference
    study_instance_uid: str
    series_description: str
    frame_of_reference_uid: str
    stated: Mapping[int, Stated] = field(default_factory=dict)


@reading("the DICOM file")
def read_study_context(data: Buffer | DicomFile) -> StudyContext:
    """Read the head of any DICOM instance. Raises InvalidInput if it does not say which it is."""
    file = data if isinstance(data, DicomFile) else open_file(data)
    found: dict[int, Element] = {}
    for element in file.elements():
        if element.tag > _LAST:
            break
        if element.tag in _WANTED or element.tag >> 16 == 0x0010 or element.tag in STUDY_TAGS:
            found[element.tag] = element
    uids = {tag: ascii_value(file.value(found[tag])) if tag in found else "" for tag in _UIDS}
    for tag, uid in uids.items():
        if not uid:
            raise InvalidInput(f"this DICOM file has no {keyword_for_tag(tag)}")
        if not is_nameable(uid):
            raise InvalidInput(f"this DICOM file is damaged: its {keyword_for_tag(tag)} is not ASCII or not one value")
    terms = character_sets(file.value(found[_SPECIFIC_CHARACTER_SET])) if _SPECIFIC_CHARACTER_SET in found else ()
    patient = dict.fromkeys(_PATIENT_TYPE_2, "") | _values(file, found, _PATIENT, terms)
    if patient["PatientSex"] not in ("M", "F", "O"):
        patient["PatientSex"] = ""
    series = _values(file, found, _SERIES, terms)
    frame = found.get(_FRAME_OF_REFERENCE_UID)
    return StudyContext(
        patient,
        dict.fromkeys(_STUDY_TYPE_2, "") | _values(file, found, _STUDY, terms),
        series,
        terms,
        Reference(uids[_SOP_CLASS_UID], uids[_SOP_INSTANCE_UID], uids[_SERIES_INSTANCE_UID]),
        uids[_STUDY_INSTANCE_UID],
        str(series.get("SeriesDescription", "")),
        ascii_uid(file.value(frame)) if frame else "",
        {tag: _stated(file, element, terms) for tag, element in found.items() if tag not in _FILED_APART},
    )


def _stated(file: DicomFile, element: Element, terms: tuple[str, ...], depth: int = 0) -> Stated:
    """A value as text, a sequence as its items; empty for what is neither, or deeper than these modules have it."""
    vr = dictionary_VR(element.tag) if dictionary_has_tag(element.tag) else "UN"
    if vr == "SQ":
        if depth == _DEPTH:
            return ""
        places = islice(items(file.data, element), _MOST_ITEMS)
        inner = [elements(file.data, start, stop, element.inside) for start, stop in places]
        return [{one.tag: _stated(file, one, terms, depth + 1) for one in item} for item in inner]
    if vr == "US":
        raw = file.value(element)
        return str(file.encoding.u16.unpack(raw)[0]) if len(raw) == 2 else ""
    return "" if vr in ("UN", "OB") else decode(file.value(element), terms, person_name=vr == "PN")


def ascii_uid(raw: bytes) -> str:
    """A UID that another object may refer to; empty if it holds bytes that none can name."""
    uid = ascii_value(raw)
    return uid if is_nameable(uid) else ""


def is_nameable(uid: str) -> bool:
    """Whether it may stand in a value of VR UI. Forms that the standard does not allow (`1.02`, `abc`) may."""
    return uid.isascii() and uid.isprintable() and not {" ", "\\"} & set(uid)


_NEW_CLASSES = {
    sop_classes.LABEL_MAP_SEGMENTATION: "Label Map Segmentation Storage",
    sop_classes.HEIGHT_MAP_SEGMENTATION: "Height Map Segmentation Storage",
}
"""Names of SOP classes that the dictionary of pydicom 3.0 does not have."""


def class_name(sop_class_uid: str) -> str:
    """A SOP class for messages: "CT Image Storage", or its UID if the standard has no name for it."""
    if not sop_class_uid or not is_valid("UI", sop_class_uid):
        return "nameless DICOM"
    return _NEW_CLASSES.get(sop_class_uid) or UID(sop_class_uid).name


def _values(file: DicomFile, found: dict[int, Element], wanted: Iterable[int], terms: tuple[str, ...]) -> Values:
    values: Values = {}
    for tag in sorted(found.keys() & set(wanted)):
        value = _items(file, found[tag], terms, 1) if dictionary_VR(tag) == "SQ" else _text(file, found[tag], terms)
        if value or tag in _OF_ANIMALS:
            values[keyword_for_tag(tag)] = value
    return values


def _text(file: DicomFile, element: Element, terms: tuple[str, ...]) -> str | list[str]:
    tag, vr = element.tag, dictionary_VR(element.tag)
    if tag in _PLACING:
        # Without a declared character set Orthanc takes Latin-1, and knows the patient by the identifier read that way.
        return decode(file.value(element), terms if any(terms) else ("ISO_IR 100",))
    text = decode(file.value(element), terms, person_name=vr == "PN")
    values = [cleaned(vr, part.strip()) for part in (text.split("\\") if dictionary_VM(tag) != "1" else [text])]
    if not any(values):
        return ""
    return values if len(values) > 1 else values[0]


def _items(file: DicomFile, sequence: Element, terms: tuple[str, ...], depth: int) -> list[Dataset]:
    """The items that are complete, texts and sequences of codes only."""
    copied = []
    for start, stop in items(file.data, sequence):
        item = Dataset()
        for element in elements(file.data, start, stop, sequence.inside):
            keyword = keyword_for_tag(element.tag)
            vr = dictionary_VR(element.tag) if keyword else ""
            if vr == "SQ" and depth < _DEPTH:
                setattr(item, keyword, _items(file, element, terms, depth + 1))
            elif vr in ("CS", "LO", "SH", "UC", "UI", "UT") and (text := _text(file, element, terms)):
                setattr(item, keyword, text)
        if _is_complete(sequence.tag, item):
            copied.append(item)
        if len(copied) == _MOST_ITEMS:
            break
    return copied


def _is_complete(tag: int, item: Dataset) -> bool:
    if tag in _NEEDED_IN_ITEMS:
        return any(keyword in item for keyword in _NEEDED_IN_ITEMS[tag])
    return "CodeMeaning" in item and any(keyword in item for keyword in _CODED)
