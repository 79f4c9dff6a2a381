"""What a conversion gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orthanc_stl.conversion.choose import Skipped
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.types import Mesh, Report
from orthanc_stl.model import Model, Note, Part


@dataclass(frozen=True)
class ConversionResult:
    """A model of the structures that could be made, and those that could not.

    `notes`: what was changed, guessed or left out before any part was made; each part has its own as well.
    """

    model: Model
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Note, ...] = ()


def part_json(part: Part) -> dict[str, Any]:
    """What answers say of a part."""
    report = part.report
    return {
        "Number": part.number,
        "Name": part.name,
        "Triangles": report.triangles,
        "VolumeMl": round(report.volume / 1000, 4),
        "ContoursMl": None if report.contours_volume is None else round(report.contours_volume / 1000, 4),
        "ToleranceMm": None if report.distance is None else round(report.distance, 4),
        "Warnings": list(part.warnings),
        "Notes": [note.as_json() for note in part.notes],
    }


def mesh_json(mesh: Mesh, report: Report) -> dict[str, Any]:
    """What `/info` says of a mesh."""
    return {
        "Triangles": report.triangles,
        "VolumeMl": round(report.volume / 1000, 4),
        "AreaMm2": round(report.area, 3),
        "BoundingBox": [list(corner) for corner in report.box],
        "Pieces": len(pieces_of(mesh)),
        "Closed": report.closed,
        "EulerNumber": report.euler_number,
    }


def part_info(part: Part) -> dict[str, Any]:
    """All that is known of a part that is not stored."""
    color = list(part.color) if part.color else None
    told = {"Color": color, "Opacity": part.opacity, "Type": part.kind}
    return mesh_json(part.mesh, part.report) | part_json(part) | told
