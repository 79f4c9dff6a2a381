"""Surfaces that are given the volume that they should have, by an even move along their normals."""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.crossings import without_new_crossings
from orthanc_stl.mesh.report import VOLUME_PRECISION, area_and_volume
from orthanc_stl.mesh.surface import vertex_normals
from orthanc_stl.mesh.types import Mesh

CORRECTIONS = 8
"""Steps in which vertices move along their normals until the volume fits; one or two do, but for a few voxels."""

ROUNDS = 4
"""How often the others go on where vertices stayed for crossings."""

LONGEST_STEP = 0.25
"""A fraction of what is small (a cell's shortest side, a wavelength): what has nearly no surface left would be blown up
otherwise."""

LEFT = 0.025
"""What a step leaves at most of what was missing, but of what is nearly nothing."""


def with_volume(
    mesh: Mesh, volume: float, measures: tuple[float, float], longest: float, precision: float = VOLUME_PRECISION
) -> Mesh:
    """`mesh` with its vertices moved along their normals, all equally far, until it has `volume` (mm³).

    `measures`: its area (mm²) and its volume, which are known already; `longest`: how far (mm) one step goes at most;
    `precision`: the fraction of the volume that may be missing.
    Vertices at which the surface would come to pass through itself stay, and the others go on. Where too many triangles
    would have to be looked at, or they cross however many vertices stay, the volume comes first.
    """
    for _ in range(ROUNDS):
        moved = _moved_to(mesh, volume, measures, longest, precision)
        free = without_new_crossings(mesh, moved)
        if free is moved or free is mesh:
            return moved
        mesh, measures = free, area_and_volume(free)
    return mesh


def _moved_to(mesh: Mesh, volume: float, measures: tuple[float, float], longest: float, precision: float) -> Mesh:
    for _ in range(CORRECTIONS):
        area, found = measures
        missing = volume - found
        if abs(missing) <= precision * volume:
            break
        normals = vertex_normals(mesh)
        normals *= np.float32(max(-longest, min(missing / area, longest)))
        mesh = Mesh(mesh.vertices + normals, mesh.triangles)
        if abs(missing) <= precision / LEFT * volume:
            break
        measures = area_and_volume(mesh)
    return mesh
