"""Distances by walking over a surface, against the distance to the whole of it."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.feet import Feet
from orthanc_stl.mesh.topology import twins_of
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import box, doughnut, moved, shell, sphere


def feet_of(mesh: Mesh) -> Feet:
    return Feet(mesh, twins_of(mesh.triangles, len(mesh.vertices)))


@pytest.mark.parametrize(
    ("mesh", "away"), [(moved(sphere(10)), 0.2), (doughnut(), 0.2), (moved(shell()), 0.2), (moved(box(9, 8, 7)), 0.2)]
)
def test_walks_from_near_triangles(mesh: Mesh, away: float) -> None:
    """Never nearer than the surface, always as far as the triangle where the walk ends, and nearly always right."""
    random = np.random.default_rng(5)
    start = random.integers(0, len(mesh.triangles), 3000)
    points = mesh.vertices[mesh.triangles[start, 0]] + random.normal(0, away, (3000, 3))
    found, ends = feet_of(mesh).found(points, start)
    exact = SurfaceDistance(mesh).unsigned(points)
    assert (found >= exact - 1e-5).all()
    assert (np.abs(found - exact) < 1e-5).mean() > 0.9
    for k in range(0, 3000, 100):
        alone = SurfaceDistance(Mesh(mesh.vertices, mesh.triangles[ends[k], None])).unsigned(points[k, None])
        assert found[k] == pytest.approx(alone[0], abs=1e-5)


def test_a_walk_that_never_gets_there_ends_where_it_is() -> None:
    """From the other side of a ball: too far for the steps, so the distance is that of where it ends."""
    mesh = sphere(10)
    low, high = int(np.argmin(mesh.vertices[:, 2])), int(np.argmax(mesh.vertices[:, 2]))
    start = np.flatnonzero((mesh.triangles == low).any(axis=1))[:1]
    found, ends = feet_of(mesh).found(mesh.vertices[high, None].astype(float), start)
    corners = mesh.vertices[mesh.triangles[ends[0]]]
    assert found[0] > 15
    assert np.linalg.norm(corners - mesh.vertices[high], axis=1).min() == pytest.approx(found[0], abs=1.0)


@pytest.mark.parametrize("mesh", [moved(sphere(10)), doughnut(), moved(shell())])
def test_exact_distances_within_bounds(mesh: Mesh) -> None:
    """From any bound, and the bound itself is given where nothing is nearer."""
    random = np.random.default_rng(6)
    points = mesh.vertices[random.integers(0, len(mesh.vertices), 60)] + random.normal(0, 1.0, (60, 3))
    exact = SurfaceDistance(mesh).unsigned(points)
    feet = feet_of(mesh)
    np.testing.assert_allclose(feet.within_bounds(points, exact * 1.5 + 0.1), exact, atol=1e-5)
    np.testing.assert_array_equal(feet.within_bounds(points, exact * 0.5), exact * 0.5)
