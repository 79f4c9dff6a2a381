"""Figures on a mesh for a table: volume, area, centroid, extent, pieces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.report import area_and_volume, box_of
from orthanc_stl.mesh.topology import topology_of
from orthanc_stl.mesh.triangles import signed_volumes
from orthanc_stl.mesh.types import Mesh


@dataclass(frozen=True)
class Measures:
    """`volume` in mm³ and `area` in mm²; `centroid` of the solid and `extent` of its box (x, y, z) in LPS mm.

    `pieces`: separate bodies, and `cavities` in them. Of a mesh that is not `closed`, the volume is that which the
    triangles and their middle enclose, the centroid is that of the surface, and there are no cavities.
    """

    volume: float
    area: float
    centroid: tuple[float, float, float]
    extent: tuple[float, float, float]
    pieces: int
    cavities: int
    closed: bool


def measures_of(mesh: Mesh) -> Measures:
    """The measures of `mesh`; all zero for one without triangles."""
    closed = topology_of(mesh.triangles, len(mesh.vertices)).closed
    pieces = pieces_of(mesh)
    area, volume = area_and_volume(mesh)
    low, high = np.array(box_of(mesh))
    return Measures(
        volume=volume,
        area=area,
        centroid=_three(_centroid(mesh, solid=closed and volume > 0)),
        extent=_three(high - low),
        pieces=len(pieces),
        cavities=sum(piece.cavities for piece in pieces) if closed else 0,
        closed=closed,
    )


def _centroid(mesh: Mesh, *, solid: bool) -> np.ndarray:
    if not len(mesh.triangles):
        return np.zeros(3)
    middle = mesh.vertices.mean(axis=0, dtype=np.float64)
    corners = mesh.vertices[mesh.triangles] - middle
    if solid:  # of tetrahedra with their tip in `middle`
        weights, places = signed_volumes(mesh), corners.sum(axis=1) / 4
    else:
        weights = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        places = corners.mean(axis=1)
    total = weights.sum()
    return np.asarray(middle + weights @ places / total) if total else middle


def _three(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
