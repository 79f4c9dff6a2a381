"""Series of images become volumes and surfaces: where they lie, what their values are, what is left out."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pydicom
import pytest

from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.engine.pieces import Piece
from orthanc_stl.mesh.types import Surface
from orthanc_stl.model import Note, Rank
from orthanc_stl.rest.image_files import image_files
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.images import Images, OpenImages
from runtime.phantom.study import study
from testing.data import shared_files
from testing.image_phantoms import enhanced, file_of, nuclear, single_frame
from tests.sources.fake_orthanc import SERIES, fake_app

ROWS, COLUMNS = 52, 60
CENTRE, RADIUS = np.array([4.0, -6.0, 30.0]), 18.0
TRUE_ML = 4 / 3 * np.pi * RADIUS**3 / 1000


def ball_values(origin: np.ndarray, row: np.ndarray, column: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """HU of a ball of 1000 in 0, `(ROWS, COLUMNS) int16`: at its rim they fall by 250 a millimetre."""
    j, i = np.mgrid[:ROWS, :COLUMNS]
    points = origin + i[..., None] * row * spacing[1] + j[..., None] * column * spacing[0]
    depth = RADIUS - np.linalg.norm(points - CENTRE, axis=-1)
    return np.clip(np.rint(500 + 250 * depth), 0, 1000).astype(np.int16)


def ball_series(
    planes: np.ndarray,
    *,
    seed: str,
    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    tilt: float = 0.0,
    **more: Any,
) -> list[bytes]:
    """Slices through the ball at `planes` mm along the normal, in a mixed order; `tilt` shifts them along the rows."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    spacing = (1.0, 0.9)
    middle = CENTRE - row * spacing[1] * (COLUMNS - 1) / 2 - column * spacing[0] * (ROWS - 1) / 2
    files = []
    for number, at in enumerate(planes, 1):
        place = middle + normal * (at - 30) + column * tilt * (at - 30)
        values = ball_values(place, row, column, spacing)
        files.append(single_frame(values, place, number, seed=seed, orientation=orientation, spacing=spacing, **more))
    return [files[index] for index in np.random.default_rng(1).permutation(len(files))]


def opened(files: list[bytes], **fields: Any) -> OpenImages:
    app = fake_app(files)
    blobs = [bytes(blob.load() if isinstance(blob, Piece) else blob) for blob in image_files(app, SERIES)]
    assert not Images().recognises(bytes(blobs[0][:65536]))  # what a client sends is never taken for it
    return Images().open(blobs, ReadOptions(fields))


def meshed(files: list[bytes], **fields: Any) -> tuple[Surface, tuple[Note, ...]]:
    region, notes = opened(files, **fields).shape(1)
    return mesh_shape(region, smooth=False), notes


def assert_is_the_ball(surface: Surface, within: float = 0.3) -> None:
    distance = np.linalg.norm(surface.mesh.vertices - CENTRE, axis=1)
    assert abs(distance.mean() - RADIUS) < 0.05
    assert np.abs(distance - RADIUS).max() < within
    assert surface.report.volume / 1000 == pytest.approx(TRUE_ML, rel=0.01)
    assert (surface.report.closed, surface.report.euler_number) == (True, 2)


FILES = ball_series(np.arange(20.0, 41.0, 4.0), seed="few")
EVEN = np.arange(6.0, 55.0, 2.0)
OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), OBLIQUE, (-1, 0, 0, 0, 1, 0)])
def test_a_ball_lies_where_it_is_in_any_orientation(orientation: tuple[float, ...]) -> None:
    surface, notes = meshed(ball_series(EVEN, seed="even", orientation=orientation), Threshold=500)
    assert_is_the_ball(surface)
    assert notes == ()


def test_a_tilted_gantry_shears_the_lattice_and_not_the_ball() -> None:
    files = ball_series(EVEN, seed="tilted", tilt=np.tan(np.radians(18)))
    found = opened(files, Threshold=500)
    assert np.allclose(found.volume.affine[:3, 2], [0, 2 * np.tan(np.radians(18)), 2], atol=1e-5)
    surface, notes = meshed(files, Threshold=500)
    assert_is_the_ball(surface, within=0.5)
    assert notes == ()


def test_uneven_slices_keep_the_ball_round_and_are_told() -> None:
    planes = np.cumsum(np.tile([1.0, 2.0, 1.5, 2.5], 8)) + 3
    surface, notes = meshed(ball_series(planes, seed="uneven"), Threshold=500)
    assert_is_the_ball(surface, within=0.5)
    (note,) = notes
    assert note.rank is Rank.GUESSED
    assert "from 1 to 2.5 mm apart" in note.text


def test_an_upper_bound_takes_what_is_below_it() -> None:
    files = ball_series(EVEN, seed="even")
    values = opened(files).volume.stored
    below, notes = meshed(files, Upper=499)
    assert [note.rank for note in notes] == [Rank.CHANGED_SHAPE]  # closed at the edge of the images
    assert below.report.volume / 1000 == pytest.approx((values < 500).sum() * 1.8 / 1000, rel=0.002)
    assert below.report.euler_number == 4  # a box with a ball-shaped hole
    band, _ = meshed(files, Threshold=100, Upper=900)
    assert band.report.volume == pytest.approx(((values >= 100) & (values <= 900)).sum() * 1.8, rel=0.002)


def test_frames_of_one_instance_with_their_own_slopes() -> None:
    row, column, _ = np.eye(3)
    positions = [np.array([-30.0, -30.0, z]) for z in EVEN]
    slopes = [1.0 + 0.25 * (number % 4) for number in range(len(EVEN))]
    values = np.stack(
        [np.rint(ball_values(at, row, column, (1.5, 1.5)) / slope) for at, slope in zip(positions, slopes, strict=True)]
    )
    found = opened([enhanced(values.astype(np.int16), positions, seed="enhanced", slopes=slopes)], Threshold=500)
    assert found.volume.slope == pytest.approx(1.75, rel=1e-4)  # the largest value that any frame could have fits
    expected = np.stack([ball_values(at, row, column, (1.5, 1.5)) for at in positions])
    kept = found.volume.stored.T * found.volume.slope
    assert np.abs(kept - expected).max() < 1.75  # half a step of it, and half a step of the frame's own
    assert len(found.references) == 1


def test_a_volume_of_nuclear_medicine_steps_along_its_normal() -> None:
    values = np.zeros((20, 16, 16), np.uint16)
    values[8:12, 6:10, 6:10] = 50_000
    found = opened([nuclear(values, (-30, -30, 0), 3.0, seed="nm")], Threshold=25_000)
    assert np.allclose(found.volume.affine, [[4, 0, 0, -30], [0, 4, 0, -30], [0, 0, 3, 0], [0, 0, 0, 1]])
    assert (found.volume.stored.T * found.volume.slope + found.volume.intercept == values).all()


def test_the_values_of_every_type_of_pixel_are_kept() -> None:
    rng = np.random.default_rng(3)
    for dtype, slope, intercept in (
        (np.uint8, 2.0, -100.0), (np.uint16, 1.0, -1024.0), (np.int16, 0.5, 3.0), (np.uint16, 0.013, 0.0),
    ):  # fmt: skip
        limits = np.iinfo(dtype)
        raw = rng.integers(limits.min, limits.max, (3, 8, 9), dtype=dtype, endpoint=True)
        files = [
            single_frame(one, (0, 0, z), z + 1, seed=f"{dtype} {slope}", Modality="MR", RescaleSlope=slope,
                         RescaleIntercept=intercept)
            for z, one in enumerate(raw)
        ]  # fmt: skip
        volume = opened(files, Threshold=1).volume
        assert np.allclose(volume.stored.T * volume.slope + volume.intercept, raw * slope + intercept, atol=1e-6)


def test_hounsfield_units_are_kept_as_they_are_and_cut_at_the_end() -> None:
    raw = np.array([[[0, 1024, 4095, 65535]]] * 2, np.uint16)
    files = [
        single_frame(one, (0, 0, z), z, seed="hu", RescaleSlope=1, RescaleIntercept=-1024) for z, one in enumerate(raw)
    ]
    volume = opened(files, Threshold=0).volume
    assert (volume.slope, volume.intercept) == (1, 0)
    assert volume.stored[:, 0, 0].tolist() == [-1024, 0, 3071, 32767]


@pytest.mark.slow
def test_presets_of_the_phantom_are_its_tissues() -> None:
    files = [file_of(ds) for name, ds in study() if name.startswith("ct-")]
    found = opened(files)
    assert [structure.name for structure in found.structures] == ["Bone", "Skin", "Lungs"]
    values = found.volume.stored
    per_voxel = found.volume.voxel_volume / 1000
    bone, _ = found.shape(1)
    surface = mesh_shape(bone)
    assert surface.report.volume / 1000 == pytest.approx((values >= 300).sum() * per_voxel, rel=0.01)
    air, _ = opened(files, Threshold=-300).shape(1)
    assert mesh_shape(air).report.volume / 1000 == pytest.approx((values >= -300).sum() * per_voxel, rel=1e-3)
    skin, notes = found.shape(2)
    surface = mesh_shape(skin)
    body = surface.report.volume / 1000
    assert any("filled" in note.text for note in notes)
    lungs, notes = found.shape(3)
    surface = mesh_shape(lungs)
    assert any("left out" in note.text for note in notes)
    assert body > surface.report.volume / 1000 > 1500
    assert opened(files, Preset="bone").structures[0].facts["Threshold"] == 300
    _, notes = opened(files, Preset="skin", FillHoles=False).shape(1)
    assert not any("filled" in note.text for note in notes)


@pytest.mark.filterwarnings("ignore:The value length")
def test_a_real_ct_has_the_volume_of_its_voxels() -> None:
    files = [file.read_bytes() for file in shared_files("rtstruct/mim-ibsi-STS_019/CT/image/*.dcm")]
    if not files:
        pytest.skip("the CT of STS_019 is not here")
    truth = np.stack([pydicom.dcmread(io.BytesIO(file)).pixel_array for file in files])
    for threshold, fields in ((300, {}), (-300, {}), (-150, {"Upper": -50})):
        found = opened(files, Threshold=threshold, **fields)
        region, _ = found.shape(1)
        voxels = (region.volume.stored >= threshold) & (region.volume.stored <= fields.get("Upper", 1 << 14))
        if not fields:
            assert voxels.sum() == (truth >= threshold).sum()
        expected = voxels.sum() * region.volume.voxel_volume
        surface = mesh_shape(region)
        assert surface.report.volume == pytest.approx(expected, rel=0.001 if not fields else 0.05), threshold
        assert surface.report.closed


def test_other_stacks_of_a_series_are_told() -> None:
    scout = single_frame(np.zeros((8, 8), np.int16), (0, 0, 0), 99, seed="even", orientation=(1, 0, 0, 0, 0, -1))
    surface, notes = meshed([scout, *ball_series(EVEN, seed="even")], Threshold=500)
    assert_is_the_ball(surface)
    assert [note.rank for note in notes] == [Rank.LEFT_OUT]


@pytest.mark.filterwarnings("ignore:The value length")
@pytest.mark.parametrize(("modality", "left_out"), [("MR_T1", ()), ("PET", ()), ("PET", (20, 23, 24))])
def test_real_mr_and_pet(modality: str, left_out: tuple[int, ...]) -> None:
    files = [file.read_bytes() for file in shared_files(f"rtstruct/mim-ibsi-STS_019/{modality}/image/*.dcm")]
    if not files:
        pytest.skip("the images of STS_019 are not here")
    files = [file for number, file in enumerate(files) if number not in left_out]
    volume = opened(files).volume
    assert (volume.planes is not None) == bool(left_out)
    threshold = float(volume.stored.max() * volume.slope / 2)
    surface, notes = meshed(files, Threshold=threshold)
    values = volume.stored * volume.slope + volume.intercept
    expected = ((values >= threshold).sum(axis=(0, 1)) @ volume.thickness()) * volume.voxel_volume
    assert surface.report.volume == pytest.approx(expected, rel=0.01)
    assert surface.report.closed
    assert any("unevenly" in note.text for note in notes) == bool(left_out)


def test_a_region_is_what_was_asked_for() -> None:
    region, _ = opened(FILES, Threshold=500, Upper=900).shape(1)
    assert isinstance(region, Region)
    assert (region.threshold, region.upper, region.labels) == (500, 900, None)
