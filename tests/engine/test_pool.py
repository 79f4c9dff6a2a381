"""Workers that crash, hang, grow and chatter: one failed request each, and the next one works."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orthanc_stl import errors
from orthanc_stl.engine.executor import Work
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.mesh.progress import no_progress
from tests.engine.conftest import background, perform, resident_mb, runs, wait_for


def test_a_task_gets_its_options_and_files_and_gives_facts_and_files(pool: LocalPool) -> None:
    result = perform(pool, "echo", b"one", memoryview(b"two"), memoryview(b"three"), depth=[1, {"ü": None}])
    assert result.facts["options"] == {"depth": [1, {"ü": None}]}
    assert result.blobs == [b"one", b"two", b"three"]
    assert all(type(blob) is bytes for blob in result.blobs)
    assert result.peak_memory > 5e6


def test_none_before_the_first_request_then_one_kept_warm(pool: LocalPool) -> None:
    assert pool.pids() == []
    first = perform(pool, "echo").facts["pid"]
    assert {perform(pool, "echo").facts["pid"] for _ in range(5)} == {first}
    assert pool.pids() == [first]


def test_as_many_as_configured(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=2)
    threads = [threading.Thread(target=perform, args=(pool, "sleep"), kwargs={"seconds": 0.5}) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(pool.pids()) == 2)
    for thread in threads:
        thread.join()
    assert len(pool.pids()) == 2


@pytest.mark.parametrize(
    ("task", "options", "manner"),
    [
        ("die", {"signal": int(signal.SIGKILL)}, r"signal 9 \(SIGKILL\), most likely by the system for want of memory"),
        ("die", {"signal": int(signal.SIGABRT)}, r"signal 6 \(SIGABRT\)"),
        ("segfault", {}, r"signal 11 \(SIGSEGV\)"),
        ("leave", {}, "exit code 3"),
    ],
)
def test_a_crash_is_one_failed_request(pool: LocalPool, task: str, options: dict[str, Any], manner: str) -> None:
    before = perform(pool, "echo").facts["pid"]
    with pytest.raises(errors.WorkerDied, match=manner):
        perform(pool, task, **options)
    after = perform(pool, "echo").facts["pid"]
    assert after != before
    assert not runs(before)


def test_its_place_is_taken_before_anybody_asks(pool: LocalPool) -> None:
    perform(pool, "echo")
    with pytest.raises(errors.WorkerDied):
        perform(pool, "leave")
    assert len(pool.pids()) == 1


def test_an_idle_worker_that_is_killed_is_buried_and_replaced(pool: LocalPool) -> None:
    victim = perform(pool, "echo").facts["pid"]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: pool.pids() and pool.pids() != [victim])
    assert not runs(victim)
    assert perform(pool, "echo").facts["pid"] != victim


def killed_once_asked(pool: LocalPool, victim: int) -> int:
    """The worker that answers a request which had gone to an idle one, of which nobody could see that it dies."""
    os.kill(victim, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(perform, pool, "echo")
        wait_for(lambda: [running.worker.pid for running in pool._running] == [victim])
        os.kill(victim, signal.SIGKILL)
        return asked.result().facts["pid"]


def test_killed_while_idle_the_next_request_works(pool: LocalPool) -> None:
    victim = perform(pool, "echo").facts["pid"]
    assert killed_once_asked(pool, victim) != victim


def test_killed_while_it_gets_warm_the_next_request_works(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=1, tasks="tests.engine.slow_tasks")
    with pytest.raises(errors.WorkerDied):
        perform(pool, "leave")
    (victim,) = pool.pids()  # its replacement, which takes a second to start
    assert killed_once_asked(pool, victim) != victim


def test_killed_in_its_task_it_is_not_tried_again(pool: LocalPool, tmp_path: Path) -> None:
    perform(pool, "echo")
    with pytest.raises(errors.WorkerDied, match="exit code 3"):
        perform(pool, "leave", note=str(tmp_path / "note"))
    assert (tmp_path / "note").read_text() == "left\n"


def test_many_killed_between_two_requests(pool: LocalPool) -> None:
    for _ in range(20):
        victim = perform(pool, "echo").facts["pid"]
        os.kill(victim, signal.SIGKILL)
        assert perform(pool, "echo").facts["pid"] != victim


def test_errors_keep_their_class_and_sentence(pool: LocalPool) -> None:
    with pytest.raises(errors.ParentMissing, match=r"^no study of that id$"):
        perform(pool, "refuse", error="ParentMissing", sentence="no study of that id")


def test_a_bug_in_a_task_is_a_sentence_and_the_worker_lives(pool: LocalPool) -> None:
    pid = perform(pool, "echo").facts["pid"]
    with pytest.raises(errors.StlError, match="failed unexpectedly: IndexError: list index out of range"):
        perform(pool, "bug")
    assert perform(pool, "echo").facts["pid"] == pid


def test_memory_is_limited(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=1, memory_mb=100)
    with pytest.raises(errors.TooLarge, match='more than the 100 MB of the option "WorkerMemoryMB"'):
        perform(pool, "eat", megabytes=200)
    assert perform(pool, "eat", megabytes=50).facts["bytes"] == 50 << 20


def test_a_file_that_does_not_fit_into_the_limit(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=1, memory_mb=50)
    with pytest.raises(errors.TooLarge, match="WorkerMemoryMB"):
        perform(pool, "echo", bytes(80 << 20))
    assert perform(pool, "echo", b"small").blobs == [b"small"]


def test_the_time_limit_ends_the_worker(pool: LocalPool) -> None:
    pid = perform(pool, "echo").facts["pid"]
    with pytest.raises(errors.TimedOut, match=r'longer than the 0\.5 seconds that the option "TimeoutSeconds" allows'):
        perform(pool, "sleep", seconds=30, timeout=0.5)
    assert not runs(pid)
    assert perform(pool, "echo").blobs == []


def test_the_start_of_a_worker_does_not_count(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=1, tasks="tests.engine.slow_tasks")
    assert perform(pool, "echo", timeout=0.9).blobs == []


@pytest.mark.parametrize("task", ["sleep", "hold_the_gil", "ignore_signals"])
def test_cancel_ends_the_worker(pool: LocalPool, task: str) -> None:
    perform(pool, "echo")
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    with pytest.raises(errors.Cancelled):
        pool.run(Work(task, {"seconds": 30}, [], 60), lambda fraction, step: None, cancelled)
    assert perform(pool, "echo").facts["pid"]


def test_cancelled_while_it_waits_for_a_worker(pool: LocalPool) -> None:
    enough = threading.Event()
    blocker = background(lambda: pool.run(Work("sleep", {"seconds": 30}, [], 60), no_progress, enough))
    wait_for(pool.pids)
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    with pytest.raises(errors.Cancelled):
        pool.run(Work("echo", {}, [], 60), lambda fraction, step: None, cancelled)
    with pytest.raises(errors.TimedOut, match="No worker process was free"):
        perform(pool, "echo", timeout=0.1)
    enough.set()
    wait_for(lambda: blocker)


def test_a_stopped_process_cannot_hold_a_request_for_ever(pool: LocalPool) -> None:
    """Frozen before it has read its files: the write blocks, and the time limit ends that too."""
    os.kill(perform(pool, "echo").facts["pid"], signal.SIGSTOP)
    with pytest.raises(errors.TimedOut):
        perform(pool, "echo", bytes(32 << 20), timeout=0.5)
    assert perform(pool, "echo", b"x").blobs == [b"x"]


def test_what_libraries_print_does_not_break_the_messages(pool: LocalPool, capfd: pytest.CaptureFixture[str]) -> None:
    assert perform(pool, "noise").facts == perform(pool, "noise").facts
    captured = capfd.readouterr()
    assert captured.out == ""
    for speaker in ("python speaks", "the descriptor speaks", "C speaks"):
        assert captured.err.count(speaker) == 2


def test_progress_arrives(pool: LocalPool) -> None:
    seen = []
    work = Work("steps", {"fractions": [0.1, 0.5, 0.9]}, [], 30)
    pool.run(work, lambda fraction, step: seen.append((fraction, step)), threading.Event())
    assert seen == [(0.1, "at 0.1"), (0.5, "at 0.5"), (0.9, "at 0.9")]


def test_a_worker_that_has_grown_is_replaced(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=1, retire_mb=100)
    first = perform(pool, "keep", megabytes=60).facts["pid"]
    assert perform(pool, "keep", megabytes=60).facts["pid"] == first
    assert perform(pool, "echo").facts["pid"] != first
    assert not runs(first)


def test_a_worker_is_replaced_after_so_many_tasks(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=1, retire_after=3)
    assert [len({perform(pool, "echo").facts["pid"] for _ in range(3)}) for _ in range(2)] == [1, 1]
    assert len({perform(pool, "echo").facts["pid"] for _ in range(6)}) == 2


def test_large_files_pass_without_copies(pool: LocalPool) -> None:
    blob = bytes(200 << 20)
    perform(pool, "echo")
    before = resident_mb()
    result = perform(pool, "echo", blob)
    assert len(result.blobs[0]) == len(blob)
    assert resident_mb() - before < 1.2 * 200  # the result itself, once
    assert result.peak_memory < 2.3 * 200e6  # what came, and the copy that the task makes


def test_two_hundred_in_a_row_level_off(pool: LocalPool) -> None:
    def both(number: int) -> float:
        pid = perform(pool, "echo", bytes(1 << 20)).facts["pid"]
        return resident_mb() + resident_mb(pid)

    levels = [both(number) for number in range(200)]
    assert max(levels[-20:]) - max(levels[20:40]) < 8.0


def test_stop_with_a_busy_worker(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=2)
    perform(pool, "echo")
    failures = []

    def busy() -> None:
        try:
            perform(pool, "hold_the_gil", seconds=30)
        except errors.StlError as error:
            failures.append(error)

    thread = threading.Thread(target=busy)
    thread.start()
    time.sleep(0.3)
    pids = pool.pids()
    pool.stop()
    thread.join(60)
    assert [type(failure) for failure in failures] == [errors.Busy]
    assert pids
    assert not any(map(runs, pids))
    with pytest.raises(errors.Busy, match="stopping"):
        perform(pool, "echo")
    pool.stop()


def test_a_worker_that_cannot_start_is_a_sentence(python: str) -> None:
    pool = LocalPool(python, size=1, tasks="tests.engine.no_such_module")
    with pytest.raises(errors.WorkerDied, match=r"exit code 1 at its start"):
        perform(pool, "echo")
    assert pool.pids() == []
    pool.stop()


def test_an_interpreter_that_is_gone_is_a_sentence() -> None:
    pool = LocalPool("/nowhere/python", size=1)
    with pytest.raises(errors.WorkerDied, match="could be started with /nowhere/python"):
        perform(pool, "echo")
    pool.stop()


def test_no_descriptor_is_left(make_pool: Callable[..., LocalPool]) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = count()
    pool = make_pool(size=1)
    for _ in range(3):
        with pytest.raises(errors.WorkerDied):
            perform(pool, "leave")
    pool.stop()
    assert count() == before
