"""Figures of the engine for docs/operations.md: `python -m benchmarks.engine`. Linux; takes about half a minute."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from orthanc_stl import errors
from orthanc_stl.engine.executor import Result, Work
from orthanc_stl.engine.jobs import Jobs, Order
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.engine.python import find_python
from orthanc_stl.mesh.progress import no_progress

NOT_A_FILE = b"no DICOM at all"
TEST_TASKS = "testing.engine_tasks"


def run(pool: LocalPool, task: str, *blobs: bytes, **options: object) -> Result | None:
    with contextlib.suppress(errors.InvalidInput):
        return pool.run(Work(task, dict(options), blobs, 60), no_progress, threading.Event())
    return None


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def resident_mb(pid: int | str) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def say(what: str, value: float, unit: str) -> None:
    print(f"{what:70} {value:9.3f} {unit}")


def main() -> None:
    pool = LocalPool(find_python(), size=1)
    say("first request: start of a worker, imports, answer", seconds(lambda: run(pool, "roi_names", NOT_A_FILE)), "s")
    times = [seconds(lambda: run(pool, "roi_names", NOT_A_FILE)) for _ in range(50)]
    say("request to a warm worker (median of 50)", sorted(times)[25] * 1000, "ms")
    say("resident memory of a warm worker", resident_mb(pool.pids()[0]), "MB")
    os.kill(pool.pids()[0], signal.SIGKILL)
    time.sleep(0.1)
    say("request after the kernel killed the worker", seconds(lambda: run(pool, "roi_names", NOT_A_FILE)), "s")
    pool.stop()

    pool = LocalPool(find_python(), size=2, tasks=TEST_TASKS)
    run(pool, "echo")
    blob = bytes(200 << 20)
    say("200 MiB to a worker and back", min(seconds(lambda: run(pool, "echo", blob)) for _ in range(3)), "s")
    jobs = Jobs(pool)
    job = jobs.submit(Order("hold_the_gil", {"seconds": 60}, list, lambda result: result.facts))
    time.sleep(0.5)
    (pid,) = pool.pids()

    def cancel() -> None:
        jobs.cancel(job.id)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.001)

    say("DELETE of a job in the middle of a filter, until the process is gone", seconds(cancel) * 1000, "ms")
    jobs.submit(Order("hold_the_gil", {"seconds": 60}, list, lambda result: result.facts))
    time.sleep(0.5)
    say("stop with a busy worker", seconds(jobs.stop) * 1000, "ms")
    say("resident memory of the process that has the queue, at the end", resident_mb("self"), "MB")


if __name__ == "__main__":
    main()
