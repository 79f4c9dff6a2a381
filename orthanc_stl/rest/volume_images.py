"""The image series of a study that a volume may lie on: a NIfTI or NRRD file does not name its DICOM images."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.parents import MOST_SERIES

# What dicom/series.py wants to know of a series: the same in all its images, and of each its own.
_OF_SERIES = {"SeriesInstanceUID", "SeriesDescription", "SOPClassUID"}
_OF_IMAGE = {"FrameOfReferenceUID", "ImagePositionPatient", "PixelSpacing", "Rows", "Columns"}
_OF_SLICE = ("SOPInstanceUID", "ImagePositionPatient", "ImageOrientationPatient")

_NRRD_SIZES = re.compile(rb"^sizes:([ 0-9]{1,80})\r?$", re.MULTILINE)

BEGINNING = 64 << 10
"""Bytes of a file that are enough for its header, compressed or not."""


def sizes_of(beginning: bytes | memoryview) -> tuple[int, ...]:
    """The sizes that a NIfTI or NRRD file claims, by its beginning; none without such a header: the task says why."""
    if beginning[:4] == b"NRRD":
        line = _NRRD_SIZES.search(beginning)
        return tuple(map(int, line[1].split())) if line else ()
    try:
        header = zlib.decompressobj(wbits=31).decompress(beginning, 540) if beginning[:2] == b"\x1f\x8b" else beginning
    except zlib.error:
        return ()
    for order in "<>":
        for size, form, offset in ((348, "3h", 42), (540, "3q", 24)):
            if len(header) >= size and struct.unpack_from(f"{order}i", header)[0] == size:
                return struct.unpack_from(order + form, header, offset)
    return ()


def images_of_size(orthanc: Orthanc, series: Sequence[dict[str, Any]], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """What says where the images of the study lie, for the series with as many instances as the volume has slices.

    For the task to find the images that the volume was made from. One instance of a series is read from the disk; the
    positions of all are in Orthanc's database.
    """
    images = []
    for one in [one for one in series if len(one["Instances"]) in sizes][:MOST_SERIES]:
        first = orthanc.get_json(f"/instances/{one['Instances'][0]}/simplified-tags")
        if _OF_IMAGE.issubset(first):
            slices = [each["MainDicomTags"] for each in orthanc.get_json(f"/series/{one['ID']}/instances")]
            places = [[each.get(name, "") for name in _OF_SLICE] for each in slices]
            images.append({name: first.get(name, "") for name in _OF_SERIES | _OF_IMAGE} | {"Slices": places})
    return images
