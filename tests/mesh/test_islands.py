"""Pieces are left out and holes filled, in masks and in grey values, and nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orthanc_stl.mesh.types import Rank, Surface
from orthanc_stl.mesh.volumes.build import surface_from_volume
from orthanc_stl.mesh.volumes.islands import Cleaned, cleaned
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.base import Region
from orthanc_stl.sources.clean_region import CleanUp, clean_region

SHAPE = (60, 50, 40)
AFFINE = np.array([[1.0, 0, 0, -10], [0, 1.5, 0, 20], [0, 0.3, 2.0, 5], [0, 0, 0, 1]])
VOXEL = 3.0
INDEX = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1)


def depth(centre: tuple[float, ...], radius: float) -> np.ndarray:
    """Voxels below the surface of a ball in the index space."""
    found: np.ndarray = radius - np.linalg.norm(INDEX - centre, axis=-1)
    return found


# A hollow ball of 12, a ball of 6, and a speck of 2.
SHELL = np.minimum(depth((18, 20, 20), 12), -depth((18, 20, 20), 5))
BALL = depth((45, 20, 20), 6)
SPECK = depth((45, 42, 30), 2)
PARTS = np.maximum(np.maximum(SHELL, BALL), SPECK)
GREY = np.rint(300 + 40 * np.clip(PARTS, -5, 5)).astype(np.int16)


def surface(found: Cleaned) -> Surface:
    return surface_from_volume(found.volume, labels=found.labels, threshold=found.threshold, upper=found.upper)


def volume(stored: np.ndarray, **more: Any) -> Volume:
    return Volume(stored, AFFINE, **more)


@pytest.mark.parametrize("kind", ["mask", "grey", "scaled"])
def test_the_largest_piece_is_kept_and_its_hole_filled(kind: str) -> None:
    inside = GREY >= 300
    kinds: dict[str, tuple[Volume, dict[str, Any]]] = {
        "mask": (volume(inside.view(np.uint8)), {"labels": (1,)}),
        "grey": (volume(GREY), {"threshold": 300.0}),
        "scaled": (volume(GREY, slope=-0.5, intercept=10.0), {"upper": -140.0}),
    }
    given = kinds[kind]
    kept = cleaned(given[0], **given[1], min_share=1)
    assert (kept.pieces, kept.left_out, kept.holes) == (1, 2, 0)
    others = np.count_nonzero(inside & ((BALL > -2) | (SPECK > -2)))
    assert kept.left_out_volume == pytest.approx(others * VOXEL)
    found = surface(kept)
    assert found.report.closed
    assert found.report.euler_number == 4  # the outer and the inner sphere

    filled = cleaned(given[0], **given[1], min_share=1, fill_holes=True)
    assert filled.holes == 1
    hole = np.count_nonzero(~inside & (depth((18, 20, 20), 12) > 5))
    assert filled.filled_volume == pytest.approx(hole * VOXEL)
    whole = surface(filled)
    assert whole.report.euler_number == 2
    assert whole.report.volume == pytest.approx(found.report.volume + hole * VOXEL, rel=0.01)


def test_what_is_kept_has_the_surface_that_it_had() -> None:
    alone = np.rint(300 + 40 * np.clip(SHELL, -5, 5)).astype(np.int16)
    expected = surface_from_volume(volume(alone), threshold=300, smooth=False)
    kept = cleaned(volume(GREY), threshold=300, min_share=1)
    found = surface_from_volume(kept.volume, threshold=300, smooth=False)
    assert len(found.mesh.vertices) == len(expected.mesh.vertices)
    # The neighbourhood of a vertex decides where it is, and that of the kept piece is untouched.
    order = [np.lexsort(mesh.vertices.round(3).T) for mesh in (found.mesh, expected.mesh)]
    assert np.allclose(found.mesh.vertices[order[0]], expected.mesh.vertices[order[1]], atol=2e-3)


def test_small_pieces_are_left_out_by_their_volume() -> None:
    sizes = [np.count_nonzero((GREY >= 300) & (part > -2)) * VOXEL for part in (BALL, SPECK)]
    kept = cleaned(volume(GREY), threshold=300, min_volume=sizes[1] + 1)
    assert (kept.pieces, kept.left_out) == (2, 1)
    assert cleaned(volume(GREY), threshold=300, min_volume=sizes[0] + 1).left_out == 2
    assert cleaned(volume(GREY), threshold=300, min_volume=1e9).pieces == 1  # the largest stays in any case
    assert cleaned(volume(GREY), threshold=300, min_share=1e-3).left_out == 0


def test_what_reaches_the_sides_is_left_out() -> None:
    air = np.full(SHAPE, -1000, np.int16)
    air[5:-5, 5:-5] = 0
    air[15:25, 15:25, :30] = -800  # reaches the first slice, not the sides
    kept = cleaned(volume(air), upper=-400, leave_out_sides=True)
    assert (kept.pieces, kept.left_out) == (1, 1)
    assert surface(kept).report.volume == pytest.approx(10 * 10 * 30 * VOXEL, rel=0.05)
    within = np.zeros(SHAPE, np.int16)
    within[15:25, 15:25, :30] = -800
    alone = cleaned(volume(within), upper=-400, leave_out_sides=True)
    assert (kept.all_at_sides, alone.pieces, alone.all_at_sides) == (False, 1, False)
    air[15:25, 15:25, :30] = 0
    around = cleaned(volume(air), upper=-400, leave_out_sides=True)
    assert (around.pieces, around.left_out, around.all_at_sides) == (1, 0, True)
    (note,) = clean_region(Region(volume(air), upper=-400), CleanUp(leave_out_sides=True), "Lungs")[1]
    assert note.rank == Rank.GUESSED
    assert note.text.startswith("all that is inside reaches the sides of the images, so nothing of it was left out")


def test_diagonal_neighbours_are_one_piece_and_leave_no_way_into_a_hole() -> None:
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[2:5, 2:5, 2:5] = mask[5:8, 5:8, 5:8] = 1
    assert cleaned(Volume(mask, np.eye(4)), labels=(1,), min_share=1).pieces == 1
    shell = np.zeros((9, 9, 9), np.uint8)
    shell[2:7, 2:7, 2:7] = 1
    shell[3:6, 3:6, 3:6] = 0
    shell[2, 2, 2] = 0  # a missing corner
    assert cleaned(Volume(shell, np.eye(4)), labels=(1,), fill_holes=True).filled_volume == 27


def test_uneven_planes_count_as_thick_as_they_are() -> None:
    mask = np.zeros((10, 10, 6), np.uint8)
    mask[1:3, 1:3, 1] = 1  # a plane 1.5 steps thick
    mask[5:8, 5:7, 4] = 1  # one 0.75 thick
    planes = (0.0, 1.0, 3.0, 4.0, 4.5, 5.5)
    kept = cleaned(Volume(mask, np.eye(4), planes=planes), labels=(1,), min_share=1)
    assert kept.left_out_volume == pytest.approx(6 * 0.75)
    box = surface(kept).report.box
    assert 0.25 < box[0][2] < 1 < box[1][2] < 2.25
