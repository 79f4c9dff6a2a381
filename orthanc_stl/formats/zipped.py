"""Zip files that are written piece by piece and are the same bytes for the same content."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LEVEL = 6


class Zip:
    """A zip file in the making: `add` and `entry` put files in, `content` ends it."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._file = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)

    @contextmanager
    def entry(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """A function that writes the next bytes of the file `name`."""
        with self._file.open(_info(name), "w", force_zip64=True) as file:
            yield file.write

    def add(self, name: str, data: bytes, *, compress: bool = True) -> None:
        self._file.writestr(_info(name), data, None if compress else zipfile.ZIP_STORED)

    def content(self) -> bytes:
        self._file.close()
        return self._buffer.getvalue()


def _info(name: str) -> zipfile.ZipInfo:
    """An entry without the time of day: the same model gives the same file."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info
