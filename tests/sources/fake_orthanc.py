"""Orthanc's part in reading images, played by pydicom: what it says of a series, and the frames that it decodes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from orthanc_stl import errors
from orthanc_stl.rest.series_images import SeriesImagesCache
from orthanc_stl.sources.image_instances import simplified

SERIES = "00000000-00000000-00000000-00000000-00000001"


class FakeOrthanc:
    """A series of these DICOM files. `failing`: the numbers of instances that cannot be decoded."""

    def __init__(self, files: Sequence[bytes], failing: Sequence[int] = ()) -> None:
        self.instances = {f"{number:08x}{'-00000000' * 4}": file for number, file in enumerate(files)}
        self.failing = [name for number, name in enumerate(self.instances) if number in failing]
        self.decoded: list[str] = []
        self.last_update = "20260101T000000"
        self.asked: list[str] = []

    def get_json(self, path: str) -> Any:
        self.asked.append(path.rsplit("/", 1)[-1])
        if path == f"/series/{SERIES}":
            first = self._dataset(next(iter(self.instances)))
            tags = {name: str(first.get(name, "")) for name in ("Modality", "SeriesDescription", "SeriesInstanceUID")}
            return {
                "ID": SERIES,
                "MainDicomTags": tags,
                "Instances": list(self.instances),
                "LastUpdate": self.last_update,
            }
        if path == f"/series/{SERIES}/instances":
            return [{"ID": name, "FileUuid": str(hash(file))} for name, file in self.instances.items()]
        _, kind, name, what = path.split("/")
        assert (kind, what) == ("instances", "simplified-tags")
        return simplified(self._dataset(name))

    def head(self, name: str) -> bytes:
        return self.instances[name]

    def decoder(self, name: str) -> Any:
        if name in self.failing:
            raise errors.StorageFailed("Orthanc answered 'Cannot decode' (code 7)")
        return SimpleNamespace(
            GetInstanceDecodedFrame=lambda number: self._frame(name, number),
            GetInstanceTransferSyntaxUid=lambda: self._dataset(name).file_meta.TransferSyntaxUID,
        )

    def _frame(self, name: str, number: int) -> Any:
        self.decoded.append(name)
        pixels = self._dataset(name).pixel_array
        pixels = pixels[number] if pixels.ndim == 3 else pixels
        row = pixels.shape[1] * pixels.itemsize
        pitch = row + 6  # as an image of Orthanc may have it
        padded = np.zeros((pixels.shape[0], pitch), np.uint8)
        padded[:, :row] = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], row)
        return SimpleNamespace(
            GetImagePixelFormat=lambda: {"uint8": 1, "uint16": 2, "int16": 3, "uint32": 8}[pixels.dtype.name],
            GetImageWidth=lambda: pixels.shape[1],
            GetImageHeight=lambda: pixels.shape[0],
            GetImagePitch=lambda: pitch,
            GetImageBuffer=lambda: padded.tobytes(),
        )

    def _dataset(self, name: str) -> Dataset:
        return pydicom.dcmread(io.BytesIO(self.instances[name]))


def fake_app(files: Sequence[bytes], failing: Sequence[int] = ()) -> Any:
    """As much of `App` as the reading of images needs."""
    return SimpleNamespace(orthanc=FakeOrthanc(files, failing), images=SeriesImagesCache())
