"""What the printer's operations make of solids at any rotation: volume, Euler number, distance to the true surface.

Shells, margins, texts and pegs have the same in test_offsets.py, test_sharp_edges.py, test_label.py and test_cut.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.decimation import decimated
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.pieces import largest_piece, without_cavities, without_small_pieces
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.booleans import intersected, subtracted, united, without_lines
from orthanc_stl.mesh.solids.cut import Plane, cut
from orthanc_stl.mesh.solids.smooth import mirrored, scaled, without_short_waves
from orthanc_stl.mesh.triangles import area_normals, corners_of, together
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import OBLIQUE, box, moved, sphere

ROTATIONS = [Rotation.identity(), OBLIQUE, Rotation.from_euler("xyz", [10, 20, 30], degrees=True)]
MIDDLE = (150.2, -90.1, 300.7)
BOX, BESIDE, SPECK = box(20, 30, 40), box(20, 30, 40, (10, 0, 0)), box(2, 2, 2, (30, 0, 0))
BALL = sphere(12)
LOOKING_GLASS = np.array([[-1, 1, 1]], np.float32)

Turn = Callable[[Mesh], Mesh]


def other_side(mesh: Mesh) -> Mesh:
    """Where `mesh` lies after x is turned round at x = 0."""
    return Mesh(mesh.vertices * LOOKING_GLASS, np.ascontiguousarray(mesh.triangles[:, ::-1]))


def halves(turn: Turn, rotation: Rotation) -> tuple[Mesh, Mesh]:
    x, y, z = rotation.apply([1.0, 0.0, 0.0]).tolist()
    half = cut(turn(BOX), Plane(MIDDLE, (x, y, z)))
    return half.front, half.back


OPERATIONS: dict[str, tuple[Callable[[Turn, Rotation], Mesh], Callable[[Turn], Mesh], float]] = {
    "Unite": (lambda turn, _: united([turn(BOX), turn(BESIDE)]), lambda turn: turn(box(30, 30, 40, (5, 0, 0))), 1e-3),
    "Subtract": (
        lambda turn, _: subtracted(turn(BOX), [turn(BESIDE)]),
        lambda turn: turn(box(10, 30, 40, (-5, 0, 0))),
        1e-3,
    ),
    "Intersect": (
        lambda turn, _: intersected([turn(BOX), turn(BESIDE)]),
        lambda turn: turn(box(10, 30, 40, (5, 0, 0))),
        1e-3,
    ),
    "KeepLargest": (lambda turn, _: largest_piece(together([turn(BOX), turn(SPECK)])).mesh, lambda turn: turn(BOX), 0),
    "MinVolumeMl": (
        lambda turn, _: without_small_pieces(together([turn(BOX), turn(SPECK)]), 9).mesh,
        lambda turn: turn(BOX),
        0,
    ),
    "FillCavities": (
        lambda turn, _: without_cavities(subtracted(turn(BOX), [turn(box(9, 9, 9))])).mesh,
        lambda turn: turn(BOX),
        1e-3,
    ),
    "SmoothMm": (lambda turn, _: without_short_waves(turn(BALL), 4), lambda turn: turn(BALL), 0.05),
    "Mirror": (lambda turn, _: mirrored(turn(BOX), 0, 0.0), lambda turn: other_side(turn(BOX)), 1e-3),
    "Cut, front": (
        lambda turn, rotation: halves(turn, rotation)[0],
        lambda turn: turn(box(10, 30, 40, (5, 0, 0))),
        1e-3,
    ),
    "Cut, back": (
        lambda turn, rotation: halves(turn, rotation)[1],
        lambda turn: turn(box(10, 30, 40, (-5, 0, 0))),
        1e-3,
    ),
    "Scale": (
        lambda turn, _: scaled(turn(BOX), 0.5),
        lambda turn: Mesh(turn(BOX).vertices * np.float32(0.5), BOX.triangles),
        0,
    ),
    "Tolerance": (lambda turn, _: decimated(turn(BALL), tolerance=0.05).mesh, lambda turn: turn(BALL), 0.05),
    "Triangles": (lambda turn, _: decimated(turn(BALL), triangles=2000).mesh, lambda turn: turn(BALL), 0.1),
}
"""What is done, the true surface, and how far from that the result may be, both ways, in mm."""


@pytest.mark.parametrize("rotation", ROTATIONS, ids=["upright", "oblique", "turned a little"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_on_a_turned_solid(name: str, rotation: Rotation) -> None:
    done, truth, most = OPERATIONS[name]

    def turn(mesh: Mesh) -> Mesh:
        return moved(mesh, rotation, MIDDLE)

    found, true = done(turn, rotation), truth(turn)
    report = report_of(found)
    assert (report.closed, report.euler_number) == (True, 2)
    assert report.volume == pytest.approx(report_of(true).volume, rel=2e-3)
    assert SurfaceDistance(true).unsigned(found.vertices).max() <= most + 1e-4
    assert SurfaceDistance(found).unsigned(true.vertices).max() <= most + 1e-4


BIG, CORNER = box(30, 30, 30), box(15, 15, 30, (7.5, 7.5, 0))
IN_ONE_PLANE: dict[str, tuple[Callable[[Mesh, Mesh], Mesh], Mesh, Mesh, int, float]] = {
    "a box less the half of it": (lambda a, b: subtracted(a, [b]), BOX, BESIDE, 12, 12_000),
    "a notch at an edge": (lambda a, b: subtracted(a, [b]), BOX, box(10, 10, 40, (5, 10, 0)), 20, 20_000),
    "a corner": (lambda a, b: subtracted(a, [b]), BIG, box(10, 10, 10, (10, 10, 10)), 24, 26_000),
    "a groove": (lambda a, b: subtracted(a, [b]), BIG, box(10, 40, 10, (0, 0, 10)), 28, 24_000),
    "boxes that overlap": (lambda a, b: united([a, b]), BOX, BESIDE, 12, 36_000),
    "boxes that touch": (lambda a, b: united([a, b]), BOX, box(20, 30, 40, (20, 0, 0)), 12, 48_000),
    "a small box on a large one": (lambda a, b: united([a, b]), BOX, box(10, 10, 10, (0, 0, 25)), 28, 25_000),
    "what two share": (lambda a, b: intersected([a, b]), BOX, BESIDE, 12, 12_000),
    "the corner beside": (lambda a, b: subtracted(a, [b]), CORNER, subtracted(BIG, [CORNER]), 12, 6_750),
}
"""What is done, with which bodies, how many triangles it has, and its volume in mm³."""


@pytest.mark.parametrize("name", IN_ONE_PLANE)
def test_faces_in_one_plane_leave_no_slivers_at_any_rotation(name: str) -> None:
    """No fins, clefts or steps: as many triangles as the body has, none of which is a sliver or crosses another."""
    done, one, other, count, volume = IN_ONE_PLANE[name]
    for rotation in (*ROTATIONS, *Rotation.random(9, random_state=3)):
        found = done(moved(one, rotation, MIDDLE), moved(other, rotation, MIDDLE))
        report = report_of(found)
        assert (report.closed, report.euler_number, len(found.triangles)) == (True, 2, count)
        assert len(crossing_triangles(found)) == 0
        assert report.volume == pytest.approx(volume, rel=2e-5)
        assert areas_of(found).min() > 10


@pytest.mark.parametrize("rotation", ROTATIONS, ids=["upright", "oblique", "turned a little"])
def test_curved_faces_that_fit_into_each_other_become_one_body(rotation: Rotation) -> None:
    """A ball less another, and the two again: they were left with ten tunnels and 212 crossings between them."""
    large, small = (moved(sphere(r, (x, 0, 0), 40), rotation, MIDDLE) for r, x in ((20, 0), (12, 18)))
    rest, whole = subtracted(large, [small]), united([large, small])
    found = united([rest, small])
    report = report_of(found)
    assert (report.closed, report.euler_number, len(crossing_triangles(found))) == (True, 2, 0)
    assert report.volume == pytest.approx(report_of(whole).volume, rel=2e-5)
    again = report_of(subtracted(whole, [rest]))
    assert (again.closed, again.euler_number) == (True, 2)
    assert again.volume == pytest.approx(report_of(small).volume, rel=1e-4)


def test_a_cut_leaves_no_fins_at_any_rotation() -> None:
    """Boxes of 12 triangles; a plane in a face leaves one half, and of the other not even a film."""
    for rotation in (*ROTATIONS, *Rotation.random(9, random_state=3)):
        body = moved(BOX, rotation, MIDDLE)
        normal = rotation.apply([1.0, 0.0, 0.0])
        for way, front in ((0.0, 12_000), (10.0, 0), (-10.0, 24_000), (9.99999, 0)):
            x, y, z = (MIDDLE + way * normal).tolist()
            half = cut(body, Plane((x, y, z), tuple(normal.tolist())))
            for found, volume in ((half.front, front), (half.back, 24_000 - front)):
                assert len(found.triangles) == (12 if volume else 0)
                if volume:
                    assert report_of(found).volume == pytest.approx(volume, rel=2e-5)
                    assert areas_of(found).min() > 10


def areas_of(mesh: Mesh) -> np.ndarray:
    return np.asarray(np.linalg.norm(area_normals(corners_of(mesh.vertices.astype(float), mesh.triangles)), axis=0))


def test_triangles_that_rounding_made_lines_are_taken_out() -> None:
    """An edge of length 0 with its two triangles: of 250 random unions one had such, 11,966 triangles large."""
    a, b, c = BOX.triangles[0].tolist()
    (d,) = set(next(one for one in BOX.triangles[1:].tolist() if {a, b} <= set(one))) - {a, b}
    twin = len(BOX.vertices)
    vertices = np.concatenate((BOX.vertices, BOX.vertices[[a]]))
    others = [one for one in BOX.triangles.tolist() if not {a, b} <= set(one)]
    mesh = Mesh(vertices, np.array([*others, (a, twin, c), (twin, b, c), (twin, a, d), (b, twin, d)], np.int32))
    assert report_of(mesh).closed
    assert np.count_nonzero(areas_of(mesh) == 0) == 2
    found = without_lines(mesh)
    assert (len(found.triangles), areas_of(found).min() > 10) == (12, True)
    assert report_of(found).euler_number == 2
    assert report_of(found).volume == pytest.approx(24_000)
    apart = together([mesh, mesh])
    assert len(without_lines(apart).triangles) == 24
    ring = Mesh(np.zeros((4, 3), np.float32), np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32))
    assert without_lines(ring) is ring


def test_distances_to_a_surface_with_triangles_that_are_lines() -> None:
    """VTK ended the process at them."""
    a, b, c = BOX.triangles[0].tolist()
    middle = len(BOX.vertices)
    vertices = np.concatenate((BOX.vertices, BOX.vertices[[a, b]].mean(axis=0, keepdims=True)))
    pieces = [(a, middle, c), (middle, b, c), (a, b, middle)]
    mesh = Mesh(vertices, np.concatenate((BOX.triangles[1:], np.array(pieces, np.int32))))
    assert report_of(mesh).closed
    line = areas_of(mesh) == 0
    assert line.sum() == 1
    assert SurfaceDistance(mesh).signed(BOX.vertices.astype(float)).max() < 1e-4
    with pytest.raises(ValueError, match="without triangles"):
        SurfaceDistance(Mesh(vertices, mesh.triangles[line]))
