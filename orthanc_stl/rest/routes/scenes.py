"""Files made for one answer: structures of a source, or stored models, in any format. Nothing is stored.

What was made is kept in memory, bounded, so that whoever asks for the same gets it at once; those who ask while it is
made wait for the one conversion.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from orthanc_stl import __version__, errors
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_MODELS
from orthanc_stl.engine.executor import Result
from orthanc_stl.engine.jobs import Order
from orthanc_stl.formats.registry import WRITERS, writer_of
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import ranges
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.options import query_request
from orthanc_stl.rest.inputs import instance_files, require_source
from orthanc_stl.rest.orthanc import what
from orthanc_stl.rest.running import SourceFiles, limits, wait_for

MOST_MODELS = 500
"""Stored models in one file."""

PREVIEW_PIXELS = 512
MOST_PREVIEW_PIXELS = 2048

_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Made:
    """What a task gave: facts, and a file."""

    facts: dict[str, Any]
    file: memoryview

    def packed(self) -> memoryview:
        """In one piece of memory, as the cache has it."""
        facts = json.dumps(self.facts).encode()
        return memoryview(_LENGTH.pack(len(facts)) + facts + bytes(self.file))

    @staticmethod
    def of(packed: memoryview) -> Made:
        start = _LENGTH.size + _LENGTH.unpack(packed[: _LENGTH.size])[0]
        return Made(json.loads(bytes(packed[_LENGTH.size : start])), packed[start:])


@dataclass(frozen=True)
class Recipe:
    """How a file is made: the task, its options, and from which files. `versions` change when one of those does."""

    task: str
    source: SourceFiles
    conversion: ConversionRequest
    options: dict[str, Any]
    versions: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names the file: the same key, the same bytes."""
        told = [__version__, self.task, self.source.parent, self.conversion.as_json(), self.options, self.versions]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def formats(app: App, request: Request) -> Answer:
    """GET /stl/formats: what files can be had, for menus."""
    return json_answer([{"Suffix": one.suffix, "Name": one.name, "MediaType": one.media_type} for one in WRITERS])


def structure(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/structures/{number}.{suffix}: one structure of a source."""
    _, number, suffix = request.groups
    return _file(app, request, _structure(app, request, suffix), suffix, f"structure-{number}")


def structure_info(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/structures/{number}/info: facts on the mesh that `{number}.stl` gives."""
    return json_answer(_made(app, request, _structure(app, request, "stl")).facts["models"][0])


def of_instance(app: App, request: Request) -> Answer:
    """GET /instances/{id}/stl/scene.{suffix}: the structures of a source together, or a stored model."""
    instance, suffix = request.groups
    if app.orthanc.sop_class(instance) in ENCAPSULATED_MODELS:
        return _file(app, request, _of_models(app, [instance], suffix), suffix, "model")
    asked = request.query.get("structures", "")
    numbers = tuple(_number(part) for part in asked.split(",")) if asked else ()
    conversion = replace(query_request(request.query), structures=numbers, all=not numbers, separate=True)
    return _file(app, request, _of_source(app, instance, conversion, suffix), suffix, "scene")


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
        content=lambda: _made(app, request, recipe).file,
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
    conversion = replace(query_request(request.query), structures=(_number(number),), separate=True)
    return _of_source(app, instance, conversion, suffix)


def _of_source(app: App, instance: str, conversion: ConversionRequest, suffix: str) -> Recipe:
    require_source(app.orthanc, instance)
    version, _ = app.orthanc.version(instance)
    source = instance_files(app, instance)
    return Recipe(
        "scene_file", source, replace(conversion, limits=limits(app.settings)), {"Suffix": suffix}, (version,)
    )


def _of_level(app: App, request: Request, level: str) -> Answer:
    identifier, suffix = request.groups
    found = app.orthanc.get_json(f"/{level}/{identifier}{'/series' if level == 'studies' else ''}")
    series = found if isinstance(found, list) else [found]
    candidates = [i for one in series if one["MainDicomTags"].get("Modality") == "M3D" for i in one["Instances"]]
    models = [instance for instance in candidates if app.orthanc.sop_class(instance) in ENCAPSULATED_MODELS]
    if not models:
        raise errors.InvalidInput(f"there is no stored model in /{level}/{identifier}")
    return _file(app, request, _of_models(app, models, suffix), suffix, "models")


def _of_models(app: App, instances: Sequence[str], suffix: str) -> Recipe:
    if len(instances) > MOST_MODELS:
        raise errors.TooLarge(f"there are {len(instances)} models, at most {MOST_MODELS} go into one file")
    return _stored(app, instances, "stored_file", {"Suffix": suffix})


def _stored(app: App, instances: Sequence[str], task: str, options: dict[str, Any]) -> Recipe:
    """What a task makes of stored models; with an OBJ comes its MTL."""
    each = [instance_files(app, instance) for instance in instances]
    source = SourceFiles(
        roles=None,
        fetch=lambda: [file for files in each for file in files.fetch()],
        parent=f"/instances/{instances[0]}",
    )
    versions = tuple(app.orthanc.version(instance)[0] for instance in instances)
    return Recipe(task, source, ConversionRequest(), options, versions)


def _file(app: App, request: Request, recipe: Recipe, suffix: str, name: str) -> Answer:
    """The answer to a GET of a file that a recipe makes."""
    writer = writer_of(suffix)
    if writer is None:
        known = ", ".join(one.suffix for one in WRITERS)
        raise errors.NotFound(f"there is no format {suffix[:20]!r}; there are {known}")
    if request.query.get("compress", "") in ("1", "true"):
        recipe = replace(recipe, options=recipe.options | {"Compress": True})
    return ranges.answer(
        request,
        etag=f'"{recipe.key}"',
        content_type=writer.media_type,
        content=lambda: _made(app, request, recipe).file,
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{suffix}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _made(app: App, request: Request, recipe: Recipe) -> Made:
    return Made.of(app.scenes.get(recipe.key, "", lambda: _make(app, request, recipe)))


def _make(app: App, request: Request, recipe: Recipe) -> memoryview:
    def finish(result: Result) -> Made:
        return Made(result.facts, memoryview(result.blobs[0]))

    order = Order(
        task=recipe.task,
        options=recipe.source.options(recipe.conversion) | recipe.options,
        fetch=recipe.source.fetch,
        finish=finish,
        client=request.client,
        about=recipe.source.parent,
        runs_on_cluster=True,
    )
    made: Made = wait_for(app, order)
    return made.packed()


def _number(text: str) -> int:
    if not text.strip().isdecimal() or len(text) > 12:
        raise errors.InvalidField(f"structures are numbers, separated by commas, got {text[:40]!r}")
    return int(text)
