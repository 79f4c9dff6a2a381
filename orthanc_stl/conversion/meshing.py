"""The shape of a structure -> its surface, whichever kind of shape it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.mesh.contours.grid import MAX_TRIANGLES, MAX_VOXELS
from orthanc_stl.mesh.errors import OverLimit, TooManyTriangles, TooManyVoxels
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.overlaps import sentence_on_overlaps
from orthanc_stl.mesh.topology import edges_have_two_triangles
from orthanc_stl.mesh.types import Mesh, Note, Rank, Report, Surface
from orthanc_stl.mesh.volumes.build import surface_from_volume
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.base import Region, Shape

SAME_LATTICE = 0.01
"""In voxels: lattices that differ by less at each corner are one."""


@contextmanager
def limits_by_name() -> Iterator[None]:
    """Names the option when what the geometry is about to make goes over its limit. Raises TooLarge."""
    try:
        yield
    except OverLimit as error:
        option = {TooManyVoxels: "MaxVoxels", TooManyTriangles: "MaxTriangles"}.get(type(error))
        if not option:
            raise
        raise TooLarge(f'{error} by the option "{option}"; a lower Resolution takes fewer') from error


OPEN = "the surface of the file is not closed, so its volume is a rough figure; it was left as it is"
BOTH_WAYS = (
    "some triangles of the file face inwards and some outwards, so its volume is not known; they were left as they are"
)
INSIDE_OUT = "the triangles of the file face inwards, so its volume is negative; they were left as they are"


def _notes_on(mesh: Mesh, report: Report) -> tuple[Note, ...]:
    """What is wrong with a surface that came as one and stays as it is."""
    if not report.closed:
        return (Note(Rank.GUESSED, "", BOTH_WAYS if edges_have_two_triangles(mesh.triangles) else OPEN),)
    if report.volume < 0:
        return (Note(Rank.GUESSED, "", INSIDE_OUT),)
    overlaps = sentence_on_overlaps(mesh)
    return (Note(Rank.GUESSED, "", overlaps),) if overlaps else ()


@limits_by_name()
def mesh_shape(
    shape: Shape | Sequence[RoiContours],
    *,
    surroundings: Sequence[np.ndarray] = (),
    resolution: int = 256,
    smooth: bool = True,
    end_caps: bool = True,
    max_voxels: int = MAX_VOXELS,
    max_triangles: int = MAX_TRIANGLES,
    progress: Progress = no_progress,
) -> Surface:
    """The surface of one shape in LPS mm, or of the union of several ROIs. `united` makes one shape of other kinds.

    `surroundings` and `end_caps` are for contours alone.

    Raises InvalidInput for a shape that encloses nothing, TooLarge over a limit. A mesh is measured and stays as it is.
    """
    if isinstance(shape, (RoiContours, Sequence)):
        return surface_from_contours(
            [shape] if isinstance(shape, RoiContours) else shape,
            surroundings=surroundings,
            resolution=resolution,
            smooth=smooth,
            end_caps=end_caps,
            max_voxels=max_voxels,
            max_triangles=max_triangles,
            progress=progress,
        )
    if isinstance(shape, Mesh):
        if len(shape.triangles) > max_triangles:
            raise TooManyTriangles(len(shape.triangles), max_triangles)
        progress(0.9, "checking the surface")
        report = report_of(shape)
        return Surface(shape, replace(report, notes=_notes_on(shape, report)))
    return surface_from_volume(
        shape.volume,
        labels=shape.labels,
        threshold=shape.threshold,
        upper=shape.upper,
        resolution=resolution,
        smooth=smooth,
        fit_volume=shape.fit_volume,
        exact=shape.exact,
        max_voxels=max_voxels,
        max_triangles=max_triangles,
        progress=progress,
    )


def united(shapes: Sequence[Shape]) -> Shape | Sequence[RoiContours] | None:
    """One shape that is the union of `shapes`, for `mesh_shape`; None if only their surfaces can be united.

    Contours of several ROIs are one shape as they are; labels of a lattice, and masks on one lattice, are one mask;
    levels of one dose are the lowest.
    """
    if len(shapes) == 1:
        return shapes[0]
    if all(isinstance(shape, RoiContours) for shape in shapes):
        return [shape for shape in shapes if isinstance(shape, RoiContours)]
    regions = [shape for shape in shapes if isinstance(shape, Region)]
    return _united_regions(regions) if regions and len(regions) == len(shapes) else None


def _united_regions(regions: Sequence[Region]) -> Region | None:
    first = regions[0]
    same = all(region.volume.stored is first.volume.stored for region in regions)
    thresholds = {region.threshold for region in regions}
    if same and all(region.threshold is not None and region.upper is None for region in regions):
        return replace(first, threshold=min(t for t in thresholds if t is not None))
    offsets = [offset_of(first.volume, region.volume) for region in regions]
    if len(thresholds) > 1 or any(
        offset is None or region.upper is not None for offset, region in zip(offsets, regions, strict=True)
    ):
        return None
    corners = np.array([offset for offset in offsets if offset is not None])
    low = corners.min(axis=0)
    sizes = np.array([region.volume.stored.shape for region in regions])
    size = (corners + sizes).max(axis=0) - low
    if float(np.prod(size, dtype=float)) > max(MAX_VOXELS, 2 * float(sizes.prod(axis=1).sum())):
        return None  # far apart: their box would be nearly empty, and may be more than there is memory
    grey = first.threshold is not None
    whole = np.zeros(size[::-1], first.volume.stored.dtype.newbyteorder("=") if grey else np.uint8).T
    for region, corner in zip(regions, corners - low, strict=True):
        target = whole[tuple(slice(c, c + n) for c, n in zip(corner, region.volume.stored.shape, strict=True))]
        np.maximum(target, region.volume.stored if grey else inside_of(region), out=target)
    shift = np.eye(4)
    shift[:3, 3] = low
    volume = replace(first.volume, stored=whole, affine=first.volume.affine @ shift)
    if grey:
        return replace(first, volume=volume)
    return Region(replace(volume, slope=1.0, intercept=0.0), labels=(1,))


def inside_of(region: Region) -> np.ndarray:
    """Which voxels of a region that has no threshold are inside, `(nx, ny, nz) uint8` of 0 and 1."""
    volume = region.volume
    values = volume.stored
    if volume.slope != 1 or volume.intercept != 0 or values.dtype.kind == "f":
        values = np.rint(values * np.float64(volume.slope) + volume.intercept)
    inside = values != 0 if region.labels is None else np.isin(values, region.labels)
    return inside.view(np.uint8)


def offset_of(one: Volume, other: Volume) -> np.ndarray | None:
    """Where the first voxel of `other` is in `one`, in whole voxels (3,); None if the lattices are not the same."""
    if one.planes != other.planes or (one.slope, one.intercept) != (other.slope, other.intercept):
        return None
    index = np.linalg.inv(one.affine) @ other.affine
    offset = np.rint(index[:3, 3])
    corners = np.indices((2, 2, 2)).reshape(3, -1) * (np.reshape(other.stored.shape, (3, 1)) - 1)
    apart = index[:3, :3] @ corners + index[:3, 3:] - (corners + offset[:, None])
    if one.planes is not None and offset[2]:  # planes at other places of uneven steps
        return None
    return offset.astype(int) if np.abs(apart).max() < SAME_LATTICE else None
