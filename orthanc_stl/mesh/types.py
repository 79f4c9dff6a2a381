"""What the geometry gives back: triangles, facts about them, and what was changed, guessed or left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from orthanc_stl.mesh.notes import MinorNote, Note, Rank, ranked

__all__ = ["Mesh", "MinorNote", "Note", "Rank", "Report", "Surface", "ranked"]


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in LPS millimetres, outward normals by the right-hand rule.

    `vertices` is (n, 3) float32, `triangles` is (m, 3) int32.
    """

    vertices: np.ndarray
    triangles: np.ndarray


@dataclass(frozen=True)
class Report:
    """Facts on a mesh. Lengths in mm, `area` in mm², `volume` in mm³; `box` is (min xyz, max xyz).

    `closed`: no edge with other than two triangles. `voxel` is the grid's voxel (u, v, normal), None for a mesh read
    from a file. `notes`: each thing that was changed, guessed or left out, worst first. `contours_volume`: the volume
    (mm³) of the contours themselves, worked out without the mesh; None for what is not made of contours. `distance`:
    how far (mm) the mesh strays from the full surface at most, None if it is that.
    """

    triangles: int
    volume: float
    area: float
    box: tuple[tuple[float, float, float], tuple[float, float, float]]
    closed: bool
    euler_number: int
    voxel: tuple[float, float, float] | None
    notes: tuple[Note, ...] = ()
    contours_volume: float | None = None
    distance: float | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences of the notes."""
        return tuple(note.text for note in self.notes)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "notes": [note.as_json() for note in self.notes], "warnings": self.warnings}


@dataclass(frozen=True)
class Surface:
    mesh: Mesh
    report: Report
