"""POST /stl/encode: models of any source, one for each structure or one of all."""

from __future__ import annotations

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import convert
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.http.options import conversion_request
from orthanc_stl.rest.inputs import content_files, instance_files, require_source
from orthanc_stl.rest.running import SourceFiles


def encode(app: App, request: Request) -> Answer:
    """POST /stl/encode: `Instance`, or `Content` with `Parent`, and the options of a conversion."""
    body = bodies.read_object(request.body, file="Content")
    conversion = conversion_request(body)
    asynchronous = fields.boolean(body, "Asynchronous", False)
    return convert(app, request, _source(app, body), conversion, asynchronous=asynchronous)


def _source(app: App, body: fields.Body) -> SourceFiles:
    given = [name for name in ("Instance", "Content") if name in body]
    if len(given) != 1:
        found = " and ".join(given) or "neither"
        raise errors.InvalidField(f"Instance (of Orthanc) or Content (a file) is expected, got {found}")
    if given == ["Content"]:
        return content_files(app, body)
    instance = fields.text(body, "Instance")
    require_source(app.orthanc, instance)
    return instance_files(app, instance)
