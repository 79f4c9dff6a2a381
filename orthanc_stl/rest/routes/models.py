"""Stored models: their documents, and facts about them."""

from __future__ import annotations

from orthanc_stl import errors
from orthanc_stl.dicom.elements import WHY_NO_DOCUMENT, open_file, unpadded
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_MTL, ENCAPSULATED_OBJ, ENCAPSULATED_STL
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.options import OF_CONVERSIONS, refuse
from orthanc_stl.rest.inputs import instance_files
from orthanc_stl.rest.routes.numbers import checked_for_print
from orthanc_stl.rest.running import listing
from orthanc_stl.rest.stored_models import model_answer

PRINT_SIZES = frozenset({"wall", "bed", "hollow"})
"""Of a URL that asks for a print check."""

_CONTENT, _LENGTH = 0x00420011, 0x00420015


def stl(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl: the STL as it was stored, without the byte that DICOM pads it with."""
    return _document(app, request, ENCAPSULATED_STL, "model/stl")


def obj(app: App, request: Request) -> Answer:
    """GET /instances/{id}/obj: the OBJ as it was stored. The MTL that it names is at /instances/{id of it}/mtl."""
    return _document(app, request, ENCAPSULATED_OBJ, "model/obj")


def mtl(app: App, request: Request) -> Answer:
    """GET /instances/{id}/mtl"""
    return _document(app, request, ENCAPSULATED_MTL, "model/mtl")


def _document(app: App, request: Request, sop_class: str, content_type: str) -> Answer:
    instance = request.groups[0]
    app.orthanc.require_class(instance, sop_class)
    return model_answer(
        app,
        request,
        instance,
        content_type=content_type,
        load=lambda size: find_document(app.orthanc.file(instance), instance),
    )


def find_document(dicom: bytes, instance: str) -> memoryview:
    """The document in a DICOM file. Raises `InvalidInput` when there is none."""
    file = open_file(dicom)
    found = {element.tag: element for element in file.elements() if element.tag in (_CONTENT, _LENGTH)}
    document, length = found.get(_CONTENT), found.get(_LENGTH)
    if document is None or document.start == document.stop:
        raise errors.InvalidInput(f"instance {instance} holds no document: {WHY_NO_DOCUMENT}")
    return unpadded(file.data[document.start : document.stop], file.value(length) if length is not None else b"")


def info(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/info: with `wall`, `bed` or `hollow`, the print check with these sizes, too."""
    instance = request.groups[0]
    if app.orthanc.sop_class(instance) != ENCAPSULATED_OBJ:
        app.orthanc.require_class(instance, ENCAPSULATED_STL)
    facts = listing(app, request, "stored_info", instance_files(app, instance))
    if not PRINT_SIZES.isdisjoint(request.query):
        refuse(request.query, [*OF_CONVERSIONS, "structures"], "the facts of a stored model, which are of it as it is")
        facts = facts | {"PrintCheck": checked_for_print(app, request).facts}
    return json_answer(facts)
