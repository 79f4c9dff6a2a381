"""Models that are stored in DICOM, read back: facts on them, and their parts for other formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_stl.conversion.result import report_json
from orthanc_stl.dicom.stored_model import StoredModel, read_encapsulated_stl
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.stl import read_stl
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part

Blob = bytes | bytearray | memoryview


def stored_facts(blob: Blob) -> dict[str, Any]:
    """What a stored object says of itself, and what its mesh shows."""
    stored, mesh = _read(blob)
    report = report_of(mesh)
    return report_json(report) | stored.as_json()


def stored_model(blobs: Sequence[Blob]) -> Model:
    """One model of all these objects, a part each. Raises InvalidInput if they lie in different frames of reference."""
    found = [_read(blob) for blob in blobs]
    frames = {stored.frame_of_reference_uid for stored, _ in found}
    if len(frames) > 1:
        raise InvalidInput(
            f"these models lie in {len(frames)} frames of reference, so that their places to each other are not known: "
            "ask for those of one series"
        )
    parts = [_part(number, stored, mesh) for number, (stored, mesh) in enumerate(found, start=1)]
    return Model(tuple(parts), found[0][0].title, found[0][0].frame_of_reference_uid)


def _read(blob: Blob) -> tuple[StoredModel, Mesh]:
    stored = read_encapsulated_stl(blob)
    return stored, read_stl(bytes(stored.stl))


def _part(number: int, stored: StoredModel, mesh: Mesh) -> Part:
    return Part(
        number,
        stored.description or stored.title or f"model {number}",
        mesh,
        report_of(mesh),
        color=stored.color,
        opacity=1.0 if stored.opacity is None else stored.opacity,
        notes=stored.notes,
        names=stored.names,
    )
