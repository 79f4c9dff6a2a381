"""Decoded frames for a worker, one after the other: Orthanc decodes a frame when it is sent, and lets it go.

Orthanc's own cache of files ("MaximumStorageCacheSize", 128 MB by default) fills with what is read, as it does whenever
images are looked at. Nothing else remains of a series of any length.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from orthanc_stl import errors
from orthanc_stl.dicom.image_frames import Frame
from orthanc_stl.dicom.pixel_record import JPEG_2000, pack, pack_codestream, pack_failure, record_size
from orthanc_stl.engine.pieces import Piece
from orthanc_stl.rest.orthanc import Orthanc

TRIM_BYTES = 32 << 20
"""Read between two requests to the C library to give free memory back: files that leave Orthanc's cache were allocated
by many threads, and glibc keeps what each of them frees. Measured on 500 slices: 128 MB."""


def pixel_pieces(orthanc: Orthanc, frames: Sequence[Frame]) -> list[Piece]:
    """A piece for each frame, a record of `dicom/pixel_record.py`."""
    loader = _Loader(orthanc)
    return [Piece(record_size(frame), partial(loader.record, frame)) for frame in frames]


class _Loader:
    """Decodes frames, keeping a file of several open from one to the next."""

    def __init__(self, orthanc: Orthanc) -> None:
        self._orthanc = orthanc
        self._lock = threading.Lock()
        self._open: tuple[str, Any] | None = None

    def record(self, frame: Frame) -> bytes:
        """The record of a frame, whatever happens."""
        size = record_size(frame)
        try:
            with self._lock:
                record = self._decoded(frame, size)
        except errors.StlError as error:
            return pack_failure(size, str(error))
        except Exception as error:  # the SDK's OrthancException, of any code
            self._open = None
            return pack_failure(size, f"Orthanc does not decode it ({error.args[-1] if error.args else error})")
        return record

    def _decoded(self, frame: Frame, size: int) -> bytes:
        if self._open is None or self._open[0] != frame.instance:
            self._open = (frame.instance, self._orthanc.decoder(frame.instance))
        opened = self._open[1]
        if opened.GetInstanceTransferSyntaxUid() in JPEG_2000:
            # With GDCM Orthanc could do it, but there is no asking, and a failure is in Orthanc's log each time.
            return pack_codestream(size, frame.columns, frame.rows, opened.GetInstanceRawFrame(frame.number))
        image = opened.GetInstanceDecodedFrame(frame.number)
        width, height = image.GetImageWidth(), image.GetImageHeight()
        record = pack(size, image.GetImagePixelFormat(), width, height, image.GetImagePitch(), image.GetImageBuffer())
        if frame.number == frame.count - 1:
            self._open = None
        _memory.used(size)
        return record


class _FreeMemory:
    """Asks glibc, after each `TRIM_BYTES`, to return what is free to the system. Does nothing with another library."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since = 0
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None

    def used(self, size: int) -> None:
        with self._lock:
            self._since += size
            due = self._since >= TRIM_BYTES
            if due:
                self._since = 0
        if due and self._trim is not None:
            self._trim(0)


_memory = _FreeMemory()
