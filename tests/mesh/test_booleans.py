"""Union, difference and intersection of solids whose volumes are known, turned and far from the origin."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.booleans import intersected, subtracted, united
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import box, doughnut, moved, rod, shell, sphere

LARGE = sphere(20, (10, -15, 30))
SMALL = sphere(12, (28, -15, 30))


def test_the_two_made_balls() -> None:
    a, b = moved(LARGE), moved(SMALL)
    for mesh, volume in ((united([a, b]), 37088), (subtracted(b, [a]), 3578), (intersected([a, b]), 3660)):
        report = report_of(mesh)
        assert report.closed
        assert report.euler_number == 2
        assert report.volume == pytest.approx(volume, rel=0.005)


def test_what_lies_apart_inside_and_nowhere() -> None:
    far = sphere(12, (100, 0, 0))
    assert report_of(united([LARGE, far])).euler_number == 4
    assert len(intersected([LARGE, far]).triangles) == 0
    assert len(subtracted(SMALL, [sphere(20, (28, -15, 30))]).triangles) == 0
    hollow = subtracted(moved(sphere(20)), [moved(sphere(12))])
    assert report_of(hollow).euler_number == 4
    assert report_of(hollow).volume == pytest.approx(4 / 3 * np.pi * (20**3 - 12**3), rel=1e-3)


def test_a_body_without_its_organs_leaves_no_slivers() -> None:
    """Organs whose faces touch each other and the body's side."""
    body = moved(box(100, 60, 40))
    organs = [
        moved(box(30, 20, 10, (-35, 0, 0))),
        moved(box(20, 20, 10, (-10, 0, 0))),
        moved(box(10, 60, 40, (45, 0, 0))),
    ]
    report = report_of(subtracted(body, organs))
    assert report.closed
    assert report.volume == pytest.approx(100 * 60 * 40 - 30 * 200 - 20 * 200 - 10 * 2400, rel=1e-5)
    assert report.triangles < 100
    assert report_of(subtracted(body, [body])).triangles == 0
    joined = united([box(30, 20, 10, (-35, 0, 0)), box(20, 20, 10, (-10, 0, 0))])
    assert report_of(joined).euler_number == 2
    assert report_of(joined).volume == pytest.approx(50 * 200, rel=1e-5)
    assert len(pieces_of(subtracted(body, [moved(box(100, 60, 39.9995))]))) == 0


def test_all_three_refuse_what_is_no_solid() -> None:
    tube = rod(5, 10)
    cut_open = Mesh(tube.vertices, tube.triangles[:-1])
    turned = Mesh(tube.vertices, tube.triangles[:, ::-1])
    endless = Mesh(np.where(tube.vertices == tube.vertices.max(), np.inf, tube.vertices), tube.triangles)
    for mesh, message in ((cut_open, "not closed at"), (turned, "inside out"), (endless, "not finite")):
        with pytest.raises(InvalidInput, match=message):
            united([doughnut(), mesh])
        with pytest.raises(InvalidInput, match=message):
            subtracted(mesh, [])
        with pytest.raises(InvalidInput, match=message):
            intersected([mesh, mesh])
    with pytest.raises(InvalidInput, match="at least one"):
        united([])


def test_united_cavities_are_filled_by_what_lies_in_them() -> None:
    assert report_of(united([shell(20, 12), sphere(13)])).euler_number == 2
