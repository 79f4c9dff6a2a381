"""From Orthanc's callback to a handler and back.

Orthanc's HTTP threads have a stack of 100 KiB, too small for Python (a nested body ends the process), so the callback
only hands over to a thread of ours and waits. Every path ends in an answer: an exception out of a callback would be a
500 without a word, and a callback that returns without an answer closes the connection.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import PHRASES, Answer, Handler, Request, json_bytes
from orthanc_stl.rest.metrics import printable

# What Python needs for the deepest thing a handler does; Debian's HTTP threads have 100 KiB.
STACK_BYTES = 16 << 20

# Larger bodies are sent in pieces of this size.
STREAMED_FROM = CHUNK_BYTES = 4 << 20


class Dispatcher:
    """Runs handlers on threads with a large stack.

    `threads` is how many requests can be under way at once: as many as Orthanc has HTTP threads, since each waits for
    its answer. `describe_errors` is Orthanc's option HttpDescribeErrors.
    """

    def __init__(self, app: App, *, threads: int, describe_errors: bool, log_error: Callable[[str], None]):
        self._app = app
        self._describe_errors = describe_errors
        self._log_error = log_error
        threading.stack_size(STACK_BYTES)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="stl")

    def callback(self, methods: Mapping[str, Handler]) -> Callable[..., None]:
        """The callable to register with Orthanc for a route with these methods."""

        def callback(output: Any, uri: str, **request: Any) -> None:
            try:
                answered = self._threads.submit(self._answer, methods, output, uri, request)
            except RuntimeError:  # the threads are shut down: Orthanc is stopping
                output.SendHttpStatus(503, b"")
                return
            try:
                answered.result()
            except CancelledError:  # shut down before it began
                output.SendHttpStatus(503, b"")

        return callback

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, methods: Mapping[str, Handler], output: Any, uri: str, sdk: Mapping[str, Any]) -> None:
        handler = methods.get(sdk["method"])
        if handler is None:
            output.SendMethodNotAllowed(",".join(methods))
            return
        request = Request(
            sdk["method"], uri, sdk["groups"] or (), sdk["headers"], sdk.get("get") or {}, sdk.get("body") or b""
        )
        _send(output, self._handle(handler, request))

    def _handle(self, handler: Handler, request: Request) -> Answer:
        try:
            self._check_size(request)
            return handler(self._app, request)
        except errors.StlError as e:
            return self._error_answer(request, e)
        except Exception:
            for line in [f"{request.method} {request.uri} failed:", *traceback.format_exc().splitlines()]:
                self._log_error(printable(line))
            return self._error_answer(request, errors.StlError("The plugin failed; Orthanc's log says where"))

    def _check_size(self, request: Request) -> None:
        limit = self._app.settings.max_body_mb
        if len(request.body) > limit << 20:
            size = len(request.body) / (1 << 20)
            raise errors.TooLarge(f'The body has {size:.0f} MB, more than the {limit} MB of the option "MaxBodyMB"')

    def _error_answer(self, request: Request, error: errors.StlError) -> Answer:
        return Answer(self._error_body(request, error), "text/plain", error.status, error.headers)

    def _error_body(self, request: Request, error: errors.StlError) -> bytes:
        """Orthanc's own JSON for an error, or nothing when its configuration wants errors undescribed."""
        if not self._describe_errors:
            return b""
        return json_bytes(error_json(request.method, request.uri, error))


def error_json(method: str, uri: str, error: errors.StlError) -> dict[str, Any]:
    return {
        "Details": str(error),
        "HttpError": PHRASES[error.status],
        "HttpStatus": error.status,
        "Message": error.message,
        "Method": method,
        "OrthancError": error.message,
        "OrthancStatus": error.orthanc_status,
        "Uri": uri,
    }


def _send(output: Any, answer: Answer) -> None:
    for name, value in answer.headers.items():
        output.SetHttpHeader(name, value)
    if answer.status != 200:
        output.SendHttpStatus(answer.status, bytes(answer.body))  # always text/plain, as Orthanc's own errors
    elif len(answer.body) > STREAMED_FROM:
        _stream(output, memoryview(answer.body), answer.content_type)
    else:
        output.AnswerBuffer(bytes(answer.body), answer.content_type)


def _stream(output: Any, body: memoryview, content_type: str) -> None:
    """In pieces: the first byte leaves at once, and no second copy of a large model is made."""
    output.SetHttpHeader("Content-Length", str(len(body)))
    output.StartStreamAnswer(content_type)
    for at in range(0, len(body), CHUNK_BYTES):
        try:
            output.SendStreamChunk(bytes(body[at : at + CHUNK_BYTES]))
        except Exception:  # the SDK's, which this room does not know: the client went away, as Orthanc's log says
            return
