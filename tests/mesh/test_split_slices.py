"""A slice that is drawn in parts, side by side, which lie a little apart along the normal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Report
from testing.solids import ring, roi_of

UPRIGHT = Rotation.identity()


def part(start: float, end: float, z: float) -> np.ndarray:
    """A sector of a circle of 20 mm, in radians; half of it has no corner in the middle."""
    angles = np.linspace(start, end, 80)
    arc = 20 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1) + [0, 0, z]
    return arc if end - start == np.pi else np.vstack([arc, [[0, 0, z]]])


def sectors(count: int, turned: float, z: float, apart: float) -> list[np.ndarray]:
    width = 2 * np.pi / count
    return [part(turned + k * width, turned + (k + 1) * width, z + apart * k) for k in range(count)]


def report(spacing: float, split: dict[int, list[np.ndarray]], turn: Rotation = UPRIGHT, slices: int = 8) -> Report:
    whole = {k: [ring(20, spacing * k, points=240)] for k in range(slices)}
    outlines = [outline for found in (whole | split).values() for outline in found]
    return surface_from_contours([roi_of(outlines, turn)], resolution=64).report


def check(found: Report, apart: str) -> None:
    assert found.euler_number == 2
    assert (
        'ROI "ROI" has slices that are drawn in parts, side by side and up to'
        f" {apart} mm apart along the normal of its planes: the parts of each are taken to be of one plane"
    ) in found.warnings


@pytest.mark.parametrize("turned", [0, 0.7])
@pytest.mark.parametrize("apart", [0.3, 0.5, 0.9])
def test_halves_of_a_slice_are_one_slice(turned: float, apart: float) -> None:
    """0.3 mm apart in slices of 3 mm, they were slices of their own: 8 to 26 % were missing, in several pieces."""
    found = report(3, {3: sectors(2, turned, 9, apart)}, Rotation.from_euler("x", 30, degrees=True))
    assert found.volume == pytest.approx(np.pi * 400 * 24, rel=0.01)
    check(found, f"{apart:g}")


def test_thirds_of_three_slices_and_of_two_that_follow_each_other() -> None:
    split = {k: sectors(3, 0.4 * k, k, 0.1) for k in (1, 4, 5)}
    found = report(1, split, slices=10)
    assert found.volume == pytest.approx(np.pi * 400 * 10, rel=0.01)
    check(found, "0.2")


def test_halves_that_are_nearly_of_one_plane_are_not_told_of() -> None:
    assert report(3, {3: sectors(2, 0, 9, 0.1)}).warnings == ()


def test_branches_that_lie_beside_each_other_are_no_halves_of_a_slice() -> None:
    """Two legs on planes of their own, which touch below a body as wide as both of them and half as deep."""
    legs = [ring(9, 3 * k + 0.6 * side, (18 * side - 9, 0)) for k in range(5) for side in (0, 1)]
    body = [ring(18, 3 * k) for k in range(5, 9)]
    found = surface_from_contours([roi_of([*legs, *body])], resolution=64).report
    assert not [text for text in found.warnings if "in parts" in text]


def test_halves_on_two_slices_far_from_the_body_are_two_slices() -> None:
    """3 mm apart, beyond a gap: a seventh of the way to the next whole slice, but all of that to the next one."""
    halves = [part(0, np.pi, 30), part(np.pi, 2 * np.pi, 33), ring(3, 4, (60, 0))]  # and one off these planes
    found = surface_from_contours([roi_of([*(ring(20, 3 * k) for k in range(4)), *halves])], resolution=64).report
    assert not [text for text in found.warnings if "in parts" in text]
