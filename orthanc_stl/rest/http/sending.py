"""An answer on its way to the client."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from orthanc_stl.rest.http.messages import Answer
from orthanc_stl.rest.http.waiting import Use

# Larger bodies are sent in pieces; those of models, of which many may be read at once, from this size on.
STREAMED_FROM = 4 << 20
MODEL_STREAMED_FROM = 256 << 10
CHUNK_BYTES = 64 << 10

# Who takes less than this on average of so many seconds is a reader that holds a thread and wants nothing. (Orthanc
# itself ends a connection on which nothing at all moves for "HttpRequestTimeout", 30 s.) What the system's buffers take
# counts as taken: 4 MB of the first seconds.
SLOWEST_BYTES_PER_SECOND = 4 << 10
PATIENCE = 60.0


def send(output: Any, answer: Answer, log: Callable[[str], None]) -> None:
    for name, value in answer.headers.items():
        output.SetHttpHeader(name, value)
    if answer.status != 200:
        output.SendHttpStatus(answer.status, bytes(answer.body))  # always text/plain, as Orthanc's own errors
    elif len(answer.body) > (STREAMED_FROM if answer.use is Use.ANY else MODEL_STREAMED_FROM):
        _stream(output, memoryview(answer.body), answer.content_type, log)
    else:
        output.AnswerBuffer(bytes(answer.body), answer.content_type)


def _stream(output: Any, body: memoryview, content_type: str, log: Callable[[str], None]) -> None:
    """In pieces: the first byte leaves at once, and no second copy of a large model is made."""
    output.SetHttpHeader("Content-Length", str(len(body)))
    output.StartStreamAnswer(content_type)
    begin, taken = time.monotonic(), 0
    for at in range(0, len(body), CHUNK_BYTES):
        seconds = time.monotonic() - begin
        if seconds > PATIENCE:
            if at - taken < seconds * SLOWEST_BYTES_PER_SECOND:
                log(f"the client took {at - taken} bytes in {seconds:.0f} s; its connection is closed")
                return
            begin, taken = time.monotonic(), at
        try:
            output.SendStreamChunk(bytes(body[at : at + CHUNK_BYTES]))
        except Exception:  # the SDK's, which this package does not know: the client went away, as Orthanc's log says
            return
