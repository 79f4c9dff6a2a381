"""Contours drawn along pixels: with `smooth` their steps disappear, the volume stays, and fine ones feel nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.staircases import without_steps
from orthanc_stl.mesh.types import Surface
from testing.solids import along_pixels, ball, planes_within, ring, roi_of
from tests.mesh.random_outlines import area

CENTRE = np.array([0.3, 0.2, 0.0])


def stairs(pitch: tuple[float, float] = (1.0, 1.0), radius: float = 30.0, spacing: float = 3.0) -> list[np.ndarray]:
    """A ball at CENTRE, outlined along pixels."""
    outlines = []
    x, y = (np.arange(-np.ceil(radius / p) - 2, np.ceil(radius / p) + 3) * p for p in pitch)
    for z in planes_within(-radius, radius, spacing):
        mask = (x - CENTRE[0]) ** 2 + (y[:, None] - CENTRE[1]) ** 2 < radius**2 - z**2
        outline = along_pixels(mask, pitch, (x[0] - pitch[0] / 2, y[0] - pitch[1] / 2))
        outlines.append(np.column_stack([outline, np.full(len(outline), z)]))
    return outlines


def errors(surface: Surface, centre: np.ndarray, radius: float = 30.0) -> tuple[float, float]:
    """Mean angle (degrees) between the triangles' normals and the true ones, and mean distance (mm) of vertices."""
    points = surface.mesh.vertices.astype(float) - centre
    a, b, c = (points[surface.mesh.triangles[:, k]] for k in range(3))
    normal, out = np.cross(b - a, c - a), a + b + c
    cosine = (normal * out).sum(axis=1) / np.linalg.norm(normal, axis=1) / np.linalg.norm(out, axis=1)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()), float(
        np.abs(np.linalg.norm(points, axis=1) - radius).mean()
    )


@pytest.mark.parametrize("resolution", [64, 128, 256])
@pytest.mark.slow
def test_ball_along_pixels_of_1_mm(resolution: int) -> None:
    outlines = stairs()
    smooth = surface_from_contours([roi_of(outlines)], resolution=resolution)
    angle, distance = errors(smooth, CENTRE)
    assert angle < 3
    assert distance < 0.09
    assert smooth.report.volume == pytest.approx(3 * sum(area(o) for o in outlines), rel=0.002)
    assert smooth.report.warnings == ()
    rough = surface_from_contours([roi_of(outlines)], resolution=resolution, smooth=False)
    assert errors(rough, CENTRE)[0] > 2 * angle


@pytest.mark.parametrize("pitch", [(1.0, 1.0), (0.7, 1.1)])
def test_tilted_and_with_pixels_that_are_not_square(pitch: tuple[float, float]) -> None:
    turn = Rotation.from_euler("xyz", [20, 30, 40], degrees=True)
    surface = surface_from_contours([roi_of(stairs(pitch), turn, (5, 6, 7))], resolution=128)
    angle, distance = errors(surface, turn.apply(CENTRE) + np.array([5, 6, 7]))
    assert angle < 3.5
    assert distance < 0.09


def test_area_stays_and_no_point_moves_far() -> None:
    for outline in stairs():
        flat = outline[:, :2]
        smooth = without_steps(flat)
        assert area(smooth) == pytest.approx(area(flat), rel=1e-4)
        far = np.min(np.linalg.norm(smooth[:, None] - flat[None], axis=2), axis=1)
        assert far.max() < 8  # from the corners, which lie up to 15 mm apart where the circle follows a row
        assert np.abs(np.linalg.norm(smooth - CENTRE[:2], axis=1) - np.sqrt(area(flat) / np.pi)).max() < 0.75


@pytest.mark.parametrize(
    "outline",
    [
        ring(20, 0)[:, :2],
        np.round(ring(20, 0)[:, :2], 1),
        np.array([[0, 0], [10, 0], [10, 10], [0, 10.0]]),
        np.array([[float(x), y] for y in (0, 5) for x in (range(20) if y == 0 else range(19, -1, -1))]),
    ],
    ids=["round", "rounded", "square", "rectangle with a point a millimetre"],
)
def test_other_outlines_are_left_alone(outline: np.ndarray) -> None:
    assert without_steps(outline) is outline


def test_a_wall_of_one_pixel_stays() -> None:
    x = np.arange(-25, 26)
    square = x**2 + x[:, None] ** 2
    outer, inner = (along_pixels(square < r**2, (1, 1), (-25.5, -25.5)) for r in (20, 18.5))
    body = [np.column_stack([o, np.full(len(o), 3.0 * k)]) for k in range(8) for o in (outer, inner)]
    report = surface_from_contours([roi_of(body)], resolution=128).report
    assert report.volume == pytest.approx(24 * (area(outer) - area(inner)), rel=0.02)
    assert report.euler_number == 0


def test_fine_contours_are_the_same_bytes_as_ever() -> None:
    for outline in (outline[:, :2].copy() for outline in ball(30).outlines):
        assert without_steps(outline) is outline
