"""Whatever fails, at whatever moment: one request ends with a sentence, nothing half is stored, nothing is left."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from testing.server import OrthancServer, alive
from tests.live import samples
from tests.live.converting import convert, eventually, models, upload

# Percent of progress at which something goes wrong: from the reading of the file to the writing of the object.
MOMENTS = (0, 12, 30, 55, 78, 92)


def none_alive(processes: list[int]) -> bool:
    return not any(map(alive, processes))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where processes put temporary files."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def server(scratch: Path) -> Iterator[OrthancServer]:
    with OrthancServer(env={"TMPDIR": str(scratch)}) as server:
        yield server


@pytest.fixture(scope="module")
def instance(server: OrthancServer) -> str:
    return upload(server)


def begin(server: OrthancServer, instance: str, moment: int, resolution: int = 300) -> str:
    """Starts a conversion, waits until its progress is past `moment`, gives the path of its job."""
    path = convert(server, instance, resolution, Asynchronous=True).json()["Path"]
    eventually(lambda: job(server, path)["Progress"] >= moment)
    return path


def job(server: OrthancServer, path: str) -> dict[str, Any]:
    return server.get(path).json()


def over(server: OrthancServer, path: str) -> dict[str, Any]:
    """The job, once it is over."""
    eventually(lambda: job(server, path)["State"] not in ("Pending", "Running"))
    return job(server, path)


def memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_killed_at_any_step(server: OrthancServer, instance: str, moment: int) -> None:
    before = len(models(server))
    path = begin(server, instance, moment)
    for worker in server.children():
        os.kill(worker, signal.SIGKILL)
    ended = over(server, path)
    assert len(models(server)) == before + (ended["State"] == "Success")
    if ended["State"] != "Success":
        assert ended["State"] == "Failure"
        assert "signal 9 (SIGKILL)" in ended["Error"]["Details"]
    assert convert(server, instance).status == 200


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_job_cancelled_at_any_step(server: OrthancServer, instance: str, moment: int) -> None:
    before = len(models(server))
    path = begin(server, instance, moment)
    assert server.delete(path).status == 200
    ended = over(server, path)
    assert ended["State"] in ("Cancelled", "Success")
    assert len(models(server)) == before + (ended["State"] == "Success")
    assert convert(server, instance).status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_orthanc_ends_at_any_step(tmp_path: Path, number: signal.Signals) -> None:
    scratch = tmp_path / "scratch"
    (scratch / "orthanc-stl-nexus-left").mkdir(parents=True)
    (scratch / "orthanc-stl-nexus-left/lock").touch()  # as after a kill of all processes that made a Nexus model
    instance, stored = "", 0
    for moment in (0, 30, 78):
        with OrthancServer(data=tmp_path, env={"TMPDIR": str(scratch)}) as server:
            assert moment or list(scratch.iterdir()) == []
            instance = instance or upload(server)
            assert stored <= len(models(server)) <= stored + 1  # the job may have been about to end
            stored = len(models(server))
            begin(server, instance, moment)
            eventually(server.children)  # at 0 % the worker may only be about to start
            processes = server.children()
            os.kill(server.pid, number)
            eventually(partial(none_alive, processes), 10)
    with OrthancServer(data=tmp_path, last=True) as server:
        assert convert(server, instance).status == 200
        assert stored <= len(models(server)) - 1 <= stored + 1
    assert list(scratch.iterdir()) == []


def test_too_little_memory() -> None:
    with OrthancServer(stl={"WorkerMemoryMB": 512, "MaxVoxels": 1 << 32}) as server:
        instance = upload(server)
        reply = convert(server, instance, 1024)
        assert reply.status == 413
        assert '"WorkerMemoryMB"' in reply.json()["Details"]
        assert convert(server, instance).status == 200
        assert len(models(server)) == 1


def test_too_little_time() -> None:
    with OrthancServer(stl={"TimeoutSeconds": 3, "MaxVoxels": 1 << 32}) as server:
        instance = upload(server)
        assert convert(server, instance).status == 200
        reply = convert(server, instance, 900)
        assert reply.status == 500
        assert "longer than the 3 seconds" in reply.json()["Details"]
        assert convert(server, instance).status == 200


@pytest.mark.parametrize(("fallback", "status"), [(True, 200), (False, 503)])
def test_a_cluster_that_is_not_there(fallback: bool, status: int) -> None:
    with OrthancServer(stl={"Scheduler": "tcp://127.0.0.1:9", "SchedulerFallback": fallback}) as server:
        instance = upload(server)
        assert convert(server, instance).status == status
        assert server.get(f"/stl/rt-struct/{instance}").json() == ["Box"]
        # The runtime of the tests has no Dask; where there is one, it finds nobody at the address.
        assert "Scheduler" in server.log_text() or "scheduler" in server.log_text()
        assert ("conversions are done here" in server.log_text()) == fallback


def test_a_hundred_conversions_in_a_row_level_off(server: OrthancServer) -> None:
    instance = server.upload(samples.structure_set({"Box": samples.box()}))

    def level(count: int) -> float:
        for _ in range(count):
            reply = convert(server, instance, 16)
            assert reply.status == 200
            assert server.delete(reply.json()["Path"]).status == 200
        return memory_mb(server.pid) + sum(map(memory_mb, server.children()))

    first = max(level(10) for _ in range(4))
    last = max(level(10) for _ in range(6))
    assert last - first < 10


def test_nothing_is_left_behind(server: OrthancServer, scratch: Path) -> None:
    """After all of the above."""
    assert list(scratch.iterdir()) == []
    assert len(server.children()) <= 2
    states = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] for pid in server.children()]
    assert "Z" not in states
    assert server.get("/system").status == 200


def test_the_database_cannot_be_locked_from_outside_nor_shared(server: OrthancServer, instance: str) -> None:
    """Orthanc holds its SQLite index exclusively: another process cannot hold a conversion's result up."""
    index = server.folder / "index" / "index"
    with contextlib.closing(sqlite3.connect(index, timeout=0.1)) as database:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            database.execute("BEGIN EXCLUSIVE")
        before = len(models(server))
        assert convert(server, instance).status == 200
        assert len(models(server)) == before + 1
