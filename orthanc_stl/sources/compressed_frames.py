"""Compressed pixel data apart from what decodes them: fragments, runs, and the sizes that frames claim to have."""

from __future__ import annotations

import numpy as np

from orthanc_stl.errors import InvalidInput

_JPEG = "1.2.840.10008.1.2.4."
JPEG_2000 = tuple(f"{_JPEG}{n}" for n in (90, 91, 92, 93, 201, 202, 203))


def fragments_of(data: memoryview) -> tuple[list[int], list[tuple[int, memoryview]]]:
    """The Basic Offset Table, and the fragments, each with its offset from the end of that table's item."""
    pieces: list[memoryview] = []
    places: list[int] = []
    at = 0
    while at + 8 <= len(data):
        if bytes(data[at : at + 4]) != b"\xfe\xff\x00\xe0":
            break
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > len(data):
            raise InvalidInput("the compressed pixel data end in the middle of a fragment")
        pieces.append(data[at + 8 : at + 8 + length])
        places.append(at)
        at += 8 + length
    if not pieces:
        raise InvalidInput("the compressed pixel data have no fragments")
    table = pieces[0]
    base = 8 + len(table)
    offsets = np.frombuffer(table[: len(table) // 4 * 4], "<u4").tolist()
    return offsets, [(place - base, piece) for place, piece in zip(places[1:], pieces[1:], strict=True)]


def unpacked_runs(data: bytes, at: int, most: int) -> bytes:
    """PackBits (PS3.5 G.3.1), up to `most` bytes."""
    out = bytearray()
    while at < len(data) and len(out) < most:
        head = data[at]
        if head < 128:
            out += data[at + 1 : at + 2 + head]
            at += head + 2
        elif head > 128:
            out += data[at + 1 : at + 2] * (257 - head)
            at += 2
        else:
            at += 1
    return bytes(out[:most])


def check_claims(data: bytes, syntax: str, rows: int, columns: int, number: int) -> None:
    """Against frames of kilobytes that claim gigabytes: their own header says the size that the object says."""
    claimed: tuple[int, int] | None = None
    if syntax in JPEG_2000:
        at = data.find(b"\xff\x4f\xff\x51")  # SOC, SIZ: ISO 15444-1 A.5.1
        if at >= 0 and at + 24 <= len(data):
            x1, y1, x0, y0 = (int.from_bytes(data[at + 8 + 4 * n : at + 12 + 4 * n], "big") for n in range(4))
            claimed = y1 - y0, x1 - x0
    elif syntax.startswith(_JPEG):
        claimed = _start_of_frame(data)
    else:
        return
    if claimed != (rows, columns):
        shown = f"{claimed[0]} x {claimed[1]} pixels" if claimed else "no size"
        raise InvalidInput(f"the compressed frame {number + 1} claims {shown}; the object has {rows} x {columns}")


def _start_of_frame(data: bytes) -> tuple[int, int] | None:
    """Rows and columns of the SOF marker of JPEG (ISO 10918-1 B.2.2) or JPEG-LS (ISO 14495-1 C.2.2)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in (0xC0, 0xC1, 0xC2, 0xC3, 0xF7):
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
