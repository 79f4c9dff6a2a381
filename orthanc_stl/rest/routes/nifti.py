"""NIfTI volumes, which come in the body of a request, become models in a study that Orthanc has."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from orthanc_stl import errors
from orthanc_stl.engine.executor import Blob
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import convert, resolution
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.orthanc import ORTHANC_ID, Orthanc
from orthanc_stl.rest.parents import MOST_SERIES, all_series, smallest_file

# Any MIME type or none, as browsers and scripts put it.
_DATA_URI = re.compile(rb"data:[^,]{0,256};base64,")

_NO_BASE64 = 'Missing the "Nifti" argument containing the NIfTI file: its data URI is not base64'

# Enough of it for the header of any file, compressed or not.
_BEGINNING = 64 << 10

# What dicom/series.py wants to know of a series: the same in all its images, and of each its own.
_OF_SERIES = {"SeriesInstanceUID", "SeriesDescription", "SOPClassUID"}
_OF_IMAGE = {"FrameOfReferenceUID", "ImagePositionPatient", "PixelSpacing", "Rows", "Columns"}
_OF_SLICE = ("SOPInstanceUID", "ImagePositionPatient", "ImageOrientationPatient")


def encode_nifti(app: App, request: Request) -> Answer:
    """POST /stl/encode-nifti: a volume becomes a model in the study `ParentStudy`."""
    body = bodies.read_object(request.body, file="Nifti")
    encoded = _content(body)
    study = fields.text(body, "ParentStudy")
    options: dict[str, Any] = {
        "smooth": fields.boolean(body, "Smooth", True),
        "resolution": resolution(body),
        "labels": fields.integers(body, "Labels"),
        "threshold": fields.number(body, "Threshold"),
        "tags": fields.tags(body),
    }
    asynchronous = fields.boolean(body, "Asynchronous", False)
    _require_study(app.orthanc, study)
    sizes = sizes_of(bodies.decoded(encoded[:_BEGINNING], _NO_BASE64))

    def fetch() -> Sequence[Blob]:
        series = all_series(app.orthanc, f"/studies/{study}")
        images = json.dumps(_images(app.orthanc, series, sizes)).encode()
        return [
            bodies.decoded(encoded, _NO_BASE64),
            smallest_file(app.orthanc, series, "the study ParentStudy"),
            images,
        ]

    return convert(
        app,
        request,
        task="encode_nifti",
        options=options,
        fetch=fetch,
        parent=f"/studies/{study}",
        asynchronous=asynchronous,
    )


def sizes_of(beginning: bytes | memoryview) -> tuple[int, ...]:
    """The sizes that a NIfTI file claims, from its beginning; none if it has no such header: the task says why."""
    try:
        header = zlib.decompressobj(wbits=31).decompress(beginning, 540) if beginning[:2] == b"\x1f\x8b" else beginning
    except zlib.error:
        return ()
    for order in "<>":
        for size, form, offset in ((348, "3h", 42), (540, "3q", 24)):
            if len(header) >= size and struct.unpack_from(f"{order}i", header)[0] == size:
                return struct.unpack_from(order + form, header, offset)
    return ()


def _content(body: fields.Body) -> memoryview:
    """The base64 of the data URI in the field `Nifti`, where it lies in the body."""
    found = body.get("Nifti")
    if not isinstance(found, memoryview):
        found = memoryview(fields.text(body, "Nifti").encode(errors="replace"))
    scheme = _DATA_URI.match(found)
    if scheme is None:
        raise errors.MalformedBody(
            'Missing the "Nifti" argument containing the NIfTI file: a data URI such as "data:;base64,H4sI" is expected'
        )
    if len(found) == scheme.end():
        raise errors.InvalidField("Nifti holds no file: nothing follows the comma of its data URI")
    return found[scheme.end() :]


def _require_study(orthanc: Orthanc, study: str) -> None:
    try:
        if ORTHANC_ID.fullmatch(study):
            orthanc.get(f"/studies/{study}")
            return
    except errors.NotFound:
        pass
    raise errors.ParentMissing(f"ParentStudy must be the Orthanc identifier of a study, but is {study[:80]!r}")


def _images(orthanc: Orthanc, series: Sequence[dict[str, Any]], sizes: Sequence[int]) -> list[dict[str, Any]]:
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
