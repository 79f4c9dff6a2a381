"""The bytes of a NIfTI file, plain or packed by gzip: the first ones, then as many as its header claims, never more."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from orthanc_stl.errors import InvalidInput

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 18  # compressed bytes given to zlib at once
PIECE = 1 << 20  # bytes that it gives back at most
MAX_MEMBERS = 100_000  # of a gzip file: bgzip makes one of each 64 KiB; more are an attack on the loop over them


class PlainFile:
    """The bytes of a file that is not compressed."""

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def first(self, size: int) -> bytes:
        return bytes(self._view[:size])

    def whole(self, size: int, warnings: list[str]) -> memoryview:
        _check_length(len(self._view), size)
        if len(self._view) > size:
            warnings.append(f"The NIfTI file has {len(self._view) - size} bytes after its voxels: they were left out")
        return self._view


class GzipFile:
    """A gzip file of one or more members, decompressed as far as asked for and never more than a piece beyond."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._ends_in_other_data = False

    def first(self, size: int) -> bytes:
        found = bytearray(size)
        return bytes(found[: self._fill(memoryview(found))])

    def whole(self, size: int, warnings: list[str]) -> memoryview:
        # numpy's memory comes zeroed and is not touched until it is filled: a file that ends early costs what it holds
        content = np.zeros(size + 1, np.uint8).data
        found = self._fill(content)
        _check_length(found, size)
        if found > size:
            warnings.append("The NIfTI file goes on after its voxels: what follows was left out")
        elif self._ends_in_other_data:
            warnings.append("The NIfTI file has other bytes after its gzip data: they were left out")
        return content[:size]

    def _fill(self, into: memoryview) -> int:
        """Decompress into `into` until it is full or the file ends; the number of bytes."""
        filled = 0
        try:
            for piece in self._pieces():
                used = min(len(piece), len(into) - filled)
                into[filled : filled + used] = piece[:used]
                filled += used
                if filled == len(into):
                    break
        except zlib.error as e:
            raise InvalidInput(f"The gzip data of the NIfTI file is damaged: {e}") from None
        return filled

    def _pieces(self) -> Iterator[bytes]:
        """The content of all members, at most `PIECE` bytes at once. zlib checks the checksums."""
        chunks = self._chunks()
        left = next(chunks, b"")
        for _ in range(MAX_MEMBERS):
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                left = left or next(chunks, b"")
                piece = member.decompress(left, PIECE)
                if not (left or piece):
                    raise InvalidInput("The gzip data of the NIfTI file ends in the middle")
                left = member.unconsumed_tail
                yield piece
            left = member.unused_data.lstrip(b"\0")  # some writers pad with zeros, and gzip(1) takes them too
            while len(left) < len(GZIP_MAGIC):
                try:
                    left = (left + next(chunks)).lstrip(b"\0")
                except StopIteration:
                    self._ends_in_other_data = bool(left)
                    return
            if not left.startswith(GZIP_MAGIC):
                self._ends_in_other_data = True
                return
        raise InvalidInput(f"The gzip data of the NIfTI file has more than {MAX_MEMBERS} members")

    def _chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self._view), CHUNK):
            yield bytes(self._view[start : start + CHUNK])


def _check_length(found: int, expected: int) -> None:
    if found < expected:
        raise InvalidInput(f"The NIfTI file is truncated: its header claims {expected} bytes, got {found}")
