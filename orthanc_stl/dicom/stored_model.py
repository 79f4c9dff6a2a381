"""Encapsulated STL and OBJ objects read back: the document and what the object says about it."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

from orthanc_stl.dicom import provenance
from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.dicom.color import rgb_of
from orthanc_stl.dicom.elements import WHY_NO_DOCUMENT, Buffer, DicomFile, Elements, open_file, unpadded
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_OBJ, ENCAPSULATED_STL
from orthanc_stl.dicom.study_context import ascii_uid, class_name
from orthanc_stl.dicom.text import character_sets, decode
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.mesh.types import Note
from orthanc_stl.model import Color


@dataclass(frozen=True)
class StoredModel:
    """An Encapsulated STL or OBJ object. Texts are empty, and `color` is None, where the object says nothing.

    `document` is a view of the file's bytes: the STL or OBJ, without the byte that DICOM pads it with where its length
    is known.
    """

    document: memoryview
    title: str
    description: str
    names: tuple[str, ...]
    units: str
    color: Color | None
    sources: tuple[str, ...]
    frame_of_reference_uid: str
    software: str
    parameters: dict[str, str]
    made: str
    notes: tuple[Note, ...]
    opacity: float | None
    contours_ml: float | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences of the notes."""
        return tuple(note.text for note in self.notes)

    def as_json(self) -> dict[str, Any]:
        return {
            "Title": self.title,
            "Description": self.description,
            "Rois": list(self.names),
            "Units": self.units,
            "Color": list(self.color) if self.color else None,
            "SourceInstances": list(self.sources),
            "FrameOfReferenceUID": self.frame_of_reference_uid,
            "Software": self.software,
            "Parameters": self.parameters,
            "Made": self.made,
            "Opacity": self.opacity,
            "ContoursMl": self.contours_ml,
            "Warnings": list(self.warnings),
            "Notes": [note.as_json() for note in self.notes],
        }


def read_encapsulated_stl(data: Buffer) -> StoredModel:
    """Raises InvalidInput for what is no Encapsulated STL object, has no document in it, or is damaged."""
    return _read(data, ENCAPSULATED_STL, "an Encapsulated STL")


def read_encapsulated_obj(data: Buffer) -> StoredModel:
    """The same of an Encapsulated OBJ object."""
    return _read(data, ENCAPSULATED_OBJ, "an Encapsulated OBJ")


@reading("the encapsulated model")
def _read(data: Buffer, wanted: str, name: str) -> StoredModel:
    file = open_file(data)
    top = {element.tag: element for element in file.elements()}
    sop_class = ascii_value(file.value_of(top, 0x00080016))
    if sop_class != wanted:
        raise InvalidInput(f"this is a {class_name(sop_class)} object; {name} was expected")
    terms = character_sets(file.value_of(top, 0x00080005))

    def text(tag: int, of: Elements = top) -> str:
        return decode(file.value_of(of, tag), terms)

    algorithm = file.first_item(top, 0x00221612)
    parameters, names, notes = provenance.read(text(0x00660032, algorithm))
    units = file.first_item(top, 0x004008EA)
    maker = (text(0x00080070), text(0x00081090), text(0x00181020))
    return StoredModel(
        document=_document(file, top),
        title=text(0x00420010),
        description=text(0x00700081),
        names=names,
        units=text(0x00080100, units),
        color=_color(file, top),
        sources=_sources(file, top),
        frame_of_reference_uid=ascii_uid(file.value_of(top, 0x00200052)),
        software=" ".join(part for part in maker if part),
        parameters=parameters,
        made=text(0x0008002A) or text(0x00080023) + text(0x00080033),
        notes=notes,
        opacity=_opacity(file, top),
        contours_ml=_number(parameters.pop(provenance.CONTOURS_ML, "")),
    )


def _document(file: DicomFile, top: Elements) -> memoryview:
    element = top.get(0x00420011)
    if element is None or element.start == element.stop:
        raise InvalidInput(f"this encapsulated model has no document in it: {WHY_NO_DOCUMENT}")
    return unpadded(file.data[element.start : element.stop], file.value_of(top, 0x00420015))


def _color(file: DicomFile, top: Elements) -> Color | None:
    raw = file.value_of(top, 0x0062000D)
    if len(raw) != 6:
        return None
    return rgb_of(struct.unpack("<3H" if file.encoding.little else ">3H", raw))


def _opacity(file: DicomFile, top: Elements) -> float | None:
    """Recommended Presentation Opacity (C.35.1), FL of 0 to 1."""
    raw = file.value_of(top, 0x0066000C)
    if len(raw) != 4:
        return None
    value: float = struct.unpack("<f" if file.encoding.little else ">f", raw)[0]
    return round(value, 4) if 0 <= value <= 1 else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _sources(file: DicomFile, top: Elements) -> tuple[str, ...]:
    uids = (ascii_uid(file.value_of(item, 0x00081155)) for item in file.items_of(top, 0x00420013))
    return tuple(uid for uid in uids if uid)
