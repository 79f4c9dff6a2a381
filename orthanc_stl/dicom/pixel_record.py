"""One decoded frame on its way from Orthanc to a worker: a fixed number of bytes, whatever happens to it.

A record is a header (magic, whether the pixels are there, Orthanc's pixel format, width, height, bytes of the rest),
the rows of pixels without gaps, little-endian, and zeros up to its size. Without pixels there is a sentence instead. A
frame in JPEG 2000, which an Orthanc without GDCM does not decode, travels as it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from orthanc_stl.dicom.image_frames import Frame
from orthanc_stl.errors import InvalidInput

HEADER = struct.Struct("<4s?3xIIIQ4x")
MAGIC = b"oPIX"
SENTENCE = 512
"""Bytes that a record has at least after its header."""

# OrthancPluginPixelFormat: name for numpy and for the module array, bytes.
FORMATS = {1: ("u1", 1), 2: ("<u2", 2), 3: ("<i2", 2), 8: ("<u4", 4)}

JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
CODESTREAM = 2000
"""In place of a pixel format: the rest is a frame in JPEG 2000."""


@dataclass(frozen=True)
class Pixels:
    """`data` has the rows one after the other; `kind` is their type as numpy names it, or "j2k" for a codestream."""

    data: memoryview
    kind: str
    columns: int
    rows: int


def record_size(frame: Frame) -> int:
    return HEADER.size + max(frame.stored_bytes, SENTENCE)


def pack(size: int, image_format: int, width: int, height: int, pitch: int, buffer: bytes) -> bytes:
    """The record of a decoded frame. `pitch`: bytes from row to row in `buffer`."""
    if image_format not in FORMATS:
        return pack_failure(size, "Orthanc decodes its pixels to colors or fractions, and whole numbers are needed")
    row = width * FORMATS[image_format][1]
    if HEADER.size + row * height > size or len(buffer) < pitch * (height - 1) + row:
        return pack_failure(size, f"Orthanc decodes {width} x {height} pixels, other than the image says")
    if pitch != row:
        buffer = b"".join(buffer[at : at + row] for at in range(0, pitch * height, pitch))
    header = HEADER.pack(MAGIC, True, image_format, width, height, row * height)
    return b"".join((header, buffer[: row * height], bytes(size - HEADER.size - row * height)))


def pack_codestream(size: int, width: int, height: int, frame: bytes) -> bytes:
    """The record of a frame in JPEG 2000, which the worker decodes."""
    if HEADER.size + len(frame) > size:
        return pack_failure(size, "Orthanc does not decode it, and in JPEG 2000 it is larger than its pixels are")
    return (HEADER.pack(MAGIC, True, CODESTREAM, width, height, len(frame)) + frame).ljust(size, b"\0")


def pack_failure(size: int, sentence: str) -> bytes:
    text = sentence.encode()[:SENTENCE]
    return (HEADER.pack(MAGIC, False, 0, 0, 0, len(text)) + text).ljust(size, b"\0")


def unpack(record: bytes | bytearray | memoryview, frame: str) -> Pixels:
    """The pixels of a record. Raises InvalidInput with the sentence that is there instead, or for no record at all."""
    view = memoryview(record)
    if len(view) < HEADER.size or bytes(view[:4]) != MAGIC:
        raise InvalidInput(f"image {frame} did not reach the worker")
    _, there, image_format, width, height, length = HEADER.unpack_from(view)
    rest = view[HEADER.size : HEADER.size + length]
    if not there:
        raise InvalidInput(f"image {frame} cannot be used: {bytes(rest).decode(errors='replace')}")
    if image_format == CODESTREAM and len(rest) == length:
        return Pixels(rest, "j2k", width, height)
    if image_format not in FORMATS or len(rest) != width * height * FORMATS[image_format][1]:
        raise InvalidInput(f"image {frame} reached the worker damaged")
    return Pixels(rest, FORMATS[image_format][0], width, height)
