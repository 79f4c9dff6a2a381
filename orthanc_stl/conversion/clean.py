"""What is done to a surface after it was made: pieces left out, and triangles that it does not need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.contours.check import VOLUME_TOLERANCE
from orthanc_stl.mesh.decimation import decimated
from orthanc_stl.mesh.pieces import largest_piece, without_small_pieces
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh, Note, Rank, Report, Surface, ranked
from orthanc_stl.sources.clean_region import pieces_left_out

OF_A_VOXEL = 0.1
MOST_TOLERANCE_MM = 0.1
"""The default tolerance: a tenth of the voxel's side, at most so much. docs/accuracy.md has what that does."""


def without_pieces(surface: Surface, request: ConversionRequest, progress: Progress = no_progress) -> Surface:
    """Without the pieces that `KeepLargest` or `MinVolumeMl` leave out. Raises InvalidInput if none is left."""
    if not request.keep_largest and not request.min_volume_ml:
        return surface
    progress(0.0, "looking for pieces")
    mesh = surface.mesh
    kept = largest_piece(mesh) if request.keep_largest else without_small_pieces(mesh, request.min_volume_ml * 1000)
    if not kept.left:
        largest = kept.removed[0] / 1000
        raise InvalidInput(f"no piece has {request.min_volume_ml:g} mL: the largest has {largest:.3g} mL")
    removed = kept.removed
    notes = [pieces_left_out("", len(removed), sum(removed), kept.left)] if removed else []
    return _with_mesh(surface, kept.mesh, surface.report.distance, notes)


def made_small(surface: Surface, request: ConversionRequest, progress: Progress = no_progress) -> Surface:
    """With the triangles that `Tolerance` or `Triangles` leave. A volume that they change is told of."""
    tolerance = None if request.triangles is not None else tolerance_of(surface.report, request.tolerance)
    if request.triangles is None and not tolerance:
        return surface
    progress(0.2, "making the surface small")
    small = decimated(surface.mesh, tolerance=tolerance, triangles=request.triangles)
    found = _with_mesh(surface, small.mesh, small.distance)
    full, left = surface.report.volume, found.report.volume
    if abs(left - full) <= VOLUME_TOLERANCE * abs(full):
        return found
    text = (
        f"with fewer triangles the surface encloses {left / 1000:.4g} mL, with all of them {full / 1000:.4g} mL"
        f" ({100 * (left / full - 1):+.1f} %)"
    )
    notes = (*found.report.notes, Note(Rank.CHANGED_SHAPE, "", text))
    return replace(found, report=replace(found.report, notes=ranked(notes)))


def _with_mesh(surface: Surface, mesh: Mesh, distance: float | None, notes: Sequence[Note] = ()) -> Surface:
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
