"""An Orthanc that cannot store, or ends while it does: nothing half is kept, and what was there before stays."""

from __future__ import annotations

import ctypes
import io
import os
import signal
from pathlib import Path

import pydicom
import pytest

from testing.server import OrthancServer
from tests.live import samples
from tests.live.converting import SMALL, convert, eventually, models, upload, upload_ball


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
    with OrthancServer(data=tmp_path, last=True) as server:
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
        with OrthancServer(data=disk, last=True) as server:
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
    with OrthancServer(data=tmp_path, last=True, config={"ReadOnly": True}) as server:
        reply = convert(server, instance, 400)
        assert reply.status == 403
        assert 'its option "ReadOnly"' in reply.json()["Details"]
        assert server.get(f"/stl/rt-struct/{instance}").json() == ["Box"]
        assert "in the queue" not in server.log_text()
