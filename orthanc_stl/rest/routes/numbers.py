"""Numbers: a table of the structures of a source or of stored models, and comparisons."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from orthanc_stl import errors
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_MODELS
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.options import converts, query_request, refuse, structures_of_query
from orthanc_stl.rest.inputs import instance_files, require_source
from orthanc_stl.rest.made import Made, Recipe, made, order_of
from orthanc_stl.rest.routes.scenes import scene_request, source_recipe
from orthanc_stl.rest.running import SourceFiles, limits, run_or_submit
from orthanc_stl.rest.sets import models_of, stored_files

WALL_MM = 0.8
"""Of a print check: thinner walls are told; two lines of a nozzle of 0.4 mm."""

MOST_MM = 10_000.0

_OF_COMPARE = ("A", "B", "File", "Asynchronous")
_OF_SIDE = ("Instance", "Series", "Structure")
_COLORED = {"ply": "model/ply", "glb": "model/gltf-binary"}

_CSV = {"Content-Disposition": 'attachment; filename="statistics.csv"', "X-Content-Type-Options": "nosniff"}


def statistics(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/statistics: a row for each structure of a source, or for a stored model."""
    return json_answer(_of_instance(app, request).facts["rows"])


def statistics_csv(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/statistics.csv: the same for a spreadsheet."""
    return Answer(_of_instance(app, request).file, "text/csv", headers=_CSV)


def series_statistics(app: App, request: Request) -> Answer:
    """GET /series/{id}/stl/statistics: a row for each stored model."""
    return json_answer(_of_series(app, request).facts["rows"])


def series_statistics_csv(app: App, request: Request) -> Answer:
    """GET /series/{id}/stl/statistics.csv"""
    return Answer(_of_series(app, request).file, "text/csv", headers=_CSV)


def print_check(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/print-check?wall=0.8&bed=220,220,250&hollow=2: of a stored model.

    With `options` (a body of /stl/encode), or with single ones of them: of what they would make of a source or of a
    stored model.
    """
    return json_answer(checked_for_print(app, request).facts)


def print_check_ply(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/print-check.ply: the same as a model whose colors show what was found."""
    headers = {
        "Content-Disposition": 'attachment; filename="print-check.ply"', "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    return Answer(checked_for_print(app, request).file, "model/ply", headers=headers)


def checked_for_print(app: App, request: Request) -> Made:
    """The print check of a stored model, or of what `options` make, by the sizes of the URL."""
    instance = request.groups[0]
    told = {
        "Wall": _millimetres(request, "wall", 1)[0] if "wall" in request.query else WALL_MM,
        "Bed": _millimetres(request, "bed", 3) if "bed" in request.query else None,
        "Hollow": _millimetres(request, "hollow", 1)[0] if "hollow" in request.query else None,
    }
    if converts(request.query):
        prepared = source_recipe(app, instance, scene_request(request.query), "source_print_check", told)
        return made(app, request, prepared)
    if app.orthanc.sop_class(instance) not in ENCAPSULATED_MODELS:
        raise errors.InvalidInput(
            "this instance is no model: a print check is of an Encapsulated STL or OBJ, or of what `options` make"
        )
    refuse(request.query, ["structures"], "a stored model as it is, whose parts are all checked")
    files = stored_files(app, [instance])
    recipe = Recipe("stored_print_check", files, ConversionRequest(), told, (files.version,))
    return made(app, request, recipe)


def _millimetres(request: Request, name: str, count: int) -> list[float]:
    """`count` sizes in mm of the URL, separated by commas."""
    text = request.query[name]
    try:
        values = [float(part) for part in text.split(",", count)]
    except ValueError:
        values = []
    if len(values) != count or not all(0.01 <= value <= MOST_MM for value in values):
        what = "a number" if count == 1 else f"{count} numbers, separated by commas,"
        raise errors.InvalidField(f"{name} is {text[:40]!r}, expected {what} of mm from 0.01 to {MOST_MM:g}")
    return values


def compare(app: App, request: Request) -> Answer:
    """POST /stl/compare: two structures or stored models, or whole sets by name. `File`: A colored by its distance."""
    body = bodies.read_object(request.body)
    options = query_options({key: value for key, value in body.items() if key not in _OF_COMPARE})
    first, second = (_side(app, body, name, options) for name in ("A", "B"))
    told: dict[str, Any] = {"A": first[1], "B": second[1]}
    if "File" in body:
        told["File"] = fields.text(body, "File")
        if told["File"] not in _COLORED:
            raise errors.InvalidField(f"File must be {' or '.join(map(repr, _COLORED))}, got {told['File'][:40]!r}")
    files = SourceFiles(
        roles=None,
        fetch=lambda: [*first[0].fetch(), *second[0].fetch()],
        parent=first[0].parent,
        instance=first[0].instance,
    )
    recipe = Recipe("compare", files, ConversionRequest(), told, (*first[2], *second[2]))
    if fields.boolean(body, "Asynchronous", False):
        if "File" in body:
            raise errors.InvalidField("File comes with the answer itself: Asynchronous must be false")
        return run_or_submit(app, order_of(request, recipe, lambda result: result.facts), asynchronous=True)
    found = made(app, request, recipe)
    if "File" in body:
        headers = {"X-Scale-Mm": f"{found.facts['ScaleMm']}", "X-Content-Type-Options": "nosniff"}
        if found.facts["Warnings"]:
            headers["X-Warnings"] = json.dumps(found.facts["Warnings"])
        return Answer(found.file, _COLORED[told["File"]], headers=headers)
    return json_answer(found.facts)


def query_options(body: fields.Body) -> ConversionRequest:
    """Resolution and the like, the same for both sides."""
    return query_request(
        {key.lower(): str(value).lower() for key, value in body.items() if not isinstance(value, dict)}
    )


def _side(
    app: App, body: fields.Body, name: str, options: ConversionRequest
) -> tuple[SourceFiles, dict[str, Any], tuple[str, ...]]:
    """The files of A or B, what the task is told of them, and their versions."""
    side = fields.mapping(body, name) if name in body else {}
    for key in side:
        if key not in _OF_SIDE:
            raise errors.InvalidField(f"{name} has the unknown field {key[:40]!r}: {', '.join(_OF_SIDE)} are known")
    if "Instance" in side and "Series" in side:
        raise errors.InvalidField(f"{name} has an Instance and a Series, expected one of them")
    chosen = fields.numbers_or_texts(side, "Structure") if "Structure" in side else ()
    structures = tuple(one for one in chosen if isinstance(one, int | str))
    if "Series" in side:
        return _stored_side(app, models_of(app, "series", fields.text(side, "Series")), structures)
    instance = fields.text(side, "Instance")
    if app.orthanc.sop_class(instance) in ENCAPSULATED_MODELS:
        return _stored_side(app, [instance], structures)
    require_source(app.orthanc, instance)
    request = replace(options, structures=structures, all=not structures, separate=True, limits=limits(app.settings))
    files = instance_files(app, instance)
    told = {"Request": request.as_json(), "Files": len(files.roles or ())}
    return files, told, (app.orthanc.version(instance)[0],)


def _stored_side(
    app: App, instances: list[str], structures: tuple[int | str, ...]
) -> tuple[SourceFiles, dict[str, Any], tuple[str, ...]]:
    files = stored_files(app, instances)
    versions = tuple(app.orthanc.version(instance)[0] for instance in instances)
    told = {"Stored": True, "Files": len(files.roles or ()), "Structures": list(structures)}
    return files, told, versions


def _of_instance(app: App, request: Request) -> Made:
    instance = request.groups[0]
    if app.orthanc.sop_class(instance) in ENCAPSULATED_MODELS:
        return _stored(app, request, [instance])
    require_source(app.orthanc, instance)
    numbers = structures_of_query(request.query)
    conversion = replace(
        query_request(request.query), structures=numbers, all=not numbers, separate=True, limits=limits(app.settings)
    )
    files = instance_files(app, instance)
    version, _ = app.orthanc.version(instance)
    return made(app, request, Recipe("source_statistics", files, conversion, {}, (version,)))


def _of_series(app: App, request: Request) -> Made:
    return _stored(app, request, models_of(app, "series", request.groups[0]))


def _stored(app: App, request: Request, instances: list[str]) -> Made:
    files = stored_files(app, instances)
    return made(app, request, Recipe("stored_statistics", files, ConversionRequest(), {}, (files.version,)))
