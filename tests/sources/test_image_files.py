"""Files of images that cannot be used get a sentence; what is sent piece by piece, and what comes from DICOM files."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.engine.pieces import Piece
from orthanc_stl.errors import InvalidField, InvalidInput, OutOfRange, TooLarge
from orthanc_stl.rest.image_files import image_files
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.images import Images
from orthanc_stl.sources.registry import open_files
from testing.image_phantoms import enhanced, single_frame
from tests.sources.fake_orthanc import SERIES, fake_app
from tests.sources.test_images import COLUMNS, EVEN, FILES, ROWS, assert_is_the_ball, ball_series, ball_values, opened


def test_dicom_files_alone_are_the_same_source() -> None:
    files = ball_series(EVEN, seed="even")
    source = open_files(files, ReadOptions({"Threshold": 500}))
    region, _ = source.shape(1)
    assert isinstance(region, Region)
    assert (region.volume.stored == opened(files).volume.stored).all()
    assert_is_the_ball(mesh_shape(region, smooth=False))
    assert source.frame_of_reference_uid == opened(files).frame_of_reference_uid
    row, column, _ = np.eye(3)
    values = np.stack([ball_values(np.array([-30.0, -30, z]), row, column, (1.5, 1.5)) for z in EVEN])
    many = enhanced(values, [np.array([-30.0, -30, z]) for z in EVEN], seed="enhanced", slopes=[1.0] * len(EVEN))
    region, _ = open_files([many], ReadOptions({"Threshold": 500})).shape(1)
    assert isinstance(region, Region)
    assert (values == region.volume.stored.T).all()
    other = single_frame(np.eye(4, dtype=np.int16), (0, 0, 0), 1, seed="another")
    for wrong, words in (
        ([*files, other], "of 2 series"),
        ([*files, b"no DICOM" * 40], "no DICOM file"),
        ([files[0][:-500], *files[1:]], "cannot be decoded"),
        (files[:1], "a single slice"),
    ):
        with pytest.raises(InvalidInput, match=words):
            open_files(wrong, ReadOptions({"Threshold": 500}))


CHANGE = st.tuples(st.integers(132, 1400), st.binary(min_size=1, max_size=1))


@pytest.mark.filterwarnings("ignore")  # of pydicom, of each wrong value
@settings(max_examples=60)
@given(st.integers(0, 3), st.lists(CHANGE, max_size=4), st.integers(0, 99))
def test_damaged_files_get_a_sentence(which: int, changes: list[tuple[int, bytes]], cut: int) -> None:
    files = [bytearray(file) for file in FILES]
    for place, value in changes:
        files[which][place] = value[0]
    if cut < 20:
        del files[which][-cut * 300 - 1 :]
    try:
        source = open_files([bytes(file) for file in files], ReadOptions({"Threshold": 500}))
        region, _ = source.shape(1)
    except (InvalidInput, OutOfRange, TooLarge):
        return
    assert isinstance(region, Region)


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"Threshold": "high"}, InvalidField, "Number expected in field: Threshold"),
        ({"Threshold": 5000}, OutOfRange, "from 0 to 1000 HU"),
        ({"Threshold": 500, "Upper": 400}, OutOfRange, "Upper must be at least"),
        ({"Upper": -5}, OutOfRange, "Upper must be at least 0"),
        ({"Preset": "brain"}, InvalidField, "bone, skin, lung"),
        ({"Preset": "bone", "Threshold": 5}, InvalidField, "exclude each other"),
        ({"Threshold": float("nan")}, InvalidField, "Number expected"),
    ],
)
def test_wrong_fields_get_a_sentence(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        opened(FILES, **fields).shape(1)


def test_presets_are_for_ct_alone() -> None:
    files = [single_frame(np.eye(4, dtype=np.int16), (0, 0, z), z, seed="mr", Modality="MR") for z in range(3)]
    with pytest.raises(InvalidField, match="Preset is for CT"):
        opened(files, Preset="bone")
    (structure,) = opened(files).structures
    assert "a Threshold is needed" in structure.reason
    with pytest.raises(InvalidInput, match="a Threshold is needed"):
        opened(files).shape(1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ImagePositionPatient": ""}, "do not say where in the patient"),
        ({"PixelSpacing": ""}, "how large a pixel is"),
        ({"SamplesPerPixel": 3}, "in color"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "perpendicular"),
        ({"Modality": "SEG"}, "a segmentation"),
        ({"NumberOfFrames": 2}, "several frames"),
    ],
)
def test_what_is_no_volume_says_why(change: dict[str, Any], words: str) -> None:
    files = [single_frame(np.eye(4, dtype=np.int16), (0, 0, z), z, seed="odd", **change) for z in range(3)]
    with pytest.raises(InvalidInput, match=words):
        image_files(fake_app(files), SERIES)


def test_a_single_slice_and_a_volume_that_is_too_large_are_refused() -> None:
    with pytest.raises(InvalidInput, match="a single slice"):
        opened(FILES[:1], Threshold=500)
    app = fake_app(FILES)
    blobs = [bytes(blob.load() if isinstance(blob, Piece) else blob) for blob in image_files(app, SERIES)]
    header = json.loads(blobs[0])
    header["Size"] = [30_000, 30_000, len(FILES)]
    with pytest.raises(TooLarge, match="MaxNiftiMB"):
        Images().open([json.dumps(header).encode(), *blobs[1:]], ReadOptions())


def test_a_frame_that_cannot_be_decoded_has_orthancs_words() -> None:
    app = fake_app(FILES, failing=[2])
    blobs = [bytes(blob.load() if isinstance(blob, Piece) else blob) for blob in image_files(app, SERIES)]
    with pytest.raises(InvalidInput, match="Cannot decode"):
        Images().open(blobs, ReadOptions({"Threshold": 500})).shape(1)


def test_no_frame_is_decoded_before_it_is_sent() -> None:
    app = fake_app(FILES)
    blobs = image_files(app, SERIES)
    assert app.orthanc.decoded == []
    assert [len(blob) for blob in blobs[2:]] == [32 + ROWS * COLUMNS * 2] * len(FILES)
    assert isinstance(blobs[2], Piece)
    assert len(blobs[2].load()) == len(blobs[2])
    assert len(app.orthanc.decoded) == 1
