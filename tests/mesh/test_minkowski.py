"""Margins without a grid: exact at any rotation, also of bodies and margins thinner than a voxel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import manifold3d
import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.sampling import sampled
from orthanc_stl.mesh.solids import minkowski
from orthanc_stl.mesh.solids.booleans import mesh_of, subtracted, united
from orthanc_stl.mesh.solids.faces import patches_of
from orthanc_stl.mesh.solids.margin import Margins, with_margin
from orthanc_stl.mesh.solids.minkowski import grown_exactly, is_convex, shrunk_exactly
from orthanc_stl.mesh.solids.sweeps import united_nearest_first
from orthanc_stl.mesh.types import Mesh
from tests.mesh.reached import WAYS, beyond
from tests.mesh.shapes import ORIGIN, box, doughnut, moved, rod, sphere
from tests.mesh.test_sharp_edges import ROTATIONS, reach_of_margins, true_reach

TIP = mesh_of(manifold3d.Manifold.cylinder(30, 15, 0, 48, True), ORIGIN)
CONVEX = {
    "box": box(20, 30, 40),
    "plate": box(60, 60, 3),
    "cylinder": rod(15, 40, 48),
    "cone": mesh_of(manifold3d.Manifold.cylinder(30, 15, 5, 48, True), ORIGIN),
    "tip": TIP,
    "small box": box(0.5, 0.5, 0.5),
    "needle": box(20, 0.4, 0.4),
}
GROWING = [
    Margins(2, 4, 3, 6, 8, 3),
    Margins(10, 1, 10, 1, 10, 1),
    Margins(x_plus=5),
    Margins(3, 0, 1, 5, 0.1, 2),
    Margins(15, 0, 0, 0, 0, 0.05),
    Margins(*[0.001] * 6),
]
SHRINKING = [Margins(*[-3.0] * 6), Margins(-2, -4, -3, -6, -8, -3), Margins(-0.5, -1, -0.7, -1.2, -0.3, -1)]


def star(points: int = 5, outer: float = 10, inner: float = 4, height: float = 8) -> Mesh:
    """A prism over a star."""
    angle = np.arange(2 * points) * np.pi / points
    radius = np.where(np.arange(2 * points) % 2, inner, outer)
    section = manifold3d.CrossSection([np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))])
    return mesh_of(manifold3d.Manifold.extrude(section, height), ORIGIN)


@pytest.mark.parametrize("name", CONVEX)
def test_convex_bodies_are_exact_at_any_rotation(name: str) -> None:
    """Within 0.02 mm, where a direction is 0 beside large ones, at corners and at tips, and however thin they are."""
    for rotation in ROTATIONS[1:]:
        body = moved(CONVEX[name], rotation)
        for own in GROWING + (SHRINKING if name in ("box", "cylinder", "cone", "tip") else []):
            margined = with_margin(body, own)
            found = margined.mesh
            assert margined.voxel is None
            grown = max(astuple(own)) > 0
            true = (
                (body.vertices.astype(float) @ WAYS.T).max(axis=0) + reach_of_margins(WAYS, own)
                if grown
                else true_reach(body, own)
            )
            assert np.abs((found.vertices.astype(float) @ WAYS.T).max(axis=0) - true).max() < 0.02
            report = report_of(found)
            assert (report.closed, report.euler_number) == (True, 2)


def test_a_margin_of_one_direction_shrinks_turned_bodies_exactly() -> None:
    for rotation in ROTATIONS:
        for name in ("box", "cylinder", "cone"):
            body = moved(CONVEX[name], rotation)
            found = with_margin(body, Margins(x_plus=-5)).mesh
            lowest = np.abs(found.vertices[:, 0].min() - body.vertices[:, 0].min())
            assert lowest < 0.01
            both = SurfaceDistance(body).signed(found.vertices.astype(float) + np.array((5, 0, 0)))
            assert both.max() < 0.01
            assert report_of(found).volume == pytest.approx(ConvexHull(found.vertices.astype(float)).volume, rel=1e-4)


U_SHAPE = united([box(10, 30, 20, (-15, 0, 0)), box(10, 30, 20, (15, 0, 0)), box(40, 10, 20, (0, -10, 0))])
CROSS = united([box(4, 4, 30), box(30, 4, 4), box(4, 30, 4)])
OTHERS = {"star": star, "U": lambda: U_SHAPE, "cross": lambda: CROSS}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("own", [Margins(3, 0, 1, 5, 0.1, 2), Margins(0.001, 0, 3, 0.001, 0, 0.001), Margins(x_plus=5)])
def test_bodies_of_few_faces_grow_into_one_whole_body(name: str, own: Margins) -> None:
    """All that the margins reach from points of the surface is within 0.06 mm of the result, and what they do not reach
    is not in it."""
    shape: Callable[[], Mesh] = OTHERS[name]
    body = moved(shape(), ROTATIONS[2])
    margined = with_margin(body, own)
    found, report = margined.mesh, report_of(margined.mesh)
    assert margined.voxel is None
    assert (report.closed, report.euler_number, len(pieces_of(found))) == (True, 2, 1)
    half_axes = np.array(astuple(own)).reshape(3, 2)
    shifts = np.where(WAYS < 0, *half_axes.T) * WAYS
    corners = body.vertices[body.triangles].astype(float)
    weights = np.random.default_rng(0).dirichlet((1, 1, 1), len(shifts))
    chosen = np.arange(len(shifts)) % len(corners)
    reached = (corners[chosen] * weights[:, :, None]).sum(axis=1) + shifts
    assert SurfaceDistance(found).signed(reached).max() < 0.06
    assert SurfaceDistance(found).signed(body.vertices.astype(float)).max() < 0.02
    box_of = np.stack((body.vertices.min(axis=0) - half_axes[:, 0], body.vertices.max(axis=0) + half_axes[:, 1]))
    assert np.stack((found.vertices.min(axis=0), found.vertices.max(axis=0))) == pytest.approx(box_of, abs=0.06)


BORED = subtracted(box(40, 30, 12), [rod(8, 40, 64)])


@pytest.mark.parametrize("own", [Margins(2, 4, 3, 6, 8, 3), Margins(x_plus=5), Margins(0.5, 0, 1, 0.3, 0.1, 2)])
@pytest.mark.parametrize("rotation", ROTATIONS[1:])
def test_a_block_with_a_bore_of_many_sides_is_exact(own: Margins, rotation: Rotation) -> None:
    """Grown: all that the margins reach is in it, and its vertices are reached; shrunk by a third likewise."""
    body = moved(BORED, rotation)
    margins: np.ndarray = np.array(astuple(own)).reshape(3, 2)
    for sign, half_axes in ((1, margins), (-1, margins[:, ::-1] / 3)):
        margined = with_margin(body, Margins(*(margins if sign > 0 else -margins / 3).reshape(-1)))
        found, report = margined.mesh, report_of(margined.mesh)
        assert margined.voxel is None
        assert (report.closed, report.euler_number, len(crossing_triangles(found))) == (True, 0, 0)
        start = sampled(body, 1000)
        reached = start + (np.where(WAYS < 0, *half_axes.T) * WAYS)[: len(start)]
        assert (sign * SurfaceDistance(found).signed(reached)).max() < 0.06
        assert beyond(found.vertices[:: len(found.vertices) // 40], body, half_axes, sign).max() < 0.1


def test_what_the_margins_reach_is_looked_for_in_the_result() -> None:
    """A block with a bore that lacks a piece of 2 mm is not what was asked for, grown or shrunk."""
    bored, margins = subtracted(box(20, 20, 12), [rod(4, 40, 24)]), np.array([[1.0, 2], [2, 1], [0.5, 2]])
    grown, shrunk = grown_exactly(bored, margins), shrunk_exactly(bored, margins)
    assert grown is not None
    assert shrunk is not None
    assert minkowski._is_reached(bored, grown, margins, 1)
    assert minkowski._is_reached(bored, shrunk, margins[:, ::-1], -1)
    piece = box(2, 2, 2, (8, 8, 7))
    assert not minkowski._is_reached(bored, subtracted(grown, [piece]), margins, 1)
    assert not minkowski._is_reached(bored, united([shrunk, box(2, 2, 2, (8, 8, 5))]), margins[:, ::-1], -1)


def test_a_body_of_which_nothing_is_left_needs_no_grid() -> None:
    """A pipe with a wall of 4 mm."""
    pipe = moved(subtracted(rod(12, 40, 64), [rod(8, 60, 64)]), ROTATIONS[1])
    margined = with_margin(pipe, Margins(-6, -1, -6, -1, -6, -1))
    assert (margined.voxel, len(margined.mesh.triangles)) == (None, 0)


def test_a_body_of_few_faces_shrinks_exactly() -> None:
    """A box with a hollow: each of its walls is thinner by the margin on either side."""
    body = subtracted(box(30, 30, 30), [box(10, 10, 10)])
    found = with_margin(body, Margins(-1, -2, -1, -2, -1, -2)).mesh
    # The hollow grows backwards into a box with round edges: its sides are 10 mm apart and 3 mm more.
    hollow = -report_of(found).volume + 27**3
    assert 10**3 + 3 * 100 * 3 < hollow < 13**3
    inner = with_margin(box(10, 10, 10), Margins(2, 1, 2, 1, 2, 1)).mesh
    assert hollow == pytest.approx(report_of(inner).volume, rel=0.003)
    assert report_of(found).euler_number == 4


def test_faces_are_few_patches_nearly_flat_and_convex() -> None:
    def patches(body: Mesh, off: float) -> int:
        return len(np.unique(patches_of(body, off)))

    assert patches(moved(box(1, 2, 3)), 0.001) == 6
    assert patches(moved(star(), ROTATIONS[2]), 0.001) < 20 < len(star().triangles)
    # Two sides of 64 bulge by 8 (1 - cos(2 pi / 64)) = 0.04 mm, three by 0.09.
    pipe = moved(subtracted(rod(8, 40, 64), [box(2, 2, 60)]))
    assert patches(pipe, 0.03) - patches(pipe, 0.05) == 32


@pytest.mark.parametrize("off", [0.001, 0.03, 0.05, 0.2])
def test_hulls_of_patches_are_as_near_the_surface_as_they_should(off: float) -> None:
    body = moved(BORED)
    of, known, random = patches_of(body, off), SurfaceDistance(body), np.random.default_rng(0)
    for patch in np.unique(of):
        corners = body.vertices[np.unique(body.triangles[of == patch])].astype(float)
        inside = random.dirichlet(np.full(len(corners), 0.5), 200) @ corners
        assert np.abs(known.signed(inside)).max() < max(1.5 * off, 1e-4)


def test_the_union_of_many_bodies_is_the_same_in_any_order() -> None:
    """20 boxes in a row, each by a half over the next one, and one by itself."""
    bodies = [manifold3d.Manifold.cube((2, 1, 1)).translate((place, 0, 0)) for place in (*range(20), 30)]
    chosen = [bodies[number] for number in np.random.default_rng(0).permutation(len(bodies))]
    found = united_nearest_first(chosen)
    assert (found.volume(), len(found.decompose())) == (pytest.approx(23), 2)
    assert united_nearest_first([]).is_empty()


def test_which_bodies_are_convex() -> None:
    for body in (box(1, 1, 1), TIP, sphere(20), rod(12, 30)):
        assert is_convex(moved(body))
    notch = subtracted(box(30, 30, 30), [box(0.3, 0.3, 0.3, (0, 0, 15))])
    for body in (doughnut(), star(), notch, united([box(1, 1, 1), box(1, 1, 1, (3, 0, 0))])):
        assert not is_convex(moved(body))


def test_nothing_of_convex_bodies_crosses() -> None:
    for own in GROWING:
        assert len(crossing_triangles(with_margin(box(20, 30, 40), own).mesh)) == 0


def test_a_thin_ring_that_would_fall_apart_in_the_grid_is_refused() -> None:
    ring = doughnut(25, 0.05, 48)
    with pytest.raises(InvalidInput, match="too thin for these margins"):
        with_margin(moved(ring), Margins(x_plus=15, y_minus=0.05), spacing=0.8)
