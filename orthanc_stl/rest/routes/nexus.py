"""Nexus models: large, textured, in several resolutions; kept in DICOM as Raw Data and streamed by byte ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_stl import errors
from orthanc_stl.dicom.elements import open_file, unpadded
from orthanc_stl.dicom.sop_classes import (
    ENCAPSULATED_MODELS,
    ENCAPSULATED_OBJ,
    ENCAPSULATED_STL,
    NEXUS_CONTENT_TAG,
    NEXUS_CREATOR,
    NEXUS_CREATOR_TAG,
    NEXUS_GROUP,
    NEXUS_LENGTH_TAG,
    RAW_DATA,
)
from orthanc_stl.engine.executor import Blob
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import store_one
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.inputs import instance_files
from orthanc_stl.rest.parents import find_parent, is_orthanc_id, smallest_file
from orthanc_stl.rest.stored_models import model_answer
from orthanc_stl.rest.storing import next_series_number

MOST_MODELS = 100
"""In one Nexus model."""

_MAGIC = b"\x20\x73\x78\x4e"
_BUILT_OF = (b"glTF", b"PK\3\4")  # GLB, and a zip with an OBJ
_NO_BASE64 = "Content must be a Nexus file in base64, but is not base64"
_BEGINNING = 8  # characters of base64 that hold it


def model(app: App, request: Request) -> Answer:
    """GET /instances/{id}/nexus, and /stl/3dhop-instances/{id}.nxz, the name that 3DHOP needs."""
    instance = request.groups[0]
    return model_answer(
        app,
        request,
        instance,
        content_type="application/octet-stream",
        load=lambda size: _load(app, instance, size),
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
    found = {element.tag: element for element in file.elements() if element.tag >> 16 == NEXUS_GROUP}
    content = found.get(NEXUS_CONTENT_TAG)
    if file.value_of(found, NEXUS_CREATOR_TAG).strip(b"\0 ") != NEXUS_CREATOR.encode() or content is None:
        raise errors.InvalidInput(
            f"instance {instance} is a Raw Data object, but holds no Nexus model: Orthanc's anonymization removes it, "
            'unless its field "KeepPrivateTags" is true'
        )
    return unpadded(file.data[content.start : content.stop], file.value_of(found, NEXUS_LENGTH_TAG))


def create(app: App, request: Request) -> Answer:
    """POST /stl/create-nexus: a Nexus object of a file (`Content`), or of stored models (`Instance`, `Series`)."""
    body = bodies.read_object(request.body, file="Content")
    given = [name for name in ("Content", "Instance", "Series") if name in body]
    if len(given) > 1:
        raise errors.InvalidField(f"{' and '.join(given)} exclude each other: give one of them")
    models = _models(app, body)
    encoded, task = (memoryview(b""), "build_nexus") if models else _content(body)
    options: dict[str, Any] = {"tags": fields.tags(body), "joins": "Parent" in body}
    asynchronous = fields.boolean(body, "Asynchronous", False)
    parent = find_parent(app.orthanc, fields.text(body, "Parent"), "Parent") if "Parent" in body else None
    if parent:
        options |= {"level": parent.level}
    where = parent.path if parent else f"/instances/{models[0]}" if models else ""
    if parent and parent.level == "series":
        options |= {"instance_number": len(parent.series[0]["Instances"]) + 1}
    elif where and not (parent and parent.level == "patient"):  # in a patient it is a study of its own
        options |= {"series_number": next_series_number(app.orthanc, where)}

    def fetch() -> Sequence[Blob]:
        joined = [smallest_file(app.orthanc, parent.series, "the resource named by Parent")] if parent else []
        if models:
            files = [file for one in models for file in instance_files(app, one).fetch()]
            return [*files, *joined]
        return [bodies.decoded(encoded, _NO_BASE64), *joined]

    return store_one(
        app,
        request,
        task=task,
        options=options,
        fetch=fetch,
        parent=where,
        asynchronous=asynchronous,
        runs_on_cluster=task != "create_nexus",  # a finished model is checked and stored faster than sent there
    )


def _models(app: App, body: fields.Body) -> list[str]:
    """The stored models that a Nexus model is to be built of; none if `body` has a file."""
    if "Instance" in body:
        instance = fields.text(body, "Instance")
        if app.orthanc.sop_class(instance) != ENCAPSULATED_OBJ:
            app.orthanc.require_class(instance, ENCAPSULATED_STL)
        return [instance]
    if "Series" not in body:
        return []
    series = fields.text(body, "Series")
    if not is_orthanc_id(series):
        raise errors.InvalidField("Series must be the Orthanc identifier of a series of models")
    instances: list[str] = app.orthanc.get_json(f"/series/{series}")["Instances"]
    models = [instance for instance in instances if app.orthanc.sop_class(instance) in ENCAPSULATED_MODELS]
    if not models:
        raise errors.InvalidInput(f"there is no stored model in /series/{series}")
    if len(models) > MOST_MODELS:
        raise errors.TooLarge(f"there are {len(models)} models, at most {MOST_MODELS} go into one Nexus model")
    return models


def _content(body: fields.Body) -> tuple[memoryview, str]:
    """The base64 of `Content`, and the task for it.

    Its beginning is looked at, so that what is no file of a known kind never waits in the queue.
    """
    found = body.get("Content")
    if isinstance(found, str):
        found = memoryview(found.encode(errors="replace"))
    if not isinstance(found, memoryview):
        raise errors.MalformedBody(
            'POST body missing string field "Content": a Nexus file in base64, or "Instance", the identifier of an STL,'
            ' or "Series", of several'
        )
    beginning = bytes(bodies.decoded(found[:_BEGINNING], _NO_BASE64)[:4])
    if beginning in _BUILT_OF:
        return found, "build_nexus_of_file"
    if beginning != _MAGIC:
        raise errors.InvalidInput(
            "This is not a valid Nexus file, its magic header is incorrect; nor is it a GLB file or a zip with an OBJ"
        )
    return found, "create_nexus"
