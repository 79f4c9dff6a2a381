"""Encapsulated STL and OBJ (PS3.3 A.85): models that are stored in DICOM, as sources.

Measurement Units (C.35.1) say what a unit of the document is. An MTL comes as a second file, encapsulated or as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from orthanc_stl.dicom import sop_classes
from orthanc_stl.dicom.color import rgb_of
from orthanc_stl.dicom.elements import WHY_NO_DOCUMENT
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Code, Note, Rank, Structure
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.dicom_object import DicomObject, OfDicomObject, read_object
from orthanc_stl.sources.mesh_files import read_parts
from orthanc_stl.sources.mesh_parts import MAX_TRIANGLES, MeshPart, structure_of

ENCAPSULATED_STL, ENCAPSULATED_OBJ = kinds.ENCAPSULATED.sop_classes
ENCAPSULATED_MTL = sop_classes.ENCAPSULATED_MTL

MILLIMETRES = {
    "um": 0.001, "mm": 1.0, "cm": 10.0, "dm": 100.0, "m": 1000.0, "[in_i]": 25.4, "[ft_i]": 304.8,
}  # fmt: skip
"""Of CID 7063 by UCUM."""

_DOCUMENT, _LENGTH, _TITLE = 0x00420011, 0x00420015, 0x00420010
_UNITS, _CODE = 0x004008EA, 0x00080100
_DESCRIPTION, _OPACITY, _COLOR = 0x00700081, 0x0066000C, 0x0062000D
_ANATOMY = 0x00082218
_MADE_ANOTHER = {"ModelModification": 0x00687001, "ModelMirroring": 0x00687002}
"""What a stored model says of itself by YES: then a model made of it is not the patient's body as it is, either."""
_ASCII_START = b"DICM"


@dataclass(frozen=True)
class OpenEncapsulated(OfDicomObject):
    """An `OpenSource` of a stored model: its parts, numbered from 1."""

    source: DicomObject
    parts: tuple[MeshPart, ...]
    notes: tuple[Note, ...]

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        anatomy: Code | None = self.source.code(_ANATOMY)
        said = {keyword: True for keyword, tag in _MADE_ANOTHER.items() if self.source.text(tag) == "YES"}
        found = (structure_of(number, part) for number, part in enumerate(self.parts, 1))
        return tuple(replace(one, anatomy=anatomy, facts={**one.facts, **said}) for one in found)

    def shape(self, number: int) -> tuple[Mesh, tuple[Note, ...]]:
        if not 1 <= number <= len(self.parts):
            raise InvalidInput(f"the stored model has no part {number}: it has {len(self.parts)} parts")
        return self.parts[number - 1].mesh, self.notes

    @property
    def title(self) -> str:
        return kinds.ENCAPSULATED.title


class Encapsulated:
    """The source of Encapsulated STL and OBJ objects."""

    def recognises(self, beginning: bytes) -> bool:
        return False

    @reading("the encapsulated model")
    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenEncapsulated:
        source = read_object(files[0], kinds.ENCAPSULATED.sop_classes, "an Encapsulated STL or OBJ")
        kind = "stl" if source.sop_class == ENCAPSULATED_STL else "obj"
        mtl = _mtl(files[1]) if len(files) > 1 else None
        most = options.limits.get("max_triangles", MAX_TRIANGLES)
        parts, left_out = read_parts(document(source), mtl, most, kind)
        factor, note = _millimetres(source)
        notes = (*left_out, *((Note(Rank.GUESSED, "", note),) if note else ()))
        return OpenEncapsulated(source, tuple(_described(source, parts, factor)), notes)


def document(source: DicomObject) -> memoryview:
    """The encapsulated document, without the byte that pads it to an even length."""
    content = source.view(_DOCUMENT)
    if not len(content):
        raise InvalidInput(f"this object has no document in it: {WHY_NO_DOCUMENT}")
    length = source.unsigned(_LENGTH)
    return content[:length] if length == len(content) - 1 else content


def _mtl(data: bytes | memoryview) -> memoryview:
    """Of an Encapsulated MTL object, or the text itself."""
    if bytes(data[128:132]) != _ASCII_START:
        return memoryview(data)
    return document(read_object(data, (ENCAPSULATED_MTL,), "an Encapsulated MTL"))


def _millimetres(source: DicomObject) -> tuple[float, str]:
    unit = source.first(_UNITS).text(_CODE)
    if unit in MILLIMETRES:
        return MILLIMETRES[unit], ""
    return 1.0, f"the stored model has {'the unit ' + unit[:40] if unit else 'no unit'}: mm was taken"


def _described(source: DicomObject, parts: Sequence[MeshPart], factor: float) -> list[MeshPart]:
    """The parts in mm. A single part has the object's own name, color and opacity, if the document has none."""
    if factor != 1:
        scale = np.float32(factor)
        parts = [replace(part, mesh=Mesh(part.mesh.vertices * scale, part.mesh.triangles)) for part in parts]
    if len(parts) != 1:
        return list(parts)
    name = source.text(_DESCRIPTION) or source.text(_TITLE) or parts[0].name
    color, opacity = parts[0].color, parts[0].opacity
    lab, shown = source.array(_COLOR, "u2"), source.array(_OPACITY, "f4")
    if color is None and len(lab) == 3:
        color = rgb_of((int(lab[0]), int(lab[1]), int(lab[2])))
    if opacity == 1 and len(shown) and np.isfinite(shown[0]):
        opacity = float(np.clip(shown[0], 0, 1))
    return [replace(parts[0], name=name, color=color, opacity=opacity)]
