"""Values of images, in pieces."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_stl.dicom.image_series import Encoding
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.sources.image_values import FrameValues, gzipped, packed, piece_of
from orthanc_stl.tasks.common import Blob, Options, Outcome


def image_slices(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: decoded frames. Files that come out: slices of one level of a stack, int16 or as `layout` says."""
    values = piece_of(
        blobs,
        [FrameValues(*frame) for frame in options["frames"]],
        encoding=Encoding(*options["encoding"]),
        size=(options["columns"], options["rows"]),
        step=options["step"],
        slices=options["slices"],
    )
    data = packed(values) if options["layout"] == "packed" else values.astype("<i2").tobytes()
    return {}, [gzipped(data) if options["gzip"] else data]
