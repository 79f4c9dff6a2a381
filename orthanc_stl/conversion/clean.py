"""What is done to a surface after it was made: pieces left out, and triangles that it does not need."""

from __future__ import annotations

from dataclasses import replace

from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.mesh.decimation import decimated
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Note, Report, Surface

OF_A_VOXEL = 0.1
MOST_TOLERANCE_MM = 0.1
"""The default tolerance: a tenth of the voxel's side, at most so much. docs/accuracy.md has what that does."""


def clean_up(surface: Surface, request: ConversionRequest, progress: Progress = no_progress) -> Surface:
    """The surface as the request wants it: `KeepLargest`, `MinVolumeMl`, then `Tolerance` or `Triangles`."""
    notes: list[Note] = []
    mesh = surface.mesh
    tolerance = None if request.triangles is not None else tolerance_of(surface.report, request.tolerance)
    distance = surface.report.distance
    if request.triangles is not None or tolerance:
        progress(0.2, "making the surface small")
        small = decimated(mesh, tolerance=tolerance, triangles=request.triangles)
        mesh, distance = small.mesh, small.distance
    if mesh is surface.mesh:
        return surface
    old = surface.report
    report = report_of(mesh, old.voxel, (*old.notes, *notes))
    return Surface(mesh, replace(report, contours_volume=old.contours_volume, distance=distance))


def tolerance_of(report: Report, asked: float | None) -> float:
    """mm; 0 for a mesh that comes from a file, which stays as it is unless somebody asks."""
    if asked is not None:
        return asked
    return min(OF_A_VOXEL * min(report.voxel), MOST_TOLERANCE_MM) if report.voxel else 0.0
