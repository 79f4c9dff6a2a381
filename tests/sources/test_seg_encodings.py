"""DICOM SEG: transfer syntaxes, packed bits and compressed frames."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
)

from testing.source_phantoms import (
    DEFLATED_FRAME,
    ball_frames,
    compressed,
    packed,
    seg_dataset,
)
from tests.sources.test_seg import CENTRE, meshed, notes_of, opened

RLE = "1.2.840.10008.1.2.5"
UNCOMPRESSED = "1.2.840.10008.1.2.1.98"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_other_transfer_syntaxes(syntax: str) -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=23)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    if syntax == ExplicitVRBigEndian:
        data = np.frombuffer(ds.PixelData, np.uint8).reshape(-1, 2)[:, ::-1].tobytes()
        ds.add_new(0x7FE00010, "OW", data)
    source = opened(ds, syntax)
    for number, frame in enumerate(frames):
        assert (source.frames.frame(number) == frame).all()
    assert source.structures[0].facts["Voxels"] == frames.sum()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 19), st.integers(1, 19), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_frames_packed_at_any_bit(rows: int, columns: int, count: int, seed: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 2, (count, rows, columns), np.uint8)
    source = opened(seg_dataset(frames, [(1, (0, 0, z)) for z in range(count)]))
    for number, frame in enumerate(frames):
        assert (source.frames.frame(number) == frame).all()
    assert source.frames.notes == ()


@pytest.mark.parametrize("layout", ["frame", "row"])
def test_padded_frames_are_known_by_their_length(layout: str) -> None:
    frames, positions = ball_frames(CENTRE, 8, places=range(-9, 10), size=21)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    if layout == "frame":
        ds.PixelData = b"".join(np.packbits(f.reshape(-1), bitorder="little").tobytes() for f in frames)
    else:
        ds.PixelData = np.packbits(frames, axis=2, bitorder="little").tobytes()
    ds.PixelData += b"\0" * (len(ds.PixelData) % 2)
    source = opened(ds)
    assert source.structures[0].facts["Voxels"] == frames.sum()
    assert notes_of(source) == [
        f"each {layout} of the 1-bit pixel data is padded to whole bytes, which the standard forbids"
    ]


def test_jpeg_2000_of_one_bit() -> None:
    frames, positions = ball_frames(CENTRE, 8, places=range(-9, 10), size=48)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    compressed(ds, [encode_array(frame, bits_stored=1) for frame in frames])
    source = opened(ds, JPEG2000Lossless)
    assert source.structures[0].facts["Voxels"] == frames.sum()
    assert meshed(source).report.volume == pytest.approx(frames.sum(), rel=2e-3)


def rle_of(data: bytes) -> bytes:
    """One segment of literal runs."""
    runs = b"".join(bytes([len(part) - 1]) + part for at in range(0, len(data), 128) if (part := data[at : at + 128]))
    return (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + runs + b"\0" * (len(runs) % 2)


@pytest.mark.parametrize("syntax", [RLE, DEFLATED_FRAME, UNCOMPRESSED])
def test_compressed_frames_of_one_bit(syntax: str) -> None:
    frames, positions = ball_frames(CENTRE, 8, places=range(-9, 10), size=21)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    whole = [packed(frame)[: (21 * 21 + 7) // 8] for frame in frames]
    if syntax == RLE:
        compressed(ds, [rle_of(data) for data in whole])
    elif syntax != DEFLATED_FRAME:
        compressed(ds, whole)
    else:
        raw = [zlib.compressobj(wbits=-15) for _ in whole]
        compressed(ds, [machine.compress(data) + machine.flush() for machine, data in zip(raw, whole, strict=True)])
    source = opened(ds, syntax)
    assert source.structures[0].facts["Voxels"] == frames.sum()
    assert meshed(source).report.volume == pytest.approx(frames.sum(), rel=2e-3)


FRAMES, POSITIONS = ball_frames(CENTRE, 8, places=range(-9, 10), size=48)


def test_jpeg_ls_of_one_bit() -> None:
    jpeg_ls = pytest.importorskip("jpeg_ls", reason="the package pyjpegls is optional")
    ds = seg_dataset(FRAMES, [(1, p) for p in POSITIONS])
    compressed(ds, [bytes(jpeg_ls.encode(frame)) for frame in FRAMES])
    assert opened(ds, JPEGLSLossless).structures[0].facts["Voxels"] == FRAMES.sum()


@pytest.mark.parametrize("syntax", [DEFLATED_FRAME, JPEG2000Lossless, JPEGLSLossless, UNCOMPRESSED])
def test_compressed_label_maps_of_16_bits_keep_their_numbers(syntax: str) -> None:
    """A palette is for display: the pixels are no colors before or after they are decoded."""
    numbers = FRAMES.astype(np.uint16) * 300
    ds = seg_dataset(numbers, [(0, p) for p in POSITIONS], kind="LABELMAP", numbers=(300,))
    ds.PhotometricInterpretation = "PALETTE COLOR"
    if syntax == DEFLATED_FRAME:
        compressed(ds, [zlib.compress(frame.tobytes(), wbits=-15) for frame in numbers])
    elif syntax == UNCOMPRESSED:
        compressed(ds, [frame.tobytes() for frame in numbers])
    elif syntax == JPEG2000Lossless:
        compressed(ds, [encode_array(frame) for frame in numbers])
    else:
        jpeg_ls = pytest.importorskip("jpeg_ls", reason="the package pyjpegls is optional")
        compressed(ds, [bytes(jpeg_ls.encode(frame)) for frame in numbers])
    assert {s.number: s.facts["Voxels"] for s in opened(ds, syntax).structures} == {300: FRAMES.sum()}


@pytest.mark.parametrize("extended", [False, True])
def test_frames_in_several_fragments_and_with_extended_offsets(extended: bool) -> None:
    ds = seg_dataset(FRAMES, [(1, p) for p in POSITIONS])
    frames = [encode_array(frame, bits_stored=1) for frame in FRAMES]
    if extended:
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        ds.PixelData = encapsulate(frames, fragments_per_frame=2)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    assert opened(ds, JPEG2000Lossless).structures[0].facts["Voxels"] == FRAMES.sum()
