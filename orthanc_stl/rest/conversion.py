"""What all conversions have in common: limits, storing the result, and the answer, at once or by a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orthanc_stl.engine.executor import Blob, Result
from orthanc_stl.engine.jobs import Order
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.waiting import Use
from orthanc_stl.settings import Settings

# The longest side of the grid; 256 is the original's default.
RESOLUTION_DEFAULT, RESOLUTION_LOW, RESOLUTION_HIGH = 256, 2, 1024

# What Orthanc's own /tools/create-dicom answers.
_STORED = ("ID", "ParentPatient", "ParentSeries", "ParentStudy", "Path", "Status")


def resolution(body: fields.Body) -> int:
    return fields.integer(body, "Resolution", RESOLUTION_DEFAULT, RESOLUTION_LOW, RESOLUTION_HIGH)


def limits(settings: Settings) -> dict[str, int]:
    """The limits that a task checks, by the names of `Settings`."""
    names = ("max_voxels", "max_triangles", "max_contour_points", "max_rois", "max_nifti_mb")
    return {name: getattr(settings, name) for name in names}


def convert(
    app: App,
    request: Request,
    *,
    task: str,
    options: Mapping[str, Any],
    fetch: Callable[[], Sequence[Blob]],
    parent: str,
    asynchronous: bool,
    runs_on_cluster: bool = True,
) -> Answer:
    """Runs a conversion as a job, which is waited for unless `asynchronous`.

    `parent` is the path of the resource that the model belongs to, empty if it belongs to none: a model of what was
    deleted meanwhile is not stored.
    """

    app.orthanc.require_writable()

    def store(result: Result) -> dict[str, Any]:
        if parent:
            app.orthanc.get(parent)
        stored = app.orthanc.store(result.blobs[0])
        return {key: stored[key] for key in _STORED if key in stored} | result.facts["answer"]

    order = Order(
        task=task,
        options={**options, "limits": limits(app.settings)},
        fetch=fetch,
        finish=store,
        interactive=False,
        client=request.client,
        about=parent,
        size=len(request.body),
        runs_on_cluster=runs_on_cluster,
    )
    if not asynchronous:
        return json_answer(wait_for(app, order))
    job = app.jobs.submit(order)
    app.figures.publish()
    return json_answer({"ID": job.id, "Path": f"/stl/jobs/{job.id}"})


def listing(app: App, request: Request, task: str, instance: str) -> dict[str, Any]:
    """The facts that a quick task finds in the file of an instance."""
    order = Order(
        task=task,
        options={"limits": limits(app.settings)},
        fetch=lambda: [app.orthanc.file(instance)],
        finish=lambda result: result.facts,
        interactive=True,
        client=request.client,
        about=f"/instances/{instance}",
    )
    return wait_for(app, order)


def wait_for(app: App, order: Order) -> Any:
    """The answer of a job. Raises its StlError, or `Busy` when too many wait already."""
    with app.waiting.place(Use.LISTING if order.interactive else Use.CONVERSION, order.client):
        app.figures.publish()
        return app.jobs.run(order)
