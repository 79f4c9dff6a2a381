"""RT-STRUCT: what is in one, and models from it."""

from __future__ import annotations

from typing import Any

from orthanc_stl import errors
from orthanc_stl.dicom.sop_classes import RT_STRUCTURE_SET
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import convert, listing, resolution
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request, json_answer


def roi_names(app: App, request: Request) -> Answer:
    """GET /stl/rt-struct/{id}: the ROI names, sorted, each once."""
    instance = request.groups[0]
    app.orthanc.require_class(instance, RT_STRUCTURE_SET)
    return json_answer(listing(app, request, "roi_names", instance)["names"])


def structures(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/structures: the ROIs with all that is known of them."""
    instance = request.groups[0]
    app.orthanc.require_class(instance, RT_STRUCTURE_SET)
    return json_answer(listing(app, request, "structures", instance)["structures"])


def encode_rtstruct(app: App, request: Request) -> Answer:
    """POST /stl/encode-rtstruct: the chosen ROIs become one model, stored beside the structure set.

    The fields are checked in the original's order, so that the same field is named first.
    """
    body = bodies.read_object(request.body)
    instance = fields.text(body, "Instance")
    if not instance:
        raise errors.InvalidField("Instance must be the Orthanc identifier of an RT-STRUCT instance, but is empty")
    options: dict[str, Any] = {
        "smooth": fields.boolean(body, "Smooth", True),
        "resolution": resolution(body),
        "strict": fields.boolean(body, "Strict", False),
        "end_caps": fields.boolean(body, "EndCaps", True),
        "roi_numbers": fields.integers(body, "RoiNumbers"),
    }
    options["roi_names"] = None if options["roi_numbers"] and "RoiNames" not in body else fields.texts(body, "RoiNames")
    if options["roi_numbers"] and options["roi_names"]:
        raise errors.InvalidField("RoiNames and RoiNumbers exclude each other: give one of the two")
    options["tags"] = fields.tags(body)
    asynchronous = fields.boolean(body, "Asynchronous", False)
    app.orthanc.require_class(instance, RT_STRUCTURE_SET)
    return convert(
        app,
        request,
        task="encode_rtstruct",
        options=options,
        fetch=lambda: [app.orthanc.file(instance)],
        parent=f"/instances/{instance}",
        asynchronous=asynchronous,
    )
