"""The files that the source of image series (sources/images.py) reads, made of a series in Orthanc."""

from __future__ import annotations

import json
from collections.abc import Sequence

from orthanc_stl.dicom.image_series import Encoding, Stack
from orthanc_stl.engine.executor import Blob
from orthanc_stl.rest.app import App
from orthanc_stl.rest.image_pixels import pixel_pieces
from orthanc_stl.rest.series_images import SeriesImages

HEADING = 2
"""Files before the pixels: enough to list structures."""


def image_files(app: App, series: str, number: int = 0) -> Sequence[Blob]:
    """For `Order.fetch`: a header, the head of an instance, and a piece for each slice, decoded when it is sent.

    `number`: of the stack; the first one has the most pixels. Raises NotFound, InvalidInput with the reason why the
    series is no volume.
    """
    images = app.images.get(app.orthanc, series)
    stack, encoding = images.stack(number)
    head = app.orthanc.head(stack.frames[0].instance)
    return [header_of(images, stack, encoding), head, *pixel_pieces(app.orthanc, stack.frames)]


def header_of(images: SeriesImages, stack: Stack, encoding: Encoding) -> bytes:
    references = {frame.sop_instance_uid: frame.sop_class_uid for frame in stack.frames}
    header = {
        "Modality": images.modality,
        "Unit": images.unit,
        "SeriesInstanceUID": images.series_instance_uid,
        "FrameOfReferenceUID": stack.frames[0].frame_of_reference_uid,
        "Size": stack.size,
        "Affine": stack.affine,
        "Even": stack.even,
        "Places": stack.places,
        "Positions": stack.positions,
        "Encoding": [encoding.slope, encoding.intercept],
        "Frames": [[frame.path, frame.slope, frame.intercept] for frame in stack.frames],
        "References": [[sop_class, uid] for uid, sop_class in references.items()],
        "OtherStacks": len(images.stacks) - 1,
    }
    return json.dumps(header).encode()
