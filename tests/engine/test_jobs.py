"""The queue: who is next, states, progress, cancelling, keeping, stopping. On real workers."""

from __future__ import annotations

import gc
import json
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import pytest

from orthanc_stl import errors
from orthanc_stl.engine.executor import Result
from orthanc_stl.engine.finished_jobs import CHARACTER_BYTES, JOB_BYTES
from orthanc_stl.engine.jobs import Job, Jobs, Order
from tests.engine.conftest import background, order, pids_of, wait_for


def blocker(jobs: Jobs, seconds: float = 30.0) -> Job:
    """A job that keeps the only worker busy."""
    job = jobs.submit(order("sleep", seconds=seconds))
    wait_for(lambda: job.state == "Running")
    return job


def test_run_gives_the_answer_that_finish_made(jobs: Jobs) -> None:
    made = Order("echo", {"a": 1}, lambda: [b"abc"], lambda result: {"ID": result.blobs[0].decode()})
    assert jobs.run(made) == {"ID": "abc"}


def test_run_raises_what_the_task_raised(jobs: Jobs) -> None:
    with pytest.raises(errors.TooLarge, match="too many"):
        jobs.run(order("refuse", error="TooLarge", sentence="too many"))


@pytest.mark.parametrize("where", ["fetch", "finish"])
@pytest.mark.parametrize(
    ("raised", "expected"), [(errors.NotFound("gone"), "gone"), (KeyError("x"), "unexpectedly: KeyError")]
)
def test_failures_around_the_task(jobs: Jobs, where: str, raised: Exception, expected: str) -> None:
    def fail(*_: object) -> NoReturn:
        raise raised

    functions: dict[str, Any] = {"fetch": list, "finish": lambda result: {}, where: fail}
    with pytest.raises(errors.StlError, match=expected) as caught:
        jobs.run(Order("echo", {}, **functions))
    assert isinstance(caught.value, type(raised)) or caught.value.__cause__ is raised
    assert jobs.run(order("echo"))


def test_fetch_is_called_when_the_job_starts_and_options_are_read_after_it(jobs: Jobs) -> None:
    first = blocker(jobs, 0.3)
    options: dict[str, Any] = {}
    states = []

    def fetch() -> list[bytes]:
        states.append(first.state)
        options["late"] = True
        return []

    assert jobs.run(Order("echo", options, fetch, lambda result: result.facts["options"])) == {"late": True}
    assert states == ["Success"]


def test_a_job_goes_through_its_states(jobs: Jobs) -> None:
    seen: list[Any] = []

    def finish(result: Result) -> dict[str, str]:
        seen.append(job.as_json())
        return {"ID": "new"}

    gate = threading.Event()
    job = jobs.submit(Order("echo", {}, lambda: [str(gate.wait(60)).encode()], finish))
    wait_for(lambda: job.state == "Running")
    seen.append(job.as_json())
    gate.set()
    job.ended.wait(60)
    seen.append(job.as_json())
    assert [(s["State"], s["Step"], s["Progress"]) for s in seen] == [
        ("Running", "fetching the file", 0), ("Running", "storing the result", 96), ("Success", "done", 100),
    ]  # fmt: skip
    assert [s["Answer"] for s in seen] == [None, None, {"ID": "new"}]
    last = json.loads(json.dumps(seen[-1]))
    assert last["ID"] == job.id
    assert last["Error"] is None
    assert last["CreationTime"] <= last["StartTime"] <= last["CompletionTime"]
    assert seen[0]["CompletionTime"] is None


def test_pending_has_no_start(jobs: Jobs) -> None:
    blocker(jobs)
    waiting = jobs.submit(order("echo")).as_json()
    assert (waiting["State"], waiting["Progress"], waiting["StartTime"]) == ("Pending", 0, None)


def test_progress_never_goes_back_and_stays_in_range(jobs: Jobs) -> None:
    job = jobs.submit(order("steps", fractions=[0.2, 0.1, 0.9, 7.0, -1.0, 0.5], seconds=0.3))
    seen = [0]
    while not job.ended.wait(0.005):
        seen.append(job.as_json()["Progress"])
    seen.append(job.as_json()["Progress"])
    assert seen == sorted(seen)
    assert {20, 86, 100} <= set(seen)
    assert seen[-1] == 100


def test_progress_goes_on_in_a_long_step(jobs: Jobs) -> None:
    job = jobs.submit(order("sleep", seconds=30))
    wait_for(lambda: job.step == "starting the conversion")
    first = job.as_json()["Progress"]
    wait_for(lambda: job.as_json()["Progress"] >= first + 2)
    assert job.as_json()["Progress"] < 50
    assert job.state == "Running"


def test_the_error_of_a_failed_job(jobs: Jobs) -> None:
    job = jobs.submit(order("refuse", error="OutOfRange", sentence="no ROI of that name"))
    job.ended.wait(60)
    shown = job.as_json()
    assert (shown["State"], shown["Step"], shown["Answer"]) == ("Failure", "failed", None)
    assert shown["Error"] == {
        "Details": "no ROI of that name", "HttpStatus": 400, "Message": "Parameter out of range", "OrthancStatus": 3,
    }  # fmt: skip


def test_listings_do_not_wait_behind_conversions(jobs: Jobs) -> None:
    blocker(jobs)
    waiting = [jobs.submit(order("sleep", seconds=30)) for _ in range(5)]
    jobs.run(order("echo", interactive=True))
    assert {job.state for job in waiting} == {"Pending"}


def test_each_client_has_its_turn(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=1)
    first = blocker(jobs, 0.3)
    done: list[str] = []
    for client in ("greedy",) * 4 + ("modest", "other"):
        jobs.submit(Order("echo", {}, list, lambda result, client=client: done.append(client), client=client))
    wait_for(lambda: len(done) == 6)
    assert first.state == "Success"
    assert done == ["greedy", "modest", "other", "greedy", "greedy", "greedy"]


def test_a_full_queue_says_so_and_listings_still_pass(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(queue_size=2)
    blocker(jobs)
    for _ in range(2):
        jobs.submit(order("echo"))
    with pytest.raises(errors.Busy, match='2 requests are waiting already; the option "QueueSize" allows 2'):
        jobs.submit(order("echo"))
    assert jobs.run(order("echo", interactive=True))
    assert jobs.stats().queued == 2


def test_a_place_is_free_again_after_a_cancel(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(queue_size=1)
    blocker(jobs)
    waiting = jobs.submit(order("echo"))
    jobs.cancel(waiting.id)
    assert waiting.as_json()["State"] == "Cancelled"
    assert waiting.as_json()["StartTime"] is None
    jobs.submit(order("echo"))


def test_jobs_are_known_to_who_submitted_them_and_to_nobody_else(jobs: Jobs) -> None:
    with pytest.raises(errors.NotFound):
        jobs.get("00000000-0000-0000-0000-000000000000")
    with pytest.raises(errors.NotFound):
        jobs.cancel("no such")
    jobs.run(order("echo"))
    assert jobs._unfinished == {}
    assert len(jobs._finished) == 0


def test_finished_jobs_are_remembered_whatever_their_number_and_bounded_in_bytes(
    make_jobs: Callable[..., Jobs],
) -> None:
    jobs = make_jobs(remember_bytes=400_000, queue_size=1000)
    made = [jobs.submit(order("echo", client="one", text="x" * 1000)) for _ in range(150)]
    made[-1].ended.wait(60)
    known = [job for job in made if jobs._finished.get(job.id)]
    assert known == made[-len(known) :]
    assert 400_000 / 6500 < len(known) < 400_000 / 4500
    with pytest.raises(errors.NotFound):
        jobs.get(made[0].id)
    many = make_jobs(queue_size=1000)
    made = [many.submit(order("echo", client="one")) for _ in range(300)]
    made[-1].ended.wait(60)
    assert [many.get(job.id) for job in made] == made


def test_a_finished_job_takes_what_is_counted_for_it() -> None:
    """Without its events and locks, which took half of it."""

    def finished(number: int) -> Job:
        job = Job(order("echo", client="one"), background=True)
        job.start()
        job.open([b""], None)
        job.begin_storing()
        box = [[number - 0.5, 0.25 * number, -3.5], [number + 0.5, 1.0, 3.5]]
        model = {"ID": f"{number} of the models", "Triangles": 1000 * number, "VolumeMl": number / 7, "Extent": box}
        job.succeed({"Path": f"/instances/{number}", "Models": [model | {"Warnings": [f"{number} is doubtful"]}]})
        job.settled()
        return job

    def taken(count: int) -> float:
        tracemalloc.start()
        kept = [finished(number + 100) for number in range(count)]
        gc.collect()
        assert all(job.ended.is_set() for job in kept)
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size / count

    taken(10)
    characters = len(json.dumps(finished(100).as_json()))
    assert taken(300) == pytest.approx(JOB_BYTES + CHARACTER_BYTES * characters, rel=0.25)


def test_finished_jobs_are_kept_for_a_while(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(remember_seconds=2)
    job = jobs.submit(order("echo"))
    job.ended.wait(60)
    assert jobs.get(job.id) is job
    time.sleep(2.1)
    with pytest.raises(errors.NotFound, match="ended long ago"):
        jobs.get(job.id)


def test_a_finished_job_holds_no_files(jobs: Jobs) -> None:
    job = jobs.submit(order("echo", bytes(1000)))
    job.ended.wait(60)
    assert job.order is None


CRASHES: tuple[tuple[str, dict[str, Any]], ...] = (("eat", {"megabytes": 200}), ("leave", {}))


def test_figures_and_the_log_line(make_jobs: Callable[..., Jobs]) -> None:
    finished: list[Job] = []
    jobs = make_jobs(memory_mb=100, on_finished=finished.append)
    jobs.run(order("echo", bytes(2_000_000), client="ward 3"))
    for task, options in CRASHES:
        with pytest.raises(errors.StlError):
            jobs.run(order(task, **options))
    jobs.cancel(blocker(jobs).id)
    stats = jobs.stats()
    assert (stats.jobs, stats.failures, stats.cancelled, stats.queued) == (4, 2, 1, 0)
    assert stats.seconds == pytest.approx(sum(job.seconds for job in finished))
    assert stats.peak_memory == finished[0].peak_memory > 10e6
    lines = [job.summary() for job in finished]
    assert lines[0].startswith("echo of instance for 'ward 3': Success in ")
    assert "2.0 MB in, 2.0 MB out, 0 warnings" in lines[0]
    assert [line.split(": ")[1].split(" in ")[0] for line in lines[1:]] == [
        "Failure (TooLarge)", "Failure (WorkerDied)", "Cancelled (Cancelled)",
    ]  # fmt: skip


def test_forty_clients_at_once(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=2, queue_size=30)
    orders = [order("echo", client=str(n), n=n, interactive=n % 2 == 0) for n in range(40)]
    outcomes = [background(partial(jobs.run, one)) for one in orders]
    wait_for(lambda: all(outcomes))
    assert [outcome[0]["options"]["n"] for outcome in outcomes] == list(range(40))
    assert len(pids_of(jobs)) <= 3


def test_bodies_of_waiting_requests_are_bounded_together(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(held_bytes=100)
    held = replace(order("echo"), size=60)
    blocker(jobs)
    first = jobs.submit(held)
    with pytest.raises(errors.Busy, match='"MaxBodyMB"'):
        jobs.submit(held)
    jobs.submit(order("echo"))
    jobs.cancel(first.id)
    jobs.cancel(jobs.submit(held).id)
    jobs.submit(replace(held, size=100))
