"""However Orthanc ends, no worker outlives it. Played with a process of our own in Orthanc's place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import runs, wait_for, works

PARENT = """
import contextlib, resource, sys, threading, time
from orthanc_stl.errors import StlError
from orthanc_stl.engine.executor import Work
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.engine.python import find_python

threading.stack_size(16 << 20)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
pool = LocalPool(find_python(), size=2, tasks="testing.engine_tasks")

def run(task, **options):
    with contextlib.suppress(StlError):  # what pool.stop() makes of it
        pool.run(Work(task, options, [], 60), lambda fraction, step: None, threading.Event())

first = threading.Thread(target=run, args=("hold_the_gil",), kwargs={"seconds": 30}, daemon=True)
first.start()
while not pool.pids():
    time.sleep(0.01)
time.sleep(0.5)
run("echo")  # an idle one beside the busy one
print(*pool.pids(), flush=True)
sys.stdin.read()
pool.stop()
first.join()
"""


Parent = tuple[subprocess.Popen[str], list[int]]


@pytest.fixture
def parent() -> Iterator[Parent]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert process.stdout is not None
    workers = [int(pid) for pid in process.stdout.readline().split()]
    assert len(workers) == 2
    assert all(map(runs, workers))
    yield process, workers
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_killed_without_a_word(parent: Parent, number: int) -> None:
    process, workers = parent
    process.send_signal(number)
    process.wait(60)
    wait_for(lambda: not any(map(works, workers)))


def test_stopped_in_order(parent: Parent) -> None:
    process, workers = parent
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert not any(map(runs, workers))


def test_ctrl_c_at_the_terminal_does_not_reach_the_workers(parent: Parent) -> None:
    process, workers = parent
    assert all(os.getsid(worker) != os.getsid(process.pid) for worker in workers)
    for worker in workers:
        os.kill(worker, signal.SIGINT)
    assert all(map(runs, workers))


def test_no_core_is_dumped_and_the_kernel_takes_a_worker_first(parent: Parent) -> None:
    for worker in parent[1]:
        limits = Path(f"/proc/{worker}/limits").read_text()
        assert "Max core file size        0                    0" in limits
        assert Path(f"/proc/{worker}/oom_score_adj").read_text() == "500\n"
