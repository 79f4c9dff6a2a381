"""A Dask cluster of real processes on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.engine.conftest import wait_for

REPOSITORY = Path(__file__).parents[2]


def dask(*arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(REPOSITORY), *sys.path])
    env = {**os.environ, "PYTHONPATH": path, "DASK_TEMPORARY_DIRECTORY": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-m", *arguments], cwd=REPOSITORY, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


class Dask:
    """A scheduler and its workers."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        address = folder / "scheduler.json"
        common = ("--scheduler-file", str(address), "--no-dashboard")
        self.scheduler = dask(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common, folder=folder
        )
        wait_for(address.exists)
        wait_for(lambda: '"address"' in address.read_text())
        self.address = address.read_text().split('"address": "')[1].split('"')[0]
        self.workers = [self.add_worker() for _ in range(workers)]

    def add_worker(self) -> subprocess.Popen[bytes]:
        common = ("--no-nanny", "--nthreads", "1", "--no-dashboard")
        return dask("distributed.cli.dask_worker", self.address, "--host", "127.0.0.1", *common, folder=self.folder)

    def wait_for_workers(self, count: int) -> None:
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(count, timeout=60)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
