"""The same body comes out however its contours are turned, shifted, reversed, reordered or started."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Surface
from testing.solids import ring, roi_of

RESOLUTION = 64


def body() -> list[np.ndarray]:
    """A bent tube with a hole along it, and a ball beside it: without any symmetry."""
    outlines = []
    for k in range(14):
        centre = (10 * np.sin(k / 5), 0.08 * k * k)
        outlines += [ring(15 - k / 3, 3 * k, centre, 60), ring(6, 3 * k, centre, 40)]
    return outlines + [ring(np.sqrt(100 - (3 * k - 20) ** 2), 3 * k, (-40, 10), 50) for k in range(4, 10)]


BODY = body()


def built(outlines: list[np.ndarray], rotation: Rotation, shift: tuple[float, ...]) -> Surface:
    return surface_from_contours([roi_of(outlines, rotation, shift)], resolution=RESOLUTION)


REFERENCE = built(BODY, Rotation.identity(), (0, 0, 0))
TREE = cKDTree(REFERENCE.mesh.vertices)

angles = st.floats(-180, 180, allow_nan=False)
lengths = st.floats(-2000, 2000, allow_nan=False)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.tuples(angles, angles, angles), st.tuples(lengths, lengths, lengths), st.randoms(use_true_random=False))
def test_moving_reversing_and_reordering_change_nothing(
    turn: tuple[float, ...], shift: tuple[float, ...], random: Random
) -> None:
    outlines = [np.roll(outline, random.randrange(40), axis=0)[:: random.choice((1, -1))] for outline in BODY]
    random.shuffle(outlines)
    rotation = Rotation.from_euler("xyz", turn, degrees=True)
    model = built(outlines, rotation, shift)
    assert model.report.closed
    assert model.report.euler_number == REFERENCE.report.euler_number == 2
    assert model.report.volume == pytest.approx(REFERENCE.report.volume, rel=0.004)
    assert model.report.area == pytest.approx(REFERENCE.report.area, rel=0.01)
    back = rotation.inv().apply(model.mesh.vertices.astype(float) - np.array(shift))
    assert TREE.query(back)[0].max() < 1.5 * np.linalg.norm(REFERENCE.report.voxel)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_any_contours_give_a_closed_surface(data: st.DataObject) -> None:
    """Random polygons, self-crossing and overlapping ones included, on random planes."""
    coordinate = st.floats(-50, 50, allow_nan=False, width=32)
    polygon = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12)
    planes = data.draw(st.lists(st.tuples(st.integers(0, 8), polygon), min_size=1, max_size=8))
    big = [ring(60, 0, points=8)]
    outlines = [np.column_stack((np.array(points), np.full(len(points), 2.5 * k))) for k, points in planes]
    report = surface_from_contours([roi_of(big + outlines)], resolution=24).report
    assert report.closed
    assert report.volume > 0
