"""Facts on a mesh: what a physicist asks before trusting it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.mesh.threads import in_order
from orthanc_stl.mesh.topology import Topology, topology_of
from orthanc_stl.mesh.triangles import CHUNK, area_normals, corners_of
from orthanc_stl.mesh.types import Mesh, Note, Report, ranked

VOLUME_PRECISION = 5e-4
"""A fraction of a volume that is to be reached: what is nearer is left as it is."""


def report_of(
    mesh: Mesh,
    voxel: tuple[float, float, float] | None = None,
    notes: Sequence[Note] = (),
    topology: Topology | None = None,
    contours_volume: float | None = None,
    measures: tuple[float, float] | None = None,
) -> Report:
    """The report on `mesh`; an empty mesh counts as not closed, with a box of zeros.

    `topology`: that of the mesh's triangles, `measures`: its area (mm²) and volume (mm³), if they are known already.
    """
    area, volume = measures or area_and_volume(mesh)
    topology = topology or topology_of(mesh.triangles, len(mesh.vertices))
    return Report(
        triangles=len(mesh.triangles),
        volume=volume,
        area=area,
        box=box_of(mesh),
        closed=topology.closed,
        euler_number=topology.euler_number,
        voxel=voxel,
        notes=ranked(notes),
        contours_volume=contours_volume,
    )


def box_of(mesh: Mesh) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    if not len(mesh.vertices):
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    axes = np.ascontiguousarray(mesh.vertices.T)  # by far quicker than along the first axis of (n, 3)
    low, high = axes.min(axis=1).tolist(), axes.max(axis=1).tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


FAR = 1e9
"""In mm: products of coordinates beyond may be more than float32 holds."""


def area_and_volume(mesh: Mesh) -> tuple[float, float]:
    """Area in mm² and enclosed volume in mm³ (divergence theorem; negative if the triangles face inwards)."""
    if not len(mesh.vertices):
        return 0.0, 0.0
    middle = mesh.vertices.mean(axis=0, dtype=np.float64)
    if np.abs(mesh.vertices).max() < FAR:
        vertices = mesh.vertices - middle.astype(np.float32)  # keeps products small
    else:
        vertices = mesh.vertices.astype(np.float64) - middle

    def part(start: int) -> tuple[float, float]:
        triangles = mesh.triangles[start : start + CHUNK]
        corners = corners_of(vertices, triangles)
        normals = area_normals(corners)
        twice = np.sqrt((normals * normals).sum(axis=0)).sum(dtype=np.float64)
        return float(twice) / 2, float((normals * corners[:3]).sum(dtype=np.float64)) / 6

    parts = list(in_order(part, range(0, len(mesh.triangles), CHUNK)))
    return sum(area for area, _ in parts), sum(volume for _, volume in parts)
