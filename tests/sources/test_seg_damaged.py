"""DICOM SEG: damaged and hostile objects give sentences, and take no memory or time."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGLSLossless

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.seg import Seg
from testing.source_phantoms import (
    DEFLATED_FRAME,
    SAGITTAL,
    ball_frames,
    compressed,
    file_of,
    item,
    seg_dataset,
)
from tests.sources.test_seg import CENTRE, opened


def broken(change: str) -> Dataset:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=24)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    groups = ds.PerFrameFunctionalGroupsSequence
    if change == "no frames":
        ds.NumberOfFrames = 0
    elif change == "no pixel data":
        del ds.PixelData
    elif change == "short":
        ds.PixelData = ds.PixelData[:100]
    elif change == "no segments":
        del ds.SegmentSequence
    elif change == "no position":
        del groups[3].PlanePositionSequence
    elif change == "no segment":
        del groups[3].SegmentIdentificationSequence
    elif change == "turned":
        groups[3].PlaneOrientationSequence = [item(ImageOrientationPatient=list(SAGITTAL))]
    elif change == "tiles":
        for n, group in enumerate(groups):
            group.PlanePositionSequence[0].ImagePositionPatient = [24.0 * n, 0, 0]
    elif change == "shifted":
        groups[3].PlanePositionSequence[0].ImagePositionPatient[0] += 5
    elif change == "groups missing":
        del groups[-1]
    elif change == "not square":
        ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 1, 0, 0]
    elif change == "16 bits":
        ds.BitsAllocated = 16
    elif change == "spacing":
        ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0, 0]
    return ds


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("no frames", "has no frames"),
        ("no pixel data", "has no pixel data"),
        ("short", "the pixel data have 100 bytes, 1512 are expected"),
        ("no segments", "it names no segment"),
        ("no position", "frame 4 has no plane position"),
        ("no segment", "frame 4 does not say which segment"),
        ("turned", "frame 4 has another orientation than the first one"),
        ("tiles", "they are tiles of it"),
        ("shifted", "shifted against each other"),
        ("groups missing", "has 21 frames, but functional groups of 20"),
        ("not square", "no pair of unit vectors"),
        ("16 bits", "BINARY segmentation has 1 or 8 bits a pixel, this one has 16"),
        ("spacing", "it is 0 x 0"),
    ],
)
def test_wrong_files_give_sentences(change: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(broken(change)).structures  # noqa: B018


def test_planes_far_apart_take_no_memory_that_there_is_not() -> None:
    frames = np.ones((2, 4, 4), np.uint8)
    ds = seg_dataset(frames, [(1, (0, 0, 0)), (1, (0, 0, 900_000))], step=1)
    source = Seg().open([file_of(ds)], ReadOptions(limits={"max_voxels": 1_000_000}))
    with pytest.raises(TooLarge, match="4 x 4 x 900001 voxels"):
        source.shape(1)


def test_a_frame_that_claims_another_size_is_not_decoded() -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(3), size=24)
    ds = seg_dataset(frames.astype(np.uint8), [(1, p) for p in positions], kind="FRACTIONAL")
    siz = b"\xff\x4f\xff\x51" + bytes(4) + b"".join(n.to_bytes(4, "big") for n in (60_000, 60_000, 0, 0))
    compressed(ds, [siz + bytes(40)] * 3)
    with pytest.raises(InvalidInput, match="frame 1 claims 60000 x 60000 pixels; the object has 24 x 24"):
        opened(ds, "1.2.840.10008.1.2.4.90").structures  # noqa: B018


def test_a_frame_may_inflate_no_further_than_its_size() -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(3), size=24)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    machine = zlib.compressobj(wbits=-15)
    compressed(ds, [machine.compress(bytes(1 << 24)) + machine.flush()] * 3)
    with pytest.raises(InvalidInput, match="frame 1 decompresses to more than the 72 bytes"):
        opened(ds, DEFLATED_FRAME).shape(1)


def test_a_decoder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(3), size=24)
    ds = seg_dataset(frames, [(1, p) for p in positions], kind="FRACTIONAL")
    start = b"\xff\xd8\xff\xf7\0\x0b\x08\0\x18\0\x18" + bytes(20)
    compressed(ds, [start] * 3)
    monkeypatch.setattr(get_decoder(JPEGLSLossless), "_available", {})
    with pytest.raises(InvalidInput, match=r"need a decoder that is not installed \(the package pyjpegls\)"):
        opened(ds, JPEGLSLossless).structures  # noqa: B018
