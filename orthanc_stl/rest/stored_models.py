"""Models that Orthanc has, as answers: the bytes of one element of a DICOM file, shared by all who read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import ranges
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.http.sending import MODEL_STREAMED_FROM, STREAMED_FROM
from orthanc_stl.rest.http.waiting import Use


def model_answer(
    app: App,
    request: Request,
    instance: str,
    *,
    content_type: str,
    load: Callable[[int], memoryview],
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The model of an instance, whole or a range of it. `load` is given the size of its file, and called if need be."""
    try:
        version, size = app.orthanc.version(instance)
    except errors.NotFound:
        app.models.forget(instance)
        raise
    with ExitStack() as reading:
        model = app.models.reading(f"{instance} {content_type}", version, size, lambda: load(size))
        answer = ranges.answer(
            request,
            etag=f'"{version}"',
            content_type=content_type,
            content=lambda: reading.enter_context(model),
            headers=headers,
        )
        if answer.status == 206 and len(answer.body) > STREAMED_FROM:
            # Orthanc takes the body of such an answer in one piece, and makes a copy of it.
            reading.enter_context(app.models.holding(2 * len(answer.body)))
        use = Use.LISTING if len(answer.body) > MODEL_STREAMED_FROM else Use.ANY
        return replace(answer, sent=reading.pop_all().close, use=use)
