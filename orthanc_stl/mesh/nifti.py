"""NIfTI volumes -> model: the whole way, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.grid import MAX_TRIANGLES, MAX_VOXELS
from orthanc_stl.mesh.mask import Field, Plan, field_of, plan_of
from orthanc_stl.mesh.model import Mesh, Model
from orthanc_stl.mesh.nifti_file import MEGABYTE, NiftiVolume, read_nifti
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import area_and_volume, report_of
from orthanc_stl.mesh.surface import finished, isosurface
from orthanc_stl.mesh.voxels import Inside, find_inside

MAX_BYTES = 1536 * MEGABYTE
"""Of a file, decompressed: a volume of 1 GB and the file itself fit into a worker."""

LOST_IN_CELLS = 0.02
"""Of the volume: cells that take voxels together and lose more, of thin structures, are made smaller."""

LOST_BY_SURFACE = 0.05
"""Of the volume: a surface that loses more, of structures a voxel or two wide, gets divided voxels."""

MOST_DIVIDED = 4
FEW_CELLS = 4_000_000
"""Voxels are divided no further, and only while they are so few."""

CORRECTIONS = 3
"""Steps in which vertices move along their normals until the volume fits; each leaves a hundredth of the error."""

NEARLY = 5e-4
"""Of the volume: what is nearer is left as it is."""


def model_from_nifti(
    data: bytes | memoryview,
    *,
    labels: Sequence[int] | None = None,
    threshold: float | None = None,
    resolution: int = 256,
    smooth: bool = True,
    max_voxels: int = MAX_VOXELS,
    max_triangles: int = MAX_TRIANGLES,
    max_bytes: int = MAX_BYTES,
    progress: Progress = no_progress,
) -> tuple[Model, np.ndarray, tuple[int, int, int]]:
    """The closed surface of a NIfTI volume in LPS mm, with outward normals; its affine to LPS, and its size (i, j, k).

    A mask or label map (see voxels.py for the rule) is taken where it is not zero, or where it has one of `labels`; its
    model has the volume of its voxels. A grey volume is taken from `threshold` on (default: half of its range).
    Raises InvalidInput for what is no such file and for nothing inside, TooLarge before more than `max_bytes`,
    `max_voxels` or `max_triangles` are made.
    """
    progress(0.0, "reading the volume")
    volume = read_nifti(data, max_bytes=max_bytes)
    progress(0.2, "finding what is inside")
    inside = find_inside(volume, labels, threshold)
    plan, field = _field(volume, inside, plan_of(volume, inside, resolution), max_voxels, progress)
    mesh = _surface(field, smooth, max_triangles, progress)
    if inside.level is None:
        target = _volume_of(volume, inside)
        while area_and_volume(mesh)[1] < (1 - LOST_BY_SURFACE) * target and _may_divide(plan, inside, max_voxels):
            plan = plan.finer()
            field = field_of(volume, inside, plan, max_voxels=max_voxels)
            mesh = _surface(field, smooth, max_triangles, progress)
        mesh = with_volume(mesh, target)
    progress(0.8, "checking the surface")
    nx, ny, nz = volume.raw.shape
    return Model(mesh, report_of(mesh, field.voxel, volume.warnings)), volume.affine, (nx, ny, nz)


def with_volume(mesh: Mesh, volume: float) -> Mesh:
    """`mesh` with its vertices moved along their normals, all equally far, until it has `volume` (mm³)."""
    for _ in range(CORRECTIONS):
        area, found = area_and_volume(mesh)
        if abs(found - volume) <= NEARLY * volume:
            break
        mesh = Mesh(mesh.vertices + np.float32((volume - found) / area) * vertex_normals(mesh), mesh.triangles)
    return mesh


def vertex_normals(mesh: Mesh) -> np.ndarray:
    """Unit normals `(n, 3) float32` of the vertices: the means of their triangles', weighted by area."""
    corners = mesh.vertices[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat, count = mesh.triangles.reshape(-1), len(mesh.vertices)
    sums = np.stack([np.bincount(flat, np.repeat(normals[:, axis], 3), count) for axis in range(3)], axis=1)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.where(length > 0, length, 1)).astype(np.float32)


def _volume_of(volume: NiftiVolume, inside: Inside) -> float:
    """That of the voxels inside, in mm³."""
    return inside.voxels * abs(float(np.linalg.det(volume.affine[:3, :3])))


def _field(volume: NiftiVolume, inside: Inside, plan: Plan, max_voxels: int, progress: Progress) -> tuple[Plan, Field]:
    """The field of `plan`, or of a finer one if its cells lose thin structures."""
    progress(0.3, "filling the grid")
    field = field_of(volume, inside, plan, max_voxels=max_voxels)
    while plan.coarser_than_voxels() and inside.level is None:
        if abs(field.volume() - _volume_of(volume, inside)) <= LOST_IN_CELLS * _volume_of(volume, inside):
            break
        if plan.finer().cells(inside.box) > max_voxels:
            break
        plan = plan.finer()
        field = field_of(volume, inside, plan, max_voxels=max_voxels)
    return plan, field


def _may_divide(plan: Plan, inside: Inside, max_voxels: int) -> bool:
    return plan.divided < MOST_DIVIDED and plan.finer().cells(inside.box) <= min(FEW_CELLS, max_voxels)


def _surface(field: Field, smooth: bool, max_triangles: int, progress: Progress) -> Mesh:
    progress(0.5, "finding the surface")
    points, triangles = isosurface(field.cells, field.level)
    if len(triangles) > max_triangles:
        raise TooLarge(
            f'The surface has {len(triangles)} triangles, over the {max_triangles} of the option "MaxTriangles"'
        )
    progress(0.6, "smoothing the surface" if smooth else "placing the surface")
    placed = points.astype(np.float64) @ field.affine[:3, :3].T + field.affine[:3, 3]
    return finished(placed, triangles, smooth=smooth, mirrored=bool(np.linalg.det(field.affine[:3, :3]) < 0))
