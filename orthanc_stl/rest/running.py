"""Orders for the workers: what files they get, and waiting for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.engine.executor import Blob
from orthanc_stl.engine.jobs import Order
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.waiting import Use
from orthanc_stl.settings import Settings


@dataclass(frozen=True)
class SourceFiles:
    """The files of a conversion. `fetch` gives them, each with its role (conversion/inputs.py), when the job starts;
    None: all are of the source.

    `parent` is the path of the resource that the models belong to: models of what was deleted meanwhile are not stored.
    `instance` is the Orthanc id of the source, empty for a file that came with the request; `name` is its file name,
    `names` are those of all files where several came, and `kind` is the key of the only kind that it may be; all empty
    if nobody said. `heading`: fewer files that are enough to list the structures, if there are such. `others`: the
    instances of operands, each with how many of the files, the last ones, are its own. `version`: of the files of an
    instance, new when they change.
    """

    roles: tuple[str, ...] | None
    fetch: Callable[[], Sequence[Blob]]
    parent: str
    instance: str = ""
    name: str = ""
    kind: str = ""
    names: tuple[str, ...] = ()
    heading: SourceFiles | None = None
    others: tuple[tuple[str, int], ...] = ()
    version: str = ""

    def options(self, conversion: ConversionRequest) -> dict[str, Any]:
        """Of a task that reads these files."""
        told = {"Roles": list(self.roles or ()), "Name": self.name, "Names": list(self.names), "Kind": self.kind}
        operands = {"Others": [list(one) for one in self.others]} if self.others else {}
        return {"Request": conversion.as_json()} | told | operands

    def key(self, conversion: ConversionRequest) -> str:
        """The same for requests that read these files in the same way (`Work.source_key`); empty if it is not known."""
        if not self.version or self.others:
            return ""
        told = [self.parent, self.version, dict(conversion.fields), dict(conversion.limits)]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def limits(settings: Settings) -> dict[str, int]:
    """The limits that a task checks, by the names of `Settings`."""
    names = ("max_voxels", "max_triangles", "max_contour_points", "max_rois", "max_nifti_mb")
    return {name: getattr(settings, name) for name in names}


def listing(
    app: App,
    request: Request,
    task: str,
    source: SourceFiles,
    conversion: ConversionRequest | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The facts that a quick task finds in these files. `more`: options of the task."""
    conversion = replace(conversion or ConversionRequest(), limits=limits(app.settings))
    source = source.heading or source
    order = Order(
        task=task,
        options=source.options(conversion) | dict(more or {}),
        fetch=source.fetch,
        finish=lambda result: result.facts,
        interactive=True,
        client=request.client,
        about=source.parent,
        source_key=source.key(conversion),
    )
    return wait_for(app, order)


def wait_for(app: App, order: Order) -> Any:
    """The answer of a job. Raises its StlError, or `Busy` when too many wait already."""
    with app.waiting.place(Use.LISTING if order.interactive else Use.CONVERSION, order.client):
        app.figures.publish()
        return app.jobs.run(order)


def run_or_submit(app: App, order: Order, *, asynchronous: bool) -> Answer:
    """The answer of a job, or, at once, where its progress is."""
    if not asynchronous:
        return json_answer(wait_for(app, order))
    job = app.jobs.submit(order)
    app.figures.publish()
    return json_answer({"ID": job.id, "Path": f"/stl/jobs/{job.id}"})
