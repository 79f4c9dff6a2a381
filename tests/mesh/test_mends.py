"""Single faults of a surface, mended where they are."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.mends import crossing_after, mended
from orthanc_stl.mesh.solids.slivers import is_sound
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import box


def box_with_a_vertex(beyond: float, deep: float) -> Mesh:
    """A box of 10 mm with a vertex in a triangle of its top, moved by so many mm `beyond` the longest side of that, and
    so `deep`."""
    body = box(10, 10, 10)
    number = next(k for k, three in enumerate(body.triangles) if (body.vertices[three][:, 2] > 0).all())
    corners = body.vertices[body.triangles[number]].astype(float)
    lengths = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    a, b, c = np.roll(body.triangles[number], -int(lengths.argmax())).tolist()
    on_side = 0.55 * body.vertices[a].astype(float) + 0.45 * body.vertices[b]
    way = on_side - body.vertices[c]
    place = on_side + beyond * way / np.linalg.norm(way) - (0, 0, deep)
    new = len(body.vertices)
    fan = [(a, b, new), (b, c, new), (c, a, new)]
    triangles = np.concatenate((np.delete(body.triangles, number, axis=0), np.array(fan, np.int32)))
    return Mesh(np.vstack((body.vertices, place)).astype(np.float32), triangles)


@pytest.mark.parametrize(("beyond", "deep"), [(0.005, 0), (0.005, 0.003), (0.005, -0.003)])
def test_a_sliver_that_is_folded_over_is_mended(beyond: float, deep: float) -> None:
    torn = box_with_a_vertex(beyond, deep)
    assert not is_sound(torn)
    found = mended(torn)
    report = report_of(found)
    assert is_sound(found)
    assert (report.closed, report.euler_number) == (True, 2)
    assert report.volume == pytest.approx(1000, abs=0.2)
    assert SurfaceDistance(found).unsigned(torn.vertices).max() < 0.02


def box_with_a_small_triangle(places: np.ndarray) -> Mesh:
    """A box with a triangle in one of its top, its corners `(3, 2)` mm from the middle of that."""
    body = box(10, 10, 10)
    number = next(k for k, three in enumerate(body.triangles) if (body.vertices[three][:, 2] > 0).all())
    a, b, c = body.triangles[number].tolist()
    middle = body.vertices[[a, b, c]].mean(axis=0)
    d = len(body.vertices)
    e, f = d + 1, d + 2
    fan = [(a, b, e), (b, c, f), (c, a, d), (a, e, d), (b, f, e), (c, d, f), (d, e, f)]
    triangles = np.concatenate((np.delete(body.triangles, number, axis=0), np.array(fan, np.int32)))
    corners = middle + np.column_stack((places, np.zeros(3)))
    return Mesh(np.vstack((body.vertices, corners)).astype(np.float32), triangles)


def test_what_takes_two_changes_is_mended() -> None:
    """Twenty random small triangles, and one of which the first change leaves as many faults as there were."""
    random = np.random.default_rng(0)
    each = [random.normal(0, 0.003, (3, 2)) for _ in range(20)]
    torn = 0
    for places in (np.array([(-0.0108, -0.004), (0.0045, -0.0012), (0.003, -0.0017)]), *each):
        body = box_with_a_small_triangle(places)
        torn += not is_sound(body)
        found = mended(body)
        assert is_sound(found)
        assert report_of(found).volume == pytest.approx(1000, abs=1e-3)
    assert torn > 10


def test_what_is_sound_stays_as_it_is() -> None:
    for body in (box(10, 10, 10), box_with_a_vertex(-1, 0)):
        assert is_sound(body)
        assert mended(body) is body


def test_crossings_after_a_change_are_those_of_all_triangles() -> None:
    """200 triangles at random: 20 are removed and 15 others added."""
    random = np.random.default_rng(0)
    points, triangles = random.uniform(0, 10, (600, 3)), random.permutation(600).reshape(-1, 3).astype(np.int32)
    removed, added = random.permutation(200) < 20, random.permutation(600)[:45].reshape(-1, 3).astype(np.int32)
    changed = np.concatenate((triangles[~removed], added))
    found = crossing_after(points, crossing_triangles(Mesh(points, triangles)), removed, changed)
    expected = crossing_triangles(Mesh(points, changed))
    assert len(expected) > 1000
    assert {*map(tuple, found.tolist())} == {*map(tuple, expected.tolist())}
    assert len(found) == len(expected)
