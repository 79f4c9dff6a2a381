"""One test for each defect of the original, and of real files, that concerns geometry; each is named after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.contour import Contour, RoiContours
from orthanc_stl.mesh.types import Surface
from testing import solids
from testing.solids import ball, cylinder, distances, model_of, ring, roi_of, voxel_of

BALL = ball(30)
RESOLUTION = 96


def model(*outlines: np.ndarray, **options: Any) -> Surface:
    return surface_from_contours([roi_of(outlines)], **{"resolution": RESOLUTION} | options)


def is_the_ball(model: Surface, shift: tuple[float, float, float] = (0, 0, 0), volume: float = BALL.volume) -> bool:
    found = distances(model.mesh, BALL, shift=shift)
    return model.report.closed and abs(model.report.volume / volume - 1) < 0.005 and found.max() < 1


@pytest.mark.parametrize(("spacing", "start"), [(0.3, 0), (0.7, 0), (1.1, 0), (3, -28.1), (1 / 3, 1e3), (2.5, 0.125)])
def test_slices_at_positions_that_are_not_exact_in_binary(spacing: float, start: float) -> None:
    planes = np.round(start + spacing * np.arange(12), 4)
    report = model(*[ring(10, z) for z in planes]).report
    assert report.volume == pytest.approx(12 * spacing * np.pi * 100, rel=0.01)
    assert report.euler_number == 2


def test_98_planes_with_positions_rounded_by_varian() -> None:
    planes = np.float32(-145.6 + 3 * np.arange(98)).astype(float)  # 25.6000003814697 and the like
    report = model(*[ring(50, z) for z in planes]).report
    assert report.volume == pytest.approx(98 * 3 * np.pi * 2500, rel=0.01)
    assert report.warnings == ()


def test_contour_that_starts_with_collinear_points() -> None:
    square = np.array([[-10, -10], [0, -10], [5, -10], [10, -10], [10, 10], [-10, 10.0]])
    report = model(*[np.column_stack((square, np.full(6, z))) for z in range(10)]).report
    assert report.volume == pytest.approx(400 * 10, rel=0.01)
    assert report.warnings == ()


@pytest.mark.parametrize("clockwise", [[0], [3, 4], list(range(20))])
def test_direction_of_drawing_changes_nothing(clockwise: list[int]) -> None:
    cone = solids.cone().outlines
    turned = [outline[::-1] if k in clockwise else outline for k, outline in enumerate(cone)]
    assert np.array_equal(model(*cone).mesh.vertices, model(*turned).mesh.vertices)


@pytest.mark.parametrize(
    "axes",
    [[[-1, 0, 0], [0, -1, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[1, 0, 0], [0, 0, 1], [0, -1, 0]]],
    ids=["prone", "sagittal", "coronal"],
)
def test_orientations_come_out_in_the_right_place(axes: list[list[int]]) -> None:
    rotation = Rotation.from_matrix(axes)
    shift = (10, -20, 700)
    cone = solids.cone()
    assert distances(model_of(cone, rotation, shift, resolution=RESOLUTION).mesh, cone, rotation, shift).max() < 0.6


def test_union_of_rois_where_one_lies_in_the_other_has_no_cavity() -> None:
    body, sphere = cylinder(30, 50), ball(20, (0, 0, 45))
    rois = [roi_of(body.outlines, name="Body", number=1), roi_of(sphere.outlines, name="Sphere", number=2)]
    report = surface_from_contours(rois, resolution=RESOLUTION).report
    assert report.volume == pytest.approx(body.volume, rel=0.01)
    assert report.euler_number == 2


def test_union_of_rois_whose_planes_lie_between_each_other() -> None:
    one, other = ball(30), ball(30, (25, 0, 1.3))
    rois = [roi_of(one.outlines, number=1), roi_of(other.outlines, number=2)]
    model = surface_from_contours(rois, resolution=RESOLUTION)
    height = 30 - np.hypot(25, 1.3) / 2
    lens = 2 * np.pi * height**2 * (90 - height) / 3
    assert model.report.volume == pytest.approx(2 * one.volume - lens, rel=0.005)
    assert model.report.euler_number == 2
    points = model.mesh.vertices.astype(float)
    inside = np.minimum(np.linalg.norm(points, axis=1), np.linalg.norm(points - [25, 0, 1.3], axis=1))
    assert np.abs(inside - 30).max() < 1


def test_even_odd_within_a_roi_makes_a_hole() -> None:
    tube = [outline for z in range(10) for outline in (ring(20, z), ring(12, z))]
    report = model(*tube).report
    assert report.volume == pytest.approx(10 * np.pi * (400 - 144), rel=0.01)
    assert report.euler_number == 0


def test_several_pieces_in_a_plane() -> None:
    solid = solids.two_balls(gap=5)
    assert model_of(solid, resolution=RESOLUTION).report.euler_number == 4


def test_gap_makes_pieces_with_ends_of_their_own() -> None:
    planes = [0, 3, 6, 9, 30, 33, 36, 39, 42]
    report = model(*[ring(10, z) for z in planes]).report
    assert report.euler_number == 4
    assert report.volume == pytest.approx(9 * 3 * np.pi * 100, rel=0.01)


def test_one_missing_slice_is_bridged() -> None:
    planes = [z for z in range(0, 60, 3) if z != 27]
    report = model(*[ring(10, z) for z in planes]).report
    assert report.euler_number == 2
    assert report.volume == pytest.approx(20 * 3 * np.pi * 100, rel=0.01)


def test_two_missing_slices_are_a_gap() -> None:
    planes = [z for z in range(0, 60, 3) if z not in (27, 30)]
    report = model(*[ring(10, z) for z in planes]).report
    assert report.euler_number == 4
    assert report.volume == pytest.approx(18 * 3 * np.pi * 100, rel=0.01)


def test_uneven_planes_like_those_of_pet() -> None:
    planes = np.cumsum([0, 3.27, 3.27, 3.19, 3.27, 3.27, 3.27])
    report = model(*[ring(10, z) for z in planes]).report
    assert report.volume == pytest.approx((planes[-1] + 3.27) * np.pi * 100, rel=0.01)
    assert report.euler_number == 2


def test_unsorted_planes() -> None:
    outlines = BALL.outlines[::2] + BALL.outlines[1::2][::-1]
    assert is_the_ball(model(*outlines))


def test_single_slice_takes_its_thickness_from_the_other_rois() -> None:
    others = [np.stack([ring(1, z, (50, 0), points=6) for z in (0, 2.5, 5, 7.5)])]
    report = model(ring(20, 2.5), surroundings=others, resolution=128).report
    assert report.volume == pytest.approx(2.5 * np.pi * 400, rel=0.01)
    assert (report.box[0][2], report.box[1][2]) == pytest.approx((1.25, 3.75), abs=0.1)
    assert report.warnings == ()


def test_single_slice_alone_is_1_mm_thick_with_a_warning() -> None:
    report = model(ring(20, 2.5)).report
    assert report.volume == pytest.approx(np.pi * 400, rel=0.01)
    assert "1.0 mm" in report.warnings[0]
    assert '"ROI"' in report.warnings[0]


@pytest.mark.parametrize("slices", [2, 3, 10])
def test_without_end_caps_the_body_ends_at_its_end_planes(slices: int) -> None:
    report = model(*cylinder(slices).outlines, end_caps=False).report
    assert report.volume == pytest.approx((slices - 1) * 3 * np.pi * 400, rel=0.01)
    assert report.box[1][2] == pytest.approx(3 * (slices - 0.5), abs=0.05)
    assert report.closed


def test_end_narrows_as_the_last_planes_taper_and_never_widens() -> None:
    cone = solids.cone(25, 5)
    mesh = model(*cone.outlines).mesh
    radius = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1])
    top, bottom = radius[mesh.vertices[:, 2] > 59.8].max(), radius.max()
    assert top == pytest.approx(5, abs=0.4)
    assert bottom == pytest.approx(24.5, abs=0.1)


def test_slice_without_contours_between_others_does_not_spoil_them() -> None:
    """A part that ends between two planes keeps its half slice, however far away the other parts are."""
    outlines = [ring(30, z) for z in range(0, 60, 3)] + [ring(8, z, (60, 0)) for z in range(15, 36, 3)]
    report = model(*outlines).report
    assert report.volume == pytest.approx(20 * 3 * np.pi * 900 + 7 * 3 * np.pi * 64, rel=0.005)
    assert report.euler_number == 4


def test_repeated_points_and_closing_points() -> None:
    outlines = [np.vstack([np.repeat(outline, 2, axis=0), outline[:1]]) for outline in BALL.outlines]
    assert is_the_ball(model(*outlines))
    assert model(*outlines).report.warnings == ()


@pytest.mark.parametrize("points", [1, 2])
def test_contours_of_one_or_two_points_at_the_tips(points: int) -> None:
    tip = np.array([[0.0, 0, 31.5], [1, 0, 31.5]])[:points]
    with_tip = model(*BALL.outlines, tip)
    assert is_the_ball(with_tip)
    assert with_tip.report.warnings == (
        f'contour {len(BALL.outlines) + 1} of ROI "ROI" is skipped: it has fewer than three distinct points',
    )


def test_contour_that_is_not_flat_is_skipped_and_named() -> None:
    bent = ring(10, 1.5, (0, 0))
    bent[::2, 2] += 2
    report = model(*BALL.outlines, bent).report
    assert report.volume == pytest.approx(BALL.volume, rel=0.005)
    assert report.warnings[0].startswith(f'contour {len(BALL.outlines) + 1} of ROI "ROI" is skipped: it is not flat')


def test_contour_across_the_others_is_skipped_and_named() -> None:
    across = ring(10, 0)[:, [2, 0, 1]]
    assert is_the_ball(model(*BALL.outlines, across))
    assert "not parallel" in model(*BALL.outlines, across).report.warnings[0]


def test_contour_with_numbers_that_are_not_finite_is_skipped_and_named() -> None:
    bad = ring(10, 4.5)
    bad[3, 1] = np.nan
    assert is_the_ball(model(*BALL.outlines, bad))
    assert "finite" in model(*BALL.outlines, bad).report.warnings[0]


def test_contour_that_is_in_the_file_twice_is_kept_once() -> None:
    report = model(*BALL.outlines, BALL.outlines[5]).report
    assert report.volume == pytest.approx(BALL.volume, rel=0.005)
    assert "repeats contour 6" in report.warnings[0]


def test_one_bad_roi_does_not_spoil_another() -> None:
    bad = RoiContours(7, "Bad", (Contour(np.array([[0.0, 0, 0], [1, 1, 1]]), 1),))
    report = surface_from_contours([bad, roi_of(BALL.outlines)], resolution=RESOLUTION).report
    assert report.volume == pytest.approx(BALL.volume, rel=0.005)
    assert 'ROI "Bad"' in report.warnings[-1]


def test_nothing_to_make_a_surface_of_is_an_error_with_the_reason() -> None:
    bad = RoiContours(7, "Bad", (Contour(np.array([[0.0, 0, 0], [1, 1, 1]]), 1),))
    with pytest.raises(InvalidInput, match='ROI "Bad" has no contour that encloses an area'):
        surface_from_contours([bad])


def test_grid_is_not_coarser_beside_a_body() -> None:
    """1.6 mm pixels for an organ beside BODY: here the voxel is the organ's."""
    body = [ring(200, 0)[None]]
    voxel = voxel_of(model(*BALL.outlines, surroundings=body, resolution=256))
    assert voxel[0] == pytest.approx(60 / 128, rel=0.02)
    assert voxel[2] <= 2 * voxel[0]


def test_rois_in_planes_of_different_orientation_are_united() -> None:
    sagittal = Rotation.from_euler("y", 90, degrees=True)
    far = ball(20, (0, 0, 0))
    rois = [roi_of(ball(30).outlines, number=1), roi_of(far.outlines, sagittal, (35, 0, 0), number=2)]
    model = surface_from_contours(rois, resolution=RESOLUTION)
    a, b, d = 30, 20, 35
    lens = np.pi * (a + b - d) ** 2 * (d * d + 2 * d * (a + b) - 3 * (a - b) ** 2) / (12 * d)
    assert model.report.volume == pytest.approx(ball(30).volume + far.volume - lens, rel=0.005)
    assert model.report.euler_number == 2
    assert model.report.closed


def test_contour_whose_points_lie_on_a_line() -> None:
    line = np.array([[0, 0, 4.0], [10, 20, 4], [5, 10, 4], [2, 4, 4]])
    eight = np.array([[50, 0, 4.5], [60, 10, 4.5], [60, 0, 4.5], [50, 10, 4.5]])  # no vector area, but 50 mm2
    found = model(*BALL.outlines, line, eight).report
    words = "is skipped: its points lie on a line, so that it encloses nothing"
    assert found.warnings == (f'contour {len(BALL.outlines) + 1} of ROI "ROI" {words}',)
    assert found.box[1][0] > 55


def posts() -> list[np.ndarray]:
    """A hundred posts of 3.6 mm over 200 mm."""
    return [ring(1.8, z, (20 * x, 20 * y), 40) for x in range(10) for y in range(10) for z in range(0, 15, 3)]


@pytest.mark.slow
def test_parts_thinner_than_voxels_get_finer_ones() -> None:
    """At Resolution 64 a voxel is 3 mm: less would be left of a post than a half."""
    truth = 15 * 100 * np.pi * 1.8**2
    report = model(*posts(), resolution=64).report
    assert report.volume == pytest.approx(truth, rel=0.02)
    assert report.euler_number == 200
    assert report.warnings == ()
    assert report.voxel is not None
    assert report.voxel[0] < 1.2


@pytest.mark.slow
def test_what_is_lost_where_there_is_no_room_for_finer_voxels_is_told_of() -> None:
    truth = 15 * 100 * np.pi * 1.8**2
    report = model(*posts(), resolution=64, max_voxels=60_000).report
    assert report.volume < 0.8 * truth
    assert report.contours_volume == pytest.approx(truth, rel=0.001)
    assert report.warnings[-1].startswith('the surface of ROI "ROI" encloses ')
    assert "its contours 15.27 mL (-" in report.warnings[-1]
    assert any("the finest that there is room for: they may be torn or lost" in text for text in report.warnings)
