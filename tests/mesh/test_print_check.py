"""What the print check says of bodies that are sound, thin, open, crossing themselves, or too large."""

from __future__ import annotations

from typing import Any

import manifold3d
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.solids.booleans import mesh_of, united
from orthanc_stl.mesh.solids.print_check import print_check
from orthanc_stl.mesh.solids.shell import inside_out
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import OBLIQUE, ORIGIN, box, moved, shell, sphere

AT = np.array([150.2, -90.1, 300.7])
"""Where `moved` puts the middle."""


def test_a_sound_ball() -> None:
    found = print_check(moved(sphere(20)), bed=(200, 200, 180), shell=2.0)
    assert (found.closed, found.pieces, found.cavities, found.crossings) == (True, 1, 0, 0)
    assert (found.thin_places, found.thin_area, found.smallest_wall) == ((), 0, None)
    assert found.size == pytest.approx((40, 40, 40), abs=0.1)
    assert found.fits is True
    assert found.solid_volume == pytest.approx(33510, rel=1e-3)
    assert found.shell_volume == pytest.approx(9080, rel=0.01)
    cap = 2 * np.pi * 20 * (20 * (1 - np.sqrt(0.5)) - 0.3)
    assert found.overhang_area == pytest.approx(cap, rel=0.05)


@pytest.mark.parametrize("thick", [0.3, 0.7, 0.9])
def test_a_wall_that_is_too_thin(thick: float) -> None:
    """A block with a thin fin on it: one place on each side of the fin."""
    fin = united([box(20, 20, 10), box(thick, 18, 12, (0, 0, 8))])
    found = print_check(moved(fin), wall=0.8)
    assert found.smallest_wall == pytest.approx(thick, abs=1e-3)
    if thick > 0.8:
        assert found.thin_area == 0
        return
    assert found.thin_area == pytest.approx(2 * 18 * 9, rel=0.02)
    assert len(found.thin_places) == 2
    true = OBLIQUE.apply([0, 0, 9.5]) + AT
    for place in found.thin_places:
        assert place.thickness == pytest.approx(thick, abs=1e-3)
        assert np.linalg.norm(np.array(place.middle) - true) < 1
    assert np.count_nonzero(found.thickness < 0.8) >= 4


def test_a_wedge_is_too_thin_where_it_is() -> None:
    """Of 12 triangles, 0.1 mm at one end and 3.1 mm at the other, 60 mm away: its first 14 mm are too thin."""
    ends = [(x, y, z) for x, height in ((0, 0.1), (60, 3.1)) for y in (0, 20) for z in (0, height)]
    wedge = mesh_of(manifold3d.Manifold.hull_points(ends), ORIGIN)
    found = print_check(moved(wedge), wall=0.8)
    assert found.thin_area == pytest.approx(2 * 14 * 20, rel=0.01)
    assert found.smallest_wall == pytest.approx(0.12, abs=0.02)
    (place,) = found.thin_places
    assert OBLIQUE.inv().apply(np.array(place.middle) - AT) == pytest.approx((7, 10, 0.225), abs=0.2)


def test_walls_of_many_small_triangles_are_all_counted() -> None:
    """A ball with a wall of 0.5 mm, of more triangles than are measured one by one: a third of its area was missing."""
    fine = together([sphere(20, segments=240), inside_out(sphere(19.5, segments=240))])
    assert len(fine.triangles) > 55_000
    found = print_check(moved(fine), wall=0.8)
    assert found.thin_area == pytest.approx(4 * np.pi * (20**2 + 19.5**2), rel=1e-3)
    assert found.smallest_wall == pytest.approx(0.5, abs=0.01)
    assert (found.thickness < 0.8).all()


def test_triangles_without_area_have_no_wall() -> None:
    """Three corners in a line, in the side of a thin plate next to its top: it was a place of its own, without area."""
    plate = box(20, 20, 0.5)
    number = next(k for k, three in enumerate(plate.triangles) if (plate.vertices[three][:, 0] > 0).all())
    a, b, c = plate.triangles[number].tolist()
    d = len(plate.vertices)
    e, f = d + 1, d + 2
    fan = [(a, b, e), (b, c, f), (c, a, d), (a, e, d), (b, f, e), (c, d, f), (d, e, f)]
    triangles = np.concatenate((np.delete(plate.triangles, number, axis=0), np.array(fan, np.int32)))
    middle = plate.vertices[[a, b, c]].mean(axis=0)
    height = np.sign(middle[2]) * 0.2
    for y in middle[1] + np.linspace(-4, 4, 12):
        line = [(10, y + 0.1, height), (10, y - 0.1, height), (10, y, height)]
        found = print_check(Mesh(np.vstack((plate.vertices, line)).astype(np.float32), triangles), wall=0.8)
        assert found.closed
        assert found.thin_area == pytest.approx(2 * 20 * 20, rel=0.01)
        assert found.thickness[-1] == np.inf


@pytest.mark.parametrize("wall", [1e-200, 1e200])
def test_walls_of_any_width_are_looked_for(wall: float) -> None:
    assert print_check(box(20, 30, 40), wall=wall).thin_area == pytest.approx(5200 if wall > 1 else 0)


@pytest.mark.parametrize(("degrees", "area"), [(30, 30 * 40), (44, 30 * 40), (46, 20 * 40), (60, 20 * 40)])
def test_a_tilted_box_hangs_over_where_it_is_flatter_than_45_degrees(degrees: float, area: float) -> None:
    tilted = moved(box(30, 40, 20), Rotation.from_euler("y", degrees, degrees=True))
    assert print_check(tilted).overhang_area == pytest.approx(area, rel=1e-4)


def test_overhangs() -> None:
    """A table: its top hangs over, what stands on the bed does not; upside down nothing does."""
    table = united([box(10, 10, 20), box(40, 40, 4, (0, 0, 12))])
    assert print_check(table).overhang_area == pytest.approx(1600 - 100)
    assert print_check(moved(table, Rotation.from_euler("x", 180, degrees=True))).overhang_area == 0


def test_several_pieces_and_cavities() -> None:
    found = print_check(together([shell(20, 12), box(2, 2, 2, (50, 0, 0))]))
    assert (found.pieces, found.cavities) == (2, 1)
    assert found.smallest_piece == pytest.approx(8)


def test_too_large_for_the_bed() -> None:
    assert print_check(box(100, 150, 200), bed=(210, 160, 110)).fits
    assert not print_check(box(100, 150, 200), bed=(210, 140, 110)).fits


def test_material_of_a_box_and_of_its_shell() -> None:
    found = print_check(moved(box(20, 30, 40)), shell=3.0)
    assert found.solid_volume == pytest.approx(24_000, rel=1e-4)
    assert found.shell_volume == pytest.approx(24_000 - 14 * 24 * 34, rel=0.01)


def test_crossings_are_counted_by_pairs() -> None:
    """A needle through one triangle of a box: both triangles of its four sides cross that one."""
    needle = moved(box(0.4, 0.4, 8), Rotation.identity(), (4, 1, 10))
    assert print_check(together([box(20, 20, 20), needle])).crossings == 8


def test_bodies_that_cross_touch_or_are_open() -> None:
    assert print_check(together([sphere(10, segments=32), sphere(10, (5, 1, 2), segments=32)])).crossings > 20
    edge = together([box(2, 2, 2), box(2, 2, 2, (2, 2, 0))])
    assert not print_check(edge).closed, "slicers join the vertices of the common edge, which then has four triangles"
    cube = box(20, 20, 20)
    found = print_check(Mesh(cube.vertices, cube.triangles[1:]), shell=1.0)
    assert not found.closed
    assert found.shell_volume is None


def test_what_cannot_be_checked() -> None:
    wrong: tuple[dict[str, Any], ...] = ({"wall": 0.0}, {"bed": (1, 2)}, {"shell": -1.0}, {"bed": (1, 2, float("inf"))})
    for options in wrong:
        with pytest.raises(InvalidInput, match="more than 0"):
            print_check(sphere(5), **options)
    with pytest.raises(InvalidInput, match="without triangles"):
        print_check(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
