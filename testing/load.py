"""Fifty clients of one Orthanc, each with one request at a time: what they were answered, and what it took."""

from __future__ import annotations

import base64
import gzip
import os
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import nibabel
import numpy as np

from testing import phantoms
from testing.server import OrthancServer, Reply

CLIENTS = {"list": 12, "convert": 14, "ranges": 10, "jobs": 8, "upload": 6}

PAUSE = 0.1  # seconds of a client between two requests: without it the clients themselves take most of the machine


@dataclass
class Load:
    server: OrthancServer
    instance: str
    model: str
    study: str
    nifti: str
    end: float
    studies: count[int] = field(default_factory=count)
    converted: Counter[int] = field(default_factory=Counter)
    """Of each client that converts, by its number."""
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    queued: list[float] = field(default_factory=list)  # seconds of each conversion, as the log has them
    system: list[float] = field(default_factory=list)  # seconds
    orthanc: list[float] = field(default_factory=list)  # MB
    in_use: list[float] = field(default_factory=list)  # MB of Orthanc's heap
    free: list[float] = field(default_factory=list)  # MB that malloc keeps of it
    workers: list[float] = field(default_factory=list)  # MB, all of them

    def ask(self, kind: str, call: Callable[[], Reply]) -> Reply:
        reply = call()
        self.statuses[kind, reply.status] += 1
        time.sleep(PAUSE)
        return reply

    def client(self, number: int, kind: str) -> None:
        # Half of them come through a proxy that says who they are; the others cannot be told apart.
        headers = {"X-Forwarded-For": f"made up, 10.0.0.{number}"} if number % 2 else {}
        turn = 0
        while time.monotonic() < self.end:
            turn += 1
            getattr(self, kind)(headers, turn)
            if kind == "convert":
                self.converted[number] += 1

    def list(self, headers: dict[str, str], turn: int) -> None:
        for path in (f"/stl/rt-struct/{self.instance}", f"{self.model}/stl/info"):
            self.ask("list", lambda path=path: self.server.get(path, headers))  # type: ignore[misc]

    def convert(self, headers: dict[str, str], turn: int) -> None:
        body = {"Instance": self.instance, "RoiNames": ["Tube", "Ball"][turn % 2 :], "Resolution": 48}
        self.ask("convert", lambda: self.server.post("/stl/encode-rtstruct", body, headers))

    def ranges(self, headers: dict[str, str], turn: int) -> None:
        some = headers | {"Range": f"bytes={turn}-{turn + 9999}"}
        self.ask("ranges", lambda: self.server.get(f"{self.model}/stl", some if turn % 5 else headers))

    def jobs(self, headers: dict[str, str], turn: int) -> None:
        body = {"Instance": self.instance, "RoiNames": ["Ball"], "Resolution": 48, "Asynchronous": True}
        reply = self.ask("jobs", lambda: self.server.post("/stl/encode-rtstruct", body, headers))
        while reply.status == 200 and reply.json().get("State", "Pending") in ("Pending", "Running"):
            time.sleep(0.1)
            path = reply.json().get("Path") or f"/stl/jobs/{reply.json()['ID']}"
            reply = self.ask("jobs", lambda path=path: self.server.get(path, headers))  # type: ignore[misc]

    def upload(self, headers: dict[str, str], turn: int) -> None:
        body = {"Nifti": self.nifti, "ParentStudy": self.study, "Resolution": 32}
        self.ask("upload", lambda: self.server.post("/stl/encode-nifti", body, headers))
        self.ask(
            "upload",
            lambda: self.server.post(
                "/instances", phantoms.ct_slices(phantoms.Study(seed=f"load {next(self.studies)}"), [0], 8)[0]
            ),
        )

    def watch(self) -> None:
        while time.monotonic() < self.end:
            start = time.monotonic()
            assert self.server.get("/system").status == 200
            self.system.append(time.monotonic() - start)
            self.orthanc.append(resident_mb(self.server.pid))
            heap = self.server.get("/heap").json()
            self.in_use.append(heap["InUse"] / 2**20)
            self.free.append(heap["Free"] / 2**20)
            self.workers.append(sum(map(resident_mb, self.server.children())))
            time.sleep(0.1)


def resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
    except OSError:  # it has ended
        return 0.0


def under_load(seconds: float) -> Load:
    """The clients have done their work for so long when this returns, and Orthanc has ended."""
    volume = np.zeros((24, 24, 24), np.uint8)
    volume[6:18, 6:18, 6:18] = 1
    content = gzip.compress(nibabel.Nifti1Image(volume, np.diag([1.0, 1.0, 1.0, 1.0])).to_bytes())
    nifti = "data:;base64," + base64.b64encode(content).decode()
    rois = [phantoms.cylinder("Tube", 30), phantoms.ball("Ball", 20, spacing=2, points=48)]
    # Its cache of what was stored last (128 MB by default) would hide whether anything else grows.
    config = {"MaximumStorageCacheSize": 1}
    with OrthancServer({"Workers": 2}, config, plugin=Path(__file__).with_name("heap_plugin.py")) as server:
        instance = server.upload(phantoms.structure_set(rois))
        study = server.get(f"/instances/{instance}/study").json()["ID"]
        body = {"Instance": instance, "RoiNames": ["Ball"], "Resolution": 64}
        model = server.post("/stl/encode-rtstruct", body).json()["Path"]
        load = Load(server, instance, model, study, nifti, time.monotonic() + seconds)
        kinds = [kind for kind, number in CLIENTS.items() for _ in range(number)]
        watching = threading.Thread(target=load.watch)
        watching.start()
        with ThreadPoolExecutor(len(kinds)) as threads:
            list(threads.map(load.client, range(len(kinds)), kinds))
        watching.join()
        load.queued += map(float, re.findall(r"after ([\d.]+) s in the queue", server.log_text()))
    return load


def thirds(values: list[float]) -> list[float]:
    """The medians of the first, the second and the last third."""
    return [statistics.median(values[n * len(values) // 3 : (n + 1) * len(values) // 3]) for n in range(3)]
