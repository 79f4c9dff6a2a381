"""Pools and queues on real worker processes, with the tasks of testing/engine_tasks.py."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_stl import errors
from orthanc_stl.engine.executor import Blob, Executor, Result, Work
from orthanc_stl.engine.jobs import Jobs, Order
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.engine.python import find_python
from orthanc_stl.mesh.progress import no_progress

TASKS = "testing.engine_tasks"


@pytest.fixture(scope="session")
def python() -> str:
    return find_python()


@pytest.fixture
def make_pool(python: str) -> Iterator[Callable[..., LocalPool]]:
    pools = []

    def make(**options: Any) -> LocalPool:
        pools.append(LocalPool(python, **{"tasks": TASKS, **options}))
        return pools[-1]

    yield make
    for pool in pools:
        pool.stop()


@pytest.fixture
def pool(make_pool: Callable[..., LocalPool]) -> LocalPool:
    return make_pool(size=1)


@pytest.fixture
def make_jobs(make_pool: Callable[..., LocalPool]) -> Iterator[Callable[..., Jobs]]:
    made = []

    def make(*, memory_mb: int = 0, **options: Any) -> Jobs:
        workers = int(str(options.get("workers", 1)))
        made.append(Jobs(make_pool(size=workers + 1, memory_mb=memory_mb), **options))
        return made[-1]

    yield make
    for jobs in made:
        jobs.stop()


@pytest.fixture
def jobs(make_jobs: Callable[..., Jobs]) -> Jobs:
    return make_jobs()


def perform(
    pool: Executor, task: str, *blobs: Blob, timeout: float = 30.0, here: bool = False, **options: Any
) -> Result:
    """`here`: not on a cluster."""
    return pool.run(Work(task, options, blobs, timeout, runs_on_cluster=not here), no_progress, threading.Event())


def order(task: str, *blobs: bytes, interactive: bool = False, client: str = "", **options: Any) -> Order:
    return Order(
        task, options, lambda: blobs, lambda result: result.facts, interactive, client, "instance",
        runs_on_cluster=not interactive,
    )  # fmt: skip


def background(function: Callable[[], object]) -> list[Any]:
    """Calls the function on a thread; the list gets what it returned or raised."""
    outcome: list[Any] = []

    def call() -> None:
        try:
            outcome.append(function())
        except errors.StlError as error:
            outcome.append(error)

    threading.Thread(target=call, daemon=True).start()
    return outcome


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits until the condition holds."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it did not happen in time"
        time.sleep(0.005)


def pool_of(jobs: Jobs) -> LocalPool:
    assert isinstance(jobs._executor, LocalPool)
    return jobs._executor


def pids_of(jobs: Jobs) -> list[int]:
    return pool_of(jobs).pids()


def runs(pid: int) -> bool:
    """Whether a process of that id is there; one that waits to be reaped counts."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def resident_mb(pid: int | str = "self") -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def works(pid: int) -> bool:
    """Whether it is more than an entry that its new parent, which is not ours, has yet to clear away."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
