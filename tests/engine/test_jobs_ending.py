"""Jobs that are cancelled, and the end of the queue itself. On real workers."""

from __future__ import annotations

import threading

import pytest

from orthanc_stl import errors
from orthanc_stl.engine.executor import Result
from orthanc_stl.engine.jobs import Jobs, Order
from tests.engine.conftest import background, order, pids_of, runs, wait_for
from tests.engine.test_jobs import blocker


@pytest.mark.parametrize("task", ["sleep", "hold_the_gil"])
def test_cancel_a_running_job_and_store_nothing(jobs: Jobs, task: str) -> None:
    jobs.run(order("echo"))
    stored: list[Result] = []
    job = jobs.submit(Order(task, {"seconds": 30}, list, stored.append))
    wait_for(lambda: job.step == "starting the conversion")
    pids = pids_of(jobs)
    assert jobs.cancel(job.id) is job
    assert job.as_json()["State"] == "Cancelled"
    wait_for(lambda: not any(map(runs, pids)))
    assert jobs.run(order("echo"))
    assert stored == []
    assert job.as_json()["State"] == "Cancelled"


def test_cancelled_while_it_fetches_it_does_not_go_on(jobs: Jobs) -> None:
    fetching, gate = threading.Event(), threading.Event()
    stored: list[Result] = []

    def fetch() -> list[bytes]:
        fetching.set()
        gate.wait(60)
        return [b"file"]

    job = jobs.submit(Order("echo", {}, fetch, stored.append))
    fetching.wait(60)
    jobs.cancel(job.id)
    assert job.ended.is_set()
    gate.set()
    jobs.run(order("echo"))
    assert stored == []


def test_once_it_is_being_stored_a_cancel_comes_too_late(jobs: Jobs) -> None:
    storing, gate = threading.Event(), threading.Event()

    def finish(result: Result) -> dict[str, str]:
        storing.set()
        gate.wait(60)
        return {"ID": "stored"}

    job = jobs.submit(Order("echo", {}, list, finish))
    storing.wait(60)
    assert jobs.cancel(job.id).state == "Running"
    gate.set()
    job.ended.wait(60)
    assert job.as_json()["State"] == "Success"
    assert jobs.cancel(job.id).as_json()["Answer"] == {"ID": "stored"}


def test_who_waits_for_a_cancelled_job_is_told(jobs: Jobs) -> None:
    blocked = blocker(jobs)
    outcome = background(lambda: jobs.run(order("echo")))
    wait_for(lambda: jobs.stats().queued == 1)
    (waiting,) = jobs._conversions.clear()
    assert waiting.job.cancel()
    jobs._settle(waiting.job)
    wait_for(lambda: outcome)
    assert isinstance(outcome[0], errors.Cancelled)
    jobs.cancel(blocked.id)


def test_stop_fails_what_waits_and_ends_what_runs(jobs: Jobs) -> None:
    running = blocker(jobs)
    outcomes = [background(lambda: jobs.run(order("echo"))) for _ in range(3)]
    wait_for(lambda: jobs.stats().queued == 3)
    pids = pids_of(jobs)
    jobs.stop()
    wait_for(lambda: all(outcomes))
    assert {type(outcome[0]) for outcome in outcomes} == {errors.Busy}
    assert isinstance(running.error, errors.Busy)
    assert pids
    assert not any(map(runs, pids))
    assert not [thread for thread in jobs._threads if thread.is_alive()]
    with pytest.raises(errors.Busy, match="stopping"):
        jobs.run(order("echo"))


def test_stop_does_not_wait_for_a_finish_that_hangs(jobs: Jobs) -> None:
    storing, gate = threading.Event(), threading.Event()

    def finish(result: Result) -> bool:
        storing.set()
        return gate.wait(60)

    outcome = background(lambda: jobs.run(Order("echo", {}, list, finish)))
    storing.wait(60)
    jobs.stop()
    wait_for(lambda: outcome)
    assert isinstance(outcome[0], errors.Busy)
    gate.set()
