"""Where frames of nuclear medicine lie, and slices that are shifted a little."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pydicom
import pytest

from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.errors import InvalidInput
from orthanc_stl.model import Rank
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.registry import open_files
from testing.image_phantoms import nuclear, single_frame
from tests.sources.test_images import EVEN, ball_values, opened


def nuclear_ball(**changes: Any) -> list[bytes]:
    """A ball of 20 mm in slices of nuclear medicine, with other attributes."""
    grid = (np.arange(24) - 11.5) * 4
    away = np.sqrt(grid[None, None] ** 2 + grid[None, :, None] ** 2 + grid[:, None, None] ** 2)
    ball = np.clip(500 + 125 * (20 - away), 0, 1000).astype("<u2")
    ds = pydicom.dcmread(io.BytesIO(nuclear(ball, (0, 0, 0), 4.0, seed="ball")))
    order = np.array(changes.get("SliceVector", range(1, 25))) - 1
    ds.PixelData, ds.NumberOfFrames = ball[order].tobytes(), len(order)
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    out = io.BytesIO()
    ds.save_as(out)
    return [out.getvalue()]


TIME_SLOTS = {
    "ImageType": ["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"], "NumberOfSlices": 24, "NumberOfTimeSlots": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        ({}, []),
        ({"SliceVector": np.random.default_rng(1).permutation(np.arange(1, 25)).tolist()}, []),
        (
            {**TIME_SLOTS, "SliceVector": [*range(1, 25), *range(1, 25)]},
            ["the series holds another stack of images besides the 24 slices that were taken"],
        ),
    ],
)
@pytest.mark.parametrize("by_orthanc", [True, False])
def test_frames_of_nuclear_medicine_lie_where_their_slice_vector_says(
    changes: dict[str, Any], others: list[str], by_orthanc: bool
) -> None:
    files, fields = nuclear_ball(**changes), {"Threshold": 500}
    source = opened(files, **fields) if by_orthanc else open_files(files, ReadOptions(fields))
    region, notes = source.shape(1)
    surface = mesh_shape(region, smooth=False)
    assert [note.text for note in notes] == others
    assert np.abs(np.linalg.norm(surface.mesh.vertices - 46, axis=1) - 20).max() < 0.6
    assert (surface.report.closed, surface.report.euler_number) == (True, 2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({**TIME_SLOTS, "SliceVector": [1, 2], "NumberOfFrames": 48}, "48 frames but 24 slices, and no Slice Vector"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]}, "do not say where each lies"),
    ],
)
def test_frames_of_nuclear_medicine_without_a_place_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(nuclear_ball(**changes), Threshold=500)


def test_slices_beside_their_line_are_told() -> None:
    row, column, _ = np.eye(3)
    files = []
    for number, at in enumerate(EVEN, 1):
        place = np.array([-25.0 + (0.6 if at > 30 else 0), -30, at])
        files.append(single_frame(ball_values(place, row, column, (1, 1)), place, number, seed="beside"))
    _, notes = opened(files, Threshold=500).shape(1)
    assert [(note.rank, note.text) for note in notes] == [
        (
            Rank.GUESSED,
            "slices lie up to 0.3 mm beside the line through the first and the last one: they were put on it",
        )
    ]
