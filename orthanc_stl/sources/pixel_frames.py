"""Frames of an object one at a time: packed bits at any place, native and compressed ones.

1-bit frames are packed without a gap: the bits of a frame begin where the last one ended, the lowest bit first (PS3.5
8.1.1 and 8.2, CP 1132). Writers that pad each frame, or each row, to whole bytes are known by the length. RLE of one
bit holds the packed bits in its single segment; a Deflated Image Frame is a raw deflate stream (PS3.5 A.4.13). Other
compressed frames are decoded by pydicom's plugins, once the size that they claim is that of the object.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder  # type: ignore[attr-defined]
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import UID

from orthanc_stl.dicom.elements import DEFLATED, EXPLICIT_BIG
from orthanc_stl.dicom.study_context import class_name
from orthanc_stl.dicom.values import is_valid
from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.model import Note, Rank
from orthanc_stl.sources.compressed_frames import check_claims, fragments_of, unpacked_runs
from orthanc_stl.sources.dicom_object import DicomObject

_PIXEL_DATA = 0x7FE00010
_OFFSETS, _LENGTHS = 0x7FE00001, 0x7FE00002
_RLE = "1.2.840.10008.1.2.5"
_DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
_ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_NATIVE = ("", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", EXPLICIT_BIG, DEFLATED)

MOST_FRAMES = 1_000_000
MOST_PIXELS = 1 << 26
"""Of one frame: 8192 x 8192."""


@dataclass(frozen=True)
class PixelFrames:
    """The frames of an object with one sample a pixel, none decoded before it is asked for."""

    source: DicomObject
    rows: int
    columns: int
    bits: int
    count: int

    @property
    def pixels(self) -> int:
        return self.rows * self.columns

    @property
    def frame_bytes(self) -> int:
        """Of one decoded frame as it is stored: of packed bits, up to a whole byte."""
        return math.ceil(self.pixels * self.bits / 8)

    @property
    def native(self) -> bool:
        element = self.source.found.get(_PIXEL_DATA)
        return self.source.transfer_syntax in _NATIVE or (element is not None and element.after == element.stop)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        if not self.native or self.bits != 1 or self._layout == "tight":
            return ()
        text = f"each {self._layout} of the 1-bit pixel data is padded to whole bytes, which the standard forbids"
        return (Note(Rank.GUESSED, "", text),)

    def frame(self, number: int) -> np.ndarray:
        """Frame `number` from 0, (rows, columns) in uint8, uint16 or uint32; of 1 bit: 0 and 1.

        Raises InvalidInput for pixel data that do not fit the object or cannot be decoded.
        """
        if self.native:
            return self._bits(number) if self.bits == 1 else self._words(number)
        content = self._fragments[number]
        syntax = self.source.transfer_syntax
        if syntax == _DEFLATED_FRAME:
            return self._unpacked(self._inflated(content, number))
        if syntax == _ENCAPSULATED_UNCOMPRESSED:
            return self._unpacked(self._whole(bytes(content), number))
        if syntax == _RLE and self.bits == 1:
            return self._unpacked(self._run_lengths(content, number))
        return self._decoded(content, number)

    @cached_property
    def _data(self) -> memoryview:
        if _PIXEL_DATA not in self.source:
            raise InvalidInput("this object has no pixel data")
        return self.source.view(_PIXEL_DATA)

    @cached_property
    def _layout(self) -> str:
        """How 1-bit frames follow each other: "tight", or padded by "frame" or "row"."""
        bits = self.pixels * self.count
        sizes = {
            "tight": math.ceil(bits / 8),
            "frame": self.count * math.ceil(self.pixels / 8),
            "row": self.count * self.rows * math.ceil(self.columns / 8),
        }
        found = len(self._data)
        for layout, size in sizes.items():
            if found in (size, size + size % 2):
                return layout
        raise InvalidInput(
            f"the pixel data have {found} bytes, {sizes['tight']} are expected for {self.count} frames of "
            f"{self.rows} x {self.columns} pixels of 1 bit"
        )

    @cached_property
    def _swapped(self) -> bool:
        """Whether bytes come in pairs the wrong way round: words of 16 bits (OW) in big endian."""
        element = self.source.found[_PIXEL_DATA]
        return not self.source.file.encoding.little and element.vr != b"OB"

    def _bits(self, number: int) -> np.ndarray:
        if self._layout == "row":
            width = math.ceil(self.columns / 8)
            packed = self._packed(number * self.rows * width, self.rows * width).reshape(self.rows, width)
            return np.unpackbits(packed, axis=1, bitorder="little")[:, : self.columns]
        start = number * self.pixels if self._layout == "tight" else number * math.ceil(self.pixels / 8) * 8
        packed = self._packed(start // 8, math.ceil((start % 8 + self.pixels) / 8))
        unpacked = np.unpackbits(packed, bitorder="little")[start % 8 :][: self.pixels]
        return unpacked.reshape(self.rows, self.columns)

    def _packed(self, start: int, size: int) -> np.ndarray:
        if not self._swapped:
            return np.frombuffer(self._data[start : start + size], np.uint8)
        low, high = start // 2 * 2, math.ceil((start + size) / 2) * 2
        words = np.frombuffer(self._data[low:high], np.uint8)
        swapped = words[: len(words) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
        return swapped[start - low : start - low + size]

    def _words(self, number: int) -> np.ndarray:
        expected = self.frame_bytes * self.count
        if not expected <= len(self._data) <= expected + expected % 2:
            raise InvalidInput(
                f"the pixel data have {len(self._data)} bytes, {expected} are expected for {self.count} frames of "
                f"{self.rows} x {self.columns} pixels of {self.bits} bits"
            )
        if self.bits == 8:
            pixels = self._packed(number * self.pixels, self.pixels)
        else:
            order = "<" if self.source.file.encoding.little else ">"
            kind = np.dtype(f"{order}u{self.bits // 8}")
            pixels = np.frombuffer(self._data, kind, self.pixels, number * self.frame_bytes)
        return pixels.reshape(self.rows, self.columns)

    @cached_property
    def _fragments(self) -> list[memoryview | bytes]:
        """The compressed bytes of each frame."""
        offsets, fragments = fragments_of(self._data)
        if len(fragments) == self.count:
            return [piece for _, piece in fragments]
        if self.count == 1:
            return [b"".join(piece for _, piece in fragments)]
        extended = self.source.array(_OFFSETS, "u8").tolist()
        starts = extended if len(extended) == self.count else offsets
        if len(starts) != self.count or any(a >= b for a, b in pairwise(starts)):
            raise InvalidInput(
                f"the compressed pixel data have {len(fragments)} fragments and {len(starts)} offsets for "
                f"{self.count} frames"
            )
        first = np.searchsorted([at for at, _ in fragments], [*starts, len(self._data)]).tolist()
        return [b"".join(piece for _, piece in fragments[start:stop]) for start, stop in pairwise(first)]

    def _inflated(self, content: memoryview | bytes, number: int) -> bytes:
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = machine.decompress(content, self.frame_bytes + 2)
        except zlib.error as error:
            raise InvalidInput(f"the deflated frame {number + 1} is damaged: {error}") from None
        if len(data) > self.frame_bytes + 1:
            raise InvalidInput(f"frame {number + 1} decompresses to more than the {self.frame_bytes} bytes of a frame")
        return self._whole(data, number)

    def _run_lengths(self, content: memoryview | bytes, number: int) -> bytes:
        """PS3.5 G.3: a header of 64 bytes with the number of segments and their offsets, then PackBits."""
        data = bytes(content)
        segments, start = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
        if segments != 1 or start < 64 or start > len(data):
            raise InvalidInput(f"the RLE frame {number + 1} has {segments} segments; one is expected for 1 bit")
        return self._whole(unpacked_runs(data, start, self.frame_bytes), number)

    def _whole(self, data: bytes, number: int) -> bytes:
        if len(data) < self.frame_bytes:
            raise InvalidInput(f"frame {number + 1} has {len(data)} bytes unpacked, {self.frame_bytes} are expected")
        return data[: self.frame_bytes]

    def _unpacked(self, data: bytes) -> np.ndarray:
        if self.bits == 1:
            bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: self.pixels]
            return bits.reshape(self.rows, self.columns)
        return np.frombuffer(data, np.dtype(f"<u{self.bits // 8}")).reshape(self.rows, self.columns)

    def _decoded(self, content: memoryview | bytes, number: int) -> np.ndarray:
        syntax = self.source.transfer_syntax
        check_claims(bytes(content), syntax, self.rows, self.columns, number)
        decoder = _decoder(syntax)
        options: dict[str, Any] = {
            "transfer_syntax_uid": UID(syntax), "rows": self.rows, "columns": self.columns, "number_of_frames": 1,
            "samples_per_pixel": 1, "bits_allocated": max(self.bits, 8), "bits_stored": self.bits,
            "photometric_interpretation": "MONOCHROME2", "pixel_representation": 0, "pixel_keyword": "PixelData",
        }  # fmt: skip
        with reading(f"frame {number + 1} ({class_name(syntax)})"):
            pixels, _ = decoder.as_array(encapsulate([bytes(content)]), index=0, raw=True, **options)
        if pixels.size != self.pixels:
            raise InvalidInput(f"frame {number + 1} has {pixels.size} pixels, {self.pixels} are expected")
        found: np.ndarray = pixels.reshape(self.rows, self.columns)
        return found


def pixel_frames(source: DicomObject) -> PixelFrames:
    """The frames of an object of one sample a pixel. Raises InvalidInput for sizes that are none."""
    rows, columns = source.unsigned(0x00280010) or 0, source.unsigned(0x00280011) or 0
    bits = source.unsigned(0x00280100) or 0
    samples = source.unsigned(0x00280002)
    count = source.integer(0x00280008) if 0x00280008 in source else 1
    if not rows or not columns or rows * columns > MOST_PIXELS:
        raise InvalidInput(f"this object has frames of {rows} x {columns} pixels")
    if bits not in (1, 8, 16, 32) or samples not in (None, 1):
        found = f"Samples per Pixel is {samples or 1} and Bits Allocated {bits}"
        raise InvalidInput(f"{found}; one sample of 1, 8, 16 or 32 bits is expected")
    if count is None or count < 1:
        raise InvalidInput("this object has no frames")
    if count > MOST_FRAMES:
        raise TooLarge(f"this object has {count} frames, {MOST_FRAMES} are the most that are read")
    return PixelFrames(source, rows, columns, bits, count)


def _decoder(syntax: str) -> Decoder:
    if not is_valid("UI", syntax):
        raise InvalidInput("the transfer syntax of this object is no UID")
    try:
        decoder = get_decoder(UID(syntax))
    except NotImplementedError:
        raise InvalidInput(f"frames compressed by {class_name(syntax)} are not read") from None
    if not decoder.is_available:
        hint = " (the package pyjpegls)" if syntax in _JPEG_LS else ""
        raise InvalidInput(f"frames compressed by {class_name(syntax)} need a decoder that is not installed{hint}")
    return decoder
