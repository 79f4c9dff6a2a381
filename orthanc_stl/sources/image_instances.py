"""DICOM images from files, where there is no Orthanc: what it does for a series, done by pydicom."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue

from orthanc_stl.dicom.image_frames import Frame, frames_of
from orthanc_stl.dicom.image_series import encoding_of, stacks_of
from orthanc_stl.dicom.pixel_record import FORMATS, pack, record_size
from orthanc_stl.errors import InvalidInput
from orthanc_stl.sources.image_header import header_of, unit_of

_FORMAT_OF = {np.dtype(kind): number for number, (kind, _) in FORMATS.items()}


def files_of_images(instances: Sequence[bytes | memoryview]) -> list[bytes]:
    """The files that sources/images.py reads, made of the DICOM instances of one series, in any order.

    Raises InvalidInput for images of several series, for what is no volume, and for pixels that cannot be decoded.
    """
    datasets = [_dataset(instance, number) for number, instance in enumerate(instances, 1)]
    series = {str(ds.get("SeriesInstanceUID", "")) for ds in datasets}
    if len(series) > 1:
        raise InvalidInput(f"the images are of {len(series)} series, and those of one are expected")
    frames: list[Frame] = []
    for number, ds in enumerate(datasets):
        frames += _frames(ds, number)
    stacks = stacks_of(frames)
    if not stacks:
        raise InvalidInput("the slices do not lie behind each other")
    stack, modality = stacks[0], str(datasets[0].get("Modality", ""))
    encoding = encoding_of(stack, unit_of(modality, stack.frames[0].unit) == "HU")
    header = header_of(
        stack,
        encoding,
        modality=modality,
        series_instance_uid=series.pop(),
        other_stacks=len(stacks) - 1,
    )
    head = bytes(instances[int(stack.frames[0].instance)])
    return [header, head, *(_record(datasets[int(frame.instance)], frame) for frame in stack.frames)]


def _frames(ds: Dataset, number: int) -> list[Frame]:
    try:
        tags = simplified(ds)
    except Exception as error:  # values are decoded as they are asked for, and a damaged one may raise anything
        raise InvalidInput(f"file {number + 1} of the images is damaged ({error})") from error
    try:
        return frames_of(str(number), tags)
    except InvalidInput as error:
        raise InvalidInput(f"file {number + 1} of the images has no place in a volume: {error}") from error


def simplified(ds: Dataset) -> Mapping[str, Any]:
    """Attributes as Orthanc's `simplified-tags` has them, without the pixels."""
    found: dict[str, Any] = {}
    for element in ds:
        if element.keyword == "PixelData":
            continue
        if element.VR == "SQ":
            found[element.keyword] = [simplified(item) for item in element.value]
        elif isinstance(element.value, MultiValue | list):
            found[element.keyword] = "\\".join(map(str, element.value))
        else:
            found[element.keyword] = "" if element.value is None else str(element.value)
    return found


def _dataset(instance: bytes | memoryview, number: int) -> Dataset:
    try:
        return pydicom.dcmread(io.BytesIO(instance))
    except InvalidDicomError as error:
        raise InvalidInput(f"file {number} of the images is no DICOM file") from error
    except Exception as error:  # a damaged file may lead to anything in a reader of so many forms
        raise InvalidInput(f"file {number} of the images is damaged ({error})") from error


def _record(ds: Dataset, frame: Frame) -> bytes:
    try:
        pixels = ds.pixel_array
    except Exception as error:  # pydicom's decoders raise whatever their plugins do
        raise InvalidInput(f"the pixels of image {frame.sop_instance_uid} cannot be decoded ({error})") from error
    one = np.ascontiguousarray(pixels[frame.number] if frame.count > 1 else pixels)
    if one.ndim != 2 or one.dtype not in _FORMAT_OF:
        raise InvalidInput(f"image {frame.sop_instance_uid} has pixels that are not read: {one.dtype.name}")
    rows, columns = one.shape
    return pack(record_size(frame), _FORMAT_OF[one.dtype], columns, rows, one.strides[0], one.tobytes())
