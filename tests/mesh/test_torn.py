"""A surface in other pieces than its contours, or with other openings, says so; cavities end where they should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orthanc_stl.mesh.contours import shapes
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.slices import Suggested
from orthanc_stl.mesh.contours.torn import without_strays
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.topology import topology_of
from orthanc_stl.mesh.triangles import together
from orthanc_stl.mesh.types import MinorNote, Report
from testing.solids import ring, roi_of
from tests.mesh.shapes import sphere

TEN = 3.0 * np.arange(10)


def report_of(outlines: list[np.ndarray], resolution: int = 64, **options: Any) -> Report:
    return surface_from_contours([roi_of(outlines)], resolution=resolution, **options).report


def square(side: float, z: float, x: float = 0.0) -> np.ndarray:
    corners = side / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return np.column_stack([corners + np.array([x, 0]), np.full(4, z)])


def told(report: Report) -> str:
    return next((text for text in report.warnings if "contours suggest" in text), "")


def test_two_bodies_nearer_than_a_voxel_are_told_to_be_joined() -> None:
    report = report_of([square(side, z, x) for z in TEN for side, x in ((20, -10), (21, 10.52))])
    assert report.euler_number != 4
    assert report.contours_volume == pytest.approx((400 + 441) * 30, rel=1e-6)
    assert "contours suggest 2 pieces and Euler number 4" in told(report)
    assert "joined where they are near each other" in told(report)


@pytest.mark.parametrize("gap", [0.005, 0.01, 0.1])
def test_bodies_a_hair_apart_are_told_to_be_joined(gap: float) -> None:
    report = report_of([square(20, z, x) for z in TEN for x in (-10, 10 + gap)])
    assert (report.euler_number == 4) != ("contours suggest 2 pieces and Euler number 4" in told(report))


def test_a_channel_finer_than_a_voxel_is_told_to_be_closed() -> None:
    report = report_of([outline for z in TEN for outline in (ring(20, z), ring(0.05, z, (4.37, 3.13)))])
    assert report.euler_number == 2
    assert "contours suggest 1 piece and Euler number 0: openings that they have are closed" in told(report)


def test_a_torn_wall_is_told_of() -> None:
    """A tin of 1 mm wall, in voxels of 5 mm: there is room for no finer ones."""
    wall = [*(ring(40, z) for z in TEN), *(ring(39, z) for z in TEN[1:-1])]
    report = report_of(wall, 16, max_voxels=15_000)
    assert report.euler_number != 4
    assert "its contours suggest 1 piece and Euler number 4" in told(report)


def test_bodies_that_touch_are_one_or_two_without_a_word() -> None:
    report = report_of([square(20, z, x) for z in TEN for x in (-10, 10)])
    assert report.volume == pytest.approx(2 * 400 * 30, rel=0.002)
    assert report.euler_number == 2
    assert report.warnings == ()


def test_of_several_rois_their_union_counts() -> None:
    rois = [
        roi_of([ring(10, z, (x, 0)) for z in TEN + 0.7 * k], name=f"ROI {k}", number=k)
        for k, x in enumerate((0, 12, 50))
    ]
    report = surface_from_contours(rois, resolution=96).report
    assert report.euler_number == 4
    assert report.warnings == ()


@pytest.mark.parametrize("rod", [False, True])
def test_lost_specks_are_told_of_once_and_are_minor_if_they_are_little(rod: bool) -> None:
    """`Strict` refuses the loss of a rod of 0.036 mL, not that of 0.001 mL of 24 mL, as structures of any kind have."""
    outlines = [ring(16, z) for z in TEN] + [square(0.3, z, 30 + 9 * k) for k in range(3) for z in TEN[:2]]
    outlines += [square(1.1, z, -40) for z in TEN] if rod else []
    report = surface_from_contours([roi_of(outlines)], resolution=16, max_voxels=8_000).report
    (note,) = (note for note in report.notes if "lost" in note.text and "parts" in note.text)
    assert f"has {3 + rod} of its {4 + rod} parts lost" in note.text
    assert isinstance(note, MinorNote) == (not rod)
    assert rod or report.notes == (note,)


def test_pieces_of_less_than_a_voxel_that_no_contour_has_are_left_out() -> None:
    ball_, large = sphere(20), sphere(0.8, (30, 0, 0), 24)
    tiny = [sphere(0.3, (0, 30 + k, 0), 24) for k in range(3)]
    meshes = [ball_, large, *tiny]
    mesh = together(meshes)
    topology = topology_of(mesh.triangles, len(mesh.vertices))
    cleaned, fewer, pieces = without_strays(mesh, topology, Suggested(2, 4), 1.0)
    assert (pieces, fewer.euler_number, fewer.closed) == (2, 4, True)
    assert area_and_volume(cleaned)[1] == pytest.approx(4 / 3 * np.pi * (20**3 + 0.8**3), rel=1e-6)
    _, _, pieces = without_strays(mesh, topology, Suggested(1, 2), 1.0)
    assert pieces == 2  # of two voxels: no stray
    same, _, pieces = without_strays(mesh, topology, Suggested(5, 10), 1.0)
    assert same is mesh
    assert pieces == 5


@pytest.mark.parametrize("resolution", [48, 96])
@pytest.mark.parametrize("smooth", [True, False])
def test_a_cavity_ends_halfway_between_its_last_plane_and_the_next(resolution: int, smooth: bool) -> None:
    """It ended up to half a step early in coarse voxels: 4 % of the volume of a wall, without a word."""
    outlines = [*(ring(20, z) for z in TEN), *(ring(18, z) for z in TEN[1:-1])]
    report = surface_from_contours([roi_of(outlines)], resolution=resolution, smooth=smooth).report
    assert report.volume == pytest.approx(np.pi * (400 * 30 - 324 * 24), rel=0.006)
    assert report.euler_number == 4
    assert report.warnings == ()


def test_boxes_of_many_outlines_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    corners = np.random.default_rng(3).uniform(0, 50, (300, 2))
    boxes = np.column_stack([corners, corners + 2])
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    plainly = np.argwhere((low <= boxes[:, 2:]).all(axis=2) & (high >= boxes[:, :2]).all(axis=2))
    monkeypatch.setattr(shapes, "BOXES_AT_ONCE", 1000)
    assert np.array_equal(shapes.meeting_boxes(boxes, boxes), plainly)
    assert shapes.meeting_boxes(boxes, boxes[:0]).shape == (0, 2)
