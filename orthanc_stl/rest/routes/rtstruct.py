"""RT-STRUCT as the original has it: the names of the ROIs, and one model of those that are chosen."""

from __future__ import annotations

from dataclasses import replace

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import convert
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.options import conversion_request
from orthanc_stl.rest.inputs import instance_files, require_source
from orthanc_stl.rest.running import listing
from orthanc_stl.sources.kinds import RTSTRUCT


def roi_names(app: App, request: Request) -> Answer:
    """GET /stl/rt-struct/{id}: the ROI names, sorted, each once."""
    instance = request.groups[0]
    require_source(app.orthanc, instance, RTSTRUCT)
    return json_answer(listing(app, request, "roi_names", instance_files(app, instance))["names"])


def encode_rtstruct(app: App, request: Request) -> Answer:
    """POST /stl/encode-rtstruct: the chosen ROIs become one model, stored beside the structure set.

    The fields are checked in the original's order, so that the same field is named first.
    """
    body = bodies.read_object(request.body)
    instance = fields.text(body, "Instance")
    if not instance:
        raise errors.InvalidField("Instance must be the Orthanc identifier of an RT-STRUCT instance, but is empty")
    conversion = conversion_request(body)
    numbers = fields.integers(body, "RoiNumbers")
    named = "RoiNames" in body or not (numbers or conversion.structures or conversion.all)
    names = fields.texts(body, "RoiNames") if named else None
    if numbers and names:
        raise errors.InvalidField("RoiNames and RoiNumbers exclude each other: give one of the two")
    chosen = numbers or names
    if chosen:
        conversion = replace(conversion, structures=tuple(chosen))
    asynchronous = fields.boolean(body, "Asynchronous", False)
    require_source(app.orthanc, instance, RTSTRUCT)
    return convert(app, request, instance_files(app, instance), conversion, asynchronous=asynchronous)
