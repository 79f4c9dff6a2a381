"""Single faults of a surface, mended where they are."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.mends import mended
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


def test_what_is_sound_stays_as_it_is() -> None:
    for body in (box(10, 10, 10), box_with_a_vertex(-1, 0)):
        assert is_sound(body)
        assert mended(body) is body
