"""Contours of the chosen ROIs -> their surface: the whole way, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.contours.bodies import bodies_of, box_of, settled
from orthanc_stl.mesh.contours.check import Expected, expected_of
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.frame import Frame
from orthanc_stl.mesh.contours.grid import HELD, MAX_TRIANGLES, MAX_VOXELS, Grid, Limits, grid_of, held_by
from orthanc_stl.mesh.contours.holes_off_plane import CUTS_OUT_NOTHING, with_holes_on_planes
from orthanc_stl.mesh.contours.limits import (
    require_few_by_first_points,
    require_few_in_a_plane,
    require_few_of_a_roi,
    require_few_planes,
)
from orthanc_stl.mesh.contours.parts import Chain, Usual, chains_of
from orthanc_stl.mesh.contours.planes import RoiOutlines, Stack, stacks_of, steps_between
from orthanc_stl.mesh.contours.regions import regions_of
from orthanc_stl.mesh.contours.second_count import check_plan
from orthanc_stl.mesh.contours.slices import Suggested, suggested
from orthanc_stl.mesh.contours.split_slices import with_slices_whole
from orthanc_stl.mesh.contours.steps import usual_step
from orthanc_stl.mesh.contours.torn import compare_topology, without_strays
from orthanc_stl.mesh.contours.union import require_room, united_volume
from orthanc_stl.mesh.crossings import without_new_crossings
from orthanc_stl.mesh.errors import TooManyTriangles
from orthanc_stl.mesh.progress import Progress, no_progress
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.simplify import simplified
from orthanc_stl.mesh.surface import isosurface, smooth_and_orient
from orthanc_stl.mesh.topology import Topology
from orthanc_stl.mesh.types import Mesh, Rank, Surface

ELONGATED = 1.5
"""Voxels longer than this many sides along the normal have vertices to spare on surfaces across the normal."""


def surface_from_contours(
    rois: Sequence[RoiContours],
    *,
    surroundings: Sequence[np.ndarray] = (),
    resolution: int = 256,
    smooth: bool = True,
    end_caps: bool = True,
    max_voxels: int = MAX_VOXELS,
    max_triangles: int = MAX_TRIANGLES,
    progress: Progress = no_progress,
) -> Surface:
    """The closed surface of the union of `rois`, in LPS mm, with outward normals.

    `surroundings`: for each of the structure set's other ROIs `(contours, points, 3) float64`, a few points of each
    closed contour: enough to span it (for the Resolution rule) and in its plane (for the thickness of a single slice).
    Raises InvalidInput if no contour encloses anything, TooManyVoxels and TooManyTriangles before more than
    `max_voxels` voxels or `max_triangles` triangles are made.
    """
    progress(0.0, "finding the planes")
    findings = Findings()
    context_points = np.concatenate([np.zeros((0, 3)), *(contours.reshape(-1, 3) for contours in surroundings)])
    limits = Limits(max_voxels, max_triangles)
    require_few_by_first_points(rois)
    require_few_of_a_roi(rois)
    stacks = stacks_of(rois, findings)
    if len(stacks) == 1:
        require_few_planes(stacks[0], context_points, resolution, limits)
    plans = _plans(stacks, surroundings, end_caps, smooth, findings)
    _doubt_units(plans, context_points, findings)
    if not plans:
        reasons = [note.text for note in findings.notes()]
        raise InvalidInput("; ".join(reasons[::-1]) or "there is no contour to make a surface of")
    grids = _grids(plans, context_points, resolution, limits)
    _doubt_voxels(plans, grids, findings)
    mesh, topology = _mesh_of(grids, smooth, max_triangles, findings, progress)
    if not len(mesh.triangles):
        raise InvalidInput("the contours enclose less than one voxel: a higher resolution may show them")
    progress(0.8, "checking the surface")
    expected = _expected(plans)
    bodies = bodies_of(plans[0].chains, plans[0].frame, grids[0][0].side, smooth)
    wanted = suggested(plans[0].chains) if len(plans) == 1 else None
    name = rois[0].name if len(rois) == 1 else ""
    pieces = 0
    if wanted:
        mesh, topology, pieces = without_strays(mesh, topology, wanted, float(np.prod(grids[0][0].voxel)))
    mesh, measures, lost = settled(mesh, bodies, findings, len(plans) > 1)
    if wanted:
        found = Suggested(pieces, topology.euler_number)
        if wanted != Suggested(pieces + lost, topology.euler_number + BALL * lost):  # what is lost is told of
            compare_topology(name, found, wanted, plans[0].chains, grids[0][0].side, findings)
    _compare(expected, measures[1], name, findings)
    voxel = grids[0][0].voxel
    return Surface(mesh, report_of(mesh, voxel, findings.notes(), topology, expected.volume, measures))


BALL = 2
"""The Euler number of the surface of one body without holes and cavities."""

SLOPES = ": it slopes from slice to slice where their size jumps, and a step is as likely"
"""How the sentence on a volume ends that is right if the body tapers."""

NOT_HELD = 0.9
"""A fraction of a voxel: what asks for finer ones than this, and does not get them, is told of."""

IN_METRES = (2.0, 0.01)
"""In mm: a file no larger than the first, in slices no farther apart than the second, is a patient in metres."""


@dataclass(frozen=True)
class _Plan:
    """What is drawn in one orientation."""

    frame: Frame
    chains: tuple[Chain, ...]


def _plans(
    stacks: Sequence[Stack], others: Sequence[np.ndarray], end_caps: bool, smooth: bool, findings: Findings
) -> list[_Plan]:
    plans = []
    for found in stacks:
        for roi in found.rois:
            require_few_in_a_plane(roi)
        whole = [with_slices_whole(roi, findings) for roi in found.rois]
        stack = replace(found, rois=tuple(with_holes_on_planes(roi, findings) for roi in whole))
        chains: list[Chain] = []
        for roi in stack.rois:
            usual = Usual(_usual(stack, roi, others), end_caps)
            regions = regions_of(roi, smooth, findings)
            own = chains_of(roi, regions, usual, findings)
            check_plan(roi.name, regions, own, usual, findings)
            chains += own
        if chains:
            plans.append(_Plan(stack.frame, tuple(chains)))
    return plans


def _doubt_units(plans: Sequence[_Plan], context_points: np.ndarray, findings: Findings) -> None:
    for plan in plans:
        nearby = plan.frame.from_patient(context_points)[:, :2]
        regions = [region for chain in plan.chains for layer in chain.layers for region in layer.regions]
        corners = np.array([corner for region in regions for corner in (region.low, region.high)])
        extent = float(np.ptp(np.concatenate([corners, nearby]), axis=0).max())
        step = float(np.median([region.step for region in regions]))
        if extent <= IN_METRES[0] and step <= IN_METRES[1]:
            text = (
                f"is in slices {step:.3g} mm apart, and all is {extent:.3g} mm wide: its coordinates seem to be metres"
            )
            findings.roi(Rank.GUESSED, plan.chains[0].roi.name, text)


def _doubt_voxels(plans: Sequence[_Plan], grids: Sequence[tuple[Grid, Frame]], findings: Findings) -> None:
    """Tells of what is too narrow for the voxels, where the limits allowed no finer ones."""
    for plan, (grid, _) in zip(plans, grids, strict=True):
        for roi in {chain.roi.number: chain.roi for chain in plan.chains}.values():
            held = held_by([chain for chain in plan.chains if chain.roi is roi])
            if held < NOT_HELD * grid.side:
                text = (
                    f"has walls or vessels {HELD * held:.3g} mm thick in voxels of {grid.side:.3g} mm, the finest that"
                    " there is room for: they may be torn or lost"
                )
                findings.roi(Rank.CHANGED_SHAPE, roi.name, text)


def _usual(stack: Stack, roi: RoiOutlines, others: Sequence[np.ndarray]) -> float | None:
    """The usual distance between slices of a ROI (mm): its own, else of the chosen ROIs, else of each of the others,
    else of these together."""
    steps = _steps([roi]) or _steps(stack.rois)
    steps = steps or [step for contours in others for step in steps_between(stack.frame, list(contours))]
    steps = steps or steps_between(stack.frame, [points for contours in others for points in contours])
    return usual_step(steps)


def _steps(rois: Sequence[RoiOutlines]) -> list[float]:
    return [outline.step for roi in rois for outline in roi.outlines if np.isfinite(outline.step)]


def _grids(
    plans: Sequence[_Plan], context_points: np.ndarray, resolution: int, limits: Limits
) -> list[tuple[Grid, Frame]]:
    grids: list[tuple[Grid, Frame]] = []
    for plan in reversed(plans):  # the first one's grid has to hold what the others make
        corners = [plan.frame.from_patient(frame.to_patient(grid.corners())) for grid, frame in grids]
        extra_points = np.concatenate(corners) if corners and plan is plans[0] else None
        nearby = plan.frame.from_patient(context_points)
        grids.insert(0, (grid_of(plan.chains, nearby, resolution, limits, extra_points), plan.frame))
    require_room(grids, limits.voxels)
    return grids


def _expected(plans: Sequence[_Plan]) -> Expected:
    """Of bodies of several orientations: between that of the largest and of all of them, if they may overlap."""
    each = [expected_of(plan.chains) for plan in plans]
    if _are_apart(plans):
        return Expected(sum(one.volume for one in each), sum(one.open for one in each), sum(one.jumps for one in each))
    total, largest = sum(one.volume for one in each), max(one.volume for one in each)
    return Expected((total + largest) / 2, sum(one.open for one in each) + (total - largest) / 2)


def _are_apart(plans: Sequence[_Plan]) -> bool:
    """Whether the boxes of the orientations, along the patient's axes, do not overlap."""
    boxes = []
    for plan in plans:
        low, high = box_of(plan.chains)
        ends = np.array([low, high])
        corners = np.array([[ends[i][0], ends[j][1], ends[k][2]] for i, j, k in np.ndindex(2, 2, 2)])
        points = plan.frame.to_patient(corners)
        boxes.append((points.min(axis=0), points.max(axis=0)))
    return all(bool((one[0] > other[1]).any() or (other[0] > one[1]).any()) for one, other in combinations(boxes, 2))


def _compare(expected: Expected, found: float, name: str, findings: Findings) -> None:
    if not expected.slopes_at_jumps(found):
        return
    change = 100 * (found / expected.volume - 1) if expected.volume else 0.0
    of = f'of ROI "{name}"' if name else "of the ROIs"
    text = (
        f"the surface {of} encloses {found / 1000:.4g} mL, its contours {expected.volume / 1000:.4g} mL"
        f" ({change:+.1f} %)"
    )
    if expected.differs(found):
        findings.sentence(Rank.CHANGED_SHAPE, name, text)
    elif not findings.tells(name, CUTS_OUT_NOTHING):
        findings.sentence(Rank.GUESSED, name, text + SLOPES)


def _mesh_of(
    grids: Sequence[tuple[Grid, Frame]], smooth: bool, max_triangles: int, findings: Findings, progress: Progress
) -> tuple[Mesh, Topology]:
    grid, frame = grids[0]
    volume = united_volume(grids, smooth, progress)
    progress(0.5, "finding the surface")
    points, triangles = isosurface(volume)
    progress(0.6, "merging vertices")
    elongated = grid.voxel[2] >= ELONGATED * grid.side
    points, triangles, topology = simplified(points, triangles, volume.shape, elongated)
    if len(triangles) > max_triangles:
        raise TooManyTriangles(len(triangles), max_triangles)
    progress(0.7, "smoothing the surface" if smooth else "placing the surface")
    placed = frame.to_patient(grid.placed(points))
    mesh = smooth_and_orient(placed, triangles, smooth=smooth)
    if smooth and topology.euler_number != BALL:  # sheets that face each other: several bodies, holes, cavities
        plain = smooth_and_orient(placed, triangles, smooth=False)
        mesh = without_new_crossings(plain, mesh)
        if mesh is plain:
            text = "the surface is not smoothed: too many parts of it lie so near each other that they would cross"
            findings.sentence(Rank.CHANGED_SHAPE, "", text)
    return mesh, topology
