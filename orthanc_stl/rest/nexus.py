"""Nexus models: large, textured, in several resolutions; kept in DICOM as Raw Data and streamed by byte ranges."""

from __future__ import annotations

from orthanc_stl import errors
from orthanc_stl.rest import ranges
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import Answer, Request
from orthanc_stl.rest.orthanc import RAW_DATA

# The private elements of the original plugin.
PRIVATE_CREATOR = "OrthancSTL"
_CREATOR_TAG = "4205-0010"
_CONTENT_TAG = "4205-1001"


def model(app: App, request: Request) -> Answer:
    """GET /instances/{id}/nexus, and /stl/3dhop-instances/{id}.nxz, the name that 3DHOP needs."""
    instance = request.groups[0]
    version, _ = app.orthanc.version(instance)
    return ranges.answer(
        request,
        etag=f'"{version}"',
        content_type="application/octet-stream",
        content=lambda: _content(app, instance),
        headers={"X-Content-Type-Options": "nosniff"},
    )


def _content(app: App, instance: str) -> bytes:
    """The model from the cache; what is deleted is gone from there too."""
    try:
        version, size = app.orthanc.version(instance)
    except errors.NotFound:
        app.models.forget(instance)
        raise
    limit = app.settings.nexus_cache_mb
    if size > limit << 20:
        raise errors.TooLarge(
            f'The model has {size / (1 << 20):.0f} MB, more than the {limit} MB of the option "NexusCacheMB" that it has to fit into'
        )
    return app.models.get(instance, version, lambda: _load(app, instance))


def _load(app: App, instance: str) -> bytes:
    """Raises `InvalidInput` when the instance holds no Nexus model."""
    app.orthanc.require_class(instance, RAW_DATA)
    creator = app.orthanc.tag(instance, _CREATOR_TAG).decode("ascii", "replace")
    if creator != PRIVATE_CREATOR:
        raise errors.InvalidInput(f"instance {instance} is a Raw Data object, but holds no Nexus model")
    try:
        return app.orthanc.get(f"/instances/{instance}/content/{_CONTENT_TAG}")
    except errors.NotFound:
        raise errors.InvalidInput(f"instance {instance} is a Nexus object without a model") from None
