"""Stored STL models: their bytes, and facts about them."""

from __future__ import annotations

from orthanc_stl import errors
from orthanc_stl.dicom.elements import unpadded
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_STL
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import ranges
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.inputs import instance_files
from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.running import listing

_DOCUMENT = "0042-0011"
_DOCUMENT_LENGTH = "0042-0015"


def stl(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl: the STL as it was stored, without the byte that DICOM pads it with."""
    instance = request.groups[0]
    app.orthanc.require_class(instance, ENCAPSULATED_STL)
    version, _ = app.orthanc.version(instance)
    return ranges.answer(
        request, etag=f'"{version}"', content_type="model/stl", content=lambda: _document(app.orthanc, instance)
    )


def _document(orthanc: Orthanc, instance: str) -> memoryview:
    document = orthanc.tag(instance, _DOCUMENT)
    if not document:
        raise errors.InvalidInput(
            f'instance {instance} holds no document: Orthanc\'s anonymization empties it, unless its field "Keep" names'
            ' "EncapsulatedDocument"'
        )
    return unpadded(memoryview(document), orthanc.tag(instance, _DOCUMENT_LENGTH))


def info(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/info"""
    instance = request.groups[0]
    app.orthanc.require_class(instance, ENCAPSULATED_STL)
    return json_answer(listing(app, request, "stored_info", instance_files(app, instance)))
