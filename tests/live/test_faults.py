"""Whatever fails, at whatever moment: one request ends with a sentence, nothing half is stored, nothing is left."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pydicom
import pytest

from testing.server import OrthancServer, Reply, alive
from tests.live import samples

# Percent of progress at which something goes wrong: from the reading of the file to the writing of the object.
MOMENTS = (0, 12, 30, 55, 78, 92)


def none_alive(processes: list[int]) -> bool:
    return not any(map(alive, processes))


SMALL = {"Separate": True, "Resolution": 32}


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


def upload(server: OrthancServer) -> str:
    return server.upload(samples.structure_set({"Box": samples.box(200, 200, 2)}))


def upload_ball(server: OrthancServer) -> str:
    """Of 27 MB at resolution 400 and Tolerance 0, since nothing of it is flat."""
    return server.upload(samples.structure_set({"Box": samples.ball()}))


def convert(server: OrthancServer, instance: str, resolution: int = 32, **more: Any) -> Reply:
    body = {"Instance": instance, "RoiNames": ["Box"], "Resolution": resolution, **more}
    return server.post("/stl/encode-rtstruct", body)


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


def eventually(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def models(server: OrthancServer) -> list[str]:
    """The stored models, each checked to be whole."""
    query = {"Level": "Instance", "Query": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.3"}}
    found = server.post("/tools/find", query).json()
    for model in found:
        stl = server.get(f"/instances/{model}/stl").body
        assert len(stl) == 84 + 50 * int.from_bytes(stl[80:84], "little")
    return found


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
    with OrthancServer(data=tmp_path, env={"TMPDIR": str(scratch)}) as server:
        assert list(scratch.iterdir()) == []
        instance = upload(server)
    stored = 0
    for moment in (0, 30, 78):
        with OrthancServer(data=tmp_path, env={"TMPDIR": str(scratch)}) as server:
            assert stored <= len(models(server)) <= stored + 1  # the job may have been about to end
            stored = len(models(server))
            begin(server, instance, moment)
            eventually(server.children)  # at 0 % the worker may only be about to start
            processes = server.children()
            os.kill(server.pid, number)
            eventually(partial(none_alive, processes), 10)
    with OrthancServer(data=tmp_path) as server:
        assert convert(server, instance).status == 200
        assert stored <= len(models(server)) - 1 <= stored + 1
    assert list(scratch.iterdir()) == []


@pytest.mark.slow
def test_orthanc_is_killed_while_it_stores_a_set(tmp_path: Path) -> None:
    """What was in of the set is gone after the next start, what was there before is not."""
    balls = {f"Ball {place}": samples.ball() for place in range(12)}
    with OrthancServer(data=tmp_path) as server:
        instance = server.upload(samples.structure_set(balls))
        first = server.post("/stl/encode", {"Instance": instance, "Structures": [1, 2], **SMALL}).json()
        body = {"Instance": instance, "All": True, "Separate": True, "Resolution": 160, "Tolerance": 0}
        assert server.post("/stl/encode", body | {"Asynchronous": True}).status == 200
        eventually(lambda: server.get("/statistics").json()["CountInstances"] > 4, 120)
        os.kill(server.pid, signal.SIGKILL)
    with OrthancServer(data=tmp_path) as server:
        eventually(lambda: "12 models of one request" in server.log_text())
        eventually(lambda: len(models(server)) <= 2)
        assert sorted(models(server)) == sorted(one["ID"] for one in first["Models"])
    with OrthancServer(data=tmp_path) as server:
        assert len(models(server)) == 2
        assert "models of one request" not in server.log_text()


@pytest.mark.slow
def test_a_storage_that_refuses_the_rest_of_a_set() -> None:
    with OrthancServer(config={"MaximumStorageSize": 8, "MaximumStorageMode": "Reject"}) as server:
        instance = server.upload(samples.structure_set({f"Ball {place}": samples.ball() for place in range(4)}))
        body = {"Instance": instance, "All": True, **SMALL}
        reply = server.post("/stl/encode", body | {"Resolution": 200, "Tolerance": 0})
        assert reply.status == 500
        assert "storage is full" in reply.json()["Details"]
        assert models(server) == []
        assert len(server.post("/stl/encode", body).json()["Models"]) == 4
        assert len(models(server)) == 4


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


def test_a_storage_that_refuses() -> None:
    with OrthancServer(config={"MaximumStorageSize": 8, "MaximumStorageMode": "Reject"}) as server:
        instance = upload_ball(server)
        reply = convert(server, instance, 400, Tolerance=0)
        assert reply.status == 500
        assert "storage is full" in reply.json()["Details"]
        assert models(server) == []
        assert convert(server, instance).status == 200
        assert len(models(server)) == 1


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(disk), b"tmpfs", 0, b"size=24m") != 0:
        pytest.skip("a full disk needs the right to mount a small tmpfs: run the tests as root")
    try:
        with OrthancServer(data=disk) as server:
            instance = upload_ball(server)
            known = [file.stat().st_size for file in stored_files(disk)]
            left = os.statvfs(disk)
            (disk / "filler").write_bytes(bytes(left.f_bavail * left.f_frsize - (2 << 20)))
            reply = convert(server, instance, 400, Tolerance=0)
            assert reply.status == 500
            assert reply.json()["Details"]
            assert models(server) == []
            # A piece of the file that Orthanc could not write stays, and its index knows nothing of it: the same as
            # after a plain upload, so it is not of the plugin's making.
            assert len(stored_files(disk)) == 2
            (piece,) = [file for file in stored_files(disk) if file.stat().st_size not in known]
            piece.unlink()
            assert server.post("/instances", large_image()).status == 500
            assert len(stored_files(disk)) == 2
            (disk / "filler").unlink()
            assert convert(server, instance, 64).status == 200
            assert len(models(server)) == 1
    finally:
        libc.umount2(os.fsencode(disk), 2)


def large_image() -> bytes:
    """Of 6 MB."""
    dataset = pydicom.dcmread(io.BytesIO(samples.image()))
    dataset.add_new(0x00420011, "OB", bytes(6 << 20))
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def stored_files(folder: Path) -> list[Path]:
    return [file for file in (folder / "files").rglob("*") if file.is_file()]


def test_a_read_only_orthanc_refuses_before_the_work(tmp_path: Path) -> None:
    with OrthancServer(data=tmp_path) as server:
        instance = upload(server)
    with OrthancServer(data=tmp_path, config={"ReadOnly": True}) as server:
        reply = convert(server, instance, 400)
        assert reply.status == 403
        assert 'its option "ReadOnly"' in reply.json()["Details"]
        assert server.get(f"/stl/rt-struct/{instance}").json() == ["Box"]
        assert "in the queue" not in server.log_text()


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
