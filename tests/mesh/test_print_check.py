"""What the print check says of bodies that are sound, thin, open, crossing themselves, or too large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.solids.booleans import united
from orthanc_stl.mesh.solids.print_check import print_check
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import OBLIQUE, box, moved, shell, sphere


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
    true = OBLIQUE.apply([0, 0, 9.5]) + np.array([150.2, -90.1, 300.7])
    for place in found.thin_places:
        assert place.thickness == pytest.approx(thick, abs=1e-3)
        assert np.linalg.norm(np.array(place.middle) - true) < 1
    assert np.count_nonzero(found.thickness < 0.8) >= 4


def test_overhangs() -> None:
    """A table: its top hangs over, what stands on the bed does not; upside down nothing does."""
    table = united([box(10, 10, 20), box(40, 40, 4, (0, 0, 12))])
    assert print_check(table).overhang_area == pytest.approx(1600 - 100)
    assert print_check(table, down=(0, 0, 1)).overhang_area == 0


def test_several_pieces_and_cavities() -> None:
    found = print_check(together([shell(20, 12), box(2, 2, 2, (50, 0, 0))]))
    assert (found.pieces, found.cavities) == (2, 1)
    assert found.smallest_piece == pytest.approx(8)


def test_too_large_for_the_bed() -> None:
    assert print_check(box(100, 150, 200), bed=(210, 160, 110)).fits
    assert not print_check(box(100, 150, 200), bed=(210, 140, 110)).fits


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
    with pytest.raises(InvalidInput, match="points to the bed"):
        print_check(sphere(5), down=(0, 0, 0))
