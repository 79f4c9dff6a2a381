"""Files that a task makes for one answer, kept in memory: whoever asks for the same gets it at once.

Those who ask while it is made wait for the one conversion. Nothing is stored in Orthanc.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orthanc_stl import __version__
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.engine.executor import Result
from orthanc_stl.engine.jobs import Order
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Request
from orthanc_stl.rest.running import SourceFiles, wait_for

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


def made(app: App, request: Request, recipe: Recipe) -> Made:
    return Made.of(app.scenes.get(recipe.key, "", lambda: _make(app, request, recipe)))


def order_of(request: Request, recipe: Recipe, finish: Callable[[Result], Any]) -> Order:
    """The order of what a recipe makes; `finish` makes the answer of its result."""
    return Order(
        task=recipe.task,
        options=recipe.source.options(recipe.conversion) | recipe.options,
        fetch=recipe.source.fetch,
        finish=finish,
        client=request.client,
        about=recipe.source.parent,
        source_key=recipe.source.key(recipe.conversion),
        runs_on_cluster=True,
    )


def _make(app: App, request: Request, recipe: Recipe) -> memoryview:
    def finish(result: Result) -> Made:
        return Made(result.facts, memoryview(result.blobs[0] if result.blobs else b""))

    found: Made = wait_for(app, order_of(request, recipe, finish))
    return found.packed()
