"""Solids with a known surface, upright and tilted: volume, distance, Euler number, closedness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.triangles import area_normals
from testing import solids
from testing.solids import Solid, distances, model_of, voxel_of

MOVES = {
    "upright": (Rotation.identity(), (0.0, 0.0, 0.0)),
    "shifted": (Rotation.identity(), (-211.3, 87.77, -1203.4)),
    "coronal": (Rotation.from_euler("xyz", [90, 0, 0], degrees=True), (10, 20, 30)),
    "sagittal": (Rotation.from_euler("xyz", [0, 90, 0], degrees=True), (10, 20, 30)),
    "head down": (Rotation.from_euler("xyz", [180, 0, 0], degrees=True), (0, 0, 100)),
    "tilted 17": (Rotation.from_euler("xyz", [17, 0, 0], degrees=True), (-40, 3, 8)),
    "oblique": (Rotation.from_euler("xyz", [33, -48, 71], degrees=True), (150.2, -90.1, 300.7)),
    "hardly tilted": (Rotation.from_euler("xyz", [-5, 3, 1], degrees=True), (0.3, 0.2, 0.1)),
}

FAST = ("upright", "oblique")
EACH = [pytest.param(move, marks=() if name in FAST else pytest.mark.slow, id=name) for name, move in MOVES.items()]


@dataclass(frozen=True)
class Known:
    """How near the surface has to come: relative volume, mean and largest distance in mm."""

    solid: Solid
    volume: float
    mean: float
    largest: float


KNOWN = {
    "ball": Known(solids.ball(30), 0.002, 0.06, 0.8),
    "cylinder": Known(solids.cylinder(10), 0.004, 0.04, 0.3),
    "cone": Known(solids.cone(), 0.004, 0.05, 0.4),
    "torus": Known(solids.torus(), 0.005, 0.10, 0.9),
    "hollow shell": Known(solids.hollow_shell(), 0.004, 0.10, 1.0),
    "two balls 5 mm apart": Known(solids.two_balls(), 0.005, 0.06, 0.7),
    "fork": Known(solids.fork(), 0.02, 0.10, 0.9),
    "thin plate": Known(solids.thin_plate(), 0.035, 0.05, 0.5),
}


@pytest.mark.parametrize("move", EACH)
@pytest.mark.parametrize("name", KNOWN)
def test_solid(name: str, move: tuple[Rotation, tuple[float, float, float]]) -> None:
    known = KNOWN[name]
    model = model_of(known.solid, *move, resolution=128)
    report = model.report
    assert report.closed
    assert report.euler_number == known.solid.euler_number
    assert report.volume == pytest.approx(known.solid.volume, rel=known.volume)
    found = distances(model.mesh, known.solid, *move)
    assert found.mean() < known.mean
    assert found.max() < known.largest
    assert report.warnings == ()


SLICES = [1, 2, 3, 10, *(pytest.param(slices, marks=pytest.mark.slow) for slices in (4, 5, 6, 7, 8, 9, 20, 30))]


@pytest.mark.parametrize("slices", SLICES)
def test_cylinder_has_slices_times_area_times_spacing(slices: int) -> None:
    solid = solids.cylinder(slices)
    beside = [np.stack([solids.ring(1, 0), solids.ring(1, 3)])]  # tells the spacing of the single slice
    report = model_of(solid, surroundings=beside, resolution=256).report
    assert report.volume == pytest.approx(solid.volume, rel=0.01)
    assert report.closed
    assert report.euler_number == 2


def test_ball_of_30_mm_at_256() -> None:
    solid = solids.ball(30)
    model = model_of(solid, resolution=256)
    found = distances(model.mesh, solid)
    assert found.mean() < 0.12
    assert found.max() < 1.2
    assert model.report.triangles < 250_000


def test_ball_of_30_mm_beside_a_body_of_400_by_300_mm() -> None:
    solid = solids.ball(30)
    body = [np.stack([solids.ring(1, float(z)) * [200, 150, 1] for z in np.arange(-90, 91, 3)])]
    model = model_of(solid, surroundings=body, resolution=256)
    assert distances(model.mesh, solid).mean() < 0.20
    assert voxel_of(model)[0] == pytest.approx(60 / 128, rel=0.01)


@pytest.mark.parametrize("smooth", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", KNOWN)
def test_no_triangle_is_degenerate(name: str, smooth: bool) -> None:
    shift = (512.3, -733.1, 1498.7)
    mesh = model_of(KNOWN[name].solid, shift=shift, resolution=96, smooth=smooth).mesh
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)
    corners = mesh.vertices[mesh.triangles].reshape(-1, 9)
    assert np.abs(area_normals(np.ascontiguousarray(corners.T))).max(axis=0).min() > 0


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_normals_point_outwards(move: tuple[Rotation, tuple[float, float, float]]) -> None:
    mesh = model_of(solids.ball(30), *move, resolution=64).mesh
    corners = mesh.vertices[mesh.triangles].astype(float) - np.asarray(move[1])
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", normals, corners.mean(axis=1)) > 0).all()
