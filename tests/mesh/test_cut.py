"""Bodies cut by planes: flat ends, halves that make the whole, pegs that fit."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.booleans import intersected
from orthanc_stl.mesh.solids.cut import Pegs, Plane, cut
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import OBLIQUE, box, doughnut, moved, rod, shell, sphere

CENTRE = np.array([150.2, -90.1, 300.7])


def plane_at(height: float, normal: tuple[float, float, float] = (1, 2, 3)) -> Plane:
    """At so many mm from CENTRE along its normal."""
    unit = np.array(normal) / np.linalg.norm(normal)
    x, y, z = (CENTRE + height * unit).tolist()
    return Plane((x, y, z), normal)


@pytest.mark.parametrize("height", [-15.0, 0.0, 5.0])
def test_caps_of_a_ball(height: float) -> None:
    halves = cut(moved(sphere(20)), plane_at(height))
    front, back = report_of(halves.front), report_of(halves.back)
    cap = np.pi * (20 - height) ** 2 / 3 * (40 + height)
    assert front.volume == pytest.approx(cap, rel=2e-3)
    assert front.volume + back.volume == pytest.approx(4 / 3 * np.pi * 8000, rel=1e-4)
    for mesh, report in ((halves.front, front), (halves.back, back)):
        assert report.closed
        assert report.euler_number == 2
        flat = on_plane(mesh, plane_at(height))
        assert area(mesh, flat) == pytest.approx(np.pi * (400 - height**2), rel=3e-3)


def on_plane(mesh: Mesh, plane: Plane) -> np.ndarray:
    unit = np.array(plane.normal) / np.linalg.norm(plane.normal)
    away = np.abs((mesh.vertices.astype(float) - plane.point) @ unit)
    return np.asarray(away[mesh.triangles].max(axis=1) < 1e-3)


def area(mesh: Mesh, chosen: np.ndarray) -> float:
    corners = mesh.vertices[mesh.triangles[chosen]].astype(float)
    return float(
        np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    )


def test_a_plane_that_misses() -> None:
    halves = cut(moved(sphere(20)), plane_at(25))
    assert len(halves.front.triangles) == 0
    assert report_of(halves.back).volume == pytest.approx(4 / 3 * np.pi * 8000, rel=1e-4)


def test_rings_and_hollow_bodies() -> None:
    axis = OBLIQUE.apply([1.0, 0, 0]).tolist()
    halves = cut(moved(doughnut()), Plane(tuple(CENTRE.tolist()), tuple(axis)))
    assert [len(pieces_of(half)) for half in (halves.front, halves.back)] == [1, 1]
    assert report_of(halves.front).volume == pytest.approx(np.pi**2 * 25 * 64, rel=5e-3)
    assert report_of(cut(moved(shell()), plane_at(0)).front).euler_number == 2


def test_several_planes() -> None:
    planes = [plane_at(0, (1, 0, 0)), plane_at(0, (0, 1, 0)), plane_at(0, (0, 0, 1)), plane_at(50)]
    parts = [moved(sphere(20))]
    for plane in planes:
        halves = [cut(part, plane) for part in parts]
        parts = [part for half in halves for part in (half.front, half.back) if len(part.triangles)]
    assert len(parts) == 8
    assert [report_of(part).volume for part in parts] == pytest.approx([4 / 3 * np.pi * 1000] * 8, rel=5e-3)
    assert all(report_of(part).closed for part in parts)


@pytest.mark.parametrize("mesh", [moved(sphere(20)), moved(box(30, 30, 30)), moved(rod(15, 40))])
def test_pegs_fit_their_holes(mesh: Mesh) -> None:
    pegs = Pegs(diameter=4.0, length=6.0, clearance=0.2)
    plain, pegged = cut(mesh, plane_at(0)), cut(mesh, plane_at(0), pegs)
    assert pegged.pegs.shape == (2, 3)
    unit = np.array([1, 2, 3]) / np.sqrt(14)
    assert np.abs((pegged.pegs - CENTRE) @ unit).max() < 1e-6
    sides = 64 / (2 * np.pi) * np.sin(2 * np.pi / 64)  # of circles of 64 sides
    added = report_of(pegged.back).volume - report_of(plain.back).volume
    taken = report_of(plain.front).volume - report_of(pegged.front).volume
    assert added == pytest.approx(2 * np.pi * 4 * 6 * sides, rel=0.01)
    assert taken == pytest.approx(2 * np.pi * 2.2**2 * 6.2 * sides, rel=0.01)
    for half in (pegged.front, pegged.back):
        assert report_of(half).closed
        assert report_of(half).euler_number == 2
    assert report_of(intersected([pegged.front, pegged.back])).volume < 0.01


def test_pegs_without_space_are_refused() -> None:
    with pytest.raises(InvalidInput, match="space on both sides"):
        cut(moved(box(4, 4, 30)), plane_at(0, tuple(OBLIQUE.apply([0.0, 0, 1]).tolist())), Pegs(3, 5))
    with pytest.raises(InvalidInput, match="space on both sides"):
        cut(moved(sphere(20)), plane_at(18), Pegs(3, 5))
    with pytest.raises(InvalidInput, match="more than 0"):
        cut(moved(sphere(20)), plane_at(0), Pegs(0, 5))


def test_what_cannot_be_cut() -> None:
    with pytest.raises(InvalidInput, match="points somewhere"):
        cut(sphere(20), Plane((0, 0, 0), (0, 0, 0)))
    with pytest.raises(InvalidInput, match="not closed"):
        cut(Mesh(sphere(20).vertices, sphere(20).triangles[1:]), plane_at(0))
