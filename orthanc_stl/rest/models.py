"""Stored STL models: their bytes, and facts about them."""

from __future__ import annotations

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import listing
from orthanc_stl.rest.http import Answer, Request, json_answer
from orthanc_stl.rest.orthanc import ENCAPSULATED_STL

_DOCUMENT = "0042-0011"
_DOCUMENT_LENGTH = "0042-0015"


def stl(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl: the STL as it was stored, without the byte that DICOM pads it with."""
    instance = request.groups[0]
    app.orthanc.require_class(instance, ENCAPSULATED_STL)
    try:
        document = app.orthanc.get(f"/instances/{instance}/content/{_DOCUMENT}")
    except errors.NotFound:
        raise errors.InvalidInput(f"instance {instance} holds no document") from None
    length = app.orthanc.tag(instance, _DOCUMENT_LENGTH)
    if length.isdigit() and int(length) == len(document) - 1:
        document = document[:-1]
    return Answer(document, "model/stl")


def info(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/info"""
    instance = request.groups[0]
    app.orthanc.require_class(instance, ENCAPSULATED_STL)
    return json_answer(listing(app, request, "stl_info", instance))
