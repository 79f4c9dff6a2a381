"""Contours of the chosen ROIs -> their surface: the whole way, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.mesh.contours.grid import MAX_TRIANGLES, MAX_VOXELS, Grid, Limits, grid_of
from orthanc_stl.mesh.contours.planes import Frame, stacks_of
from orthanc_stl.mesh.contours.union import united_volume
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.simplify import simplified
from orthanc_stl.mesh.surface import finished, isosurface
from orthanc_stl.mesh.topology import Topology
from orthanc_stl.mesh.types import Mesh, Note, Rank, Surface

ELONGATED = 1.5
"""Voxels longer than this many sides along the normal have vertices to spare on surfaces across the normal."""


def surface_from_contours(
    rois: Sequence[RoiContours],
    *,
    surroundings: np.ndarray | None = None,
    resolution: int = 256,
    smooth: bool = True,
    end_caps: bool = True,
    max_voxels: int = MAX_VOXELS,
    max_triangles: int = MAX_TRIANGLES,
    progress: Progress = no_progress,
) -> Surface:
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
    limits = Limits(max_voxels, max_triangles)
    grids: list[tuple[Grid, Frame]] = []
    for stack in reversed(stacks):  # the first one's grid has to hold what the others make
        corners = [stack.frame.from_patient(frame.to_patient(grid.corners())) for grid, frame in grids]
        also = np.concatenate(corners) if corners and stack is stacks[0] else None
        nearby = stack.frame.from_patient(around)
        grid, guesses = grid_of(stack, nearby, resolution, end_caps, limits, also)
        grids.insert(0, (grid, stack.frame))
        warnings += guesses
    mesh, topology = _mesh_of(grids, smooth, max_triangles, progress)
    if not len(mesh.triangles):
        raise InvalidInput("the contours enclose less than one voxel: a higher Resolution may show them")
    progress(0.8, "checking the surface")
    notes = [Note(Rank.LEFT_OUT, "", text) for text in warnings]
    return Surface(mesh, report_of(mesh, grids[0][0].voxel, notes, topology))


def _mesh_of(
    grids: Sequence[tuple[Grid, Frame]], smooth: bool, max_triangles: int, progress: Progress
) -> tuple[Mesh, Topology]:
    grid, frame = grids[0]
    volume = united_volume(grids, smooth, progress)
    progress(0.5, "finding the surface")
    points, triangles = isosurface(volume)
    progress(0.6, "merging vertices")
    elongated = grid.voxel[2] >= ELONGATED * grid.side
    points, triangles, topology = simplified(points, triangles, volume.shape, elongated)
    if len(triangles) > max_triangles:
        raise TooLarge(
            f"the surface has {len(triangles):,} triangles, more than the {max_triangles:,} of the option"
            ' "MaxTriangles"'
        )
    progress(0.7, "smoothing the surface" if smooth else "placing the surface")
    return finished(frame.to_patient(grid.placed(points)), triangles, smooth=smooth), topology
