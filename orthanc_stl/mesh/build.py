"""Contours of the chosen ROIs -> model: the whole way, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.mesh.contours import RoiContours
from orthanc_stl.mesh.grid import MAX_TRIANGLES, MAX_VOXELS, Grid, grid_of
from orthanc_stl.mesh.model import Mesh, Model
from orthanc_stl.mesh.planes import Frame, Stack, stacks_of
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.simplify import simplified
from orthanc_stl.mesh.surface import finished, isosurface
from orthanc_stl.mesh.topology import Topology
from orthanc_stl.mesh.volume import volume_of

ELONGATED = 1.5
"""Voxels longer than this many sides along the normal have vertices to spare on surfaces across the normal."""


def model_from_contours(
    rois: Sequence[RoiContours],
    *,
    surroundings: np.ndarray | None = None,
    resolution: int = 256,
    smooth: bool = True,
    end_caps: bool = True,
    max_voxels: int = MAX_VOXELS,
    max_triangles: int = MAX_TRIANGLES,
    progress: Progress = no_progress,
) -> Model:
    """The closed surface of the union of `rois`, in LPS mm, with outward normals.

    `surroundings` is (k, 3) float64: points on the closed contours of the structure set's other ROIs, enough to span
    their extent (for the Resolution rule) and on their planes (for the thickness of a single slice).
    Raises InvalidInput if no contour encloses anything, TooLarge before more than `max_voxels` voxels or
    `max_triangles` triangles are made.
    """
    progress(0.0, "finding the planes")
    stacks, warnings = stacks_of(rois)
    if not stacks:
        raise InvalidInput("; ".join(warnings) or "there is no contour to make a surface of")
    around = np.zeros((0, 3)) if surroundings is None else np.asarray(surroundings, dtype=np.float64).reshape(-1, 3)
    parts: list[tuple[Mesh, Topology]] = []
    voxel = None
    for stack in stacks:
        grid, guesses = grid_of(
            stack, stack.frame.from_patient(around), resolution, end_caps, max_voxels, max_triangles
        )
        warnings += guesses
        voxel = voxel or grid.voxel
        parts.append(_mesh_of(grid, stack, smooth, max_triangles, progress))
    if len(stacks) > 1:
        warnings.append(
            "the ROIs lie in planes of different orientation: their surfaces stand side by side, not united"
        )
    mesh, topology = _together(parts)
    if not len(mesh.triangles):
        raise InvalidInput("the contours enclose less than one voxel")
    progress(0.8, "checking the surface")
    return Model(mesh, report_of(mesh, voxel, warnings, topology))


def _mesh_of(grid: Grid, stack: Stack, smooth: bool, max_triangles: int, progress: Progress) -> tuple[Mesh, Topology]:
    volume = volume_of(grid, smooth, progress)
    progress(0.5, "finding the surface")
    points, triangles = isosurface(volume)
    progress(0.6, "smoothing the surface" if smooth else "placing the surface")
    elongated = grid.voxel[2] >= ELONGATED * grid.side
    points, triangles, topology = simplified(points, triangles, volume.shape, elongated)
    if len(triangles) > max_triangles:
        raise TooLarge(
            f"the surface has {len(triangles):,} triangles, more than the {max_triangles:,} of the option"
            ' "MaxTriangles"'
        )
    return finished(placed(points, grid, stack.frame), triangles, smooth=smooth), topology


def placed(points: np.ndarray, grid: Grid, frame: Frame) -> np.ndarray:
    """Vertices in voxel indices (x, y, layer) -> LPS mm, float64."""
    local = np.empty(points.shape)
    local[:, 0] = grid.origin[0] + grid.side * points[:, 0]
    local[:, 1] = grid.origin[1] + grid.side * points[:, 1]
    local[:, 2] = np.interp(points[:, 2], np.arange(len(grid.layers)), grid.layers)
    return frame.to_patient(local)


def _together(parts: Sequence[tuple[Mesh, Topology]]) -> tuple[Mesh, Topology | None]:
    if len(parts) == 1:
        return parts[0]
    meshes = [mesh for mesh, _ in parts]
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    together = Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.triangles + np.int32(start) for mesh, start in zip(meshes, starts, strict=True)]),
    )
    return together, None
