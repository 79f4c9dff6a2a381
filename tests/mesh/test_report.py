"""What a report says of meshes that are right, and of such as are not."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.topology import crowded_vertices, topology_of
from orthanc_stl.mesh.types import Mesh, Note, Rank
from testing.solids import ball, model_of
from tests.mesh.test_stl import TETRAHEDRON


def test_tetrahedron() -> None:
    report = report_of(TETRAHEDRON, (1, 1, 2), [Note(Rank.GUESSED, "", "a warning")])
    assert report.triangles == 4
    assert report.volume == pytest.approx(4.5)
    assert report.area == pytest.approx(13.5 + 4.5 * np.sqrt(3))
    assert report.box == ((0, 0, 0), (3, 3, 3))
    assert report.closed
    assert report.euler_number == 2
    assert report.as_json()["warnings"] == ("a warning",)
    assert report.as_json()["voxel"] == (1, 1, 2)


def test_empty_mesh() -> None:
    report = report_of(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
    assert (report.triangles, report.volume, report.area, report.closed) == (0, 0, 0, False)
    assert report.box == ((0, 0, 0), (0, 0, 0))


def test_missing_triangle() -> None:
    report = report_of(Mesh(TETRAHEDRON.vertices, TETRAHEDRON.triangles[:3]))
    assert not report.closed
    assert report.euler_number == 4 - 6 + 3


def test_triangle_turned_round() -> None:
    triangles = TETRAHEDRON.triangles.copy()
    triangles[0] = triangles[0, ::-1]
    assert not report_of(Mesh(TETRAHEDRON.vertices, triangles)).closed


def test_inside_out_has_negative_volume() -> None:
    assert report_of(Mesh(TETRAHEDRON.vertices, TETRAHEDRON.triangles[:, ::-1])).volume == pytest.approx(-4.5)


def test_two_bodies_that_share_an_edge_are_not_closed() -> None:
    both = np.concatenate([TETRAHEDRON.triangles, np.array([[0, 4, 1], [0, 1, 5], [0, 5, 4], [1, 4, 5]])])
    topology = topology_of(both, 6)
    assert not topology.closed
    assert topology.bad_vertices.tolist() == [0, 1]


def test_two_bodies_that_share_a_vertex_are_found() -> None:
    other = TETRAHEDRON.triangles + 3
    both = np.concatenate([TETRAHEDRON.triangles, other])
    assert topology_of(both, 7).closed
    assert crowded_vertices(both, 7).tolist() == [3]


def test_triangle_and_its_reverse_are_no_body() -> None:
    flap = np.array([[0, 1, 2], [0, 2, 1]])
    assert not topology_of(flap, 3).closed


def test_volume_far_from_the_origin() -> None:
    near = model_of(ball(30), resolution=64).mesh
    far = Mesh((near.vertices.astype(float) + np.array([8000, -9000, 4000])).astype(np.float32), near.triangles)
    assert report_of(far).volume == pytest.approx(report_of(near).volume, rel=1e-4)
