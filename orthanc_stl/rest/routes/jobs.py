"""Progress of asynchronous conversions. A job is known to whoever holds its unguessable id; it names no patient."""

from __future__ import annotations

from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Answer, Request, json_answer


def progress(app: App, request: Request) -> Answer:
    """GET /stl/jobs/{uuid}"""
    return json_answer(app.jobs.get(request.groups[0]).as_json())


def cancel(app: App, request: Request) -> Answer:
    """DELETE /stl/jobs/{uuid}"""
    return json_answer(app.jobs.cancel(request.groups[0]).as_json())
