"""What the mesh room gives back: triangles, and facts about them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np


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
    from a file. `warnings`: each thing that was skipped or guessed, a sentence each.
    """

    triangles: int
    volume: float
    area: float
    box: tuple[tuple[float, float, float], tuple[float, float, float]]
    closed: bool
    euler_number: int
    voxel: tuple[float, float, float] | None
    warnings: tuple[str, ...]

    def as_json(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Surface:
    mesh: Mesh
    report: Report
