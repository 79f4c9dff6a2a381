"""Every request gets an answer, whatever the handler does. A recorder stands in for the SDK's output."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from orthanc_stl import errors
from orthanc_stl.rest.http import sending
from orthanc_stl.rest.http.client import Clients
from orthanc_stl.rest.http.dispatch import Dispatcher, Server
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.rest.http.sending import MODEL_STREAMED_FROM, STREAMED_FROM
from orthanc_stl.rest.http.waiting import Use, Waiting


class Output:
    """What Orthanc was told."""

    def __init__(self) -> None:
        self.status, self.body, self.content_type = 0, b"", ""
        self.headers: dict[str, str] = {}

    def SetHttpHeader(self, name: str, value: str) -> None:
        assert name not in self.headers
        self.headers[name] = value

    def AnswerBuffer(self, body: bytes, content_type: str) -> None:
        self.status, self.body, self.content_type = 200, body, content_type

    def SendHttpStatus(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body

    def SendMethodNotAllowed(self, allowed: str) -> None:
        self.status, self.headers = 405, {"Allow": allowed}

    def StartStreamAnswer(self, content_type: str) -> None:
        self.status, self.content_type = 200, content_type

    def SendStreamChunk(self, chunk: bytes) -> None:
        self.body += chunk


Ask = Callable[..., Output]


def asker(describe_errors: bool = True, waiting: Waiting | None = None) -> tuple[Dispatcher, list[str], Ask]:
    log: list[str] = []
    server = Server(
        threads=2, max_body_mb=1, waiting=waiting or Waiting(50), clients=Clients(), log_error=log.append,
        describe_errors=describe_errors,
    )  # fmt: skip
    dispatcher = Dispatcher(None, server)

    def ask(handler: Callable[[Any, Request], Answer], method: str = "GET", **request: Any) -> Output:
        output = request.pop("output", None) or Output()
        callback = dispatcher.callback({"GET": handler, "POST": handler})
        callback(output, "/stl/x", method=method, groups=(), **{"headers": {}, **request})
        return output

    return dispatcher, log, ask


def failing(error: Exception) -> Callable[[Any, Request], Answer]:
    def handler(app: Any, request: Request) -> Answer:
        raise error

    return handler


def test_an_answer_goes_out_with_its_headers() -> None:
    output = asker()[2](lambda app, request: Answer(b"x", "model/stl", 200, {"ETag": '"1"'}))
    assert (output.status, output.body, output.content_type, output.headers) == (
        200,
        b"x",
        "model/stl",
        {"ETag": '"1"'},
    )


def test_a_large_answer_goes_out_in_pieces_and_says_its_length() -> None:
    body = bytes(2 * STREAMED_FROM + 1)
    output = asker()[2](lambda app, request: Answer(body, "model/stl"))
    assert output.body == body
    assert output.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("kind", [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)])
def test_each_error_has_its_status_and_a_phrase(kind: type[errors.StlError]) -> None:
    output = asker()[2](failing(kind("a sentence")))
    error = json.loads(output.body)
    assert output.status == error["HttpStatus"] == kind.status
    assert (error["Details"], error["OrthancStatus"]) == ("a sentence", kind.orthanc_status)
    assert error["HttpError"]
    assert "Content-Type" not in output.headers


def test_what_nobody_expected_is_a_500_and_in_the_log() -> None:
    _, log, ask = asker()
    output = ask(failing(ZeroDivisionError("secret\nand \ud800 more")))
    assert output.status == 500
    assert "secret" not in output.body.decode()
    assert any("ZeroDivisionError: secret" in line for line in log)
    assert all(line.isprintable() for line in log)


def test_errors_without_words() -> None:
    output = asker(describe_errors=False)[2](failing(errors.NotFound("x")))
    assert (output.status, output.body) == (404, b"")


def test_another_method_says_which_are_allowed() -> None:
    output = asker()[2](lambda app, request: json_answer({}), "PUT", body=b"")
    assert (output.status, output.headers) == (405, {"Allow": "GET,POST"})


def test_a_body_over_the_limit_reaches_no_handler() -> None:
    output = asker()[2](failing(AssertionError()), "POST", body=bytes((1 << 20) + 1))
    assert (output.status, '"MaxBodyMB"' in json.loads(output.body)["Details"]) == (413, True)


def test_after_the_stop_everything_is_a_503() -> None:
    dispatcher, _, ask = asker()
    dispatcher.stop()
    assert ask(lambda app, request: json_answer({})).status == 503


def test_what_waits_at_the_stop_is_a_503() -> None:
    dispatcher, _, ask = asker()
    begun, go = threading.Barrier(3), threading.Event()
    outputs: list[Output] = []

    def slow(app: Any, request: Request) -> Answer:
        begun.wait(60)
        go.wait(60)
        return json_answer({})

    threads = [threading.Thread(target=lambda: outputs.append(ask(slow))) for _ in range(2)]
    for thread in threads:
        thread.start()
    begun.wait(60)
    late = threading.Thread(target=lambda: outputs.append(ask(slow)))
    late.start()
    while dispatcher._threads._work_queue.qsize() == 0:
        pass
    dispatcher.stop()
    go.set()
    for thread in [*threads, late]:
        thread.join(60)
    assert sorted(output.status for output in outputs) == [200, 200, 503]


def test_handlers_run_on_a_large_stack() -> None:
    def deep(app: Any, request: Request) -> Answer:
        return json_answer({"depth": depth(900)})

    def depth(n: int) -> int:
        return 0 if n == 0 else 1 + depth(n - 1)

    assert json.loads(asker()[2](deep).body) == {"depth": 900}


class SlowReader(Output):
    """Takes a piece in 30 seconds of its own time."""

    now = 0.0

    def SendStreamChunk(self, chunk: bytes) -> None:
        super().SendStreamChunk(chunk)
        self.now += 30.0


def test_a_reader_that_takes_nearly_nothing_is_ended_and_what_it_read_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, sent = SlowReader(), []
    monkeypatch.setattr("orthanc_stl.rest.http.sending.time.monotonic", lambda: reader.now)
    _, log, ask = asker()
    ask(lambda app, request: Answer(bytes(1 << 30), sent=lambda: sent.append(True), use=Use.LISTING), output=reader)
    assert len(reader.body) < 1 << 20
    assert sent == [True]
    assert log == ["/stl/x: the client took 196608 bytes in 90 s; its connection is closed"]


def test_a_model_goes_out_in_small_pieces() -> None:
    pieces: list[int] = []

    class Counting(Output):
        def SendStreamChunk(self, chunk: bytes) -> None:
            pieces.append(len(chunk))

    asker()[2](lambda app, request: Answer(bytes(MODEL_STREAMED_FROM + 1), use=Use.LISTING), output=Counting())
    assert sum(pieces) == MODEL_STREAMED_FROM + 1
    assert max(pieces) == sending.CHUNK_BYTES


def test_when_no_thread_may_be_held_the_answer_is_a_503_and_nothing_stays_held() -> None:
    waiting = Waiting(10, patience=0.01)
    _, _, ask = asker(waiting=waiting)
    sent: list[bool] = []
    with waiting.place(Use.ANY), waiting.place(Use.LISTING):
        for _ in range(20):
            assert ask(lambda app, request: json_answer({})).status == 200
    crowd = [waiting.place(Use.LISTING) for _ in range(8)]
    for place in crowd:
        place.__enter__()
    output = ask(lambda app, request: Answer(b"x", use=Use.LISTING, sent=lambda: sent.append(True)))
    assert output.status == 503
    assert sent
    assert ask(lambda app, request: json_answer({})).status == 200
    for place in crowd:
        place.__exit__(None, None, None)


def test_a_form_of_another_site_reaches_no_handler() -> None:
    headers = {"host": "orthanc:8042", "origin": "https://evil.example", "content-type": "text/plain"}
    output = asker()[2](failing(AssertionError()), "POST", body=b"{}", headers=headers)
    assert output.status == 403
    assert "https://evil.example" in json.loads(output.body)["Details"]
