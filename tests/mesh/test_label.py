"""Engraved and raised texts: as deep as asked for, readable from the front, and refused where there is no place."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.solids.label import labelled, outlines
from orthanc_stl.mesh.solids.shell import shell
from orthanc_stl.mesh.topology import topology_of
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import Mesh
from tests.mesh.shapes import OBLIQUE, box, moved, sphere

FRONT = (0, -20, 0)


def volume(mesh: Mesh) -> float:
    return area_and_volume(mesh)[1]


def one_piece(mesh: Mesh) -> bool:
    topology = topology_of(mesh.triangles, len(mesh.vertices))
    return topology.closed and topology.vertices - topology.edges + topology.triangles == 2


@pytest.mark.parametrize("raised", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_text_in_a_flat_face_has_the_volume_of_its_letters(raised: bool) -> None:
    body = box(60, 40, 30)
    found = labelled(body, "Prüfung 7", FRONT, 8, 1.5, raised=raised)
    change = volume(found) - volume(body)
    assert change == pytest.approx((1 if raised else -1) * 1.5 * outlines("Prüfung 7", 8).area(), rel=0.01)
    assert one_piece(found)
    edge = -20 - 1.5 * raised
    assert found.vertices[:, 1].min() == pytest.approx(edge, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("raised", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_text_on_a_ball_follows_it(raised: bool) -> None:
    ball = sphere(20)
    found = labelled(ball, "LH", FRONT, 6, 1, raised=raised)
    away = np.linalg.norm(found.vertices, axis=1)
    assert away.min() == pytest.approx(20 if raised else 19, abs=0.06)
    assert away.max() == pytest.approx(21 if raised else 20, abs=0.06)
    # Of a cone that widens outwards, cut off at two radii: between the letters' area at 20 and on the outer sphere.
    change = abs(volume(found) - volume(ball))
    assert change == pytest.approx(outlines("LH", 6).area(), rel=0.06)
    assert one_piece(found)


def test_letters_stand_upright_and_are_read_from_outside() -> None:
    """An L on the front: its stem on the patient's right (-x), since who reads looks at the patient; its foot down."""
    found = labelled(box(40, 40, 40), "L", FRONT, 20, 1)
    floor = found.vertices[np.abs(found.vertices[:, 1] + 19) < 0.05]
    low = floor[floor[:, 2] < floor[:, 2].min() + 1]
    high = floor[floor[:, 2] > floor[:, 2].max() - 1]
    assert np.ptp(floor[:, 2]) == pytest.approx(20, abs=0.05)
    assert high[:, 0].max() < low[:, 0].max() - 5
    assert high[:, 0].min() == pytest.approx(low[:, 0].min(), abs=0.1)


@pytest.mark.slow
def test_a_hollow_body_is_engraved_where_its_wall_holds_the_text() -> None:
    hollow = shell(sphere(20), 2).mesh
    assert volume(labelled(hollow, "LH", FRONT, 6, 1)) < volume(hollow)
    with pytest.raises(InvalidInput, match="too thin or too curved"):
        labelled(hollow, "LH", FRONT, 6, 2)


@pytest.mark.parametrize(
    ("text", "at", "height", "reason"),
    [
        ("Я", FRONT, 6, "the font has no character 'Я'"),
        (" ", FRONT, 6, "without letters"),
        ("A long text", FRONT, 12, "reaches over the edge"),
        ("L", (0, -60, 0), 6, "from the surface"),
    ],
)
def test_what_cannot_be_written_is_refused(
    text: str, at: tuple[float, float, float], height: float, reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        labelled(sphere(20), text, at, height, 1)


def test_holes_of_letters_stay() -> None:
    area = outlines("O", 10).area()
    assert len(outlines("O", 10).to_polygons()) == 2
    assert area < 0.5 * 10 * 10


@pytest.mark.parametrize(("thick", "depth"), [(4.2, 2), (0.7, 0.3), (2.2, 1), (1.2, 0.5)])
def test_a_plate_too_thin_for_a_text_is_refused_and_no_void_is_left(thick: float, depth: float) -> None:
    with pytest.raises(InvalidInput, match="too thin"):
        labelled(box(60, thick, 40), "LH", (0, -thick / 2, 0), 3, depth)


@pytest.mark.parametrize("depth", [pytest.param(0.1, marks=pytest.mark.slow), 4, 10])
def test_letters_are_as_deep_as_they_should_be(depth: float) -> None:
    body = box(60, 40, 30)
    found = labelled(body, "L", (0, -20, 0), 8, depth)
    assert volume(body) - volume(found) == pytest.approx(depth * outlines("L", 8).area(), rel=0.02)
    assert one_piece(found)


@pytest.mark.parametrize("raised", [False, True])
def test_a_text_on_a_turned_body_has_the_same_volume(raised: bool) -> None:
    body, at = box(60, 40, 30), moved(box(0.1, 0.1, 0.1, FRONT)).vertices.mean(axis=0)
    found = labelled(moved(body), "LH", at.tolist(), 6, 1, raised=raised)
    assert abs(volume(found) - volume(body)) == pytest.approx(outlines("LH", 6).area(), rel=0.02)
    assert one_piece(found)
    away = OBLIQUE.inv().apply(found.vertices - np.array([150.2, -90.1, 300.7]))[:, 1]
    assert away.min() == pytest.approx(-21 if raised else -20, abs=0.02)


@pytest.mark.parametrize("turned", [Rotation.identity(), OBLIQUE])
@pytest.mark.parametrize("at", [(30, -20, 0), (28, -20, 0), (30, -17, 0)])
def test_a_text_over_an_edge_is_refused(turned: Rotation, at: tuple[float, float, float]) -> None:
    place = turned.apply(at).tolist()
    with pytest.raises(InvalidInput, match=r"over (an|the) edge of the body"):
        labelled(moved(box(60, 40, 30), turned, (0, 0, 0)), "LLL", place, 6, 1)


def test_a_raised_text_reaches_no_other_body() -> None:
    two = together([box(60, 20, 30), box(60, 20, 30, (0, -23, 0))])
    with pytest.raises(InvalidInput, match="join or divide"):
        labelled(two, "L", (3, -10, 0), 2, 3.5, raised=True)
