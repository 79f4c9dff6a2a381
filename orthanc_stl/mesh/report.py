"""Facts on a mesh: what a physicist asks before trusting it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.mesh.model import Mesh, Report
from orthanc_stl.mesh.topology import Topology, topology_of

CHUNK = 16384
"""Triangles worked on at once, so that their arrays stay within the processor's cache."""


def report_of(
    mesh: Mesh,
    voxel: tuple[float, float, float] | None = None,
    warnings: Sequence[str] = (),
    topology: Topology | None = None,
) -> Report:
    """The report on `mesh`; an empty mesh counts as not closed, with a box of zeros.

    `topology`: that of the mesh's triangles, if it is known already.
    """
    area, volume = area_and_volume(mesh)
    topology = topology or topology_of(mesh.triangles, len(mesh.vertices))
    return Report(
        triangles=len(mesh.triangles),
        volume=volume,
        area=area,
        box=box_of(mesh),
        closed=topology.closed,
        euler_number=topology.euler_number,
        voxel=voxel,
        warnings=tuple(warnings),
    )


def box_of(mesh: Mesh) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    if not len(mesh.vertices):
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    low, high = mesh.vertices.min(axis=0).tolist(), mesh.vertices.max(axis=0).tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def area_and_volume(mesh: Mesh) -> tuple[float, float]:
    """Area in mm² and enclosed volume in mm³ (divergence theorem; negative if the triangles face inwards)."""
    area = volume = 0.0
    if not len(mesh.vertices):
        return area, volume
    middle = mesh.vertices.mean(axis=0, dtype=np.float64)  # keeps the products small, so that no digits are lost
    for start in range(0, len(mesh.triangles), CHUNK):
        corners = mesh.vertices[mesh.triangles[start : start + CHUNK]].astype(np.float64) - middle
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area += 0.5 * float(np.sqrt(np.einsum("ij,ij->i", normal, normal)).sum())
        volume += float(np.einsum("ij,ij->", normal, corners[:, 0])) / 6
    return area, volume
