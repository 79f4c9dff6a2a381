"""Files made for one answer: structures of a source, or stored models, in any format. Nothing is stored.

What was made is kept in memory, bounded, so that whoever asks for the same gets it at once; those who ask while it is
made wait for the one conversion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orthanc_stl import errors
from orthanc_stl.conversion.preparation import other_instances
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_MODELS
from orthanc_stl.formats.registry import WRITERS, how_to_write, writer_of
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import ranges
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.options import (
    OF_CONVERSIONS,
    converts,
    query_request,
    refuse,
    structures_of_query,
    yes_or_no,
)
from orthanc_stl.rest.inputs import instance_files, require_source, with_operands
from orthanc_stl.rest.made import Recipe, made
from orthanc_stl.rest.orthanc import what
from orthanc_stl.rest.parents import is_orthanc_id
from orthanc_stl.rest.running import limits
from orthanc_stl.rest.sets import models_of, stored_files

PREVIEW_PIXELS = 512
MOST_PREVIEW_PIXELS = 2048


def formats(app: App, request: Request) -> Answer:
    """GET /stl/formats: what files can be had, for menus."""
    return json_answer([{"Suffix": one.suffix, "Name": one.name, "MediaType": one.media_type} for one in WRITERS])


def structure(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/structures/{number}.{suffix}: one structure of a source."""
    _, number, suffix = request.groups
    refuse(request.query, ["structures", "part", "with"], "one structure")
    return _file(app, request, _structure(app, request, suffix), suffix, f"structure-{number}")


def structure_info(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/structures/{number}/info: facts on the mesh that `{number}.stl` gives."""
    return json_answer(made(app, request, _structure(app, request, "stl")).facts["models"][0])


def of_instance(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/scene.{suffix}: the structures of a source together, or stored models.

    `options` (a body of /stl/encode) says what is done to them, `part` that only this part is wanted, from 1 on; `with`
    are further stored models of the file, `structures` which parts of it there are to be.
    """
    instance, suffix = request.groups
    query = request.query
    if app.orthanc.sop_class(instance) in ENCAPSULATED_MODELS and not converts(query):
        refuse(query, ["part"], "a stored model as it is: structures=2 is its second part")
        return _of_stored(app, request, [instance, *_with(app, query)], suffix, "model")
    refuse(query, ["with"], "what is made anew")
    recipe = _of_source(app, instance, scene_request(query), suffix)
    if "part" in query:
        recipe = replace(recipe, options=recipe.options | {"Part": _part(query["part"])})
    return _file(app, request, recipe, suffix, "scene")


def _with(app: App, query: Mapping[str, str]) -> list[str]:
    """Stored models, by `?with=ID,ID`."""
    others = query.get("with", "").split(",") if query.get("with") else []
    for one in others:
        if not is_orthanc_id(one):
            raise errors.InvalidField(f"with are identifiers of stored models, separated by commas, got {one[:40]!r}")
        if (sop_class := app.orthanc.sop_class(one)) not in ENCAPSULATED_MODELS:
            raise errors.InvalidInput(f"instance {one} is {what(sop_class)}, but a stored model is needed")
    return others


def instance_info(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/scene/info: facts on the parts that `scene.stl` with the same query has."""
    recipe = _of_source(app, request.groups[0], scene_request(request.query), "stl")
    facts = made(app, request, recipe).facts
    return json_answer({"Models": facts["models"], "Skipped": facts["skipped"]})


def scene_request(query: Mapping[str, str]) -> ConversionRequest:
    """What a query asks for: `structures`, or those of `options`, which can unite them; else all, a part each."""
    conversion, numbers = query_request(query), structures_of_query(query)
    if numbers or not (conversion.structures or conversion.all):
        conversion = replace(conversion, structures=numbers, all=not numbers, separate=True)
    return conversion


def preview(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/preview: a PNG picture of a stored model; `?width=` in pixels."""
    instance = request.groups[0]
    sop_class = app.orthanc.sop_class(instance)
    if sop_class not in ENCAPSULATED_MODELS:
        raise errors.InvalidInput(f"instance {instance} is {what(sop_class)}, but a stored model is needed")
    text = request.query.get("width", str(PREVIEW_PIXELS))
    if not text.isdecimal() or len(text) > 4 or not 16 <= int(text) <= MOST_PREVIEW_PIXELS:
        raise errors.OutOfRange(f"width must be from 16 to {MOST_PREVIEW_PIXELS}, but is {text[:40]!r}")
    recipe = _stored(app, [instance], "stored_picture", {"Width": int(text)})
    return ranges.answer(
        request,
        etag=f'"{recipe.key}"',
        content_type="image/png",
        content=lambda: made(app, request, recipe).file,
        headers={"X-Content-Type-Options": "nosniff"},
    )


def of_series(app: App, request: Request) -> Answer:
    """GET /series/{id}/stl/scene.{suffix}: the stored models of a series together."""
    return _of_level(app, request, "series")


def of_study(app: App, request: Request) -> Answer:
    """GET /studies/{id}/stl/scene.{suffix}: the stored models of a study together."""
    return _of_level(app, request, "studies")


def _structure(app: App, request: Request, suffix: str) -> Recipe:
    instance, number = request.groups[:2]
    conversion = replace(query_request(request.query), structures=(int(number),), separate=True)
    return _of_source(app, instance, conversion, suffix)


def _of_source(app: App, instance: str, conversion: ConversionRequest, suffix: str) -> Recipe:
    return source_recipe(app, instance, conversion, "scene_file", {"Suffix": suffix})


def source_recipe(app: App, instance: str, conversion: ConversionRequest, task: str, options: dict[str, Any]) -> Recipe:
    """What a task makes of a source. Raises `InvalidInput` for an instance that is none."""
    require_source(app.orthanc, instance)
    source = with_operands(app, instance_files(app, instance), conversion)
    versions = (source.version, *(app.orthanc.version(one)[0] for one in other_instances(conversion)))
    return Recipe(task, source, replace(conversion, limits=limits(app.settings)), options, versions)


def _of_level(app: App, request: Request, level: str) -> Answer:
    identifier, suffix = request.groups
    refuse(request.query, [*OF_CONVERSIONS, "part", "with"], "stored models together, which are as they are")
    return _of_stored(app, request, models_of(app, level, identifier), suffix, "models")


def _of_stored(app: App, request: Request, instances: Sequence[str], suffix: str, name: str) -> Answer:
    """`structures`: which parts, counted from 1 in the order of the models."""
    numbers = structures_of_query(request.query)
    told = {"Suffix": suffix} | ({"Structures": list(numbers)} if numbers else {})
    return _file(app, request, _stored(app, instances, "stored_file", told), suffix, name)


def _stored(app: App, instances: Sequence[str], task: str, options: dict[str, Any]) -> Recipe:
    """What a task makes of stored models."""
    files = stored_files(app, instances)
    return Recipe(task, files, ConversionRequest(), options, (files.version,))


def _part(text: str) -> int:
    if not text.isdecimal() or len(text) > 4 or int(text) < 1:
        raise errors.InvalidField(f"part is a number from 1 on, got {text[:40]!r}")
    return int(text)


def _file(app: App, request: Request, recipe: Recipe, suffix: str, name: str) -> Answer:
    """The answer to a GET of a file that a recipe makes."""
    writer = writer_of(suffix)
    if writer is None:
        known = ", ".join(one.suffix for one in WRITERS)
        raise errors.NotFound(f"there is no format {suffix[:20]!r}; there are {known}")
    if how_to_write(writer, compress=yes_or_no(request.query, "compress")).compress:
        recipe = replace(recipe, options=recipe.options | {"Compress": True})
    return ranges.answer(
        request,
        etag=f'"{recipe.key}"',
        content_type=writer.media_type,
        content=lambda: made(app, request, recipe).file,
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{suffix}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
