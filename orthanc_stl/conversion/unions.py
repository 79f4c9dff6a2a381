"""The surface of several structures of one source together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.conversion.meshing import mesh_shape, united
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import reading
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.booleans import united as united_meshes
from orthanc_stl.mesh.types import Note, Surface
from orthanc_stl.model import Structure
from orthanc_stl.sources.base import ContourSource, OpenSource, Region, Shape
from orthanc_stl.sources.clean_region import CleanUp, clean_region


@dataclass(frozen=True)
class Found:
    """The `shapes` of structures, what tells the slice spacing of contours, and what was found out on the way."""

    shapes: list[Shape]
    surroundings: Sequence[np.ndarray]
    notes: list[Note]


def found_of(source: OpenSource, structures: Sequence[Structure], request: ConversionRequest) -> Found:
    """The shapes of these structures."""
    shapes: list[Shape] = []
    notes: list[Note] = []
    for structure in structures:
        with reading("this file"):
            shape, found = source.shape(structure.number)
        notes += found
        if isinstance(shape, Region):
            shape, found = clean_region(shape, how_to_clean(request), structure.name)
            notes += found
        shapes.append(shape)
    surroundings: Sequence[np.ndarray] = ()
    if isinstance(source, ContourSource):
        numbers = [structure.number for structure in structures]
        surroundings = source.surroundings(numbers)
        notes += source.frame_of(numbers)[1]
    return Found(shapes, surroundings, list(dict.fromkeys(notes)))


def how_to_clean(request: ConversionRequest) -> CleanUp:
    """What is left out of voxels and filled in them, before there is a surface."""
    return CleanUp(
        min_share=float(request.keep_largest),
        min_volume_ml=request.min_volume_ml,
        fill_holes=bool(request.fields.get("FillHoles")),
    )


def limits_of(request: ConversionRequest) -> dict[str, int]:
    """Those that a surface is made within, by their names."""
    return {name: request.limits[name] for name in ("max_voxels", "max_triangles") if name in request.limits}


def meshed(found: Found, request: ConversionRequest, progress: Progress) -> Surface:
    """The surface of one shape, or of the union of several."""
    shapes = found.shapes

    def mesh(shape: Shape | Sequence[RoiContours], progress: Progress) -> Surface:
        return mesh_shape(
            shape,
            surroundings=found.surroundings,
            resolution=request.resolution,
            smooth=request.smooth,
            end_caps=request.end_caps,
            progress=progress,
            **limits_of(request),
        )

    whole = united(shapes)
    if whole is not None:
        return mesh(whole, progress)
    count = len(shapes)
    surfaces = [mesh(shape, portion(progress, n / count, (n + 1) / count)) for n, shape in enumerate(shapes)]
    joined = united_meshes([surface.mesh for surface in surfaces])
    reports = [surface.report for surface in surfaces]
    notes = [note for report in reports for note in report.notes]
    voxels = [report.voxel for report in reports if report.voxel]
    return Surface(joined, report_of(joined, min(voxels) if voxels else None, notes))


def portion(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a step that takes the whole from `start` to `end`."""
    return lambda fraction, step: progress(start + (end - start) * fraction, step)
