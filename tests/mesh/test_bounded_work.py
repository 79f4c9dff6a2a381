"""What would take too long is refused before it is begun, with figures."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh import crossings
from orthanc_stl.mesh.contours import build, keyholes, sections, shapes
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.contour import Contour, RoiContours
from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.grid import Limits
from orthanc_stl.mesh.contours.limits import require_few_by_first_points, require_few_of_a_roi, require_few_planes
from orthanc_stl.mesh.contours.planes import stacks_of
from orthanc_stl.mesh.contours.sections import section_of
from orthanc_stl.mesh.errors import (
    TooManyAreas,
    TooManyContours,
    TooManyContoursOfRoi,
    TooManyCrossings,
    TooManyOverlaps,
    TooManyTriangles,
    TooManyVoxels,
)

ANGLES = np.linspace(0, 2 * np.pi, 30, endpoint=False)
CIRCLE = 20 * np.stack([np.cos(ANGLES), np.sin(ANGLES), np.zeros(30)], axis=1)


def cylinder(number: int, turn: Rotation) -> RoiContours:
    """Three slices of 20 mm, turned about their middle."""
    contours = [Contour(turn.apply(CIRCLE + np.array([0, 0, 3 * z])), z + 2, "CLOSED_PLANAR") for z in (-1, 0, 1)]
    return RoiContours(number, f"cylinder {number}", tuple(contours))


def cylinders(count: int) -> list[RoiContours]:
    turns = Rotation.random(count, np.random.default_rng(0))
    return [cylinder(number, turns[number]) for number in range(count)]


def roi_of(outlines: list[np.ndarray]) -> RoiContours:
    return RoiContours(1, "ROI", tuple(Contour(points, n, "CLOSED_PLANAR") for n, points in enumerate(outlines, 1)))


def test_200_orientations_are_told_apart_by_one_look_at_each_roi(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look used to be at every orientation that was found before: 20,000 eigenvalue problems."""
    solved: list[np.ndarray] = []

    def eigenvalues(matrix: np.ndarray) -> np.ndarray:
        solved.append(matrix)
        return np.linalg.eigh(matrix)[0]

    monkeypatch.setattr(np.linalg, "eigvalsh", eigenvalues)
    stacks = stacks_of(cylinders(200), Findings())
    assert len(stacks) == 200
    assert len(solved) == 2 * 200  # for the stacks that there are, and for the patient's axes


def test_rois_of_one_orientation_are_one_stack_in_their_order() -> None:
    tilted = Rotation.from_euler("y", 40, degrees=True)
    rois = [cylinder(number, tilted if number % 2 else Rotation.identity()) for number in range(6)]
    stacks = stacks_of(rois, Findings())
    assert [[roi.number for roi in stack.rois] for stack in stacks] == [[0, 2, 4], [1, 3, 5]]


def test_the_voxels_of_all_orientations_count() -> None:
    rois = cylinders(12)
    one = surface_from_contours(rois[:1], resolution=32, max_voxels=300_000)
    assert one.report.volume == pytest.approx(9 * 20**2 * 15 * np.sin(np.pi / 15), rel=0.02)
    with pytest.raises(TooManyVoxels) as caught:
        surface_from_contours(rois, resolution=32, max_voxels=300_000)
    assert 300_000 < caught.value.count < 12 * 2 * 300_000


def test_bodies_of_two_orientations_that_are_apart_keep_their_volumes() -> None:
    """What the second one's grid does not reach is the first one's alone, also where its voxels are much finer."""
    large = cylinder(1, Rotation.identity())
    turned = cylinder(2, Rotation.from_euler("y", 90, degrees=True))
    small = replace(
        turned,
        contours=tuple(replace(one, points=0.1 * one.points + [60, 0, 0]) for one in turned.contours),
    )
    truth = 9 * 20**2 * 15 * np.sin(np.pi / 15)
    alone = surface_from_contours([large], resolution=128).report
    both = surface_from_contours([large, small], resolution=128).report
    assert both.euler_number == 4
    assert alone.volume == pytest.approx(truth, rel=0.01)
    assert both.volume == pytest.approx(truth * 1.001, rel=0.01)


IN_ONE_PLANE = [np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0]]) * 0.5 + [n % 100, n // 100, 0] for n in range(5_001)]


TILTED = Rotation.from_euler("xyz", [20, 30, 40], degrees=True)
TURNS = [Rotation.identity(), *(Rotation.from_euler(axis, 90, degrees=True) for axis in "xy"), TILTED]


@pytest.mark.parametrize("turn", TURNS, ids=["axial", "coronal", "sagittal", "tilted"])
def test_more_contours_in_one_plane_than_can_be_compared(turn: Rotation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before planes are looked for, which takes 10 s for 100,000."""
    monkeypatch.setattr(build, "stacks_of", None)
    with pytest.raises(TooManyContours, match="about 5,001 contours in one plane, more than the 5,000"):
        surface_from_contours([roi_of([turn.apply(square) for square in IN_ONE_PLANE])])


@pytest.mark.slow
def test_more_rounded_contours_in_one_tilted_plane_than_can_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before holes between planes are looked for, which takes 30 s for 100,000."""
    monkeypatch.setattr(build, "with_holes_on_planes", None)
    with pytest.raises(TooManyContours, match="about 5,001 contours in one plane, more than the 5,000"):
        surface_from_contours([roi_of([np.round(TILTED.apply(square), 4) for square in IN_ONE_PLANE])])


def test_as_many_contours_in_several_planes_are_not_too_many() -> None:
    """Tilted, with one that has no numbers, in planes a hundredth of a contour apart."""
    planes = [
        square + np.array([0, 0, 0.005 * (n % 2)]) for n, square in enumerate([*IN_ONE_PLANE, *IN_ONE_PLANE[::2]])
    ]
    require_few_by_first_points([roi_of([*(TILTED.apply(square) for square in planes), np.full((3, 3), np.nan)])])


def test_contours_of_less_than_three_points_are_none_in_a_plane() -> None:
    """They are skipped as of fewer contours, whether they have a point or none: the plane of 5,001 markers is none."""
    empty, markers = [np.zeros((0, 3))] * 5_001, [np.array([[0.0, n, n % 100]]) for n in range(5_001)]
    squares = [SQUARE + np.array([0, 0, z]) for z in range(5)]
    report = surface_from_contours([roi_of([*empty, *markers, *squares])], resolution=32).report
    assert report.volume == pytest.approx(20 * 20 * 5, rel=0.02)
    (told,) = report.warnings
    assert re.fullmatch(r"10002 contours of .* are skipped: they have fewer than three distinct points \(.*\)", told)


SQUARE = 20 * np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])


def test_squares_that_lie_half_beside_the_next_are_refused_before_they_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their areas are equal, and half of each is an end on both sides: 1,000 planes took 115 s and 5 GB."""
    monkeypatch.setattr(build, "united_volume", None)
    squares = [SQUARE + np.array([10 * (z % 2), 0, z]) for z in range(500)]
    with pytest.raises(TooManyTriangles, match="more than the 5,000,000"):
        surface_from_contours([roi_of(squares)], max_triangles=5_000_000)


@pytest.mark.slow
def test_the_estimate_of_triangles_is_right_for_a_ball_and_for_squares_that_lie_half_beside_the_next() -> None:
    """The second was too low by half, so that 2,280 such planes took 60 s and 2.5 GB before they were refused."""
    squares = [SQUARE + np.array([10 * (z % 2), 0, z]) for z in range(30)]
    ball = [CIRCLE * np.sqrt(1 - (z / 20) ** 2) + [0, 0, z] for z in range(-19, 20)]
    for outlines, most in ((squares, 1.2), (ball, 1.25)):
        with pytest.raises(TooManyTriangles) as caught:
            surface_from_contours([roi_of(outlines)], resolution=64, max_triangles=1)
        made = len(surface_from_contours([roi_of(outlines)], resolution=64).mesh.triangles)
        assert 0.8 < made / caught.value.count < most


def test_a_surface_with_too_much_to_compare_is_left_unsmoothed_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    squares = [SQUARE + np.array([x + 10 * (z % 2), 0, z]) for z in range(4) for x in (0, 50)]
    monkeypatch.setattr(crossings, "MOST_COMPARED", 100)
    warnings = surface_from_contours([roi_of(squares)], resolution=64).report.warnings
    assert any("is not smoothed" in warning for warning in warnings)
    assert 'the surface of ROI "ROI" encloses 2.944 mL, its contours 3.2 mL (-8.0 %)' in warnings


def test_more_contours_of_a_roi_than_can_be_joined_and_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 planes of 2,025 squares took 98 s and 2.7 GB. Those that are none do not count."""
    monkeypatch.setattr(build, "stacks_of", None)
    squares = [SQUARE + np.array([30 * (k % 45), 30 * (k // 45), z]) for z in range(15) for k in range(2_001)]
    with pytest.raises(TooManyContoursOfRoi, match="about 30,015 contours of one ROI, more than the 30,000"):
        surface_from_contours([roi_of(squares)])
    markers = [np.array([[0.0, 0, z]]) for z in range(30_001)]
    require_few_of_a_roi([roi_of([*markers, *squares[:2_001]]), roi_of(squares[2_001:])])


def test_more_planes_than_the_grid_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they are joined to parts: 20,000 planes 0.001 mm apart were refused after 28 s."""
    monkeypatch.setattr(build, "chains_of", None)
    monkeypatch.setattr(build, "with_holes_on_planes", None)
    squares = [SQUARE + np.array([0, 0, 0.01 * z]) for z in range(400)]
    with pytest.raises(TooManyVoxels, match="about 1,904,400 voxels, more than the 1,000,000"):
        surface_from_contours([roi_of(squares)], resolution=64, max_voxels=1_000_000)


def test_two_halves_of_a_slice_are_one_plane_of_the_grid() -> None:
    """Of 40 outlines 20 are slices. Each needs a layer of 69 by 69 voxels."""
    halves = [SQUARE * [0.49, 1, 1] + np.array([10.2 * k, 0, z + 0.3 * k]) for z in range(20) for k in (0, 1)]
    (stack,) = stacks_of([roi_of(halves)], Findings())
    require_few_planes(stack, np.zeros((0, 3)), 64, Limits(20 * 69 * 69, 1))
    with pytest.raises(TooManyVoxels):
        require_few_planes(stack, np.zeros((0, 3)), 64, Limits(20 * 69 * 69 - 1, 1))


def test_contours_that_all_overlap_each_other() -> None:
    """1,000 of 60 points, one within the other: half a million pairs, and more than a minute of comparing them."""
    rings = [np.repeat(CIRCLE, 2, axis=0) * (1 + n / 1000) + [[0, 0, 0], [0.1, 0.1, 0]] * 30 for n in range(1000)]
    with pytest.raises(TooManyOverlaps, match="points of contours that overlap others of their plane"):
        surface_from_contours([roi_of(rings)])


def test_outlines_that_cross_themselves_at_millions_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """A star of 20,001 points has 200 million crossings: 5.4 GB, and minutes."""
    monkeypatch.setattr(sections, "CrossSection", None)  # refused before it is worked out
    angles = 2 * np.pi * 10_000 * np.arange(20_001) / 20_001
    star = 50 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    with pytest.raises(TooManyCrossings, match="cross themselves or each other"):
        surface_from_contours([roi_of([star, star + np.array([0, 0, 3])])])


def random_outline(points: int) -> np.ndarray:
    return np.random.default_rng(points).uniform(-50, 50, (points, 2))


def circle_of(points: int, at: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return 50 * np.stack([np.cos(angles) + at, np.sin(angles)], axis=1)


def bars(clean: int) -> np.ndarray:
    """Up and down 1,500 times, with so many short edges at each end, which cross nothing."""
    ends = [(-1, *[1501] * clean), (1501, *[-1] * clean)]
    return np.array([(k + j / 100, y) for k in range(1500) for j, y in enumerate(ends[k % 2])], float)


BARS = bars(3)
CROSSING = {
    "6,000 random points beside a circle of as many": [random_outline(6_000), circle_of(6_000, 4)],
    "bars across bars, of which every 4th edge crosses": [BARS, BARS[:, ::-1]],
    "one after the other": [circle_of(30_000, 4), random_outline(4_000)],
}


@pytest.mark.parametrize("name", CROSSING)
def test_few_edges_among_many_cross_at_millions_of_points(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The median of evenly chosen edges was 0. 6,000 random points took 26 s."""
    monkeypatch.setattr(sections, "CrossSection", None)
    with pytest.raises(TooManyCrossings, match="more than the 1,000,000 that are allowed"):
        section_of(CROSSING[name])


def test_the_estimate_of_crossings_is_near_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,200 random chords: each two cross with a probability that is counted here edge by edge."""
    outline = random_outline(1_200)
    monkeypatch.setattr(sections, "MOST_CROSSINGS", 0)
    following = np.roll(outline, -1, axis=0)
    true = sum(sections._crossed(a, b, outline, following) for a, b in zip(outline, following, strict=True)) / 2
    assert sections._about_how_many_crossings([outline]) == pytest.approx(true, rel=0.1)


def test_many_overlapping_triangles_of_one_plane_are_refused() -> None:
    """1,200 at random enclose 47,000 areas: that took 25 s, and `decompose` of four times as many crashes."""
    corners = np.random.default_rng(0).uniform(-50, 50, (1_200, 3, 2))
    with pytest.raises(TooManyAreas, match=r"about \d\d,\d{3} areas between contours of one plane that cross"):
        surface_from_contours([roi_of([np.pad(one, ((0, 0), (0, 1))) for one in corners])])


def test_no_slit_is_looked_for_in_a_tangle(monkeypatch: pytest.MonkeyPatch) -> None:
    """One outline of 100 random points, which encloses 519 areas and holes, took minutes."""
    monkeypatch.setattr(keyholes, "_open_slit", None)
    tangle = np.pad(random_outline(100), ((0, 0), (0, 1)))
    assert surface_from_contours([roi_of([tangle, tangle + np.array([0, 0, 1])])], resolution=64).report.closed


def test_a_zigzag_that_its_last_edge_crosses_everywhere_is_drawn() -> None:
    """20,000 points at which one edge of 20,000 crosses the others: 20,000 triangles of 0.5 mm² are enclosed."""
    up_and_down = np.where(np.arange(20_000) % 2, 1.0, -1.0)
    up_and_down[[0, -1]] = 0
    zigzag = np.stack([np.linspace(0, 20_000, 20_000), up_and_down], axis=1)
    assert section_of([zigzag]).area() == pytest.approx(10_000, rel=1e-3)


@pytest.mark.slow
def test_long_outlines_of_one_area_are_compared_by_some_of_their_points() -> None:
    """Two of 20,000 points: asking each point about each edge would take 1.6 GB and minutes."""
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros(len(angles))], axis=1)
    twice = [radius * circle + [0, 0, 3 * z] for radius in (20, 20.01) for z in range(2)]
    report = surface_from_contours([roi_of(twice)], resolution=32).report
    assert report.volume == pytest.approx(np.pi * 20**2 * 6, rel=0.01)
    assert any("repeat" in warning for warning in report.warnings)


def test_points_are_asked_about_edges_of_their_height_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether one outline of 20,000 points lies in another took 12 s, and every ROI asks it at both ends."""
    asked, counted = shapes._left_of_odd, []

    def count(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        counted.append(len(points) * len(start))
        return asked(points, start, end)

    monkeypatch.setattr(shapes, "_left_of_odd", count)
    angles = np.linspace(0, 2 * np.pi, 4_000, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = shapes.inside(np.concatenate([0.99 * circle, 1.01 * circle]), [circle])
    assert found.tolist() == [True] * 4_000 + [False] * 4_000
    assert sum(counted) < 0.1 * 8_000 * 4_000
