"""Holes drawn between the slices of their outlines: taken for holes where slices tell that they are none of their own,
else told of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Report
from testing.solids import ring, roi_of

TEN = 3.0 * np.arange(10)
WHOLE = np.pi * 400 * 30
HOLE = np.pi * 100 * 3


def report_of(outlines: Sequence[np.ndarray], rotation: Rotation | None = None) -> Report:
    return surface_from_contours([roi_of(outlines, rotation or Rotation.identity())], resolution=64).report


def with_holes(off: float, planes: Sequence[float] | np.ndarray = TEN, radius: float = 10) -> list[np.ndarray]:
    return [*(ring(20, z) for z in TEN), *(ring(radius, z + off) for z in planes)]


@pytest.mark.parametrize(
    ("off", "planes", "radius", "euler_number"),
    [
        (0.3, TEN, 10, 0),  # 3.96 mL of 37.5, with nothing but the gaps told
        (-0.9, TEN, 10, 0),  # no word at all
        (1.0, TEN[::2], 10, 10),
        (0.5, TEN[4:5], 10, 4),
        (0.9, TEN, 17, 0),  # where all slices have them, they are large, too
    ],
)
def test_a_hole_between_slices_is_one_in_the_nearer(
    off: float, planes: Sequence[float], radius: float, euler_number: int
) -> None:
    report = report_of(with_holes(off, planes, radius))
    assert report.volume == pytest.approx(WHOLE - len(planes) * HOLE * (radius / 10) ** 2, rel=0.005)
    assert report.contours_volume == pytest.approx(WHOLE - len(planes) * HOLE * (radius / 10) ** 2, rel=0.001)
    assert report.euler_number == euler_number
    (told,) = report.warnings
    assert f"mm along the normal of its planes, up to {abs(off):g} mm off the plane of a larger one and" in told
    assert ("they are taken for holes there" in told) == (len(planes) > 1)


def test_also_tilted_with_islands_in_them_and_beside_another_body() -> None:
    islands = [ring(4, z + 0.9) for z in TEN]
    other = [ring(15, z + 0.9, (60, 0)) for z in TEN]
    tilted = Rotation.from_euler("xyz", (33, -48, 71), degrees=True)
    report = report_of([*with_holes(0.9), *islands, *other], tilted)
    volume = WHOLE + 30 * np.pi * (-100 + 16 + 225)
    assert report.volume == pytest.approx(volume, rel=0.005)
    assert report.euler_number == 0 + 2 + 2


@pytest.mark.parametrize(
    ("off", "planes"),
    [
        pytest.param(1.2, TEN[:-1], marks=pytest.mark.slow),
        pytest.param(1.5, TEN[:-1], marks=pytest.mark.slow),
        (1.5, TEN[4:5]),
        (-1.4, TEN[1::2]),
    ],
)
def test_what_lies_about_halfway_is_told_of(off: float, planes: Sequence[float]) -> None:
    (told,) = report_of(with_holes(off, planes)).warnings
    assert f"{planes[0] + off:.6g}" in told
    assert "between the planes of larger ones: what is meant as a hole there cuts out nothing" in told


@pytest.mark.parametrize("narrow", [(12.0, 10.0), (12.9, 17.0)])
def test_where_a_body_narrows_nothing_is_cut_out(narrow: tuple[float, float]) -> None:
    """In a slice of its own, or a little in one that was drawn in addition."""
    place, radius = narrow
    report = report_of([*(ring(20, z) for z in TEN if z != place), ring(radius, place)])
    assert report.euler_number == 2
    assert report.contours_volume == pytest.approx(WHOLE, rel=0.08)
    told = f"has an outline at {place:g} mm along the normal of its planes, between two larger ones: it is taken for"
    assert [told in text for text in report.warnings] == [True] * (place == 12.9)


@pytest.mark.parametrize("off", [pytest.param(0.5, marks=pytest.mark.slow), 0.9, 1.2])
def test_holes_that_leave_a_thin_wall_are_told_of(off: float) -> None:
    """1 to 8 times the volume too much, without a word or with nothing but the gaps told."""
    told = [text for text in report_of(with_holes(off, radius=19)).warnings if "cuts out nothing" in text]
    assert len(told) == 1
    assert "outlines at" in told[0]
    assert f" {3 + off:.6g}, {6 + off:.6g}, " in told[0]


@pytest.mark.parametrize("off", [-1.45, -0.6, 0.3, 0.9, 1.5])
@pytest.mark.parametrize("radius", [16, 18, 19.5])
@pytest.mark.parametrize("planes", [TEN[4:5], TEN[[2, 3, 6]]], ids=["one", "three"])
def test_large_holes_in_a_few_slices_are_told_of(off: float, radius: float, planes: Sequence[float]) -> None:
    """5 to 40 % of the volume too much without a word: they are taken for slices, as narrow ones are."""
    report = report_of(with_holes(off, planes, radius))
    assert report.volume > 1.04 * (WHOLE - len(planes) * np.pi * radius**2 * 3)
    told = [text for text in report.warnings if "taken for one more slice, not for a hole in the nearer one" in text]
    assert len(told) == 1
    assert f"{planes[0] + off:.6g}" in told[0]


def test_a_body_that_wavers_has_no_holes() -> None:
    """Evenly apart, rounded, and with every third slice a little smaller."""
    for planes in (TEN, np.round(2.6 * np.arange(12)), np.array([0, 1, 3, 4, 6, 7, 9, 10.0])):
        body = [ring(20 - 0.5 * (k % 3 == 1), z) for k, z in enumerate(planes)]
        assert not any("cuts out" in text or "one more" in text for text in report_of(body).warnings)
