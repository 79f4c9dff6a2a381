"""Doses made here: where their grids say, in every placement, or a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from orthanc_stl.errors import InvalidInput
from testing.source_phantoms import AXIAL, OBLIQUE, dose_dataset, file_of
from tests.sources.test_rtdose import CENTRE, opened, radii, radius

PRONE = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
FEET_FIRST = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


def made(
    orientation: tuple[float, ...] = AXIAL, *, planes: np.ndarray | None = None, offset: float = 0.0, bits: int = 32
) -> Dataset:
    """60 Gy in the middle, falling off with 20 mm, in any orientation; planes at `planes` along the normal."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    places = np.arange(-45, 45.1, 2.5) if planes is None else planes
    grid = (np.arange(40) - 19.5) * 2.5
    r2 = grid[None, None] ** 2 + grid[None, :, None] ** 2 + places[:, None, None] ** 2
    position = CENTRE + (row + column) * grid[0] + normal * places[0]
    dose = 60 * np.exp(-r2 / 800)
    return dose_dataset(
        dose, offsets=places - places[0] + offset, position=position.tolist(), orientation=orientation, bits=bits
    )


@pytest.mark.parametrize("orientation", [AXIAL, PRONE, FEET_FIRST, OBLIQUE])
@pytest.mark.parametrize("descending", [False, True])
def test_grids_in_every_orientation(orientation: tuple[float, ...], descending: bool) -> None:
    planes = np.arange(45, -45.1, -2.5) if descending else None
    source = opened(made(orientation, planes=planes), Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.07


def test_planes_with_uneven_steps() -> None:
    planes = np.cumsum(np.concatenate(([-46], np.tile([2.0, 3.0, 2.5], 12))))
    found = radii(opened(made(planes=planes), Levels=[30]), 1)
    assert np.abs(found - radius(30)).max() < 0.1


def test_planes_that_are_missing_are_told() -> None:
    source = opened(made(planes=np.concatenate((np.arange(-45, -20, 2.5), np.arange(-5, 45.1, 2.5)))), Levels=[30])
    assert [note.text for note in source.shape(1)[1]] == [
        "planes of the dose are up to 17.5 mm apart, 2.5 mm as a rule: between them its values were interpolated"
    ]


def test_frames_in_any_order_lie_where_their_offsets_say() -> None:
    ds = made()
    order = np.concatenate(([0], 1 + np.random.default_rng(1).permutation(36)))
    ds.PixelData = np.frombuffer(ds.PixelData, "<u4").reshape(37, -1)[order].tobytes()
    ds.GridFrameOffsetVector = [ds.GridFrameOffsetVector[number] for number in order]
    assert np.abs(radii(opened(ds, Levels=[30]), 1) - radius(30)).max() < 0.07


@pytest.mark.parametrize("orientation", [AXIAL, PRONE, FEET_FIRST, (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0)])
@pytest.mark.parametrize("descending", [False, True])
def test_absolute_places_in_every_upright_orientation(orientation: tuple[float, ...], descending: bool) -> None:
    """Along z, whichever way the normal points; what the standard allows for 1,0,0,0,1,0 alone is told of others."""
    ds = made(orientation, planes=np.arange(45, -45.1, -2.5) if descending else None)
    upright = np.cross(orientation[:3], orientation[3:])[2]
    ds.GridFrameOffsetVector = [ds.ImagePositionPatient[2] + upright * float(o) for o in ds.GridFrameOffsetVector]
    source = opened(ds, Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.07
    told = [note.text for note in source.shape(1)[1]]
    assert [text for text in told if "places along z" in text] == told
    assert bool(told) == (orientation != AXIAL)


def test_absolute_places_and_16_bits() -> None:
    ds = made(bits=16)
    ds.GridFrameOffsetVector = [offset + CENTRE[2] - 45 for offset in ds.GridFrameOffsetVector]
    source = opened(ds, Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.07
    assert source.shape(1)[1] == ()


def test_offsets_that_begin_anywhere_are_distances_and_told() -> None:
    source = opened(made(offset=777), Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.07
    assert "begins with 777, which is neither 0 nor the z of the position" in source.shape(1)[1][0].text


def broken(change: str) -> Dataset:
    ds = made()
    if change == "units":
        ds.DoseUnits = "CGY"
    elif change == "error":
        ds.DoseType = "ERROR"
    elif change == "signed":
        ds.PixelRepresentation = 1
    elif change == "scaling":
        ds.DoseGridScaling = 0
    elif change == "offsets":
        ds.GridFrameOffsetVector = ds.GridFrameOffsetVector[:5]
    elif change == "same":
        ds.GridFrameOffsetVector = [0.0] * 37
    elif change == "position":
        del ds.ImagePositionPatient
    elif change == "zero":
        ds.PixelData = bytes(len(ds.PixelData))
    elif change == "short":
        ds.PixelData = ds.PixelData[:1000]
    elif change == "8 bits":
        ds.BitsAllocated = 8
    elif change == "histograms":
        for keyword in ("PixelData", "Rows", "Columns", "NumberOfFrames", "BitsAllocated", "GridFrameOffsetVector"):
            delattr(ds, keyword)
    return ds


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("units", "GY or RELATIVE units is expected, this one has CGY"),
        ("error", "of the type ERROR"),
        ("signed", "has signed values, which only a dose of the type ERROR may have"),
        ("scaling", "no positive Dose Grid Scaling"),
        ("offsets", "has 37 planes, but a Grid Frame Offset Vector of 5"),
        ("same", "are from 0 to 0 mm apart"),
        ("position", "no usable image position"),
        ("zero", "zero everywhere"),
        ("short", "the pixel data have 1000 bytes"),
        ("histograms", "no pixel data, and so no dose grid"),
        ("8 bits", "16 or 32 bits a voxel, this one has 8"),
    ],
)
def test_wrong_doses_give_sentences(change: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(broken(change))


def test_more_offsets_than_planes_are_told() -> None:
    ds = made()
    ds.GridFrameOffsetVector = [*ds.GridFrameOffsetVector, 100, 102.5]
    source = opened(ds, Levels=[30])
    assert np.abs(radii(source, 1) - radius(30)).max() < 0.07
    assert [note.text for note in source.shape(1)[1]] == [
        "the Grid Frame Offset Vector has 39 values for 37 planes: the first ones were taken"
    ]


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_doses_in_other_transfer_syntaxes(syntax: str, bits: int) -> None:
    ds = made(bits=bits)
    same = opened(ds, Levels=[30]).structures
    if syntax == ExplicitVRBigEndian:
        ds.PixelData = np.frombuffer(ds.PixelData, f"<u{bits // 8}").astype(f">u{bits // 8}").tobytes()
    assert opened(file_of(ds, syntax), Levels=[30]).structures == same


def test_values_of_32_bits_are_not_rounded() -> None:
    """The highest is 4,294,967,295, beyond the 24 bits of a float32; the middle of one step of 2,000 is a level."""
    dose = np.zeros((8, 10, 10), np.uint32)
    dose[1:7, 1:9, 1:9], dose[3:5, 4:6, 4:6] = 4_294_967_295 - 100, 4_294_967_295
    ds = dose_dataset(np.zeros(dose.shape), offsets=[2.5 * n for n in range(8)], position=(0, 0, 0), scaling=1e-8)
    ds.PixelData = dose.tobytes()
    source = opened(ds, Levels=["42.9496729 Gy"])
    assert source.structures[0].facts["Voxels"] == 8
