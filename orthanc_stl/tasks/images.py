"""Values of images, in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import Z_DEFAULT_STRATEGY

from orthanc_stl.dicom.image_series import Encoding
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.sources.image_values import PACKED_STRATEGY, FrameValues, gzipped, packed, piece_of
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
    if options["layout"] == "packed":
        data, strategy = packed(values), PACKED_STRATEGY
    else:
        data, strategy = values.astype("<i2").tobytes(), Z_DEFAULT_STRATEGY
    return {}, [gzipped(data, strategy) if options["gzip"] else data]
