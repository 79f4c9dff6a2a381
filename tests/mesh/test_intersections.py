"""Triangles that cross, against a search over all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.intersections import crossing_triangles, overlapping_boxes
from orthanc_stl.mesh.solids.booleans import united
from orthanc_stl.mesh.triangles import corners_of, together, unit_normals
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


@pytest.mark.parametrize("far", [0.0, 1e4])
def test_rough_bodies_against_a_search_over_all_pairs(far: float) -> None:
    """What is left out beforehand, for one lies beside the other's plane, crosses nowhere."""
    random = np.random.default_rng(3)
    ball = moved(sphere(10, segments=16))
    rough = Mesh((ball.vertices + random.normal(0, 3.0, ball.vertices.shape) + far).astype(np.float32), ball.triangles)
    first, second = np.triu_indices(len(rough.triangles), 1)
    common = (rough.triangles[first][:, :, None] == rough.triangles[second][:, None]).sum(axis=(1, 2))
    crossing = np.zeros(len(first), bool)
    for one, two in ((first, second), (second, first)):
        for edge in ([0, 1], [1, 2], [2, 0]):
            ends, other = rough.triangles[one][:, edge], rough.triangles[two]
            meets = (ends[:, :, None] == other[:, None]).any(axis=(1, 2))
            crossing |= ~meets & (common < 2) & _pierces(rough.vertices[ends], rough.vertices[other])
    true = set(zip(first[crossing].tolist(), second[crossing].tolist(), strict=True))
    assert {tuple(pair) for pair in crossing_triangles(rough).tolist()} == true
    assert len(true) > 50


def _pierces(edges: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Whether edges `(n, 2, 3)` pass through triangles `(n, 3, 3)`, by the signs of the volumes of tetrahedra."""
    a, b, c = (triangles[:, k].astype(np.float64) - edges[:, 0] for k in range(3))
    way = edges[:, 1].astype(np.float64) - edges[:, 0]
    base = _volume(a, b, c)
    sides = [_volume(way, *pair) for pair in ((a, b), (b, c), (c, a))]
    around = np.all([side > 0 for side in sides], axis=0) | np.all([side < 0 for side in sides], axis=0)
    return np.asarray(around & (base * _volume(a - way, b - way, c - way) < 0))


def _volume(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.asarray((a * np.cross(b, c)).sum(axis=1))


FLAT_FANS = {
    "upright": (
        [
            (133.88287353515625, 4.297021865844727, -25.0),
            (133.75601196289062, 1.7987403869628906, -23.499923706054688),
            (133.81455993652344, 3.0478813648223877, -23.499921798706055),
            (133.87310791015625, 4.297021865844727, -23.499923706054688),
            (133.74624633789062, 1.7987310886383057, -21.999876022338867),
        ],
        [(2, 0, 3), (1, 2, 4)],
    ),
    "level": (
        [
            (-74.07211303710938, 0.8296874761581421, 32.80337905883789),
            (-74.6273422241211, 0.4595312476158142, 32.94129943847656),
            (-75.45585632324219, 0.8296874761581421, 33.176231384277344),
            (-74.81242370605469, 0.8296874761581421, 33.00285720825195),
            (-75.18257904052734, 1.1998437643051147, 33.10026168823242),
        ],
        [(0, 3, 1), (3, 4, 2)],
    ),
}
"""Triangles of surfaces made of contours, which have a corner in common and lie nearly in one plane."""


@pytest.mark.parametrize(("points", "triangles"), FLAT_FANS.values(), ids=FLAT_FANS)
def test_triangles_that_share_a_corner_and_hardly_bend_do_not_cross(
    points: list[tuple[float, ...]], triangles: list[tuple[int, ...]]
) -> None:
    assert not len(crossing_triangles(Mesh(np.array(points, np.float32), np.array(triangles, np.int32))))


def test_triangles_that_share_a_corner_may_cross() -> None:
    points = np.array([(0, 0, 0), (2, -1, 0), (2, 1, 0), (1, 0, -1), (1, 0.1, 1)], np.float32)
    mesh = Mesh(points, np.array([(0, 1, 2), (0, 3, 4)], np.int32))
    assert crossing_triangles(mesh).tolist() == [[0, 1]]


@pytest.mark.parametrize(("inside_out", "apart", "bent"), [(True, 5, True), (False, 15, True), (False, 5, False)])
def test_only_pairs_that_face_ways_60_degrees_apart(inside_out: bool, apart: float, bent: bool) -> None:
    """Two balls that overlap: their surfaces meet at 29 degrees, or 151 with one turned inside out, or at 97."""
    other = sphere(10, (apart, 0.3, 0.7), segments=40)
    if inside_out:
        other = Mesh(other.vertices, other.triangles[:, ::-1])
    both = together([sphere(10, segments=40), other])
    normals = unit_normals(corners_of(both.vertices, both.triangles))
    every, found = (set(map(tuple, crossing_triangles(both, which).tolist())) for which in (None, normals))
    assert len(every) > 20
    assert found == (every if bent else set())


@pytest.mark.parametrize("part", [0.0, 0.02, 0.3, 1.0])
def test_only_pairs_of_which_one_was_changed(part: float) -> None:
    random = np.random.default_rng(5)
    ball = moved(sphere(10, segments=20))
    rough = Mesh((ball.vertices + random.normal(0, 2.0, ball.vertices.shape)).astype(np.float32), ball.triangles)
    changed = random.uniform(size=len(rough.triangles)) < part
    every = crossing_triangles(rough)
    assert len(every) > 50
    found = crossing_triangles(rough, changed=changed)
    assert set(map(tuple, found.tolist())) == set(map(tuple, every[changed[every].any(axis=1)].tolist()))
