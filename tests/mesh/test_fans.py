"""Distances to the triangles around vertices, against the distance to the whole surface."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.fans import Fans
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import doughnut, moved, shell, sphere


@pytest.mark.parametrize("mesh", [moved(sphere(10)), doughnut(), moved(shell())])
@pytest.mark.parametrize("near", [0.0, 0.2, np.inf])
def test_bounds_of_the_distance_to_the_surface(mesh: Mesh, near: float) -> None:
    """Never nearer than the surface; within `near` of it as the fan has it; farther away exactly the fan's distance."""
    random = np.random.default_rng(5)
    centres = random.integers(0, len(mesh.vertices), 3000)
    points = mesh.vertices[centres] + random.normal(0, 0.2, (3000, 3))
    found = Fans(mesh).distances(points, centres, near)
    exact = np.array([_to_fan(points[k], centres[k], mesh) for k in range(0, 3000, 60)])
    some = found[::60]
    assert (found >= SurfaceDistance(mesh).unsigned(points) - 1e-5).all()
    assert (some >= exact - 1e-5).all()
    assert np.abs(some - exact)[some > near].max(initial=0) < 1e-5
    assert ((some <= near) == (exact <= near)).mean() > 0.97 or near == 0


def _to_fan(point: np.ndarray, centre: int, mesh: Mesh) -> float:
    fan = Mesh(mesh.vertices, mesh.triangles[(mesh.triangles == centre).any(axis=1)])
    return float(SurfaceDistance(fan).unsigned(point[None])[0])


def test_a_vertex_in_no_triangle_is_infinitely_far() -> None:
    mesh = Mesh(np.eye(4, 3, dtype=np.float32), np.array([[0, 1, 2]], np.int32))
    found = Fans(mesh).distances(np.zeros((2, 3)), np.array([3, 0]), 1.0)
    assert found.tolist() == [np.inf, pytest.approx(np.sqrt(1 / 3))]


@pytest.mark.parametrize("mesh", [moved(sphere(10)), doughnut(), moved(shell())])
def test_exact_distances_within_bounds(mesh: Mesh) -> None:
    """From any bound, and the bound itself is given where nothing is nearer."""
    random = np.random.default_rng(6)
    points = mesh.vertices[random.integers(0, len(mesh.vertices), 60)] + random.normal(0, 1.0, (60, 3))
    exact = SurfaceDistance(mesh).unsigned(points)
    np.testing.assert_allclose(Fans(mesh).within_bounds(points, exact * 1.5 + 0.1), exact, atol=1e-5)
    np.testing.assert_array_equal(Fans(mesh).within_bounds(points, exact * 0.5), exact * 0.5)
