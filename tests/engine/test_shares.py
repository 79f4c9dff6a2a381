"""Each kind of request and each client has its part, whatever the others ask for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_stl import errors
from orthanc_stl.engine.admission import NEW_CLIENTS, has_place
from orthanc_stl.engine.jobs import Jobs
from tests.engine.conftest import background, order, pool_of, wait_for


class Crowd:
    """Clients that ask again as soon as they have their answer, until the `with` ends."""

    def __init__(self, jobs: Jobs, count: int, **options: Any) -> None:
        self._over = threading.Event()
        self.answers = 0
        self._threads = [threading.Thread(target=self._ask, args=(jobs, f"c{n}", options)) for n in range(count)]

    def _ask(self, jobs: Jobs, client: str, options: Any) -> None:
        while not self._over.is_set():
            jobs.run(order("sleep", client=client, **options))
            self.answers += 1

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        wait_for(lambda: self.answers > len(self._threads))
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("workers", [1, 2])
def test_sixteen_clients_that_list_do_not_keep_a_conversion_waiting(
    make_jobs: Callable[..., Jobs], workers: int
) -> None:
    jobs = make_jobs(workers=workers)
    with Crowd(jobs, 16, interactive=True, seconds=0.02) as crowd:
        for _ in range(5):
            before = crowd.answers
            jobs.run(order("echo"))
            assert crowd.answers - before < 16  # it waits for one listing to end, not for one of each client
        before = crowd.answers
        wait_for(lambda: crowd.answers > before + 16)


def test_sixteen_clients_that_convert_do_not_keep_a_listing_waiting(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=2)
    with Crowd(jobs, 16, seconds=0.1) as crowd:
        for _ in range(5):
            before = crowd.answers
            jobs.run(order("echo", interactive=True))
            assert crowd.answers - before < 16
        before = crowd.answers
        wait_for(lambda: crowd.answers > before + 16)


@pytest.mark.parametrize(("workers", "running"), [(1, 1), (2, 1), (4, 3)])
def test_what_nobody_waits_for_leaves_one_worker(make_jobs: Callable[..., Jobs], workers: int, running: int) -> None:
    """Sets and single conversions of low priority, none of which ends: a person's conversion starts nevertheless."""
    jobs = make_jobs(workers=workers)
    endless = {"number": 0, "seconds": 60}
    for _ in range(workers):
        jobs.submit(replace(order("part", b"1", client="(rules)"), parts=[endless] * 3, low_priority=True))
        jobs.submit(replace(order("sleep", client="(others)", seconds=60), low_priority=True))
    pool = pool_of(jobs)
    wait_for(lambda: len(pool._running) == running)
    if workers > 1:
        answered = background(lambda: [jobs.run(order("echo", client="person")) for _ in range(2)])
        wait_for(lambda: answered)
    assert len(pool._running) == running
    assert sum(jobs._running.values()) == running


def test_what_nobody_waits_for_goes_on_when_a_worker_is_free_again(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(workers=2)
    quick = replace(order("part", b"1"), parts=[{"number": n, "seconds": 0.0} for n in range(5)], low_priority=True)
    submitted = [jobs.submit(replace(quick, client=client, finish=len)) for client in ("(rules)", "(others)")]
    for job in submitted:
        assert job.ended.wait(60)
        assert job.answer == 5


def test_each_of_many_clients_is_served_as_often_as_the_others(make_jobs: Callable[..., Jobs]) -> None:
    """One asks eight times at once, the others once at a time."""
    jobs = make_jobs(workers=1)
    done: list[str] = []
    greedy = [replace(order("echo", client="greedy"), finish=lambda result: done.append("greedy")) for _ in range(30)]
    modest = [replace(order("echo", client=f"m{n}"), finish=lambda result: done.append("modest")) for n in range(9)]
    with Crowd(jobs, 1, seconds=0.2):
        submitted = [jobs.submit(one) for one in (*greedy, *modest)]
        for job in submitted:
            job.ended.wait(60)
    assert done[:10].count("modest") >= 8


def test_one_client_does_not_fill_the_queue(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(queue_size=6)
    jobs.submit(order("sleep", seconds=30, client="greedy"))
    wait_for(lambda: jobs.stats().running == 1)
    for _ in range(3):
        jobs.submit(order("echo", client="greedy"))
    with pytest.raises(errors.Busy, match="3 of them of this client"):
        jobs.submit(order("echo", client="greedy"))
    for number in range(20):
        jobs.submit(order("echo", client=f"modest {number}"))
        if number > 4:
            with pytest.raises(errors.Busy):
                jobs.submit(order("echo", client=f"modest {number}"))


def test_what_nobody_waits_for_is_refused_where_the_queue_is_full_and_takes_no_place(
    make_jobs: Callable[..., Jobs],
) -> None:
    jobs = make_jobs(queue_size=2)
    jobs.submit(order("sleep", seconds=30))
    wait_for(lambda: jobs.stats().running == 1)
    rules = replace(order("echo", client="(rules)"), low_priority=True)
    for _ in range(3):
        jobs.submit(rules)
    for _ in range(2):
        jobs.submit(order("echo"))
    for refused in (rules, order("echo")):
        with pytest.raises(errors.Busy, match="2 requests are waiting already"):
            jobs.submit(refused)


def test_those_who_wait_for_their_answer_are_not_refused_by_the_queue(make_jobs: Callable[..., Jobs]) -> None:
    """They hold a thread of Orthanc each, which bounds them: see tests/rest/test_waiting.py."""
    jobs = make_jobs(queue_size=1)
    threads = [threading.Thread(target=jobs.run, args=[order("echo")]) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert jobs.stats().jobs == 20


def test_one_client_does_not_fill_the_memory_for_bodies(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(held_bytes=100)
    jobs.submit(order("sleep", seconds=30))
    greedy = replace(order("echo", client="greedy"), size=40)
    jobs.submit(greedy)
    with pytest.raises(errors.Busy, match="MaxBodyMB"):
        jobs.submit(greedy)
    jobs.submit(replace(order("echo", client="modest"), size=100))
    with pytest.raises(errors.Busy, match="MaxBodyMB"):
        jobs.submit(replace(order("echo", client="third"), size=100))
    jobs.submit(replace(order("echo", client="third"), size=60))


@given(st.integers(1, 64), st.lists(st.integers(0, 9), max_size=200))
def test_whoever_fills_the_queue_a_new_client_gets_in(places: int, clients: list[int]) -> None:
    waiting: list[int] = []
    for client in clients:
        if has_place(waiting.count(client), len(waiting), places):
            waiting.append(client)
    assert len(waiting) <= places + 10
    assert has_place(0, len(waiting), places)
    assert not has_place(0, places + NEW_CLIENTS, places)


def test_a_listing_has_a_time_limit_of_its_own(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(listing_seconds=0.5)
    with pytest.raises(errors.TimedOut, match='option "ListingSeconds" allows'):
        jobs.run(order("sleep", seconds=30, interactive=True))
    assert jobs.run(order("sleep", seconds=1))
