"""Structures of one lattice united, subtracted and intersected: the models hold what the voxels themselves hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import orthanc_stl as stl
from orthanc_stl.conversion.in_voxels import combined_region
from orthanc_stl.conversion.meshing import inside_of, mesh_shape, united
from orthanc_stl.conversion.operand import Operand
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.solids.booleans import intersected
from orthanc_stl.mesh.types import Mesh, Surface
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.base import ReadOptions, Region, Shape
from orthanc_stl.sources.registry import open_files
from testing.data import shared_file
from testing.nifti_phantoms import nifti_file
from tests.mesh.shapes import box

FILES = {
    "binary_all_frames": (1, 2),
    "binary_overlap_axial": (1, 2),
    "binary_overlap_sagittal": (1, 2),
    "fractional_jls": (1, 2),
    "fractional_rle": (1, 2),
    "labelmap_raw": (1, 2),
    "labelmap_rle": (1, 2),
    "labelmap_uint16_number300": (1, 300),
}
"""The made segmentations of two balls, and the numbers of the large and of the small one."""


def voxels_of(file: bytes, numbers: tuple[int, int]) -> tuple[list[np.ndarray], float]:
    """Which voxels each ball has, on one lattice, and the mL of one."""
    source = open_files([file], ReadOptions())
    shapes = [shape for shape in (source.shape(number)[0] for number in numbers) if isinstance(shape, Region)]
    both = united(shapes)
    assert isinstance(both, Region)
    inside = []
    for shape in shapes:
        shift = np.linalg.inv(both.volume.affine) @ shape.volume.affine
        low = np.rint(shift[:3, 3]).astype(int)
        there = np.zeros(both.volume.stored.shape, bool)
        there[tuple(slice(a, a + n) for a, n in zip(low, shape.volume.stored.shape, strict=True))] = inside_of(shape)
        inside.append(there)
    return inside, abs(float(np.linalg.det(both.volume.affine[:3, :3]))) / 1000


@pytest.mark.parametrize("name", FILES)
def test_the_balls_of_a_segmentation_hold_what_their_voxels_hold(name: str) -> None:
    """Within 0.5 %, in either orientation; where a label map's balls share nothing, nothing is left."""
    file = shared_file(f"seg/made/seg_{name}.dcm").read_bytes()
    (large, small), each = voxels_of(file, FILES[name])
    one, two = FILES[name]
    segments = stl.read(file)

    def near(inside: np.ndarray) -> object:
        return pytest.approx(float(inside.sum()) * each, rel=0.005)

    found = {
        "union": segments.mesh([one, two], union=True, tolerance=0),
        "unite": segments.mesh([one], unite=[two], tolerance=0),
        "difference": segments.mesh([two], subtract=[one], tolerance=0),
    }
    volumes = {key: model.parts[0].volume_ml for key, model in found.items()}
    assert volumes == {
        "union": near(large | small), "unite": near(large | small), "difference": near(small & ~large)
    }  # fmt: skip
    assert found["difference"].parts[0].report.euler_number == 2
    assert found["difference"].parts[0].modified
    if (large & small).any():
        assert segments.mesh([two], intersect=[one], tolerance=0).parts[0].volume_ml == near(large & small)
        assert found["union"].parts[0].volume_ml == pytest.approx(37.088, rel=0.005)
    else:
        with pytest.raises(InvalidInput, match="nothing is left within"):
            segments.mesh([two], intersect=[one])


def block(size: tuple[int, int, int], at: tuple[float, float, float], value: int = 1, step: float = 1.0) -> Region:
    """A block of voxels of 1 mm (or `step`), the middle of its first one at `at`."""
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = at
    stored = np.zeros([n + 2 for n in size], np.int16)
    stored[1:-1, 1:-1, 1:-1] = value
    return Region(Volume(stored, affine), labels=(value,))


def operand(region: Region) -> Operand:
    return Operand("B", (region,), lambda: [mesh_shape(region)])


def combined(
    shapes: Sequence[Shape], unite: Operand | None, subtract: Operand | None, intersect: Operand | None
) -> Region | None:
    return combined_region(shapes, unite, subtract, intersect, ConversionRequest())[0]


def count(region: Region | None) -> int:
    assert region is not None
    return int(region.volume.stored.sum())


def test_lattices_of_one_grid_need_not_have_the_same_corner() -> None:
    a, b = block((10, 10, 10), (0, 0, 0)), block((10, 4, 10), (5, -2, 3), 7)
    assert count(combined([a], operand(b), None, None)) == 1000 + 400 - 5 * 2 * 7
    assert count(combined([a], None, operand(b), None)) == 1000 - 5 * 2 * 7
    assert count(combined([a], None, None, operand(b))) == 5 * 2 * 7
    assert count(combined([a], operand(b), operand(b), None)) == 1000 - 5 * 2 * 7
    far = operand(block((3, 3, 3), (50, 0, 0)))
    assert count(combined([a], None, far, None)) == 1000
    with pytest.raises(InvalidInput, match="nothing is left within B"):
        combined([a], None, None, far)
    with pytest.raises(InvalidInput, match="nothing is left without B"):
        combined([a], None, operand(a), None)


def test_of_what_is_combined_as_voxels_no_surface_is_made_and_the_voxels_once() -> None:
    """Three structures, each without the same fourth one."""

    def surfaces() -> list[Surface]:
        raise AssertionError("its voxels are enough")

    other = Operand("B", (block((8, 8, 8), (4, 0, 0)),), surfaces)
    bodies = [block((8, 8, 8), (0, float(at), 0)) for at in range(3)]
    counts = [count(combined([body], None, other, None)) for body in bodies]
    assert counts == [8 * 8 * 8 - 4 * (8 - at) * 8 for at in range(3)]
    assert other.mask is other.mask
    assert other.notes == ()


def test_other_lattices_thresholds_and_surfaces_are_left_to_the_surfaces() -> None:
    a = block((10, 10, 10), (0, 0, 0))
    assert combined([a], None, None, None) is None
    for other in (block((4, 4, 4), (0.5, 0, 0)), block((4, 4, 4), (0, 0, 0), step=2.0)):
        assert combined([a], None, operand(other), None) is None
        assert combined([a], operand(other), None, None) is None
    wide, stretched = block((510, 9, 9), (0, 0, 0)), block((510, 9, 9), (0, 0, 0))
    stretched.volume.affine[0, 0] = 1.0009  # half a voxel at the far end
    assert combined([wide], None, operand(stretched), None) is None
    far = operand(block((9, 9, 9), (9e4, 9e4, 9e4)))  # a box of both has 7e14 voxels
    assert combined([a], far, None, None) is None
    assert united([a, far.shapes[0]]) is None
    uneven = replace(a, volume=replace(a.volume, planes=(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13)))
    up = replace(uneven.volume, affine=uneven.volume.affine + np.array([[0] * 4, [0] * 4, [0, 0, 0, 1], [0] * 4]))
    assert count(combined([uneven], operand(uneven), None, None)) == 1000
    assert combined([uneven], operand(replace(uneven, volume=up)), None, None) is None
    dose = Region(a.volume, threshold=0.5)
    assert combined([dose], None, operand(a), None) is None
    assert combined([a], None, None, operand(dose)) is None
    mesh: Mesh = mesh_shape(a).mesh
    assert combined([mesh], None, operand(a), None) is None
    assert combined([a], None, Operand("B", (mesh,), list), None) is None


@pytest.mark.parametrize("resolution", [48, 96])
@pytest.mark.parametrize("wide", [2, 3, 4, 6])
def test_a_thin_vessel_keeps_its_volume_as_a_hole_and_as_a_branch(wide: int, resolution: int) -> None:
    """In cells of two voxels, those of a large body, holes two and three voxels wide were gone, though the volume of
    the whole was that of its voxels."""
    body, vessel = np.zeros((2, 96, 96, 64), np.uint8)
    body[3:93, 3:93, 3:43] = 1
    vessel[45 : 45 + wide, 45 : 45 + wide, 2:62] = 1
    both = stl.read(*(nifti_file(one, np.diag([-1, -1, 1, 1.0])) for one in (body, vessel)))

    def volume(low: float, high: float, **options: Any) -> float:
        part = both.mesh([1], resolution=resolution, tolerance=0, **options).parts[0]
        around = box(wide + 16, wide + 16, high - low, (45 + (wide - 1) / 2, 45 + (wide - 1) / 2, (low + high) / 2))
        return report_of(intersected([part.mesh, around])).volume

    true = wide * wide * 20
    assert volume(13, 33, subtract=[2]) == pytest.approx((wide + 16) ** 2 * 20 - true, abs=0.1 * true)
    assert volume(43.5, 58.5, unite=[2]) == pytest.approx(wide * wide * 15, rel=0.1)


def test_halves_of_a_body_are_united_without_a_cleft_in_cells_of_two_voxels() -> None:
    halves = np.zeros((60, 60, 60), np.uint8)
    halves[5:30, 5:55, 5:55], halves[30:55, 5:55, 5:55] = 1, 2
    (part,) = stl.read(nifti_file(halves)).mesh([1], unite=[2], resolution=30, tolerance=0).parts
    assert part.report.voxel == (2, 2, 2)
    assert part.report.euler_number == 2
    assert part.volume_ml == pytest.approx(125, rel=1e-3)


@pytest.mark.parametrize("wide", [1, 2, 3])
def test_a_thin_wall_kept_within_a_body_keeps_its_volume(wide: int) -> None:
    """Walls of one to three voxels, in cells that would take two together for the body."""
    body, walls = np.zeros((2, 96, 96, 64), np.uint8)
    body[3:93, 3:93, 3:43] = 1
    walls[3:93, 45 : 45 + wide, 2:62] = 1
    walls[45 : 45 + wide, 3:93, 2:62] = 1
    both = stl.read(*(nifti_file(one, np.diag([-1, -1, 1, 1.0])) for one in (body, walls)))
    for own, other in ((1, 2), (2, 1)):
        (part,) = both.mesh([own], intersect=[other], resolution=48, tolerance=0).parts
        assert part.report.volume == pytest.approx((body & walls).sum(), rel=0.002)


def test_surfaces_that_enclose_another_volume_than_the_voxels_of_the_whole_are_told_of() -> None:
    """A ball of 4 mm, and an oblique plate a voxel thin through it."""
    place = np.indices((32, 32, 32)) - 15.5
    ball = ((place**2).sum(axis=0) < 16).astype(np.uint8)
    plate = ((np.abs(place.sum(axis=0)) < 1) & ((place**2).sum(axis=0) < 144)).astype(np.uint8)
    both = stl.read(nifti_file(ball), nifti_file(plate))
    (without,) = both.mesh([1], subtract=[2], tolerance=0).parts
    voxels = int((ball & ~plate).sum())
    less = 100 * (without.report.volume / voxels - 1)
    assert less < -2
    told = f"the surface encloses {without.volume_ml:.4g} mL, its voxels {voxels / 1000:.4g} mL ({less:+.1f} %): one of"
    assert [note.text.startswith(told) for note in without.notes].count(True) == 1
    with pytest.raises(InvalidInput, match="one of its structures is too thin"):
        both.mesh([1], subtract=[2], strict=True)
    (within,) = both.mesh([1], intersect=[2], tolerance=0).parts
    assert within.report.volume == pytest.approx((ball & plate).sum(), rel=0.002)
    assert not any("encloses" in note.text for note in within.notes)
