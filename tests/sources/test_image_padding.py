"""Pixels that stand for no measurement, and values that are given in another way than by a slope."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pydicom
import pytest

from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.errors import InvalidField, OutOfRange
from orthanc_stl.model import Rank
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.registry import open_files
from testing.image_phantoms import single_frame
from tests.sources.test_images import COLUMNS, EVEN, ROWS, assert_is_the_ball, ball_series, meshed, opened

WITHIN = slice(ROWS // 2 - 4, ROWS // 2 + 4), slice(COLUMNS // 2 - 4, COLUMNS // 2 + 4)


def padded_series(value: int, declared: int | list[int]) -> list[bytes]:
    """The ball in a round field of view, around which is `value`; a low one is within the ball, too."""
    j, i = np.mgrid[:ROWS, :COLUMNS]
    around = np.hypot(j - (ROWS - 1) / 2, i - (COLUMNS - 1) / 2) > 25
    files = []
    for file in ball_series(EVEN, seed="padded"):
        ds = pydicom.dcmread(io.BytesIO(file))
        values = np.where(around, np.int16(value), ds.pixel_array)
        if value < 0:
            values[WITHIN] = np.where(values[WITHIN] == 1000, value, values[WITHIN])
        ds.PixelData = values.astype("<i2").tobytes()
        first, *limit = declared if isinstance(declared, list) else [declared]
        ds.add_new(0x00280120, "US" if first > 32767 else "SS", first)
        if limit:
            ds.add_new(0x00280121, "SS", limit[0])
        out = io.BytesIO()
        ds.save_as(out)
        files.append(out.getvalue())
    return files


@pytest.mark.parametrize(
    ("value", "declared", "said"),
    [(3000, 3000, "3000"), (3000, [3100, 2900], "2900 to 3100"), (-2000, 63536, "-2000")],
)
def test_padding_around_the_slices_is_left_out_and_told(value: int, declared: Any, said: str) -> None:
    files = padded_series(value, declared)
    limits = {"Threshold": 500} if value > 0 else {"Upper": 499}
    surface, notes = meshed(files, **limits)
    text = f"pixels around the slices that the images call padding ({said}) were left out"
    assert text in [note.text for note in notes]
    if value > 0:
        assert_is_the_ball(surface)
        assert [note.rank for note in notes] == [Rank.LEFT_OUT]  # nothing reaches the edge of the images any more
        return
    values = opened(ball_series(EVEN, seed="padded")).volume.stored
    shown = values < 500
    j, i = np.mgrid[:ROWS, :COLUMNS]
    shown &= (np.hypot(j - (ROWS - 1) / 2, i - (COLUMNS - 1) / 2) <= 25).T[..., None]
    shown[WITHIN[::-1]] |= values[WITHIN[::-1]] == 1000  # measured: it is not around
    assert surface.report.volume == pytest.approx(shown.sum() * 1.8, rel=0.01)


def test_padding_that_is_outside_changes_nothing() -> None:
    source = opened(padded_series(-2000, -2000), Threshold=500)
    before = source.volume
    region, notes = source.shape(1)
    assert isinstance(region, Region)
    assert (region.volume is before, notes) == (True, ())


def test_values_in_a_table_are_told() -> None:
    def with_table(ds: pydicom.Dataset) -> bytes:
        ds.ModalityLUTSequence = [pydicom.Dataset()]
        ds.ModalityLUTSequence[0].ModalityLUTType = "HU"
        out = io.BytesIO()
        ds.save_as(out)
        return out.getvalue()

    files = [with_table(pydicom.dcmread(io.BytesIO(file))) for file in ball_series(EVEN, seed="table")]
    _, notes = opened(files, Threshold=500).shape(1)
    assert [(note.rank, note.text) for note in notes] == [
        (
            Rank.GUESSED,
            "the values of the images are in a table (Modality LUT Sequence), which was not applied: "
            "the stored numbers were taken",
        )
    ]


def test_maps_of_other_quantities_are_not_in_hounsfield_units() -> None:
    files = ball_series(EVEN, seed="iodine", RescaleType="MGML")
    assert opened(files, Threshold=500).structures[0].name == "From 500 MGML"
    with pytest.raises(InvalidField, match="Preset is for CT in HU, and these images are CT in MGML"):
        opened(files, Preset="bone")
    assert not opened(files).structures[0].usable  # without a threshold nothing is offered
    assert opened(ball_series(EVEN, seed="plain", RescaleType="US"), Preset="bone").structures[0].name == "Bone"


def test_a_threshold_of_pet_is_in_its_units() -> None:
    files = ball_series(EVEN, seed="pet", Modality="PT", Units="BQML")
    assert opened(files, Threshold=500).structures[0].name == "From 500 BQML"
    with pytest.raises(OutOfRange, match="Threshold must be from 0 to 1000 BQML, as the images are, but is 2500"):
        opened(files, Threshold=2500).shape(1)


@pytest.mark.parametrize("padding", [None, -2000, -1000, 3000])
def test_lungs_are_found_within_air_that_reaches_padding(padding: int | None) -> None:
    """A trunk of 0 HU with two lungs of -850 in air of -1000, in a round field of view."""
    j, i = np.mgrid[:48, :48]
    x, y = (i - 23.5) * 8, (j - 23.5) * 8
    trunk, around = (x / 150) ** 2 + (y / 100) ** 2 < 1, np.hypot(x, y) > 182
    files, lungs = [], 0
    for number, z in enumerate(np.arange(0.0, 121.0, 8.0), 1):
        values = np.where(trunk, 0, -1000).astype(np.int16)
        for side in (-65, 65):
            values[((x - side) / 45) ** 2 + (y / 60) ** 2 + ((z - 60) / 55) ** 2 < 1] = -850
        lungs += int((values == -850).sum())
        told: dict[str, Any] = {}
        if padding is not None:
            values[around] = padding
            told = {"PixelPaddingValue": padding}
        files.append(single_frame(values, (-188, -188, z), number, seed="lungs", spacing=(8.0, 8.0), **told))
    region, notes = open_files(files, ReadOptions({"Preset": "lung"})).shape(1)
    surface = mesh_shape(region, smooth=False)
    assert surface.report.volume == pytest.approx(lungs * 512, rel=0.01)
    assert surface.report.euler_number == 4
    text = f"pixels around the slices that the images call padding ({padding}) were left out"
    assert (text in [note.text for note in notes]) == (padding is not None)
