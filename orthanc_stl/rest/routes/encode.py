"""POST /stl/encode: models of any source, one for each structure or one of all."""

from __future__ import annotations

from dataclasses import replace

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import convert
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.http.options import conversion_request, unknown_fields
from orthanc_stl.rest.inputs import (
    content_files,
    instance_files,
    require_source,
    require_study,
    series_files,
    several_contents,
)
from orthanc_stl.rest.running import SourceFiles
from orthanc_stl.rest.series_images import MOST_STACKS

_SOURCES = ("Instance", "Series", "Content", "Contents")
_FIELDS = (*_SOURCES, "Stack", "FileName", "Parent", "Asynchronous")


def encode(app: App, request: Request) -> Answer:
    """POST /stl/encode: `Instance`, `Series`, or `Content` or `Contents` with `Parent`; the options of a conversion."""
    body = bodies.read_object(request.body, file="Content")
    conversion = conversion_request(body)
    if "Series" in body and not conversion.structures:
        conversion = replace(conversion, all=True)
    asynchronous = fields.boolean(body, "Asynchronous", False)
    told = [f"ignored: {sentence}" for sentence in unknown_fields(body, _FIELDS)]
    if conversion.separate and conversion.name:
        told.append("ignored: Name, since with Separate each model has the name of its structure")
    return convert(app, request, _source(app, body), conversion, asynchronous=asynchronous, told=told)


def _source(app: App, body: fields.Body) -> SourceFiles:
    given = [name for name in _SOURCES if name in body]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise errors.InvalidField(
            f"Instance, Series (of images), Content (a file) or Contents (several) is expected, got {found}"
        )
    if given[0] in ("Content", "Contents"):
        source = content_files(app, body) if given == ["Content"] else several_contents(app, body)
        require_study(app.orthanc, source.parent.removeprefix("/studies/"), "Parent")
        return source
    if given == ["Series"]:
        return series_files(app, fields.text(body, "Series"), fields.integer(body, "Stack", 0, 0, MOST_STACKS))
    instance = fields.text(body, "Instance")
    require_source(app.orthanc, instance)
    return instance_files(app, instance)
