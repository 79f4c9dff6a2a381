"""What is told where slices are unevenly apart: ends, one slice more, and sizes that change with the spacing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Report
from testing.solids import ring, roi_of


def report_of(*rings: tuple[float, float]) -> Report:
    """Of rings, each of a radius and at a height (mm)."""
    return surface_from_contours([roi_of([ring(radius, z) for radius, z in rings])], resolution=48).report


@pytest.mark.parametrize(
    ("steps", "percent"), [([1, 1, 2.5] * 3, "5.2"), ([1, 1, 1, 2], "8.3"), ([2, 1], "5.9"), ([1, 2, 5] * 3, "5.9")]
)
def test_ends_that_may_be_thicker_are_told_of(steps: Sequence[float], percent: str) -> None:
    planes = np.cumsum([0.0, *steps])
    (told,) = surface_from_contours([roi_of([ring(20, z) for z in planes])], resolution=48).report.warnings
    assert f"taken to be as thick as the slices beside it: its volume may be off by {percent} %" in told


@pytest.mark.parametrize("steps", [[1, 1, 2.5] * 12, [1, 1, 1, 5, 5, 5], [3] * 4, [3, 3, 3.1]])
def test_ends_that_matter_little_are_not_told_of(steps: Sequence[float]) -> None:
    planes = np.cumsum([0.0, *steps])
    assert surface_from_contours([roi_of([ring(20, z) for z in planes])], resolution=48).report.warnings == ()


@pytest.mark.parametrize(("off", "area", "words"), [
    (0.9, 0.61, "2.1 % larger"), (1.2, 0.61, "2.1 % larger"), (1.5, 0.61, "2.1 % larger"), (0.4, 1.6, "2.8 % smaller"),
])  # fmt: skip
def test_one_slice_more_is_told_of(off: float, area: float, words: str) -> None:
    """Ten slices 3 mm apart and one that lies `off` mm above the sixth: 2.1 % were missing without a word."""
    report = report_of(*[(20, 3 * k) for k in range(10)], (20 * area**0.5, 15 + off))
    told = report.warnings[-1]
    assert f"has an outline at {15 + off:g} mm along the normal of its planes, between two neighbouring slices:" in told
    assert told.endswith(f"without that, its volume would be {words}")
    without = 30 * np.pi * 400
    assert without / report.volume - 1 == pytest.approx((1 if area < 1 else -1) * float(words[:3]) / 100, abs=0.002)


@pytest.mark.parametrize(("below", "above", "many", "narrow"), [
    (5, 1.25, 7, 8.4), (2.5, 1.25, 5, 7.2), (5, 2, 4, 5), (1.25, 5, 2, 13.5), (1, 2.5, 3, 6.4),
    (1, 1.25, 3, 3), (1.25, 1, 4, 4), (3, 2.5, 2, 10),
])  # fmt: skip
def test_a_size_that_changes_with_the_spacing_is_told_of(below: float, above: float, many: int, narrow: float) -> None:
    """Slices as thick as they are apart, without gaps: a wide part, then a narrow one of another spacing."""
    wide = [(20.0, below * k) for k in range(many)]
    first = below * (many - 1) + (below + above) / 2
    report = report_of(*wide, *[(narrow, first + above * k) for k in range(3)])
    truth = np.pi * (400 * below * many + narrow**2 * above * 3)
    off = abs(report.volume / truth - 1)
    assert off > 0.02
    assert any("changes its size where the distance between its slices changes" in text for text in report.warnings)
    figures = [float(found.group(1)) for text in report.warnings if (found := re.search(r"off by (\S+) %", text))]
    assert off <= sum(figures) / 100 + 0.01


@pytest.mark.parametrize("radii", [[20] * 3 + [5] * 4, [20] * 2 + [8] * 3, [5] * 4 + [20] + [5] * 4, [20] + [4] * 5])
def test_a_size_that_jumps_is_told_of(radii: Sequence[float]) -> None:
    """3 to 20 % less than the contours without a word: a cone where a step is as likely."""
    report = report_of(*[(float(radius), 3.0 * k) for k, radius in enumerate(radii)])
    truth = np.pi * 3 * sum(radius**2 for radius in radii)
    assert report.volume < 0.98 * truth
    assert report.contours_volume == pytest.approx(truth, rel=0.01)
    (told,) = report.warnings
    assert (
        f"its contours {truth / 1000:.4g} mL ({100 * (report.volume / truth - 1):.1f} %): it slopes from slice" in told
    )


@pytest.mark.parametrize("steps", [[1.0] * 20 + [3.0] * 13, [1.25] * 16 + [5.0] * 8, [1, 2] * 20])
def test_a_ball_in_slices_of_several_spacings_is_not_doubted(steps: Sequence[float]) -> None:
    heights = np.cumsum(steps) - sum(steps) / 2
    radius = sum(steps) / 2
    rings = [(float(np.sqrt(radius**2 - z**2)), float(z)) for z in heights if abs(z) < radius]
    assert report_of(*rings).warnings == ()


@pytest.mark.parametrize("count", [4, 5, 6, 8, 12])
@pytest.mark.parametrize("shape", ["ball", "cone", "round top"])
def test_a_body_that_tapers_has_no_jump(count: int, shape: str) -> None:
    heights = 3.0 * (np.arange(count) - (count - 1) / 2)
    most = 1.5 * count
    radii = {
        "ball": np.sqrt(most**2 - heights**2),
        "cone": 2 + heights[-1] - heights,
        "round top": np.where(heights < 0, most, np.sqrt(most**2 - heights**2)),
    }[shape]
    assert report_of(*zip(radii.tolist(), heights.tolist(), strict=True)).warnings == ()


@pytest.mark.parametrize("way", [1, -1], ids=["narrows", "widens"])
@pytest.mark.parametrize(("off", "holes"), [(0.9, [4]), (1.4, [3, 7]), (1.5, [2]), (1.4, [4, 5])])
def test_holes_between_slices_of_a_body_that_narrows_are_told_of(off: float, holes: Sequence[int], way: int) -> None:
    """Each within one of the two slices and around the other: 5 % of the volume too much and more, without a word."""
    radii = [20 - 1.5 * k for k in range(10)]
    between = [(radii[k] * 0.96, way * (3 * k + off)) for k in holes]
    report = report_of(*[(radius, way * 3 * k) for k, radius in enumerate(radii)], *between)
    truth = 3 * np.pi * (sum(radius**2 for radius in radii) - sum(radius**2 for radius, _ in between))
    assert report.volume > 1.04 * truth
    told = [text for text in report.warnings if "one more slice, not for a hole in the nearer one" in text]
    assert len(told) == 1
    assert "between two that are one slice apart" in told[0]
    assert all(f"{place:g}" in told[0] for _, place in between)


@pytest.mark.parametrize(
    "steps",
    [[3] * 6 + [1.5] * 4 + [3] * 3, [3] * 4 + [1.5] * 12, [1, 2] * 6, [1] * 5 + [3] * 4, [3] * 4 + [6] + [3] * 4],
)
def test_slices_of_several_spacings_are_no_holes(steps: Sequence[float]) -> None:
    rings = [(20 - 0.3 * z, z) for z in np.cumsum([0.0, *steps]).tolist()]
    assert not any("one more slice" in text for text in report_of(*rings).warnings)


@pytest.mark.parametrize(
    ("slices", "percent"),
    [
        ([(3, 3, 530.5), (2, 5, 178), (4, 2, 347.4)], 2.3),
        ([(7, 1.25, 733), (2, 5, 1427.4), (7, 3, 1070.2)], -2.1),
        ([(3, 2, 322.4), (2, 1, 116.4), (7, 1.5, 1150.5)], -2.1),
    ],
)
def test_two_spacings_in_a_row_with_sizes_that_jump_are_told_of(
    slices: Sequence[tuple[int, float, float]], percent: float
) -> None:
    """So much without a word: the median of three steps met the next spacing. `slices`: how many, how far apart (mm),
    and their area (mm²)."""
    height, rings = 0.0, []
    for count, step, area in slices:
        rings += [(float(np.sqrt(area / np.pi)), height + step * (k + 0.5)) for k in range(count)]
        height += step * count
    report = report_of(*rings)
    truth = sum(count * step * area for count, step, area in slices)
    assert 100 * (report.volume / truth - 1) == pytest.approx(percent, abs=0.2)
    (told,) = report.warnings
    assert "changes its size where the distance between its slices changes" in told


@pytest.mark.parametrize("extra", [0.5, 0.7])
def test_a_longer_step_to_branches_is_told_of(extra: float) -> None:
    """2 to 4 % more than slices as thick as the others have, without a word."""
    step = 1.25
    trunk = [ring(11.5, step * k) for k in range(9)]
    above = 9 * step + extra * step
    tines = [ring(4, above + step * k, (side, 0)) for k in range(7) for side in (-5, 5)]
    report = surface_from_contours([roi_of([*trunk, *tines])], resolution=48).report
    truth = np.pi * step * (9 * 11.5**2 + 2 * 7 * 16)
    assert report.volume > 1.02 * truth
    (told,) = report.warnings
    assert "changes its size where the distance between its slices changes" in told


def test_a_missing_slice_is_not_doubted_where_sizes_go_on() -> None:
    heights = 3.0 * np.arange(-7, 8)
    for missing in (2, 5, 9):
        rings = [(float(np.sqrt(24**2 - z**2)), z) for k, z in enumerate(heights.tolist()) if k != missing]
        assert report_of(*rings).warnings == ()
