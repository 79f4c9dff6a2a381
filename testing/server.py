"""A real Orthanc for tests, with the plugin, on a free port of this machine, with its data in a temporary folder."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from runtime import config as orthanc_config
from runtime import setup
from runtime.serve import OrthancProcess


class Reply(NamedTuple):
    """What the server answered. Header names are in lower case, each with all its values."""

    status: int
    body: bytes
    headers: dict[str, list[str]]

    def json(self) -> Any:
        return json.loads(self.body)


@cache
def private_runtime() -> setup.Runtime:
    """The runtime of `orthanc-stl`, set up if need be."""
    return setup.prepare(say=lambda line: None)


class OrthancServer:
    """`with OrthancServer(stl={"EnableNexus": True}) as server: server.get("/system").json()`.

    At the end of the `with` it is killed, unless it keeps its data; `stop` ends it as an administrator does.
    `stl` is merged into the section "STL", `config` over the whole configuration; `env` is added to the environment;
    `data` keeps the database in a folder of yours, otherwise it is gone at the end; `last`: no other one is started
    with it, so that this one is killed, too; `plugin` is another script than stl_plugin.py, `runtime` another one than
    `private_runtime()`. Requests never raise for a status: they return it.
    """

    def __init__(
        self,
        stl: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
        *,
        env: dict[str, str] | None = None,
        data: Path | None = None,
        last: bool = False,
        plugin: Path | None = None,
        runtime: setup.Runtime | None = None,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="orthanc-stl-test-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self._ends_in_order = data is not None and not last
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        runtime = runtime or private_runtime()
        own = orthanc_config.defaults(runtime, data or self.folder, self.port) | {"ConcurrentJobs": 2}
        own = orthanc_config.merged(own, {"STL": {"Workers": 1} | (stl or {})})
        if plugin:
            own["PythonScript"] = str(plugin)
        self.config = orthanc_config.merged(own, config or {})
        self.log = self.folder / "orthanc.log"
        self._exit_code: int | None = None
        with self.log.open("wb") as log:
            self._running = OrthancProcess(runtime, self.config, self.folder, log, env)
        try:
            self._running.wait_until_it_answers()
        except BaseException as error:
            self._running.stop(at_once=True)
            error.add_note(self.log_text()[-4000:])
            raise

    @property
    def pid(self) -> int:
        return self._running.process.pid

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Ends Orthanc (SIGTERM) and returns its exit code. The log can still be read until the `with` ends."""
        if self._exit_code is None:
            self._exit_code = self._running.stop()
        return self._exit_code

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 120,
    ) -> Reply:
        request = urllib.request.Request(self.url + path, body, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Reply(answer.status, answer.read(), _headers(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read(), _headers(error.headers))

    def get(self, path: str, headers: dict[str, str] | None = None, timeout: float = 120) -> Reply:
        return self.request("GET", path, headers=headers, timeout=timeout)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None, timeout: float = 120) -> Reply:
        """`body`: bytes as they are, anything else as JSON."""
        return self.request("POST", path, _body(body), headers, timeout)

    def put(self, path: str, body: Any, headers: dict[str, str] | None = None, timeout: float = 120) -> Reply:
        return self.request("PUT", path, _body(body), headers, timeout)

    def delete(self, path: str, timeout: float = 120) -> Reply:
        return self.request("DELETE", path, timeout=timeout)

    def upload(self, dicom: bytes) -> str:
        """Stores a DICOM file and returns Orthanc's id of the instance."""
        reply = self.post("/instances", dicom)
        assert reply.status == 200, reply.body.decode(errors="replace")
        return reply.json()["ID"]

    def children(self) -> list[int]:
        """The processes that Orthanc started (and theirs), by pid."""
        found, todo = [], [self.pid]
        while todo:
            parent = todo.pop()
            for task in Path(f"/proc/{parent}/task").glob("*/children"):
                try:
                    pids = [int(pid) for pid in task.read_text().split()]
                except OSError:  # that thread has ended
                    continue
                found += pids
                todo += pids
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._exit_code is None:  # Orthanc takes 2.5 s to end, with or without plugins
            self._exit_code = self._running.stop(at_once=not self._ends_in_order)
        if error is not None:
            error.add_note(f"The end of Orthanc's log:\n{self.log_text()[-4000:]}")
        self._temporary.cleanup()


def alive(pid: int) -> bool:
    """Whether that process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def _headers(headers: Any) -> dict[str, list[str]]:
    return {name.lower(): headers.get_all(name) for name in headers}


def _body(body: Any) -> bytes:
    return bytes(body) if isinstance(body, (bytes, bytearray, memoryview)) else json.dumps(body).encode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
