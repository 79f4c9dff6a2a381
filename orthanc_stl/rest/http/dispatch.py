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
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from orthanc_stl import errors
from orthanc_stl.rest.http.client import Clients
from orthanc_stl.rest.http.messages import PHRASES, Answer, Handler, Request, json_bytes, printable
from orthanc_stl.rest.http.origin import require_same_site
from orthanc_stl.rest.http.sending import send
from orthanc_stl.rest.http.waiting import Use, Waiting

# What Python needs for the deepest thing a handler does; Debian's HTTP threads have 100 KiB.
STACK_BYTES = 16 << 20


@dataclass(frozen=True)
class Server:
    """What the HTTP server is like. `threads`: requests that can be under way at once, at least Orthanc's HTTP threads.

    `describe_errors` is Orthanc's option HttpDescribeErrors.
    """

    threads: int
    max_body_mb: int
    waiting: Waiting
    clients: Clients
    log_error: Callable[[str], None]
    describe_errors: bool = True


class Dispatcher:
    """Runs handlers on threads with a large stack, for Orthanc's HTTP threads, each of which waits for one.

    `app` is what handlers are given besides the request.
    """

    def __init__(self, app: Any, server: Server) -> None:
        self._app, self._server = app, server
        threading.stack_size(STACK_BYTES)
        self._threads = ThreadPoolExecutor(server.threads, thread_name_prefix="stl")

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
        headers = sdk["headers"]
        request = Request(
            sdk["method"], uri, sdk["groups"] or (), headers, _decoded(sdk.get("get") or {}), sdk.get("body") or b"",
            client=self._server.clients.name(headers),
        )  # fmt: skip
        with ExitStack() as places:
            answer = self._handle(handler, request, places)
            try:
                send(output, answer, lambda line: self._server.log_error(printable(f"{request.uri}: {line}")))
            finally:
                answer.sent()

    def _handle(self, handler: Handler, request: Request, places: ExitStack) -> Answer:
        """The answer. What it holds of the HTTP threads is held until it was sent."""
        try:
            places.enter_context(self._server.waiting.place(Use.ANY, request.client))
            self._check_size(request)
            require_same_site(request)
            answer = handler(self._app, request)
            if answer.use is not Use.ANY:
                self._hold_for_sending(answer, request, places)
            return answer
        except errors.StlError as e:
            return self._error_answer(request, e)
        except Exception:
            for line in [f"{request.method} {request.uri} failed:", *traceback.format_exc().splitlines()]:
                self._server.log_error(printable(line))
            return self._error_answer(request, errors.StlError("The plugin failed; Orthanc's log says where"))

    def _hold_for_sending(self, answer: Answer, request: Request, places: ExitStack) -> None:
        try:
            places.enter_context(self._server.waiting.place(answer.use, request.client))
        except errors.Busy:
            answer.sent()
            raise

    def _check_size(self, request: Request) -> None:
        limit = self._server.max_body_mb
        if len(request.body) > limit << 20:
            size = len(request.body) / (1 << 20)
            raise errors.TooLarge(f'The body has {size:.0f} MB, more than the {limit} MB of the option "MaxBodyMB"')

    def _error_answer(self, request: Request, error: errors.StlError) -> Answer:
        return Answer(self._error_body(request, error), "text/plain", error.status, error.headers)

    def _error_body(self, request: Request, error: errors.StlError) -> bytes:
        """Orthanc's own JSON for an error, or nothing when its configuration wants errors undescribed."""
        if not self._server.describe_errors:
            return b""
        return json_bytes(error_json(request.method, request.uri, error))


def _decoded(query: Mapping[str, str]) -> dict[str, str]:
    """Orthanc gives the values of a query as they stand in the address: `%7B` for `{`."""
    return {key: unquote_plus(value) for key, value in query.items()}


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
