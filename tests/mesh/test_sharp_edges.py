"""Margins of solids with edges and corners at any rotation, from coarse voxels: sharp where the true body is sharp."""

from __future__ import annotations

from dataclasses import astuple

import manifold3d
import numpy as np
import pytest
from scipy.spatial import ConvexHull, HalfspaceIntersection
from scipy.spatial.transform import Rotation

import orthanc_stl as stl
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.sampling import sampled
from orthanc_stl.mesh.solids.booleans import mesh_of, subtracted
from orthanc_stl.mesh.solids.corners import with_corners
from orthanc_stl.mesh.solids.field import SignedDistance, field_of, grid_around, mesh_of_field
from orthanc_stl.mesh.solids.grid_margin import moved_in_grid
from orthanc_stl.mesh.solids.margin import Margins, with_margin
from orthanc_stl.mesh.solids.sharp_edges import with_sharp_edges
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from testing.data import shared_file
from tests.mesh.reached import WAYS, beyond
from tests.mesh.shapes import OBLIQUE, ORIGIN, box, moved, rod

ROTATIONS = [Rotation.identity(), OBLIQUE, Rotation.from_euler("xyz", [10, 20, 30], degrees=True)]
CONE = mesh_of(manifold3d.Manifold.cylinder(30, 15, 5, 128, True), ORIGIN)
SOLIDS = {
    "box": (box(20, 30, 40), 1.0, 0.1),
    "plate": (box(40, 30, 6), 1.0, 0.1),
    "cylinder": (rod(12, 30), 0.4, 0.1),
    "cone": (CONE, 0.4, 0.15),
}
"""The voxel in mm, and how far the result may be off."""

EACH = [
    pytest.param(solid, rotation, marks=() if solid == "box" and rotation is OBLIQUE else pytest.mark.slow)
    for solid in SOLIDS
    for rotation in ROTATIONS[1 : 3 if solid == "box" else 2]
]


def reach_of_margins(ways: np.ndarray, own: Margins) -> np.ndarray:
    """How far a plane with the normals `ways` moves by these margins: |R n|."""
    half_axes = np.abs(np.array(astuple(own))).reshape(3, 2)
    return np.asarray(np.linalg.norm(np.where(ways < 0, *half_axes.T) * ways, axis=1))


def true_reach(mesh: Mesh, own: Margins) -> np.ndarray:
    """How far the true body reaches in each of WAYS: two convex bodies are as far from each other as these differ."""
    points = mesh.vertices.astype(float)
    if own.x_minus > 0:
        return np.asarray((points @ WAYS.T).max(axis=0) + reach_of_margins(WAYS, own))
    planes = np.unique(ConvexHull(points).equations.round(5), axis=0)
    planes[:, 3] += reach_of_margins(planes[:, :3], own)
    middle = points.mean(axis=0)
    sides = points[mesh.triangles] - middle
    middle += np.average(sides.sum(axis=1) / 4, axis=0, weights=np.linalg.det(sides))
    corners = HalfspaceIntersection(planes, middle).intersections
    return np.asarray((corners @ WAYS.T).max(axis=0))


def distance_to_truth(mesh: Mesh, own: Margins, spacing: float) -> float:
    """The Hausdorff distance in mm of what a grid makes; and the result is one sound body."""
    margins = np.array(astuple(own)).reshape(3, 2)
    found = moved_in_grid(mesh, np.abs(margins), 1 if margins.max() > 0 else -1, spacing)
    report = report_of(found)
    assert (report.closed, report.euler_number, len(crossing_triangles(found))) == (True, 2, 0)
    return float(np.abs((found.vertices.astype(float) @ WAYS.T).max(axis=0) - true_reach(mesh, own)).max())


@pytest.mark.parametrize(("solid", "rotation"), EACH)
def test_equal_margins_of_solids_are_exact(solid: str, rotation: Rotation) -> None:
    mesh, spacing, most = SOLIDS[solid]
    for mm in (3.0, -2.0):
        assert distance_to_truth(moved(mesh, rotation), Margins(*[mm] * 6), spacing) < most


@pytest.mark.slow
def test_unequal_margins_of_a_box_grow_it_to_its_edges() -> None:
    body = moved(box(20, 30, 40))
    for own in (Margins(2, 4, 3, 6, 8, 3), Margins(10, 1, 10, 1, 10, 1)):
        assert distance_to_truth(body, own, 0.7) < 0.15


SHRINKING = [Margins(-2, -4, -3, -6, -8, -3), Margins(-0.5, -1, -0.7, -1.2, -0.3, -1), Margins(x_plus=-5)]


@pytest.mark.parametrize("own", SHRINKING, ids=["unequal", "small", "one direction"])
def test_unequal_margins_shrink_a_box_to_its_corners(own: Margins) -> None:
    """Also margins smaller than a voxel, or of 0 in some directions."""
    assert distance_to_truth(moved(box(20, 30, 40)), own, 0.7) < 0.1


@pytest.mark.slow
def test_a_sharp_tip_leaves_no_specks() -> None:
    """A cone shrunk by 3 mm is a smaller one of the same shape, whose tip is lost by what a voxel cannot hold."""
    cone = mesh_of(manifold3d.Manifold.cylinder(30, 15, 0, 128, True), ORIGIN)
    for rotation in Rotation.random(2, random_state=1):
        body = moved(cone, rotation)
        assert distance_to_truth(body, Margins(*[-3.0] * 6), 0.4) < 0.4


def test_smaller_bodies_than_a_voxel_are_left_out_of_a_surface_from_a_grid() -> None:
    both = together(
        [box(20, 20, 20), Mesh(box(0.2, 0.2, 0.2).vertices + np.array((30, 0, 0), np.float32), box(1, 1, 1).triangles)]
    )
    assert report_of(moved_in_grid(both, np.full((3, 2), 0.05), 1, 0.8)).euler_number == 2
    assert report_of(moved_in_grid(both, np.full((3, 2), 1.0), 1, 0.8)).euler_number == 4


def test_a_piece_that_is_off_as_a_whole_is_no_corner() -> None:
    """It has no rim; found by random operations on organs."""
    both = together([box(20, 20, 20), box(0.5, 0.5, 0.5, (30, 0, 0))])
    kept = with_corners(both, np.arange(24) >= 12, lambda points: np.full(len(points), 0.5), 0.5)
    assert kept is both


@pytest.mark.parametrize("x", [1, -1])
def test_edges_are_not_put_back_through_what_lies_close_to_them(x: int) -> None:
    """A needle where an edge of a bar was cut off: away from it the edge is put back."""
    bar = box(8, 6, 40)
    grid, known = grid_around(bar, 0.4, 0.13), SignedDistance(bar)
    rough = mesh_of_field(field_of(grid, known), grid)
    turn = Rotation.from_euler("z", -45 * x, degrees=True)
    needle = moved(box(6, 0.04, 0.04), turn, (3.97 * x, 2.97, 0.13))
    both, beside = together([rough, needle]), SurfaceDistance(needle)
    found = with_sharp_edges(both, lambda at: np.minimum(known.of(at), beside.signed(at)), 0.4)
    assert len(crossing_triangles(both)) == len(crossing_triangles(found)) == 0
    assert report_of(found).volume == pytest.approx(1920, abs=0.1)


@pytest.mark.parametrize("rotation", ROTATIONS[1:])
def test_corners_where_edges_in_and_out_meet_are_put_back(rotation: Rotation) -> None:
    """Of a box without one of its corners: with its edges alone, 0.19 and 0.11 mm are off in voxels of 0.5."""
    body = moved(subtracted(box(10, 10, 10), [box(5, 5, 5, (5, 5, 5))]), rotation, (0, 0, 0))
    grid, known = grid_around(body, 0.5, 0.13), SignedDistance(body)
    found = with_sharp_edges(mesh_of_field(field_of(grid, known), grid), known.of, 0.5)
    assert SurfaceDistance(found).unsigned(body.vertices).max() < 0.09
    assert len(crossing_triangles(found)) == 0


def test_of_edges_that_are_cut_off_alike_as_many_are_put_back_as_may_be() -> None:
    """Along the axes hundreds of triangles cut off exactly as much: when more than `most` did, none of these was."""
    bar = box(8, 6, 40)
    grid, known = grid_around(bar, 0.4, 0.13), SignedDistance(bar)
    rough = mesh_of_field(field_of(grid, known), grid)
    found = [with_sharp_edges(rough, known.of, 0.4, most=most) for most in (50, 200, None)]
    missing = [1920 - report_of(mesh).volume for mesh in (rough, *found)]
    assert missing[0] > 10
    assert missing[1] < 0.95 * missing[0]
    assert missing[2] < 0.75 * missing[0]
    assert abs(missing[3]) < 0.01


@pytest.mark.slow
def test_a_few_places_where_edges_would_cross_do_not_spoil_the_others() -> None:
    """Of an organ with the steps of its slices, grown by 1 mm: with no edge put back, one in a hundred triangles is
    0.16 mm or more off."""
    structures = stl.read(shared_file("rtstruct/pinnacle96-prostate/rtss.dcm"))
    organ = structures.mesh(14, resolution=32, keep_largest=True, tolerance=0).parts[0].mesh
    found = with_margin(organ, 1.0, spacing=0.8).mesh
    middles = found.vertices[found.triangles].mean(axis=1).astype(float)
    off = np.abs(SurfaceDistance(organ).signed(middles) - 1)
    assert np.quantile(off, 0.99) < 0.1
    assert off.max() < 0.4
    assert len(crossing_triangles(found)) == 0


def test_unequal_margins_of_an_organ_are_exact_at_its_edges() -> None:
    """Of 10 mm beside 1 mm: a rectum with the steps of its slices has thousands of vertices next to edges. When these
    were too many to be put back, one in a hundred triangles was 0.13 mm off."""
    structures = stl.read(shared_file("rtstruct/pinnacle96-prostate/rtss.dcm"))
    organ = structures.mesh("Rectum", resolution=64, tolerance=0).parts[0].mesh
    half_axes = np.array([[10.0, 1.0]] * 3)
    found = with_margin(organ, Margins(*half_axes.ravel())).mesh
    report = report_of(found)
    assert (report.closed, report.euler_number, len(crossing_triangles(found))) == (True, 2, 0)
    middles = found.vertices[found.triangles].mean(axis=1).astype(float)
    some = middles[np.random.default_rng(0).integers(0, len(middles), 400)]
    assert np.quantile(np.abs(beyond(some, organ, half_axes, 1)), 0.99) < 0.1
    reached = sampled(organ, 3000) + (np.where(WAYS < 0, *half_axes.T) * WAYS)
    assert SurfaceDistance(found).signed(reached).max() < 0.15
