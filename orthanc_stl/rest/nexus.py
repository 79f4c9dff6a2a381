"""Nexus models: large, textured, in several resolutions; kept in DICOM as Raw Data and streamed by byte ranges."""

from __future__ import annotations

from orthanc_stl import errors
from orthanc_stl.dicom.elements import open_file  # the one module of that room without heavy imports
from orthanc_stl.rest import ranges
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import Answer, Request
from orthanc_stl.rest.orthanc import RAW_DATA

# The private elements of the original plugin.
PRIVATE_CREATOR = b"OrthancSTL"
_CREATOR_TAG = 0x42050010
_CONTENT_TAG = 0x42051001


def model(app: App, request: Request) -> Answer:
    """GET /instances/{id}/nexus, and /stl/3dhop-instances/{id}.nxz, the name that 3DHOP needs."""
    instance = request.groups[0]
    try:
        version, size = app.orthanc.version(instance)
    except errors.NotFound:
        app.models.forget(instance)
        raise
    return ranges.answer(
        request,
        etag=f'"{version}"',
        content_type="application/octet-stream",
        content=lambda: app.models.get(instance, version, lambda: _load(app, instance, size)),
        headers={"X-Content-Type-Options": "nosniff"},
    )


def _load(app: App, instance: str, size: int) -> memoryview:
    """The model, as a part of its DICOM file: Orthanc's own way to an element keeps a second copy of a large file.

    Raises `InvalidInput` when the instance holds no Nexus model, `TooLarge` when the cache cannot hold it.
    """
    app.orthanc.require_class(instance, RAW_DATA)
    limit = app.settings.nexus_cache_mb
    if size > limit << 20:
        raise errors.TooLarge(
            f'The model has {size / (1 << 20):.0f} MB, more than the {limit} MB that the option "NexusCacheMB" gives '
            "to the models in memory"
        )
    return find_model(app.orthanc.file(instance), instance)


def find_model(dicom: bytes, instance: str) -> memoryview:
    """The bytes of the model in a DICOM file. Raises `InvalidInput` when there is none."""
    file = open_file(dicom)
    creator = b""
    for element in file.elements():
        if element.tag == _CREATOR_TAG:
            creator = file.value(element).strip(b"\0 ")
        if element.tag == _CONTENT_TAG and creator == PRIVATE_CREATOR:
            return file.data[element.start : element.stop]
    raise errors.InvalidInput(f"instance {instance} is a Raw Data object, but holds no Nexus model")
