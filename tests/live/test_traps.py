"""What an embedded interpreter does to a plugin that is not ready for it, on a real Orthanc.

Each of these ended Orthanc, or left processes behind, before it was handled: see the reasons in dispatch.py, plugin.py
and engine/process.py.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from testing.server import OrthancServer, alive
from tests.live import samples

SMALL = {"RoiNames": ["Sphere"], "Resolution": 32}


def upload(server: OrthancServer) -> str:
    return server.upload(samples.structure_set({"Sphere": samples.ball()}))


def works(server: OrthancServer, instance: str) -> bool:
    return server.post("/stl/encode-rtstruct", SMALL | {"Instance": instance}).status == 200


def begin_long_conversion(server: OrthancServer) -> str:
    """Starts a conversion of many seconds and gives the path of its job once a worker is at it."""
    instance = server.upload(samples.structure_set({"Sphere": samples.box(300, 300, 1)}))
    body = {"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 500, "Asynchronous": True}
    path = server.post("/stl/encode-rtstruct", body).json()["Path"]
    eventually(lambda: server.get(path).json()["Progress"] > 5)
    return path


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def wait_for_end_of(processes: list[int]) -> None:
    eventually(lambda: not any(map(alive, processes)), 5)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b'{"Tags":' + b'{"a":' * 900 + b"1" + b"}" * 901],
    ids=["arrays", "objects", "Tags"],
)
def test_nested_json_on_a_small_stack(orthanc: OrthancServer, body: bytes) -> None:
    reply = orthanc.post("/stl/encode-rtstruct", body)
    assert reply.status == 400
    assert reply.json()["Details"]
    assert orthanc.get("/system").status == 200


def test_stop_with_callbacks_registered() -> None:
    with OrthancServer() as server:
        assert works(server, upload(server))
        workers = server.children()
        assert workers
        assert server.stop() == 0
        assert "has stopped" in server.log_text().splitlines()[-1]
        wait_for_end_of(workers)


def test_reset_begins_anew() -> None:
    with OrthancServer() as server:
        instance = upload(server)
        assert works(server, instance)
        path = begin_long_conversion(server)
        for _ in range(2):
            workers = server.children()
            assert server.post("/tools/reset", b"").status == 200
            wait_for_end_of(workers)
            eventually(lambda: "has started" in server.log_text().splitlines()[-1])
            assert server.get(path).status == 404
            assert works(server, instance)
            assert server.get(f"/stl/rt-struct/{instance}").json() == ["Sphere"]
        assert server.stop() == 0


def test_without_allow_threads_it_warns_and_works() -> None:
    with OrthancServer(config={"Python": {"AllowThreads": False}}) as server:
        assert '"AllowThreads": true' in server.log_text()
        assert works(server, upload(server))
        assert server.stop() == 0


def test_with_allow_threads_it_does_not_warn(orthanc: OrthancServer) -> None:
    assert "AllowThreads" not in orthanc.log_text()


def test_stop_with_a_busy_worker_and_somebody_waiting() -> None:
    with OrthancServer() as server, ThreadPoolExecutor(1) as threads:
        body = {"Instance": upload(server), "RoiNames": ["Sphere"], "Resolution": 32}
        begin_long_conversion(server)
        waiting = threads.submit(server.post, "/stl/encode-rtstruct", body)
        workers = server.children()
        assert server.stop() == 0
        assert not any(map(alive, workers))
        assert waiting.exception() is not None or waiting.result().status == 503


def test_a_killed_orthanc_leaves_no_worker() -> None:
    with OrthancServer() as server:
        begin_long_conversion(server)
        workers = server.children()
        assert workers
        os.kill(server.pid, signal.SIGKILL)
        wait_for_end_of(workers)


def test_a_failure_of_ours_is_answered_and_logged(tmp_path: Path) -> None:
    script = tmp_path / "broken_plugin.py"
    script.write_text(
        "import orthanc\n"
        "from orthanc_stl import plugin\n"
        "from orthanc_stl.rest.routes import table\n"
        "def broken(app, request):\n"
        "    raise ZeroDivisionError('on\\npurpose \\ud800')\n"
        "table.ROUTES[0].methods['GET'] = broken\n"
        "plugin.install(orthanc)\n"
    )
    with OrthancServer(plugin=script) as server:
        reply = server.get("/stl/rt-struct/0")
        assert reply.status == 500
        assert json.loads(reply.body)["Details"].startswith("The plugin failed")
        assert r"purpose \ud800" in server.log_text()
        assert server.get("/system").status == 200


def test_workers_run_a_python_and_not_orthanc() -> None:
    with OrthancServer() as server:
        assert works(server, upload(server))
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in server.children()]
        assert commands
        assert all(b"orthanc_stl.engine.worker" in command for command in commands)
        assert not any(b"Orthanc" in Path(os.fsdecode(command[0])).name.encode() for command in commands)
        heavy = {"numpy", "vtk", "pydicom"}
        maps = Path(f"/proc/{server.pid}/maps").read_text()
        assert not any(name in maps for name in heavy)


def test_both_plugins_at_once_is_an_error_in_the_log(tmp_path: Path) -> None:
    script = tmp_path / "with_the_original.py"
    script.write_text(
        "import orthanc\n"
        "from orthanc_stl import plugin\n"
        "ask = orthanc.RestApiGet\n"
        "orthanc.RestApiGet = lambda path: b'[\"stl\", \"python\"]' if path == '/plugins' else ask(path)\n"
        "plugin.install(orthanc)\n"
    )
    with OrthancServer(plugin=script) as server:
        assert "The C++ STL plugin is loaded as well" in server.log_text()
