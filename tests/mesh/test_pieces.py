"""Bodies and cavities of a mesh, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.measures import measures_of
from orthanc_stl.mesh.pieces import largest_piece, pieces_of, without_cavities, without_small_pieces
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.booleans import subtracted
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import OBLIQUE, box, doughnut, moved, shell, sphere

NOTHING = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))


def scene() -> Mesh:
    """A small cube, a hollow ball with a ball of its own inside, and a large cube: 8, 26,264 + 524, 27,000 mm³."""
    return together([box(2, 2, 2, (60, 0, 0)), shell(), sphere(5), box(30, 30, 30, (-60, 0, 0))])


def test_pieces_are_bodies_with_their_cavities() -> None:
    pieces = pieces_of(scene())
    hollow = 4 / 3 * np.pi * (20**3 - 12**3)
    assert [piece.volume for piece in pieces] == pytest.approx([27000, hollow, 4 / 3 * np.pi * 125, 8], rel=4e-3)
    assert [piece.cavities for piece in pieces] == [0, 1, 0, 0]
    assert sorted(np.concatenate([piece.triangles for piece in pieces])) == list(range(len(scene().triangles)))


def test_largest_piece_keeps_its_cavity() -> None:
    both = together([box(2, 2, 2, (60, 0, 0)), moved(shell(), shift=(0, 0, 0))])
    found = largest_piece(both)
    assert report_of(found.mesh).euler_number == 4
    assert report_of(found.mesh).closed
    assert found.left == 1
    assert found.removed == pytest.approx((8.0,))


def test_small_pieces() -> None:
    found = without_small_pieces(scene(), 1000)
    assert found.left == 2
    assert found.removed == pytest.approx((4 / 3 * np.pi * 125, 8), rel=1e-3)
    assert len(pieces_of(found.mesh)) == 2
    assert len(found.mesh.vertices) == len(np.unique(found.mesh.triangles))
    assert without_small_pieces(scene(), 0.0).mesh.triangles.shape == scene().triangles.shape
    assert without_small_pieces(scene(), 1e6).left == 0


def test_cavities_filled() -> None:
    found = without_cavities(together([moved(shell()), moved(box(2, 2, 2, (60, 0, 0)))]))
    report = report_of(found.mesh)
    assert report.volume == pytest.approx(4 / 3 * np.pi * 8000 + 8, rel=4e-3)
    assert report.euler_number == 4
    assert found.removed == pytest.approx((4 / 3 * np.pi * 12**3,), rel=4e-3)
    assert without_cavities(doughnut()).removed == ()


@pytest.mark.parametrize("held", [sphere(5), together([shell(10, 8), sphere(3), sphere(2, (9, 0, 0))])])
def test_what_lies_in_a_cavity_goes_with_it(held: Mesh) -> None:
    """It was there twice: in the filled body, and as a body of its own."""
    found = without_cavities(moved(together([shell(), held, box(2, 2, 2, (60, 0, 0))])))
    assert [piece.volume for piece in pieces_of(found.mesh)] == pytest.approx([4 / 3 * np.pi * 8000, 8], rel=4e-3)
    assert found.left == 2


@pytest.mark.parametrize("rotation", [Rotation.identity(), OBLIQUE])
def test_a_body_that_touches_the_walls_around_it(rotation: Rotation) -> None:
    """In a notch it stays, in a cavity it goes."""
    notched = subtracted(box(20, 20, 20), [box(6, 6, 6), box(4, 4, 4, (0, 0, 8))])
    parts = [notched, box(4, 4, 4, (0, 0, 8)), box(6, 6, 6)]
    found = without_cavities(together([moved(part, rotation) for part in parts]))
    assert [piece.volume for piece in pieces_of(found.mesh)] == pytest.approx([8000 - 64, 64], rel=1e-4)


def test_a_body_in_a_cavity_that_overlaps_its_wall_by_rounding_goes() -> None:
    hollow = subtracted(box(40, 40, 40), [box(36, 36, 36)])
    found = without_cavities(together([hollow, box(10, 10, 10, (0, 0, -13.0001))]))
    assert [piece.volume for piece in pieces_of(found.mesh)] == pytest.approx([64000], rel=1e-5)


def test_no_triangles() -> None:
    assert pieces_of(NOTHING) == []
    assert largest_piece(NOTHING).left == 0
    assert without_cavities(NOTHING).left == 0
    assert measures_of(NOTHING).extent == (0, 0, 0)


def test_thousands_of_pieces() -> None:
    cubes = [box(1, 1, 1, (3 * i, 3 * j, 0)) for i in range(50) for j in range(40)]
    found = largest_piece(together([*cubes, box(4, 4, 4, (-10, 0, 0))]))
    assert len(found.removed) == 2000
    assert report_of(found.mesh).volume == pytest.approx(64)


def test_measures_of_a_solid_far_from_the_origin() -> None:
    measures = measures_of(moved(together([shell(), box(2, 2, 2, (60, 0, 0))])))
    assert (measures.pieces, measures.cavities, measures.closed) == (2, 1, True)
    middle = moved(box(2, 2, 2, (60 * 8 / measures.volume, 0, 0))).vertices.mean(axis=0)
    assert measures.centroid == pytest.approx(middle, abs=1e-3)
    assert measures.volume == pytest.approx(4 / 3 * np.pi * (20**3 - 12**3) + 8, rel=4e-3)
    assert measures_of(box(3, 4, 5, (9, 9, 9))).extent == pytest.approx((3, 4, 5))
    assert measures_of(box(3, 4, 5)).area == pytest.approx(94)


def test_measures_of_an_open_mesh() -> None:
    cube = box(2, 2, 2, (5, 6, 7))
    measures = measures_of(Mesh(cube.vertices, cube.triangles[:-1]))
    assert not measures.closed
    assert measures.cavities == 0
    assert measures.area == pytest.approx(22)
