"""How far apart slices are, told by outlines over each other: of a plane, of a part, and of the file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Report
from testing import phantoms
from testing.solids import ring, roi_of
from tests.mesh.random_outlines import placed

TEN = 3.0 * np.arange(10)
TILTS = [(20.0, 15.0, 0.0), (1.0, 2.0, 0.0), (33.0, -48.0, 71.0)]


def report_of(outlines: Sequence[np.ndarray], resolution: int = 64) -> Report:
    return surface_from_contours([roi_of(outlines)], resolution=resolution).report


def check(report: Report, volume: float, euler_number: int) -> None:
    assert report.closed
    assert report.volume == pytest.approx(volume, rel=0.01)
    assert report.euler_number == euler_number


# Planes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [0.1, 0.2, 0.26, -0.2])
def test_a_hole_a_little_off_the_plane_of_its_outline(off: float) -> None:
    """From a twentieth of the spacing on it was no hole: closed in its slice, without a word."""
    outlines = [ring(radius, z) for z in TEN for radius in (20, 10)]
    outlines[9] = ring(10, TEN[4] + off)
    report = report_of(outlines)
    check(report, np.pi * 300 * 30, 0)
    assert report.warnings == ()


@pytest.mark.parametrize("off", [0.1, 0.2, 0.29])
def test_a_slice_in_two_halves(off: float) -> None:
    angles = np.linspace(0, np.pi, 61)
    half = 20 * np.stack([np.sin(angles), -np.cos(angles)], axis=1)
    whole = [ring(20, z) for z in TEN if z != 12]
    report = report_of([*whole, placed(half, 12), placed(-half, 12 + off)])
    check(report, np.pi * 400 * 30, 2)
    assert report.warnings == ()


@pytest.mark.parametrize("off", [0.3, -0.9])
def test_an_outline_a_little_off_its_plane(off: float) -> None:
    report = report_of([ring(20, z + off * (z == 12)) for z in TEN])
    check(report, np.pi * 400 * 30, 2)
    assert report.warnings == ()


def test_a_small_outline_before_a_gap_is_told_of_as_a_piece_only() -> None:
    alone = [ring(3, z, (5, 0)) for z in (60.0, 100.0)]  # nothing is near these: their steps are gaps
    body = [ring(radius, z) for radius, z in ((10, 0), (10, 2), (10, 4), (10, 6), (5, 8), (12, 30), (12, 32), (12, 34))]
    (told,) = report_of([*body, *alone]).warnings
    assert "falls into 4 pieces, gaps at z = 8 to 30, 34 to 60, 60 to 100" in told


@pytest.mark.parametrize("channel", [0.2, 1.0])
def test_channels_narrower_than_slices_are_apart_in_a_tilted_body(channel: float) -> None:
    """Rounding puts them a little beside the planes of the body: no distance between slices."""
    turn = Rotation.from_euler("xyz", TILTS[2], degrees=True)
    places = ((0.0, 0.0), (7.0, 0.0), (-7.0, 0.0))
    outlines = [o for z in 5.0 * np.arange(8) for o in (ring(20, z), *(ring(channel, z, at, 24) for at in places))]
    report = report_of([np.round(turn.apply(outline), 2) for outline in outlines])
    assert report.contours_volume == pytest.approx(np.pi * (400 - 3 * channel**2) * 40, rel=0.002)
    assert report.volume == pytest.approx(report.contours_volume, rel=0.01)


def test_planes_are_not_chained() -> None:
    """Slices of 0.03 mm beside slices of 3 mm: each is nearer to the next than a tenth of the usual spacing."""
    dense, usual = 0.03 * np.arange(40), 3.0 * np.arange(10)
    outlines = [*(ring(0.4, z, (40, 0), 40) for z in dense), *(ring(10, z) for z in usual)]
    report = report_of(outlines, 128)
    assert report.contours_volume == pytest.approx(np.pi * (0.16 * 1.2 + 100 * 30), rel=1e-3)
    assert report.euler_number == 4
    rounded_end = [ring(0.4 - 0.01 * k, z, points=40) for k, z in enumerate(dense[:20])]
    volume = sum(0.03 * np.pi * (0.4 - 0.01 * k) ** 2 for k in range(20))
    check(report_of(rounded_end), volume, 2)


def test_bodies_each_a_little_higher_than_the_next_are_not_chained() -> None:
    """Each is nearer to the next than a tenth of the spacing: all slices were one plane, from the first to the last."""
    outlines = [ring(5, z + 0.25 * k, (14 * k, 0), 60) for k in range(12) for z in 3.0 * np.arange(4)]
    report = report_of(outlines, 200)
    check(report, 12 * np.pi * 25 * 12, 24)
    tops = np.array([z + 0.25 * k for k in (0, 11) for z in (-1.5, 10.5)])
    assert report.box[0][2] == pytest.approx(tops.min(), abs=0.1)
    assert report.box[1][2] == pytest.approx(tops.max(), abs=0.1)


# Parts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("narrower", [0.0, 1.0])
@pytest.mark.parametrize(
    "planes",
    [[0, 3, 100, 103], [0, 3, 100, 103, 400, 403], [0, 3, 6, 100, 103, 106, 400, 403, 406], [0, 1, 16, 17, 32, 33]],
    ids=["two slices, 97 mm", "twice", "three slices", "nearer"],
)
def test_short_parts_far_over_each_other(planes: list[float], narrower: float) -> None:
    """The gaps were taken for the spacing, and the slices of a part for one plane: of 17 times the volume, or with the
    narrower slice as a hole all along, without a word."""
    radii = [20 - narrower * (k % 2) for k in range(len(planes))]
    report = report_of([ring(radius, z) for radius, z in zip(radii, planes, strict=True)])
    spacing, parts = planes[1] - planes[0], 1 + int(np.count_nonzero(np.diff(planes) > 10))
    assert report.euler_number == 2 * parts
    assert report.contours_volume == pytest.approx(sum(np.pi * radius**2 * spacing for radius in radii), rel=0.005)
    assert [f"falls into {parts} pieces" in text for text in report.warnings] == [True]


@pytest.mark.parametrize(
    "planes",
    [
        [0, 3, 6, 9, 12, 15, 50, 100],
        pytest.param([-120, -60, 0, 3, 6, 9, 12, 15, 50, 100], marks=pytest.mark.slow),
        [0, 3, 50, 100],
        [0, 3, 60, 105, 150],
        [0, 3, 14, 60, 84, 87, 90],
    ],
    ids=["above", "on both sides", "two slices", "more alone than not", "gap beside gap"],
)
def test_slices_that_lie_alone_far_apart_are_no_coarse_stack(planes: list[float]) -> None:
    """The gaps between them were taken for their spacing, so that they were as thick, and joined to the body before
    them: of 2 to 12 times the volume, without a word of that gap."""
    report = report_of([ring(20, z) for z in planes])
    pieces = 1 + int(np.count_nonzero(np.diff(planes) > 3))
    check(report, np.pi * 400 * 3 * len(planes), 2 * pieces)
    assert [f"falls into {pieces} pieces" in text for text in report.warnings] == [True]


def test_slices_farther_apart_than_wide_are_a_stack_if_all_are() -> None:
    report = report_of([ring(20, 45.0 * k) for k in range(6)])
    check(report, np.pi * 400 * 45 * 6, 2)
    assert report.warnings == ()


def test_parts_of_two_spacings_are_both_whole() -> None:
    outlines = [*(ring(12, 1.0 * z, (-30, 0)) for z in range(42)), *(ring(9, 0.4 + 5 * z, (30, 0)) for z in range(8))]
    report = report_of(outlines, 96)
    check(report, np.pi * (144 * 42 + 81 * 40), 4)
    assert report.warnings == ()


def test_a_part_that_is_absent_on_a_plane_drawn_for_another_has_not_ended_there() -> None:
    report = report_of([*(ring(12, z, (-20, 0)) for z in TEN), *(ring(6, z, (20, 0)) for z in TEN[::2])])
    check(report, np.pi * (144 * 30 + 36 * 30), 4)
    assert report.warnings == ()


@pytest.mark.parametrize("spacing", [2.0, 2.5, 5.0])
def test_branches_that_lie_a_tenth_of_a_slice_apart(spacing: float) -> None:
    """As near as rounding, so that they are of one plane on some slices and not on others: a warning, which was not
    true, suggested two pieces."""
    low, high = 0.123 + spacing * np.arange(6), 0.123 + spacing * np.arange(6, 12)
    tines = [ring(6, z + 0.1 * k * spacing, (11 - 22 * k, 0)) for k in (0, 1) for z in high]
    report = report_of([*(ring(20, z) for z in low), *tines])
    check(report, np.pi * (400 * 6 + 36 * 12.1) * spacing, 2)
    assert report.warnings == ()


@pytest.mark.parametrize("turned", [0.2, 0.8, 1.4])
@pytest.mark.parametrize("heights", [(0.0, 0.4, -0.2), (-0.3, 0.1, 0.3)])
def test_three_branches_side_by_side_whose_boxes_overlap(heights: tuple[float, ...], turned: float) -> None:
    """What lies beside a branch a tenth of a slice away is not its next slice: up to 10 % of the volume was missing."""
    trunk = [ring(14, 3.0 * k) for k in range(8)]
    directions = turned + np.arange(3) * 2 * np.pi / 3
    places = [(5 * np.cos(angle), 5 * np.sin(angle)) for angle in directions]
    above = 3.0 * np.arange(8, 13)
    branches = [ring(4.1, z, place) for height, place in zip(heights, places, strict=True) for z in above + height]
    report = surface_from_contours([roi_of([*trunk, *branches])], resolution=64).report
    assert report.volume == pytest.approx(np.pi * 3 * (8 * 14**2 + 3 * 5 * 4.1**2), rel=0.02)
    assert report.euler_number == 2
    assert not any("lost" in text or "joined to parts" in text for text in report.warnings)


@pytest.mark.parametrize("move", [2.0, 3.2])
@pytest.mark.parametrize("absent", [[5], [1], [5, 9]])
def test_a_thin_vessel_goes_on_over_one_missing_slice(move: float, absent: list[int]) -> None:
    """It fell into two, without a word, where its outlines did not overlap: as a urethra in a file of Pinnacle does."""
    kept = [k for k in range(18) if k not in absent]
    report = report_of([ring(2, 3 * k, (move * k, 0.3 * move * k), 40) for k in kept], 96)
    assert report.euler_number == 2
    assert report.volume == pytest.approx(np.pi * 4 * 54, rel=0.03)
    (told,) = report.warnings
    often = "once" if len(absent) == 1 else "2 times"
    assert f"goes on {often} from an outline to the nearest one of the next slice" in told


# The file -----------------------------------------------------------------------------------------------------------


def single_slice_of(
    rois: Sequence[Sequence[np.ndarray]], tilt: Sequence[float] = (0, 0, 0), decimals: int = 4
) -> float:
    """How thick the single slice of 10 mm radius at z = 12 becomes (mm) in a file with these other ROIs."""
    rotation, shift = Rotation.from_euler("xyz", tilt, degrees=True), np.array([50, 60, -700])
    drawn = [
        phantoms.Roi(f"ROI {k}", [phantoms.Contour(rotation.apply(outline) + shift) for outline in outlines])
        for k, outlines in enumerate([[ring(10, 12, (60, 0))], *rois])
    ]
    structures = read_structure_set(phantoms.structure_set(drawn, decimals=decimals))
    rois_, _ = structures.contours([1])
    report = surface_from_contours(rois_, surroundings=structures.surroundings([1]), resolution=32).report
    assert report.warnings == ()
    return report.volume / (np.pi * 100)


@pytest.mark.parametrize("decimals", [2, 3, 4])
@pytest.mark.parametrize("tilt", TILTS)
def test_a_single_slice_in_a_tilted_file(tilt: tuple[float, float, float], decimals: int) -> None:
    """Rounded coordinates made it two slices thick, without a word."""
    others = [[ring(30, z) for z in TEN], [ring(50, z) for z in TEN[2:]]]
    assert single_slice_of(others, tilt, decimals) == pytest.approx(3, rel=0.01)


def test_a_single_slice_beside_gaps_and_other_grids() -> None:
    """It was as thick as the gaps are wide: 194 mm; and as the planes of two ROIs are apart."""
    assert single_slice_of([[ring(30, z) for z in (0, 3, 6, 100, 103, 106, 400, 403, 406)]]) == pytest.approx(
        3, rel=0.01
    )
    assert single_slice_of([[ring(30, z) for z in TEN], [ring(20, z + 1.5) for z in TEN]]) == pytest.approx(3, rel=0.01)


def test_single_slices_tell_each_other_how_thick_they_are() -> None:
    assert single_slice_of([[ring(30, z)] for z in (9, 12, 15)]) == pytest.approx(3, rel=0.01)


@pytest.mark.parametrize("share", [0.88, 0.94])
def test_a_vessel_that_lies_nearly_in_its_slices_is_held(share: float) -> None:
    """2 to 19 % of it were missing, which was told: voxels were as fine as its width within a slice asks for, and it is
    much thinner than that across its own direction."""
    move = share * 8
    vessel = [ring(4, 1.25 * k, (move * k, 0), 60) for k in range(16)]
    report = surface_from_contours([roi_of(vessel)], resolution=96).report
    check(report, np.pi * 16 * 1.25 * 16, 2)
    assert report.warnings == ()
