"""Progress of asynchronous conversions. A job is known to whoever holds its unguessable id; it names no patient."""

from __future__ import annotations

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import Answer, Request, json_answer


def progress(app: App, request: Request) -> Answer:
    """GET /stl/jobs/{uuid}"""
    job = app.jobs.get(request.groups[0])
    if job is None:
        raise errors.NotFound("No such job; a finished one is kept for a while only")
    return json_answer(job.as_json())


def cancel(app: App, request: Request) -> Answer:
    """DELETE /stl/jobs/{uuid}"""
    job = app.jobs.get(request.groups[0])
    if job is None:
        raise errors.NotFound("No such job; a finished one is kept for a while only")
    app.jobs.cancel(job.id)
    return json_answer(job.as_json())
