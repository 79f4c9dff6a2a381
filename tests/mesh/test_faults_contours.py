"""Contours on which version 0.1 was wrong without a word, each built in code.

`faults/README.md` of the shared data says what is right; the README's names are used here. The files themselves are in
tests/engine/test_fault_files.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.contour import XOR, Contour, RoiContours
from orthanc_stl.mesh.types import Report
from testing.data import shared_file
from testing.solids import ball, ring, roi_of
from tests.mesh.random_outlines import placed

Outlines = list[np.ndarray]


def circle(radius: float, points: int, turned: float = 0.0) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False) + turned
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


ROUND, FINE = circle(20, 60), circle(20, 120)
TEN = 3.0 * np.arange(10)


def cylinder(outline: np.ndarray = ROUND, planes: np.ndarray = TEN, at: tuple[float, float] = (0, 0)) -> Outlines:
    return [placed(outline, z, at) for z in planes]


def kidneys(off: float) -> Outlines:
    kidney = circle(15, 60)
    return cylinder(kidney, TEN, (-40, 0)) + cylinder(kidney, TEN + off, (40, 0))


def halves() -> Outlines:
    left, right = FINE[FINE[:, 0] <= 0], np.roll(FINE, 40, axis=0)
    right = right[right[:, 0] >= -1e-9]
    return [*cylinder(FINE, TEN[TEN != 12]), placed(left, 12), placed(right, 12.1)]


def keyholes(width: float) -> Outlines:
    angles = np.linspace(0, 2 * np.pi, 100)
    whole = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    body = []
    for k, z in enumerate(TEN):
        outer, inner = 20 * whole, 10 * whole[::-1]
        outline = np.concatenate([outer[:-1], outer[-1:] - [[0, width]], inner[:1] - [[0, width]], inner[1:]])
        c, s = np.cos(0.7 * k), np.sin(0.7 * k)
        body.append(placed(outline @ np.array([[c, s], [-s, c]]), z))
    return body


def vessel() -> Outlines:
    return [placed(circle(2, 40), 3 * k, (3.2 * k, 0)) for k in range(20)]


def skin() -> Outlines:
    planes = 5.0 * np.arange(24)  # a fifth of what the file has
    return cylinder(circle(180, 200), planes) + cylinder(circle(177, 200), planes)


def traced_twice(which: slice) -> Outlines:
    body = cylinder()
    body[which] = [np.concatenate([outline, outline]) for outline in body[which]]
    return body


def overlapping() -> Outlines:
    return cylinder(circle(15, 60)) + cylinder(circle(15, 60), TEN, (20, 0))


def oblique_int() -> Outlines:
    turn = Rotation.from_euler("xyz", [20, 15, 0], degrees=True)
    return [np.rint(turn.apply(outline) + np.array([12, -200, 600])) for outline in ball(30).outlines]


def wavy() -> Outlines:
    wave = np.where(np.arange(60) % 3 == 0, 0.3, np.where(np.arange(60) % 3 == 1, -0.3, 0))
    return [outline + wave[:, None] * [0, 0, 1] for outline in cylinder()]


LENS = 2 * 15**2 * np.arccos(20 / 30) - 10 * np.sqrt(4 * 15**2 - 20**2)

# The name of the file, what is built, volume in mL, Euler number, what the warning says (empty: none), Resolution.
CASES = {
    "gdcm56_offset": (kidneys(-0.134), 42.334, 4, "", 256),
    "kidneys_jitter": (kidneys(0.06), 42.334, 4, "", 256),
    "slice_in_two_halves": (halves(), 37.69, 2, "", 256),
    "mix1_3": (cylinder(FINE, np.array([*range(30), *range(30, 91, 3)])), 115.558, 2, "", 128),
    "sparse_third": (cylinder(FINE, np.array([*range(20), *range(20, 60, 3)])), 76.62, 2, "", 128),
    "zrad9_mouse005": (ball(6, spacing=0.05).outlines, 0.9048, 2, "", 96),
    "metres": ([outline / 1000 for outline in cylinder()], 37.63e-9, 2, "metres", 128),
    "skin3mm": (skin(), 2018.455, 0, "", 64),
    "res_tube32": (vessel(), 0.7509, 2, "", 256),
    "keyhole256_w0.05": (keyholes(0.05), 28.25, 0, "", 256),
    "dup_resampled": ([*cylinder(), placed(circle(20, 47, 0.03), 12)], 37.63, 2, "repeats contour 5", 128),
    "traced_twice_one": (traced_twice(slice(4, 5)), 37.63, 2, "goes round twice", 128),
    "traced_twice": (traced_twice(slice(None)), 37.63, 2, "10 contours of ROI", 128),
    "overlapping_parts": (overlapping(), (2 * np.pi * 15**2 - LENS) * 30 / 1000, 2, "are united", 128),
    "oblique_int": (oblique_int(), 113.10, 2, "are flattened", 128),
    "wavy03": (wavy(), 37.63, 2, "are flattened", 128),
}


def check(report: Report, millilitres: float, euler_number: int, warning: str) -> None:
    assert report.closed
    assert report.euler_number == euler_number
    assert report.volume / 1000 == pytest.approx(millilitres, rel=0.01)
    assert (warning in " ".join(report.warnings)) if warning else report.warnings == ()


BY_NAME = [pytest.param(name, marks=pytest.mark.slow if name == "skin3mm" else ()) for name in CASES]


@pytest.mark.parametrize("name", BY_NAME)
def test_built_in_code(name: str) -> None:
    outlines, millilitres, euler_number, warning, resolution = CASES[name]
    report = surface_from_contours([roi_of(outlines)], resolution=resolution).report
    check(report, millilitres * (0.2 if name == "skin3mm" else 1), euler_number, warning)


@pytest.mark.slow
@pytest.mark.parametrize(("resolution", "max_voxels", "lost"), [(32, 100_000, True), (128, 10_000_000, False)])
def test_couch(resolution: int, max_voxels: int, lost: bool) -> None:
    """A shell with walls of 3 mm: they are there, or the warning says what is lost."""
    corners = np.array([[-1, 0], [1, 0], [1, 1], [-1, 1]])
    outer, inner = corners * [265, 50], corners * [262, 44] + [0, 3]
    planes = 10.0 * np.arange(20)
    outlines = cylinder(outer, planes) + cylinder(inner, planes)
    report = surface_from_contours([roi_of(outlines)], resolution=resolution, max_voxels=max_voxels).report
    truth = 200 * (530 * 50 - 524 * 44)
    assert report.contours_volume == pytest.approx(truth, rel=1e-6)
    assert (abs(report.volume / truth - 1) > 0.02) == lost
    assert lost == any("mL, its contours 688.8 mL" in text for text in report.warnings)
    assert (report.euler_number == 0) != lost


@pytest.mark.slow
def test_the_couch_file() -> None:
    """In so few voxels that its walls cannot be there, and that is said. At 128 they are there."""
    structures = read_structure_set(shared_file("faults/couch.dcm").read_bytes())
    rois, _ = structures.contours([structures.rois[0].number])
    report = surface_from_contours(rois, resolution=32, max_voxels=200_000).report
    assert report.contours_volume == pytest.approx(6_888_000, rel=1e-6)
    assert report.volume == pytest.approx(6_888_000, rel=0.02)
    thick, pieces = report.warnings
    assert "walls or vessels 3 mm thick in voxels of 8.06 mm" in thick
    assert "has 1 piece and Euler number 2, its contours suggest 1 piece and Euler number 0" in pieces


def test_a_loop_that_is_not_flat_is_refused_with_the_reason_and_spoils_nothing() -> None:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    saddle = np.stack([20 * np.cos(angles), 20 * np.sin(angles), 5 * np.cos(2 * angles)], axis=1)
    with pytest.raises(InvalidInput, match=r"is not flat .* \(strays by 10 mm\)"):
        surface_from_contours([roi_of([saddle])])
    both = [roi_of([saddle], name="Valve", number=2), roi_of(cylinder())]
    report = surface_from_contours(both, resolution=64).report
    assert report.volume == pytest.approx(37630, rel=0.01)
    assert any('"Valve"' in text for text in report.warnings)


# Siblings of these -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [0.01, 0.06, 0.3, 0.7, 1.5])
def test_parts_on_planes_of_their_own(off: float) -> None:
    check(surface_from_contours([roi_of(kidneys(off))], resolution=128).report, 42.334, 4, "")


@pytest.mark.slow
@pytest.mark.parametrize("width", [0, 0.001, 0.02, 0.05, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("resolution", [64, 200])
def test_keyholes_of_any_width(width: float, resolution: int) -> None:
    check(surface_from_contours([roi_of(keyholes(width))], resolution=resolution).report, 28.25, 0, "")


@pytest.mark.parametrize("moved", [0.01, 0.04, 0.1, 0.2])
def test_outlines_that_nearly_fill_each_other_are_united(moved: float) -> None:
    """Moved by 0.2 of their radius, one was left out as a repetition of the other: 11 % were missing."""
    radius = 15 * np.sqrt(2 * np.pi / 200 / np.sin(2 * np.pi / 200))
    far = moved * radius
    lens = 2 * radius**2 * np.arccos(moved / 2) - far / 2 * np.sqrt(4 * radius**2 - far**2)
    outlines = [ring(15, z, (x, 0)) for z in TEN for x in (0, far)]
    report = surface_from_contours([roi_of(outlines)], resolution=96).report
    check(report, (2 * np.pi * 15**2 - lens) * 30 / 1000, 2, "they are united" if moved > 0.01 else "repeat others")


def test_xor_stays_xor() -> None:
    contours = tuple(Contour(outline, k, XOR) for k, outline in enumerate(overlapping(), 1))
    report = surface_from_contours([RoiContours(1, "XOR", contours)], resolution=96).report
    assert report.volume == pytest.approx((2 * np.pi * 15**2 - 2 * LENS) * 30, rel=0.01)
    assert report.warnings == ()


@pytest.mark.parametrize("steps", [[1, 3], [1.25, 5], [1, 2, 5], [5, 2, 1], [0.5, 3, 0.5], [1, 5, 1.25]])
@pytest.mark.parametrize("count", [3, 5])
def test_spacing_that_changes_along_a_part(steps: list[float], count: int) -> None:
    """Three steps of each, and five: the middle one of three long ones was a gap."""
    planes = np.cumsum([0.0, *np.repeat(steps, count)])
    height = planes[-1] + (steps[0] + steps[-1]) / 2
    outlines = [ring(20, z) for z in planes]
    report = surface_from_contours([roi_of(outlines)], resolution=96).report
    check(report, np.pi * 400 * height / 1000, 2, "")


def test_a_body_that_stands_still_does_not_jump_to_another() -> None:
    """Two of three slices each, one over the other and 1.9 widths beside it: they were joined."""
    outlines = [*(ring(12, z) for z in (0, 1, 2)), *(ring(12, z, (45, 0)) for z in (3, 4, 5))]
    check(surface_from_contours([roi_of(outlines)], resolution=64).report, np.pi * 144 * 6 / 1000, 4, "")


def test_rounded_planes_say_how_far_the_height_may_be_off() -> None:
    """Slices of 2.5 mm whose planes are rounded: 0, 2, 5, 8, ..."""
    planes = 2.5 * np.arange(9)
    report = surface_from_contours([roi_of([np.rint(ring(40, z)) for z in planes])], resolution=64).report
    assert report.volume == pytest.approx(np.pi * 1600 * 22.5, rel=2 / 22.5)
    assert len(report.warnings) == 1
    assert "whole mm and uneven steps" in report.warnings[0]
    assert "the height of each part may be off by up to 2 mm" in report.warnings[0]


def test_pieces_are_told_of_with_their_gaps() -> None:
    outlines = [ring(10, z) for z in (0, 3, 6, 9, 30, 33, 36, 80, 83)]
    report = surface_from_contours([roi_of(outlines)], resolution=64).report
    assert report.euler_number == 6
    assert [text for text in report.warnings if "falls into 3 pieces, gaps at z = 9 to 30, 36 to 80" in text]


def test_single_slices_take_their_thickness_from_the_chosen_rois() -> None:
    rois = [roi_of(cylinder()), roi_of([ring(10, 12, (80, 0))], name="Single", number=2)]
    report = surface_from_contours(rois, resolution=128).report
    assert report.volume == pytest.approx(37630 + 3 * np.pi * 100, rel=0.01)
    assert report.warnings == ()


def test_a_part_of_one_slice_is_as_thick_as_the_slices_of_its_own_roi() -> None:
    """Beside another ROI in slices of 3 mm, it was 3 mm thick, and 5 mm by itself."""
    own = [*(ring(12, 5 * k) for k in range(5)), ring(10, 10.7, (60, 0))]
    finer = roi_of([ring(8, 3 * k, (0, 60)) for k in range(9)], name="Finer", number=2)
    report = surface_from_contours([roi_of(own), finer], resolution=96).report
    check(report, np.pi * (144 * 25 + 100 * 5 + 64 * 27) / 1000, 6, "")


def test_what_bodies_of_two_orientations_lose_is_told_if_they_are_apart() -> None:
    """In voxels that are too large for one of them: as long as they may overlap, nobody knows what to expect."""
    tilted = Rotation.from_euler("x", 70, degrees=True)
    rois = [
        roi_of(cylinder()),
        *(roi_of([ring(9, z, (0, 22 * k)) for z in TEN], tilted, (0, 600, 0), f"Far {k}", 2 + k) for k in range(4)),
    ]
    report = surface_from_contours(rois, resolution=48, max_voxels=600_000).report
    truth = (37630 + 4 * np.pi * 81 * 30) / 1000
    assert report.volume / 1000 < 0.97 * truth
    assert [text for text in report.warnings if f"its contours {truth:.4g} mL" in text]


def test_many_findings_of_a_kind_are_one_sentence() -> None:
    tips = [np.array([[0.0, 0, z], [1, 0, z]]) for z in range(14)]
    report = surface_from_contours([roi_of(cylinder() + tips)], resolution=48).report
    assert report.warnings == (
        '14 contours of ROI "ROI" are skipped: they have fewer than three distinct points (numbers 11, 12, 13, 14, 15,'
        " ...)",
    )


@pytest.mark.slow
@pytest.mark.parametrize("tilted", [False, True])
def test_the_same_body_at_any_scale_is_the_same_mesh(tilted: bool) -> None:
    """From 0.6 mm to 6 m: nothing is decided by a length in mm."""
    turn = Rotation.from_euler("xyz", [20, 30, 40] if tilted else [0, 0, 0], degrees=True)
    body = [*ball(30).outlines, *cylinder(circle(8, 40), TEN + 0.2, (60, 0)), *keyholes(0.05)[:4]]
    plain = surface_from_contours([roi_of(body, turn, (10, 20, 30))], resolution=64)
    for scale in (0.01, 0.1, 10, 100):
        scaled = [turn.apply(outline) * scale + np.array([10, 20, 30]) * scale for outline in body]
        other = surface_from_contours([roi_of(scaled)], resolution=64)
        assert other.mesh.triangles.shape == plain.mesh.triangles.shape
        assert np.abs(other.mesh.vertices / scale - plain.mesh.vertices).max() < 0.01
        assert len(other.report.warnings) == len(plain.report.warnings)
