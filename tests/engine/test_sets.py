"""Requests that are sets of tasks: spread over the workers, gathered in order, on real workers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from orthanc_stl import errors
from orthanc_stl.engine import process
from orthanc_stl.engine.executor import Result
from orthanc_stl.engine.jobs import Jobs, Order
from tests.engine.conftest import background, order, pool_of, resident_mb, wait_for

FILE = bytes(range(256)) * 4000
SUM = sum(FILE)


def order_of(
    parts: Sequence[dict[str, Any]],
    *,
    all_or_none: bool = False,
    client: str = "",
    file: bytes = FILE,
    finish: Callable[[Any], Any] = lambda outcomes: outcomes,
    names: Sequence[str] = (),
    sizes: Sequence[float] = (),
) -> Order:
    parts = [{"number": number, "seconds": 0.0, **part} for number, part in enumerate(parts)]
    return Order(
        "part", {}, lambda: [file], finish, client=client, parts=parts, names=names, sizes=sizes,
        all_or_none=all_or_none,
    )  # fmt: skip


def counted(write: Callable[[bytes], int], sizes: list[int]) -> Callable[[bytes], int]:
    def written(data: bytes) -> int:
        sizes.append(len(data))
        return write(data)

    return written


def test_results_come_in_order_from_all_workers_which_parse_the_file_once(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=2)
    facts = [outcome.facts for outcome in jobs.run(order_of([{"seconds": 0.05}] * 10))]
    assert [one["number"] for one in facts] == list(range(10))
    assert {one["sum"] for one in facts} == {SUM}
    pids = {one["pid"] for one in facts}
    assert len(pids) == 2
    assert sum(one["parsed"] for one in facts) == 2


def test_the_largest_parts_are_begun_first_and_named_while_they_are_at_work(make_jobs: Callable[..., Jobs]) -> None:
    """Results stay in the order of the request."""
    jobs = make_jobs(workers=1)
    parts, names = [{"seconds": 0.3}] * 4, ["Cord", "Lung", "Eye", "Liver"]
    job = jobs.submit(order_of(parts, names=names, sizes=[2, 9, 1, 9], finish=lambda all: [one.facts for one in all]))
    at_work: list[str] = []
    steps = set()
    while job.state in ("Pending", "Running"):
        shown = job.as_json()
        steps.add(shown["Step"])
        at_work += [name for name in shown.get("Parts", {}).get("AtWork", []) if name not in at_work]
    assert at_work == ["Lung", "Liver", "Cord", "Eye"]
    assert "summing up (2 of 4 done: Cord)" in steps
    assert [one["number"] for one in job.answer] == [0, 1, 2, 3]


def test_options_are_the_common_ones_under_those_of_the_part(jobs: Jobs) -> None:
    common = {"size": 3, "seconds": 0.0}
    made = Order("part", common, lambda: [b"\2"], lambda all: [len(one.blobs[0]) for one in all], parts=[
        {"number": 0}, {"number": 1, "size": 5}
    ])  # fmt: skip
    assert jobs.run(made) == [3, 5]


def test_another_request_never_sees_the_files_of_the_one_before(jobs: Jobs) -> None:
    assert jobs.run(order_of([{}, {}], file=b"\1\2"))[1].facts["sum"] == 3
    assert jobs.run(order_of([{}, {}], file=b"\5"))[0].facts == jobs.run(order_of([{}], file=b"\5"))[0].facts
    alone = Order("part", {"number": 0, "seconds": 0.0}, lambda: [b"\7"], lambda result: result.facts["sum"])
    assert [jobs.run(alone), jobs.run(alone)] == [7, 7]


def test_workers_let_go_of_the_files_when_the_request_is_over(jobs: Jobs) -> None:
    (outcome,) = jobs.run(order_of([{}], file=bytes(200 << 20)))
    wait_for(lambda: resident_mb(outcome.facts["pid"]) < 150)
    assert all(worker.file_key == "" for worker in pool_of(jobs)._idle)


def alone(file: bytes, source_key: str) -> Order:
    options = {"number": 0, "seconds": 0.0}
    return Order("part", options, lambda: [file], lambda result: result.facts, source_key=source_key)


def test_requests_that_read_the_same_source_parse_it_once(jobs: Jobs) -> None:
    assert [jobs.run(alone(b"\1\2", "a"))["parsed"] for _ in range(3)] == [1, 0, 0]
    assert jobs.run(alone(b"\5", "b")) | {"pid": 0} == {"number": 0, "sum": 5, "parsed": 1, "pid": 0, "warnings": 1}
    assert jobs.run(alone(b"\7", ""))["sum"] == 7
    assert jobs.run(alone(b"\7", ""))["parsed"] == 1


def test_workers_let_go_of_a_source_that_nobody_asks_for(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "KEEP_SECONDS", 0.1)
    jobs.run(alone(b"\1\2", "a"))
    assert [worker.file_key for worker in pool_of(jobs)._idle] == ["a"]
    wait_for(lambda: [worker.file_key for worker in pool_of(jobs)._idle] == [""])
    assert jobs.run(alone(b"\1\2", "a"))["parsed"] == 1


def test_large_sources_are_not_kept(jobs: Jobs) -> None:
    pid = jobs.run(alone(bytes(process.KEEP_BYTES + (40 << 20)), "a"))["pid"]
    wait_for(lambda: resident_mb(pid) < 90)


@pytest.mark.parametrize("error", ["InvalidInput", "TooLarge", "NotFound"])
@pytest.mark.parametrize("all_or_none", [False, True])
def test_a_part_that_cannot_be_done_stops_no_other(jobs: Jobs, error: str, all_or_none: bool) -> None:
    outcomes = jobs.run(order_of([{}, {"error": error}, {}], all_or_none=all_or_none))
    assert [type(outcome) for outcome in outcomes] == [Result, getattr(errors, error), Result]
    assert str(outcomes[1]) == "this part cannot be done"


@pytest.mark.parametrize("how", [{"signal": signal.SIGKILL}, {"error": "StlError"}])
def test_a_part_whose_worker_dies_or_that_fails_unexpectedly(jobs: Jobs, how: dict[str, Any]) -> None:
    outcomes = jobs.run(order_of([{}, how, {}]))
    assert [type(outcome) for outcome in outcomes] == [Result, type(outcomes[1]), Result]
    assert type(outcomes[1]) is (errors.WorkerDied if "signal" in how else errors.StlError)
    stored: list[Any] = []
    with pytest.raises(type(outcomes[1])):
        jobs.run(order_of([how, {"seconds": 30}, {"seconds": 30}], all_or_none=True, finish=stored.append))
    assert stored == []
    assert jobs.run(order("echo"))


def test_a_part_that_takes_too_long(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(timeout_seconds=2)
    outcomes = jobs.run(order_of([{"seconds": 30}, {}]))
    assert isinstance(outcomes[0], errors.TimedOut)
    assert '"TimeoutSeconds"' in str(outcomes[0])
    assert outcomes[1].facts["number"] == 1


def test_one_cancel_ends_all_parts(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=2)
    jobs.run(order_of([{}, {}]))
    stored: list[Any] = []
    job = jobs.submit(order_of([{"seconds": 30}] * 20, finish=stored.append))
    wait_for(lambda: jobs._running.get(job) == 2)
    jobs.cancel(job.id)
    assert job.as_json()["State"] == "Cancelled"
    wait_for(lambda: not jobs._running)
    assert len(jobs._conversions) == 0
    assert jobs.run(order("echo"))
    assert stored == []


def test_progress_is_that_of_all_parts_and_the_job_shows_how_many_are_done(jobs: Jobs) -> None:
    job = jobs.submit(order_of([{"seconds": 0.2}] * 4))
    seen = []
    while not job.ended.wait(0.005):
        seen.append(job.as_json())
    counts = [shown["Parts"]["Done"] for shown in seen if "Parts" in shown]
    assert counts == sorted(counts)
    assert set(counts) >= {0, 1, 2, 3}
    assert {shown["Parts"]["Count"] for shown in seen if "Parts" in shown} == {4}
    assert [shown["Progress"] for shown in seen] == sorted(shown["Progress"] for shown in seen)
    assert "summing up (2 of 4 done)" in {shown["Step"] for shown in seen}
    assert (job.warnings, job.bytes_in) == (4, len(FILE))
    assert "Parts" not in job.as_json()


def test_another_client_comes_between_two_parts(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=1)
    long = jobs.submit(order_of([{"seconds": 0.2}] * 100, client="greedy"))
    wait_for(lambda: long.state == "Running")
    jobs.run(order("echo", client="modest"))
    assert long.state == "Running"
    jobs.cancel(long.id)


def test_parts_are_read_after_the_files_and_there_may_be_none(jobs: Jobs) -> None:
    parts: list[dict[str, Any]] = []

    def fetch() -> list[bytes]:
        parts.extend({"number": number, "seconds": 0.0} for number in range(3))
        return [b"\1"]

    assert len(jobs.run(Order("part", {}, fetch, lambda outcomes: outcomes, parts=parts))) == 3
    assert jobs.run(Order("part", {}, list, lambda outcomes: outcomes, parts=[])) == []


def test_finish_is_called_once_and_what_it_raises_is_the_jobs_error(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=2)
    calls = []

    def finish(outcomes: list[Any]) -> Any:
        calls.append(threading.get_ident())
        raise outcomes[0]

    with pytest.raises(errors.InvalidInput, match="cannot be done"):
        jobs.run(order_of([{"error": "InvalidInput"}] * 6, finish=finish))
    assert len(calls) == 1


def test_what_is_held_until_all_parts_are_done_is_bounded(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(result_bytes=10 << 20)
    assert len(jobs.run(order_of([{"size": 2 << 20}] * 5))) == 5
    stored: list[Any] = []
    with pytest.raises(errors.TooLarge, match='more than 10 MB together, as many as the option "MaxResultMB" allows'):
        jobs.run(order_of([{"size": 2 << 20}] * 20, finish=stored.append))
    assert stored == []
    assert len(jobs._conversions) == 0


def test_stop_in_the_middle_of_a_set(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=2)
    outcome = background(lambda: jobs.run(order_of([{"seconds": 30}] * 8)))
    wait_for(lambda: list(jobs._running.values()) == [2])
    jobs.stop()
    wait_for(lambda: outcome)
    assert isinstance(outcome[0], errors.Busy)


def test_the_file_goes_to_each_worker_once(make_jobs: Callable[..., Jobs]) -> None:
    """40 parts of a file of 30 MB: sent with each part they would take seconds."""
    jobs = make_jobs(workers=2)
    file = os.urandom(30 << 20)
    jobs.run(order_of([{}], file=file))
    sent: list[int] = []
    pool = pool_of(jobs)
    for worker in pool._idle:
        worker.stdin = type("Counted", (), {
            "write": staticmethod(counted(worker.stdin.write, sent)),
            "flush": worker.stdin.flush, "close": worker.stdin.close, "fileno": worker.stdin.fileno,
        })()  # fmt: skip
    outcomes = jobs.run(order_of([{"seconds": 0.01}] * 40, file=file))
    assert len({outcome.facts["pid"] for outcome in outcomes}) <= 2
    assert sum(sent) < 2 * len(file) + 1_000_000
