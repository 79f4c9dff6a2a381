"""Models that are stored in DICOM, read back: facts on them, and their parts for other formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from orthanc_stl.conversion.result import mesh_json
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_MTL, ENCAPSULATED_OBJ
from orthanc_stl.dicom.stored_model import StoredModel, read_encapsulated_obj, read_encapsulated_stl
from orthanc_stl.dicom.study_context import read_study_context
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.stl import joined, read_stl
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.encapsulated import Encapsulated

Blob = bytes | bytearray | memoryview


def stored_facts(blobs: Sequence[Blob]) -> dict[str, Any]:
    """What a stored object says of itself, and what its mesh shows; of an OBJ all its parts, and each in `Parts`.

    Files: the object, and the MTL of an OBJ if there is one.
    """
    if read_study_context(blobs[0]).reference.sop_class_uid != ENCAPSULATED_OBJ:
        stored, mesh = _read(blobs[0])
        return mesh_json(mesh, report_of(mesh)) | stored.as_json()
    parts = stored_model(blobs).parts
    whole = joined([part.mesh for part in parts])
    told = read_encapsulated_obj(blobs[0]).as_json()
    read = [note for note in parts[0].notes if note.text not in told["Warnings"]]
    told["Warnings"] += [note.text for note in read]
    told["Notes"] += [note.as_json() for note in read]
    return mesh_json(whole, report_of(whole)) | told | {"Parts": [_of_part(part) for part in parts]}


def _of_part(part: Part) -> dict[str, Any]:
    named = {"Number": part.number, "Name": part.name, "Opacity": part.opacity}
    return named | {"Color": list(part.color) if part.color else None} | mesh_json(part.mesh, part.report)


def stored_model(blobs: Sequence[Blob]) -> Model:
    """One model of all these objects: a part for each STL, and those of each OBJ, whose MTL comes after it.

    Raises InvalidInput if they lie in different frames of reference.
    """
    parts: list[Part] = []
    frames: dict[str, str] = {}
    classes = [read_study_context(blob).reference.sop_class_uid for blob in blobs]
    for place, (blob, sop_class) in enumerate(zip(blobs, classes, strict=True)):
        if sop_class == ENCAPSULATED_MTL:
            continue
        if sop_class == ENCAPSULATED_OBJ:
            with_mtl = classes[place + 1 : place + 2] == [ENCAPSULATED_MTL]
            title, frame, found = _obj_parts(blobs[place : place + 1 + with_mtl])
        else:
            stored, mesh = _read(blob)
            title, frame, found = stored.title, stored.frame_of_reference_uid, [_part(stored, mesh)]
        frames.setdefault(frame, title)
        parts += found
    if len(frames) > 1:
        raise InvalidInput(
            f"these models lie in {len(frames)} frames of reference, so that their places to each other are not known: "
            "ask for those of one series"
        )
    frame, title = next(iter(frames.items()), ("", ""))
    return Model(tuple(replace(part, number=number) for number, part in enumerate(parts, 1)), title, frame)


def _obj_parts(files: Sequence[Blob]) -> tuple[str, str, list[Part]]:
    """Title, frame of reference, and parts of an Encapsulated OBJ, with the colors of its MTL if that comes with it."""
    source = Encapsulated().open([memoryview(file) for file in files], ReadOptions())
    parts: list[Part] = []
    for structure, piece in zip(source.structures, source.parts, strict=True):
        report = report_of(piece.mesh)
        parts.append(
            Part(
                structure.number,
                piece.name,
                piece.mesh,
                report,
                color=piece.color,
                opacity=piece.opacity,
                notes=source.notes,
                names=(piece.name,),
            )
        )
    return source.title, source.frame_of_reference_uid, parts


def _read(blob: Blob) -> tuple[StoredModel, Mesh]:
    stored = read_encapsulated_stl(blob)
    return stored, read_stl(bytes(stored.document))


def _part(stored: StoredModel, mesh: Mesh) -> Part:
    return Part(
        1,
        stored.description or stored.title or "model",
        mesh,
        report_of(mesh),
        color=stored.color,
        opacity=1.0 if stored.opacity is None else stored.opacity,
        notes=stored.notes,
        names=stored.names,
    )
