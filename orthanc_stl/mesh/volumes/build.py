"""A volume -> its surface: the whole way, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.contours.check import VOLUME_TOLERANCE
from orthanc_stl.mesh.contours.grid import MAX_TRIANGLES, MAX_VOXELS
from orthanc_stl.mesh.errors import TooManyTriangles
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import area_and_volume, report_of
from orthanc_stl.mesh.simplify import simplified
from orthanc_stl.mesh.surface import isosurface, smooth_and_orient, smoothed
from orthanc_stl.mesh.to_volume import LONGEST_STEP, with_volume
from orthanc_stl.mesh.topology import Topology
from orthanc_stl.mesh.types import Mesh, Note, Rank, Surface
from orthanc_stl.mesh.volumes.cells import Field, Plan, field_of, plan_of
from orthanc_stl.mesh.volumes.inside import Inside, blocks, find_inside, values
from orthanc_stl.mesh.volumes.shape_based import off_the_outline
from orthanc_stl.mesh.volumes.volume import Volume

LOST_IN_CELLS = 0.02
"""A fraction of the volume of a mask: cells that take voxels together and lose more, of thin structures, are made
smaller."""

LOST_BETWEEN = 0.1
"""The same of cells between thick slices: single pixels are lost between slices that do not have them."""

LOST_IN_GREY = 0.5
"""The same of a grey volume, where noise goes and comes with the size of cells."""

LOST_BY_SURFACE = 0.25
"""A fraction of the volume of a mask: a surface that loses more, of structures a voxel wide, is made of divided voxels.
What is lost on round ones (a ball of 5 voxels across: 0.2) comes back evenly."""

LOST_IN_HOLES = 0.05
"""The same of what is taken out of another mask or added to it: the whole gets the volume of its voxels back, a hole or
a branch does not."""

LOST_BETWEEN_VOXELS = 0.1
"""A fraction of the volume of grey voxels: a surface between them that differs by more, of bones a voxel thick in
noise, is made of the mask of those that are inside instead."""

ITERATIONS = 16
PASS_BAND = 0.05
"""The pass band of the windowed sinc filter: the steps of a mask are longer waves than the ripples of a surface from
contours."""

SIMPLIFIED_FROM = 2_000
"""A number of triangles: what has fewer is a few voxels wide, and its tips would suffer."""

MOST_DIVIDED = 4
FEW_CELLS = 4_000_000
"""Voxels are divided no further, and only while they are so few."""

MOST_TRIANGLES_A_CELL = 5
"""By the table of marching cubes."""


def surface_from_volume(
    volume: Volume,
    *,
    labels: Sequence[int] | None = None,
    threshold: float | None = None,
    upper: float | None = None,
    resolution: int = 256,
    smooth: bool = True,
    fit_volume: bool = False,
    exact: bool = False,
    max_voxels: int = MAX_VOXELS,
    max_triangles: int = MAX_TRIANGLES,
    progress: Progress = no_progress,
) -> Surface:
    """The closed surface of a volume in LPS mm, with outward normals.

    A mask or label map (see inside.py for the rule) is taken where it is not zero, or where it has one of `labels`; its
    surface has the volume of its voxels. A grey volume is taken from `threshold` on (default: half of its range), and
    up to `upper`; the surface runs between the voxels, where the values pass the threshold. With `fit_volume` it has
    the volume of the voxels as well; with `exact` (values that are computed, as a dose is) it is not smoothed, and the
    values between those of voxels lie on curves where the field bends evenly, and a note says where its volume is not
    that of the voxels.
    Raises InvalidInput for nothing inside, TooManyVoxels or TooManyTriangles before more than `max_voxels` or
    `max_triangles` are made.
    """
    progress(0.0, "finding what is inside")
    smooth = smooth and not exact
    inside = find_inside(volume, labels, threshold, upper)
    progress(0.1, "filling the grid")
    plan, field = _field(volume, inside, plan_of(volume, inside, resolution, exact=exact), max_voxels)
    mesh, topology = _surface(volume, field, inside, smooth, max_triangles, progress)
    if inside.level is None:
        target = _placed_volume(volume, inside)
        measures = area_and_volume(mesh)
        while measures[1] < (1 - LOST_BY_SURFACE) * target and _may_divide(plan, inside, max_voxels):
            plan = plan.finer()
            field = field_of(volume, inside, plan, max_voxels=max_voxels)
            mesh, topology = _surface(volume, field, inside, smooth, max_triangles, progress)
            measures = area_and_volume(mesh)
        if len(mesh.triangles):
            mesh = with_volume(mesh, target, measures, min(field.voxel) * LONGEST_STEP)
    elif fit_volume:
        target, measures = _placed_volume(volume, inside), area_and_volume(mesh)
        if abs(measures[1] - target) > LOST_BETWEEN_VOXELS * target:
            return surface_from_volume(
                _mask_of(volume, inside),
                labels=(1,),
                resolution=resolution,
                smooth=smooth,
                max_voxels=max_voxels,
                max_triangles=max_triangles,
                progress=progress,
            )
        mesh = with_volume(mesh, target, measures, min(field.voxel) * LONGEST_STEP)
    if not len(mesh.triangles):
        raise InvalidInput("What is inside the volume is too thin for the grid: a higher resolution makes a finer one")
    progress(0.9, "checking the surface")
    measures = area_and_volume(mesh)
    notes = _notes(volume, inside, measures[1], exact=exact)
    return Surface(mesh, report_of(mesh, field.voxel, notes, topology, measures=measures))


def keeps_its_volume(
    part: Volume,
    whole: Volume,
    resolution: int,
    *,
    hole: bool,
    smooth: bool = True,
    max_voxels: int = MAX_VOXELS,
    max_triangles: int = MAX_TRIANGLES,
) -> bool:
    """Whether a mask of 0 and 1 is as large in the cells of the `whole` that it is a hole or else a branch of.

    A thin one is not, and the volume of the whole does not tell; cells of several voxels lose holes of any kind.
    """
    inside = find_inside(part, (1,), None, None)
    plan = plan_of(whole, find_inside(whole, (1,), None, None), resolution)
    if hole and plan.coarser_than_voxels():
        return False
    field = field_of(part, inside, plan, max_voxels=max_voxels)
    mesh, _ = _surface(part, field, inside, smooth, max_triangles, no_progress)
    return area_and_volume(mesh)[1] >= (1 - LOST_IN_HOLES) * _placed_volume(part, inside)


def _notes(volume: Volume, inside: Inside, enclosed: float, *, exact: bool) -> list[Note]:
    """What was guessed of a volume, and whether the surface encloses (mm³) something else than its voxels."""
    notes = [Note(Rank.GUESSED, "", text) for text in (*volume.warnings, *inside.warnings)]
    if inside.level is not None and not exact:
        return notes
    target = _placed_volume(volume, inside)
    if abs(enclosed - target) > VOLUME_TOLERANCE * target:
        text = (
            f"the surface encloses {enclosed / 1000:.4g} mL, its voxels {target / 1000:.4g} mL"
            f" ({100 * (enclosed / target - 1):+.1f} %)"
        )
        if exact:
            notes.append(Note(Rank.GUESSED, "", f"{text}: between the voxels the values were interpolated"))
        else:
            notes.append(Note(Rank.CHANGED_SHAPE, "", text))
    return notes


def _mask_of(volume: Volume, inside: Inside) -> Volume:
    """1 where a grey volume is inside, else 0."""
    mask = np.zeros(volume.stored.shape[::-1], np.uint8)
    for box in blocks(mask.shape):
        mask[box] = inside.test(values(volume, box))
    warnings = (*volume.warnings, *inside.warnings)
    return replace(volume, stored=mask.T, slope=1.0, intercept=0.0, labels=True, warnings=warnings)


def _volume_of(volume: Volume, inside: Inside) -> float:
    """That of the voxels inside in mm³, as if planes were even."""
    return inside.voxels * volume.voxel_volume


def volume_of_mask(mask: Volume) -> float:
    """That of the voxels that are 1, in mm³."""
    return _placed_volume(mask, find_inside(mask, (1,), None, None))


def _placed_volume(volume: Volume, inside: Inside) -> float:
    """That of the voxels inside in mm³, each plane as thick as it is."""
    if volume.planes is None:
        return _volume_of(volume, inside)
    counts = (
        np.count_nonzero(inside.test(values(volume, (slice(k, k + 1), *inside.box[1:])))) for k in _planes(inside)
    )
    thickness = volume.thickness()[inside.box[0]]
    return float(np.dot(np.fromiter(counts, np.float64), thickness)) * volume.voxel_volume


def _planes(inside: Inside) -> range:
    return range(inside.box[0].start, inside.box[0].stop)


def _field(volume: Volume, inside: Inside, plan: Plan, max_voxels: int) -> tuple[Plan, Field]:
    """The field of `plan`, or of a finer one if its cells lose thin structures."""
    field = field_of(volume, inside, plan, max_voxels=max_voxels)
    true, loss = _volume_of(volume, inside), LOST_IN_CELLS if inside.level is None else LOST_IN_GREY
    while plan.coarser_than_voxels() and abs(field.volume() - true) > loss * true:
        if plan.finer().cells(inside.box) > max_voxels and field.volume() > 0:
            break
        plan = plan.finer()
        field = field_of(volume, inside, plan, max_voxels=max_voxels)
    if max(plan.between) > 1 and abs(field.volume() - true) > LOST_BETWEEN * true:
        plan = replace(plan, between=(1, 1, 1))
        field = field_of(volume, inside, plan, max_voxels=max_voxels)
    return plan, field


def _may_divide(plan: Plan, inside: Inside, max_voxels: int) -> bool:
    return plan.divided < MOST_DIVIDED and plan.finer().cells(inside.box) <= min(FEW_CELLS, max_voxels)


def _surface(
    volume: Volume, field: Field, inside: Inside, smooth: bool, max_triangles: int, progress: Progress
) -> tuple[Mesh, Topology | None]:
    progress(0.5, "finding the surface")
    _check_triangles(_crossings(field, max_triangles) * 2, max_triangles)
    between_slices = inside.level is None and field.cells.dtype == np.float32
    cells = off_the_outline(field.cells) if between_slices and not smooth else field.cells
    points, triangles = isosurface(cells, field.level)
    _check_triangles(len(triangles), max_triangles)
    topology = None
    if smooth:
        progress(0.6, "smoothing the surface")
    if smooth and inside.level is None and len(triangles):
        if not field.divided and len(triangles) >= SIMPLIFIED_FROM:
            points, triangles, topology = simplified(points, triangles, field.cells.shape, pairs=False)
        points = smoothed(points, triangles, iterations=ITERATIONS, pass_band=PASS_BAND)
    placed = _placed(points, volume, field)
    mirrored = bool(np.linalg.det(field.affine[:3, :3]) < 0)
    return smooth_and_orient(placed, triangles, smooth=smooth and inside.level is not None, mirrored=mirrored), topology


def _placed(points: np.ndarray, volume: Volume, field: Field) -> np.ndarray:
    """LPS mm `(n, 3) float64` of points in indices of the field's cells."""
    if volume.planes is None:
        return _transformed(points, field.affine)
    index = _transformed(points, np.linalg.inv(volume.affine) @ field.affine)
    index[:, 2] = volume.plane_index(index[:, 2])
    return _transformed(index, volume.affine)


def _transformed(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Not by a product of matrices: BLAS gives other last bits with another number of threads."""
    moved: np.ndarray = np.einsum("nj,ij->ni", points.astype(np.float64), affine[:3, :3]) + affine[:3, 3]
    return moved


def _crossings(field: Field, max_triangles: int) -> int:
    """How many edges of the grid the surface crosses: so many vertices it has, and about twice as many triangles.

    Noise around the threshold of a grey volume makes several of each voxel, more than there is memory for. Not counted
    (0) where all cells together cannot make `max_triangles`.
    """
    if field.cells.size * MOST_TRIANGLES_A_CELL <= max_triangles:
        return 0
    count = 0
    above: np.ndarray | None = None
    for layer in field.cells:
        before, above = above, layer > field.level
        count += int(np.count_nonzero(above[1:] != above[:-1]) + np.count_nonzero(above[:, 1:] != above[:, :-1]))
        count += int(np.count_nonzero(above != before)) if before is not None else 0
    return count


def _check_triangles(count: int, max_triangles: int) -> None:
    if count > max_triangles:
        raise TooManyTriangles(count, max_triangles)
