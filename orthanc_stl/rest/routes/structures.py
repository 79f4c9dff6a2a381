"""What is in a source: all that is known of each structure, before any model is made."""

from __future__ import annotations

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.options import conversion_request
from orthanc_stl.rest.inputs import file_alone, files_alone, instance_files, require_source, series_files
from orthanc_stl.rest.running import listing


def of_instance(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/structures"""
    instance = request.groups[0]
    require_source(app.orthanc, instance)
    return json_answer(listing(app, request, "list_structures", instance_files(app, instance))["structures"])


def of_series(app: App, request: Request) -> Answer:
    """GET /series/{id}/stl/structures: what can be made of images without more ado."""
    return json_answer(listing(app, request, "list_structures", series_files(app, request.groups[0]))["structures"])


def of_content(app: App, request: Request) -> Answer:
    """POST /stl/structures: the same of a file that is not stored, in `Content`, or of several, in `Contents`.

    With `Overview`, what a volume of grey values looks like, too.
    """
    body = bodies.read_object(request.body, file="Content")
    if ("Content" in body) == ("Contents" in body):
        raise errors.InvalidField("Content, a file as a data URI, or Contents, a list of such, is expected")
    source = file_alone(body) if "Content" in body else files_alone(body)
    more = {"Overview": True} if fields.boolean(body, "Overview", False) else {}
    found = listing(app, request, "list_structures", source, conversion_request(body), more)
    return json_answer(found["structures"])
