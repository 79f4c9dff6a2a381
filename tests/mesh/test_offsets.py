"""Shells, drains and margins of solids, against the surfaces that they must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids import grid_margin
from orthanc_stl.mesh.solids import margin as margins
from orthanc_stl.mesh.solids import shell as shells
from orthanc_stl.mesh.solids.booleans import subtracted, united
from orthanc_stl.mesh.solids.field import spacing_for, surface_at
from orthanc_stl.mesh.solids.margin import Margins, with_margin
from orthanc_stl.mesh.triangles import chosen_part
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import OBLIQUE, box, doughnut, moved, shell, sphere

UPRIGHT = Rotation.identity()


@pytest.mark.slow
@pytest.mark.parametrize("rotation", [UPRIGHT, OBLIQUE], ids=["upright", "oblique"])
def test_two_mm_in_a_ball_of_20(rotation: Rotation) -> None:
    found = shells.shell(moved(sphere(20), rotation), 2.0)
    report = report_of(found.mesh)
    assert report.closed
    assert report.euler_number == 4
    assert report.volume == pytest.approx(9080, rel=0.002)
    assert found.hollow == pytest.approx(4 / 3 * np.pi * 18**3, rel=0.001)


@pytest.mark.slow
def test_two_mm_around_a_ball_of_20() -> None:
    found = shells.shell(moved(sphere(20)), 2.0, outwards=True)
    assert report_of(found.mesh).volume == pytest.approx(4 / 3 * np.pi * (22**3 - 20**3), rel=0.003)
    assert found.hollow == pytest.approx(4 / 3 * np.pi * 20**3, rel=1e-4)


@pytest.mark.slow
def test_the_wall_is_even_at_the_edges_of_a_box() -> None:
    """Its hollow is the box that is 3 mm smaller on each side, with its edges and corners."""
    found = shells.shell(moved(box(20, 30, 40)), 3.0)
    inner = moved(box(14, 24, 34))
    assert found.hollow == pytest.approx(14 * 24 * 34, rel=0.002)
    hollow = chosen_part(found.mesh, np.arange(len(found.mesh.triangles)) >= 12)
    assert SurfaceDistance(inner).unsigned(hollow.vertices).max() < 0.02
    assert SurfaceDistance(hollow).unsigned(inner.vertices).max() < 0.02


@pytest.mark.slow
def test_bodies_with_cavities_and_too_thin_ones() -> None:
    hollow = shells.shell(moved(shell(20, 8)), 2.0)
    assert hollow.hollow == pytest.approx(4 / 3 * np.pi * (18**3 - 10**3), rel=0.01)
    assert report_of(hollow.mesh).euler_number == 8
    solid = shells.shell(moved(box(3, 30, 30)), 2.0)
    assert solid.hollow == 0
    assert len(solid.mesh.triangles) == 12


@pytest.mark.parametrize("outwards", [False, True])
def test_a_wall_much_thinner_than_a_voxel_is_refused_where_its_sides_would_cross(outwards: bool) -> None:
    """With one of 0.1 mm in voxels of 0.3 mm some 50 and 700 pairs of triangles crossed, without a word."""
    bars = moved(united([box(8, 12, 16), box(16, 4, 4, (4, 0, 0))]))
    with pytest.raises(InvalidInput, match=r"a wall of 0\.1 mm, whose sides would cross in voxels of 0\.3 mm"):
        shells.shell(bars, 0.1, outwards=outwards, spacing=0.3)
    found = shells.shell(bars, 0.3, outwards=outwards, spacing=0.3)
    assert len(crossing_triangles(found.mesh)) == 0
    assert found.hollow > 0


def test_voxels_are_no_larger_than_a_wall_unless_it_is_very_thin() -> None:
    plate = box(60, 60, 3)
    plain = spacing_for(plate)
    for wall, voxel in ((1.0, plain), (0.8 * plain, 0.8 * plain), (0.01, plain / 1.25)):
        assert spacing_for(plate, -wall, wall) == pytest.approx(voxel)


@pytest.mark.slow
def test_drains() -> None:
    ball = moved(sphere(20))
    hollow = shells.shell(ball, 2.0).mesh
    lowest = shells.lowest_point(ball)
    assert lowest[2] == pytest.approx(300.7 - 20, abs=0.05)
    found = shells.drained(hollow, [lowest], 4.0, 2.0)
    report = report_of(found.mesh)
    assert (found.opened, len(pieces_of(found.mesh))) == (1, 1)
    assert report.closed
    assert report.euler_number == 2
    assert report.volume == pytest.approx(9080 - np.pi * 4 * 2, abs=2)
    two = shells.drained(hollow, [lowest, lowest + np.array([0, 0, 40])], 4.0, 2.0)
    assert (report_of(two.mesh).euler_number, two.opened, two.closed, two.blind) == (0, 1, 0, 0)
    with pytest.raises(InvalidInput, match="mm from the surface"):
        shells.drained(hollow, [lowest - np.array([0, 0, 30])], 4.0, 2.0)


@pytest.mark.parametrize("thick", [5, 8, 30])
def test_a_wide_hole_leaves_the_wall_on_the_other_side(thick: float) -> None:
    """A hollow box with walls of 2 mm: a hole of 10 mm went 5 mm on, into the other wall or through it."""
    hollow = moved(subtracted(box(30, 30, thick), [box(26, 26, thick - 4)]))
    at = moved(box(0.1, 0.1, 0.1, (0, 0, thick / 2))).vertices.mean(axis=0)
    found = shells.drained(hollow, [at], 10.0, 2.0)
    report = report_of(found.mesh)
    assert (report.closed, report.euler_number, found.opened) == (True, 2, 1)
    round_ = 32 * np.sin(2 * np.pi / 64)
    assert report_of(hollow).volume - report.volume == pytest.approx(round_ * 25 * 2, rel=1e-3)


def test_holes_that_take_the_whole_body_away_are_refused() -> None:
    """A plate had both its sides in the hole, whose normals add up to nothing."""
    hollow = subtracted(box(6, 6, 3), [box(5, 5, 2)])
    for body, place in ((box(6, 6, 1), (0, 0, 0.5)), (hollow, (0, 0, 1.5))):
        with pytest.raises(InvalidInput, match="take the whole body away"):
            shells.drained(body, [place], 9.0, 1.0)


@pytest.mark.parametrize("distance", [-6.0, -2.0, 0.0, 2.0, 5.0])
@pytest.mark.slow
def test_even_margins_of_a_ball_and_a_torus(distance: float) -> None:
    found = with_margin(moved(sphere(20)), distance).mesh
    away = np.linalg.norm(found.vertices - np.array([150.2, -90.1, 300.7]), axis=1) - 20 - distance
    assert np.abs(away).max() < 0.1
    assert report_of(found).volume == pytest.approx(4 / 3 * np.pi * (20 + distance) ** 3, rel=0.003)
    ring = report_of(with_margin(moved(doughnut(25, 8)), distance).mesh)
    assert ring.closed
    assert ring.euler_number == 0
    assert ring.volume == pytest.approx(2 * np.pi**2 * 25 * (8 + distance) ** 2, rel=0.015)


@pytest.mark.slow
def test_a_box_grown_has_round_edges_and_shrunk_sharp_ones() -> None:
    grown = report_of(with_margin(moved(box(20, 30, 40)), 4.0).mesh)
    sides = 2 * (20 * 30 + 20 * 40 + 30 * 40)
    true = 24000 + sides * 4 + np.pi * 16 / 4 * 4 * 90 + 4 / 3 * np.pi * 64
    assert grown.volume == pytest.approx(true, rel=0.002)
    assert report_of(with_margin(moved(box(20, 30, 40)), -4.0).mesh).volume == pytest.approx(12 * 22 * 32, rel=0.002)
    assert len(with_margin(box(6, 30, 40), -4.0).mesh.triangles) == 0


def extents(mesh: Mesh, of: Mesh) -> np.ndarray:
    """By how much the box of `mesh` exceeds that of `of`: (3, 2)."""
    low, high = of.vertices.min(axis=0) - mesh.vertices.min(axis=0), mesh.vertices.max(axis=0) - of.vertices.max(axis=0)
    return np.stack((low, high), axis=1)


@pytest.mark.slow
def test_a_margin_for_each_direction_is_that_of_eight_ellipsoids() -> None:
    """In the direction u a convex body grows by |R u|, R being the half-axes of the eighth that u points into."""
    ball, own = sphere(20), Margins(2, 4, 3, 6, 8, 3)
    found = with_margin(ball, own).mesh
    assert report_of(found).closed
    assert extents(found, ball) == pytest.approx(np.array([[2, 4], [3, 6], [8, 3]]), abs=0.1)
    way = np.random.default_rng(0).normal(size=(1000, 3))
    way /= np.linalg.norm(way, axis=1)[:, None]
    half_axes = np.where(way < 0, [2, 3, 8], [4, 6, 3])
    reach = (found.vertices @ way.T).max(axis=0)
    assert reach == pytest.approx(20 + np.linalg.norm(half_axes * way, axis=1), abs=0.1)


BARS = [((-15, 0, 0), (10, 30, 20)), ((15, 0, 0), (10, 30, 20)), ((0, -10, 0), (40, 10, 20))]
"""The middles and sides of three boxes that make a U."""


def lengths_to(bars: Sequence[tuple[Sequence[float], Sequence[float]]], points: np.ndarray, own: Margins) -> np.ndarray:
    """Of the shortest ways to `points` from boxes, in half-axes: 1 on the surface of the body grown by `own`."""
    half_axes, found = np.array(astuple(own)).reshape(3, 2), np.full(len(points), np.inf)
    for middle, sides in bars:
        half = np.array(sides) / 2
        way = points - np.clip(points, middle - half, middle + half)
        found = np.minimum(found, np.sqrt(((way / np.where(way < 0, *half_axes.T)) ** 2).sum(axis=1)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("own", [Margins(10, 1, 10, 1, 10, 1), Margins(1, 9, 0.2, 9, 3, 0.1)])
def test_very_unequal_margins_of_a_concave_body_miss_nothing(own: Margins) -> None:
    found = with_margin(united([box(*sides, middle) for middle, sides in BARS]), own).mesh
    assert report_of(found).closed
    surface, points = SurfaceDistance(found), found.vertices.astype(float)
    steps = 0.01 * np.eye(3)
    slopes = [lengths_to(BARS, points + step, own) - lengths_to(BARS, points - step, own) for step in steps]
    away = (lengths_to(BARS, points, own) - 1) / (np.linalg.norm(slopes, axis=0) / 0.02)
    assert np.abs(away).mean() < 0.025
    assert np.quantile(np.abs(away), 0.99) < 0.16
    room = np.random.default_rng(0).uniform(points.min(axis=0), points.max(axis=0), (20_000, 3))
    inside, outside = (room[test] for test in (lengths_to(BARS, room, own) <= 1, lengths_to(BARS, room, own) > 1))
    assert surface.signed(inside).max() < 0.2
    assert surface.signed(outside).min() > -0.15


@pytest.mark.slow
def test_a_margin_of_nothing_beside_large_ones_adds_nothing() -> None:
    """A ball that grows to the left only is a ball, a cylinder and a ball: nothing is added in the other directions."""
    ball = sphere(20)
    found = with_margin(ball, Margins(x_plus=5)).mesh
    assert report_of(found).volume == pytest.approx(4 / 3 * np.pi * 8000 + np.pi * 400 * 5, rel=0.004)
    assert extents(found, ball) == pytest.approx(np.array([[0, 5], [0, 0], [0, 0]]), abs=0.05)


@pytest.mark.slow
def test_growing_in_some_directions_only() -> None:
    cube = box(20, 20, 20, (100, 200, -300))
    found = with_margin(cube, Margins(x_plus=5)).mesh
    assert extents(found, cube) == pytest.approx(np.array([[0, 5], [0, 0], [0, 0]]), abs=0.1)
    assert report_of(found).volume == pytest.approx(25 * 400, rel=0.005)


@pytest.mark.parametrize(
    ("sides", "own", "volume"),
    [
        ((30, 30, 1), Margins(z_plus=5), 900 * 6),
        ((20, 20, 20), Margins(z_plus=-5), 400 * 15),
        ((30, 30, 4), Margins(x_minus=-5), 25 * 30 * 4),
        pytest.param(
            (10, 15, 20),
            Margins(5, 5, 5, 5, 5, 0),
            8750 + np.pi * 25 * (20 + 25 / 2) + np.pi * 250 / 3,
            marks=pytest.mark.slow,
        ),
    ],
)
def test_directions_of_nothing_beside_large_ones_leave_one_whole_body(
    sides: tuple[float, float, float], own: Margins, volume: float
) -> None:
    block = box(*sides)
    found = with_margin(block, own, spacing=0.5).mesh
    assert extents(found, block) == pytest.approx(np.array(astuple(own)).reshape(3, 2), abs=0.05)
    report = report_of(found)
    assert (report.closed, report.euler_number, len(pieces_of(found))) == (True, 2, 1)
    assert report.volume == pytest.approx(volume, rel=0.015)


@pytest.mark.slow
def test_a_ball_shrunk_from_above_is_a_lens_and_a_plate_too_thin_for_that_is_gone() -> None:
    found = with_margin(sphere(15), Margins(z_plus=-5), spacing=0.5).mesh
    report = report_of(found)
    assert (report.euler_number, len(pieces_of(found))) == (2, 1)
    assert report.volume == pytest.approx(2 * np.pi * 12.5**2 * (45 - 12.5) / 3, rel=0.01)
    assert found.vertices[:, 2].max() == pytest.approx(10, abs=0.05)
    assert not len(with_margin(box(30, 30, 4), Margins(z_plus=-5), spacing=0.5).mesh.triangles)


@pytest.mark.slow
def test_shrinking_in_each_direction() -> None:
    block = box(24, 30, 28)
    found = with_margin(block, Margins(-2, -3, -2, -3, -3, -2)).mesh
    assert extents(found, block) == pytest.approx(-np.array([[2, 3], [2, 3], [3, 2]]), abs=0.15)
    assert report_of(found).volume == pytest.approx(19 * 25 * 23, rel=0.01)


def test_what_cannot_be_asked_for() -> None:
    open_mesh = Mesh(box(1, 1, 1).vertices, box(1, 1, 1).triangles[1:])
    for wall in (0.0, -1.0, float("nan")):
        with pytest.raises(InvalidInput, match="more than 0"):
            shells.shell(sphere(20), wall)
    with pytest.raises(InvalidInput, match="not a number"):
        with_margin(sphere(20), Margins(float("nan"), 1))
    with pytest.raises(InvalidInput, match="more than 0"):
        shells.drained(sphere(20), [(0, 0, 20)], 0.0, 2.0)
    for operation in (lambda: shells.shell(open_mesh, 1), lambda: with_margin(open_mesh, 1.0)):
        with pytest.raises(InvalidInput, match="not closed"):
            operation()
    assert margins.with_margin(sphere(20), 0.0).mesh.triangles.shape == sphere(20).triangles.shape


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = (surface_at(doughnut(), 1.5) for _ in range(2))
    assert first.vertices.tobytes() == second.vertices.tobytes()
    assert first.triangles.tobytes() == second.triangles.tobytes()


def test_what_is_reached_block_by_block_is_what_is_reached_at_once() -> None:
    random = np.random.default_rng(0)
    for own in (random.uniform(0, 9, (3, 2)), np.array([[0, 12.0], [3, 0], [0.5, 1]])):
        start = random.random((90, 70, 150)) < 3e-4
        assert np.array_equal(grid_margin._reached(start, own), grid_margin._reached_of_all(start, own))
