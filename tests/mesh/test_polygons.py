"""Polygons that are not convex become triangles that lie beside each other."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.polygons import triangulated

ELL = [(0, 0, 0), (30, 0, 0), (30, 10, 0), (10, 10, 0), (10, 30, 0), (0, 30, 0)]
FRAME = [  # a square with a square hole in it, cut open along one line
    *[(0, 0, 0), (10, 0, 0), (10, 10, 0), (0, 10, 0), (0, 0, 0)],
    *[(3, 3, 0), (3, 7, 0), (7, 7, 0), (7, 3, 0), (3, 3, 0)],
]
TURNED = np.array([[0.8, -0.36, 0.48], [0.6, 0.48, -0.64], [0.0, 0.8, 0.6]])


def areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corners = points[triangles]
    vectors: np.ndarray = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    return vectors


@pytest.mark.parametrize(("polygon", "area"), [(ELL, 500), (FRAME, 84)])
@pytest.mark.parametrize("first", range(6))
@pytest.mark.parametrize("direction", [1, -1])
def test_triangles_of_a_polygon_lie_beside_each_other(
    polygon: list[tuple[int, int, int]], area: float, first: int, direction: int
) -> None:
    points = np.roll(np.array(polygon, float), first, axis=0)[::direction] @ TURNED.T + (5, -70, 300)
    triangles, owners = triangulated(points, np.arange(len(points)), np.array([len(points)]))
    found = areas(points, triangles)
    assert len(triangles) == len(points) - 2
    assert not owners.any()
    assert np.linalg.norm(found, axis=1).sum() == pytest.approx(area)
    assert np.abs(found.sum(axis=0) - direction * area * TURNED[:, 2]).max() < 1e-6


def test_polygons_of_several_sizes_keep_their_order() -> None:
    points = np.array([*ELL, (0, 0, 5), (1, 0, 5), (1, 1, 5), (0, 1, 5)], float)
    corners = np.array([6, 7, 8, *range(6), 6, 7, 8, 9])
    triangles, owners = triangulated(points, corners, np.array([3, 6, 4]))
    assert owners.tolist() == [0, 1, 1, 1, 1, 2, 2]
    assert [np.linalg.norm(areas(points, triangles[owners == n]), axis=1).sum() for n in range(3)] == [0.5, 500, 1]
    assert triangles[[0, 5, 6]].tolist() == [[6, 7, 8], [6, 7, 8], [6, 8, 9]]


def test_a_star_of_very_many_corners_is_refused() -> None:
    angles = np.arange(9000) * 2 * np.pi / 9000
    radius = np.where(np.arange(9000) % 2, 10, 7)
    star = np.stack((radius * np.cos(angles), radius * np.sin(angles), 0 * angles), axis=1)
    with pytest.raises(TooLarge, match="9,000 corners is not convex"):
        triangulated(star, np.arange(9000), np.array([9000]))
