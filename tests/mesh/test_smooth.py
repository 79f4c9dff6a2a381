"""Waves of known length on a ball: the short ones go, the long ones and the volume stay. And mirrored bodies."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.decimation import decimated
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.field import surface_at
from orthanc_stl.mesh.solids.smooth import mirrored, without_short_waves
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from testing.solids import fork, model_of
from tests.mesh.shapes import box, doughnut, moved, sphere

BALL = surface_at(sphere(20), 0.0, spacing=0.5)


def wavy(waves: int) -> Mesh:
    """A ball of 20 mm with so many waves of 0.4 mm around its equator, which die away towards the poles."""
    points = BALL.vertices.astype(float)
    around = np.arctan2(points[:, 1], points[:, 0])
    flat = np.hypot(points[:, 0], points[:, 1]) / np.linalg.norm(points, axis=1)
    return Mesh((points * (1 + 0.02 * np.sin(waves * around) * flat**8)[:, None]).astype(np.float32), BALL.triangles)


def height_of_waves(mesh: Mesh, waves: int) -> float:
    near = mesh.vertices[np.abs(mesh.vertices[:, 2]) < 2].astype(float)
    radius, around = np.linalg.norm(near, axis=1), np.arctan2(near[:, 1], near[:, 0])
    return float(2 * np.abs(np.mean((radius - radius.mean()) * np.exp(-1j * waves * around))))


@pytest.mark.parametrize(
    ("wavelength", "least", "most"), [(3.0, 0.0, 0.03), (7.0, 0.0, 0.06), (10.0, 0.0, 0.2), (30.0, 0.8, 1.01)]
)
def test_waves_shorter_than_ten_mm(wavelength: float, least: float, most: float) -> None:
    waves = round(2 * np.pi * 20 / wavelength)
    before = wavy(waves)
    after = without_short_waves(before, 10.0)
    left = height_of_waves(after, waves) / height_of_waves(before, waves)
    assert least <= left <= most
    assert report_of(after).volume == pytest.approx(report_of(before).volume, rel=1e-4)
    assert report_of(after).euler_number == 2


@pytest.mark.slow
def test_decimated_meshes_and_long_waves_are_made_anew() -> None:
    fine = model_of(fork(), resolution=64).mesh
    for mesh, wavelength in ((decimated(fine, tolerance=0.1).mesh, 8.0), (moved(box(20, 30, 40)), 8.0), (fine, 16.0)):
        report = report_of(without_short_waves(mesh, wavelength))
        assert report.closed
        assert report.volume == pytest.approx(report_of(mesh).volume, rel=0.002)
        assert report.euler_number == report_of(mesh).euler_number


@pytest.mark.slow
def test_no_surface_passes_through_itself() -> None:
    mesh = moved(doughnut(10, 2, 64))
    for wavelength in (2.0, 10.0, 60.0, 500.0):
        with contextlib.suppress(InvalidInput):
            found = without_short_waves(mesh, wavelength)
            assert not len(crossing_triangles(found))
            assert report_of(found).closed


def test_what_cannot_be_smoothed() -> None:
    for wavelength in (0.0, -1.0, float("nan")):
        with pytest.raises(InvalidInput, match="more than 0"):
            without_short_waves(BALL, wavelength)
    with pytest.raises(InvalidInput, match="not closed"):
        without_short_waves(Mesh(BALL.vertices, BALL.triangles[1:]), 10.0)


@pytest.mark.parametrize(
    ("body", "wavelength"),
    [(box(0.5, 0.5, 0.5), 4), (sphere(3, segments=16), 12), (sphere(0.02, (300, 300, 300), 16), 40)],
)
def test_a_body_much_smaller_than_the_waves_is_refused(body: Mesh, wavelength: float) -> None:
    """It was smoothed to nearly nothing, and blown up to 9e31 mm³ so as to keep its volume."""
    with pytest.raises(InvalidInput, match=r"got a wavelength of .* mm, at which .*, expected a shorter one"):
        without_short_waves(body, wavelength)


def test_uneven_triangles_that_cannot_be_made_anew_are_refused() -> None:
    """A box with a speck smaller than a voxel beside it: it was left as it was, and told to be smoothed."""
    bar = box(4, 6, 8)
    assert report_of(without_short_waves(bar, 2.0)).triangles > 1000
    with pytest.raises(InvalidInput, match=r"would lose parts, .* in voxels of 0\.083 mm; expected"):
        without_short_waves(together([bar, box(0.02, 0.02, 0.02, (5, 0, 0))]), 2.0)


def test_mirrored() -> None:
    block = moved(box(10, 20, 30))
    for axis in range(3):
        found = mirrored(block, axis)
        assert report_of(found).volume == pytest.approx(6000, rel=1e-4)
        assert report_of(found).closed
        assert report_of(found).box == pytest.approx(np.array(report_of(block).box), abs=1e-3)
        again = mirrored(found, axis)
        assert again.vertices == pytest.approx(block.vertices, abs=1e-4)
        assert np.array_equal(again.triangles, block.triangles)
    assert report_of(mirrored(box(2, 2, 2, (10, 0, 0)), 0, at=0.0)).box[0][0] == pytest.approx(-11)
    with pytest.raises(InvalidInput, match="0, 1 or 2"):
        mirrored(block, 3)
