"""The files that the source of image series (sources/images.py) reads, made of a series in Orthanc."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_stl.engine.executor import Blob
from orthanc_stl.rest.app import App
from orthanc_stl.rest.image_pixels import pixel_pieces
from orthanc_stl.sources.image_header import header_of


def image_files(app: App, series: str, number: int = 0) -> Sequence[Blob]:
    """For `Order.fetch`: a header, the head of an instance, and a piece for each slice, decoded when it is sent.

    `number`: of the stack; the first one has the most pixels. Raises NotFound, InvalidInput with the reason why the
    series is no volume.
    """
    images = app.images.get(app.orthanc, series)
    stack, encoding = images.stack(number)
    head = app.orthanc.head(stack.frames[0].instance)
    header = header_of(
        stack,
        encoding,
        modality=images.modality,
        series_instance_uid=images.series_instance_uid,
        other_stacks=len(images.stacks) - 1,
    )
    return [header, head, *pixel_pieces(app.orthanc, stack.frames)]
