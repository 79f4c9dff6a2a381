"""Triangles that cross, against a search over all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.intersections import crossing_triangles, overlapping_boxes
from orthanc_stl.mesh.solids.booleans import united
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import box, doughnut, moved, rod, shell, sphere


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 100])
def test_boxes_that_overlap(count: int) -> None:
    random = np.random.default_rng(count)
    low = random.uniform(0, 10, (count, 3))
    high = low + random.exponential(1, (count, 3))
    found = {(min(pair), max(pair)) for pair in overlapping_boxes(low, high).tolist()} if count else set()
    true = {
        (i, j)
        for i in range(count)
        for j in range(i + 1, count)
        if (low[i] <= high[j]).all() and (low[j] <= high[i]).all()
    }
    assert found == true


@pytest.mark.parametrize("mesh", [moved(sphere(10)), doughnut(), moved(shell()), box(1, 2, 3), moved(rod(3, 9))])
def test_sound_surfaces_do_not_cross(mesh: Mesh) -> None:
    assert crossing_triangles(mesh).shape == (0, 2)


@pytest.mark.parametrize("place", [(5, 0, 0), (0.3, 7.7, 1.1)])
def test_two_balls_that_overlap(place: tuple[float, float, float]) -> None:
    both = together([sphere(10, segments=40), sphere(10, place, segments=40)])
    found = crossing_triangles(both)
    half = len(both.triangles) // 2
    assert len(found) > 20
    assert (found[:, 0] < half).all()
    assert (found[:, 1] >= half).all()
    circle = both.vertices[both.triangles[found]].mean(axis=2)
    assert np.abs(np.linalg.norm(circle, axis=2) - 10).max() < 1.5  # a triangle's side
    assert not len(crossing_triangles(united([sphere(10, segments=40), sphere(10, place, segments=40)])))


def test_faces_that_touch_do_not_cross() -> None:
    assert not len(crossing_triangles(together([box(2, 2, 2), box(1, 1, 1, (1.5, 0.13, 0.17))])))


def test_a_corner_pulled_through_the_other_side() -> None:
    cube = box(2, 2, 2)
    points = cube.vertices.copy()
    points[0] = points[0] * -3
    assert len(crossing_triangles(Mesh(points, cube.triangles)))
