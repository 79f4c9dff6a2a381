"""Shapes of every kind become surfaces: even and uneven planes, bands of values, unions."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pytest

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.meshing import mesh_shape, united
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput, OutOfRange, TooLarge
from orthanc_stl.mesh.contours.contour import Contour, RoiContours
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.registry import open_files
from tests.mesh.test_stl import TETRAHEDRON


def lattice(
    shape: tuple[int, ...], spacing: tuple[float, ...] = (1, 1, 1), planes: np.ndarray | None = None
) -> np.ndarray:
    """LPS mm of the voxels, `(nx, ny, nz, 3)`, about the middle of the lattice along x and y; z from 0."""
    x, y, z = (np.arange(n) * step for n, step in zip(shape, spacing, strict=True))
    z = z if planes is None else planes
    return np.stack(np.meshgrid(x - x.mean(), y - y.mean(), z, indexing="ij"), axis=-1)


def ball(points: np.ndarray, centre: tuple[float, ...], radius: float) -> np.ndarray:
    return (np.linalg.norm(points - centre, axis=-1) <= radius).astype(np.uint8)


def affine_of(shape: tuple[int, ...], spacing: tuple[float, ...]) -> np.ndarray:
    affine = np.diag([*spacing, 1.0])
    affine[:2, 3] = [-(n - 1) / 2 * step for n, step in zip(shape[:2], spacing[:2], strict=True)]
    return affine


def test_uneven_planes_are_as_thick_as_half_the_way_to_their_neighbours() -> None:
    steps = np.tile([3.0, 2.0, 5.0], 8)
    planes = np.concatenate(([0], np.cumsum(steps)))
    points = lattice((60, 60, len(planes)), planes=planes)
    mask = ball(points, (0, 0, 40), 20)
    step = float(np.diff(planes).mean())
    volume = Volume(mask, affine_of(mask.shape, (1, 1, step)), planes=tuple(planes / step))
    surface = mesh_shape(Region(volume, labels=(1,)))
    edges = np.concatenate(([-1.5], (planes[1:] + planes[:-1]) / 2, [planes[-1] + 2.5]))
    of_voxels = float(mask.sum(axis=(0, 1)) @ np.diff(edges))
    assert surface.report.volume == pytest.approx(of_voxels, rel=1e-3)
    assert surface.report.volume == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.02)
    assert surface.report.closed
    assert surface.report.euler_number == 2
    distance = np.linalg.norm(surface.mesh.vertices - (0, 0, 40), axis=1)
    assert abs(distance.mean() - 20) < 0.3
    assert np.max(distance) < 21.7


def test_uneven_planes_of_grey_values_are_interpolated_where_they_lie() -> None:
    planes = np.concatenate(([0], np.cumsum(np.tile([3.0, 2.0, 5.0], 8))))
    points = lattice((50, 50, len(planes)), planes=planes)
    values = 100 - np.linalg.norm(points - (0, 0, 40), axis=-1)
    volume = Volume(values, affine_of(values.shape, (1, 1, 2)), planes=tuple(planes / 2))
    surface = mesh_shape(Region(volume, threshold=85.0, exact=True))
    distance = np.linalg.norm(surface.mesh.vertices - (0, 0, 40), axis=1)
    assert np.abs(distance - 15).max() < 0.35  # between planes 5 mm apart a ball is flat
    assert np.abs(distance - 15).mean() < 0.1


def test_a_band_of_values_is_a_shell() -> None:
    points = lattice((50, 50, 50))
    values = (100 - np.linalg.norm(points - (0, 0, 24.5), axis=-1)).astype(np.float32)
    region = Region(Volume(values, affine_of(values.shape, (1, 1, 1))), threshold=80.0, upper=88.0, exact=True)
    surface = mesh_shape(region)
    assert surface.report.euler_number == 4
    assert surface.report.volume == pytest.approx(4 / 3 * np.pi * (20**3 - 12**3), rel=0.01)


def test_an_upper_below_the_threshold_is_refused() -> None:
    values = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    with pytest.raises(OutOfRange, match="the upper limit must be at least the threshold 20, but is 10"):
        mesh_shape(Region(Volume(values, np.eye(4)), threshold=20.0, upper=10.0))


def test_cells_of_a_part_are_those_of_the_whole_lattice() -> None:
    mask = ball(lattice((120, 120, 120)), (0, 0, 60), 9)
    whole = mesh_shape(Region(Volume(mask, affine_of(mask.shape, (1, 1, 1))), labels=(1,)), resolution=30)
    part = slice(40, 80)
    shift = np.eye(4)
    shift[:3, 3] = 40
    cut = Volume(mask[part, part, part], affine_of(mask.shape, (1, 1, 1)) @ shift, longest_side=120)
    again = mesh_shape(Region(cut, labels=(1,)), resolution=30)
    assert whole.report.voxel == again.report.voxel


def test_a_mesh_is_measured_and_stays_as_it_is() -> None:
    surface = mesh_shape(TETRAHEDRON)
    assert surface.mesh is TETRAHEDRON
    assert surface.report.volume == pytest.approx(4.5)
    with pytest.raises(TooLarge, match="4 triangles"):
        mesh_shape(TETRAHEDRON, max_triangles=3)


@pytest.mark.parametrize(
    ("limit", "option"), [({"max_voxels": 9}, "MaxVoxels"), ({"max_triangles": 9}, "MaxTriangles")]
)
def test_a_limit_is_told_by_the_name_of_its_option(limit: dict[str, Any], option: str) -> None:
    """The geometry itself knows no options."""
    volume = Volume(ball(lattice((20, 20, 20)), (0, 0, 10), 8), affine_of((20, 20, 20), (1, 1, 1)))
    square = np.array([[0, 0], [9, 0], [9, 9], [0, 9]])
    contours = [Contour(np.column_stack([square, np.full(4, z)]), z + 1) for z in range(3)]
    for shape in (Region(volume), RoiContours(1, "box", tuple(contours))):
        with pytest.raises(TooLarge, match=f'more than the 9 that are allowed by the option "{option}"; a lower Resol'):
            mesh_shape(shape, **limit)


def square(z: float, low: float, high: float) -> Contour:
    points = np.array([(low, low, z), (high, low, z), (high, high, z), (low, high, z)], float)
    return Contour(points, 1)


def test_contours_of_several_rois_are_united() -> None:
    one = RoiContours(1, "one", tuple(square(z, 0, 20) for z in range(10)))
    other = RoiContours(2, "other", tuple(square(z, 10, 30) for z in range(10)))
    shape = united([one, other])
    assert shape is not None
    assert mesh_shape(shape, smooth=False).report.volume == pytest.approx(7000, rel=0.02)


def test_masks_cut_out_of_one_lattice_are_united_at_their_places() -> None:
    points = lattice((60, 40, 40))
    affine = affine_of(points.shape[:3], (1, 1, 1))
    regions = []
    masks = []
    for x in (-12, 8):
        mask = ball(points, (x, 0, 20), 10)
        masks.append(mask)
        low = np.argwhere(mask).min(axis=0)
        high = np.argwhere(mask).max(axis=0) + 1
        shift = np.eye(4)
        shift[:3, 3] = low
        cut = mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        regions.append(Region(Volume(cut, affine @ shift, longest_side=60), labels=(1,)))
    shape = united(regions)
    assert isinstance(shape, Region)
    surface = mesh_shape(shape)
    assert surface.report.volume == pytest.approx(np.count_nonzero(masks[0] | masks[1]), rel=1e-3)
    assert surface.mesh.vertices[:, 0].min() == pytest.approx(-22, abs=0.6)


def test_levels_of_one_dose_are_united_as_the_lowest() -> None:
    volume = Volume(np.arange(27, dtype=np.float32).reshape(3, 3, 3), np.eye(4))
    assert united([Region(volume, threshold=9.0), Region(volume, threshold=5.0)]) == Region(volume, threshold=5.0)


def test_what_has_no_common_lattice_is_not_united() -> None:
    one = Region(Volume(np.ones((3, 3, 3), np.uint8), np.eye(4)), labels=(1,))
    shift = np.eye(4)
    shift[0, 3] = 0.5
    assert united([one, Region(Volume(np.ones((3, 3, 3), np.uint8), shift), labels=(1,))]) is None
    assert united([one, Mesh(TETRAHEDRON.vertices, TETRAHEDRON.triangles)]) is None


def test_nothing_inside_is_said() -> None:
    with pytest.raises(InvalidInput):
        mesh_shape(Region(Volume(np.zeros((3, 3, 3), np.uint8), np.eye(4))))


@pytest.mark.parametrize("wanted", [{"keep_largest": True}, {"min_volume_ml": 1.0}])
@pytest.mark.parametrize("fields", [{}, {"Threshold": 0.5}])
def test_pieces_left_out_in_voxels_and_in_the_surface_are_told_once(wanted: Any, fields: dict[str, float]) -> None:
    z, y, x = np.mgrid[:40, :40, :40]
    mask = (z - 20) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 < 100
    mask |= np.random.default_rng(1).random(mask.shape) < 0.02  # some touch the ball at a corner alone
    file = nib.Nifti1Image(mask.astype(np.uint8), np.diag([2.0, 2.0, 2.0, 1.0])).to_bytes()
    source = open_files([file], ReadOptions(fields), name="a.nii")
    part = build_model(source, ConversionRequest(all=True, fields=fields, **wanted)).model.parts[0]
    told = [text for text in part.warnings if "left out" in text]
    assert told == ["925 pieces of together 9.47 mL were left out, 1 is kept"]
