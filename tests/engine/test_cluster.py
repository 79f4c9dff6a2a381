"""Conversions on a Dask cluster: a scheduler and two workers, real processes on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_stl import errors
from orthanc_stl.engine.cluster import Cluster
from orthanc_stl.engine.executor import Work
from orthanc_stl.engine.jobs import Jobs, Order
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.sources.registry import SOURCES
from tests.engine.conftest import TASKS, order, perform, runs, wait_for
from tests.engine.dask_cluster import Dask
from tests.sources.test_places import sample

pytest.importorskip("distributed", reason="the tests of the cluster need Dask: pip install distributed")


def pids_of(pool: object) -> list[int]:
    assert isinstance(pool, LocalPool)
    return pool.pids()


class ReportingCluster(Cluster):
    def __init__(self, address: str, python: str, **options: Any) -> None:
        self.reports: list[str] = []
        super().__init__(address, python, report=self.reports.append, **options)


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """For tests that leave it as it was."""
    made = Dask(tmp_path_factory.mktemp("dask"))
    made.wait_for_workers(2)
    yield made
    made.stop()


@pytest.fixture
def cluster_of(tmp_path: Path) -> Iterator[Callable[..., Dask]]:
    with contextlib.ExitStack() as stack:

        def start(workers: int = 2) -> Dask:
            made = Dask(tmp_path, workers)
            stack.callback(made.stop)
            if workers:
                made.wait_for_workers(workers)
            return made

        yield start


@pytest.fixture
def connect(python: str, make_pool: Callable[..., LocalPool]) -> Iterator[Callable[..., ReportingCluster]]:
    made = []

    def to(address: str, fallback: bool = False) -> ReportingCluster:
        pools = make_pool(size=1), make_pool(size=2) if fallback else None
        cluster = ReportingCluster(
            address, python, local=pools[0], fallback=pools[1], memory_mb=200, tasks=TASKS
        )  # fmt: skip
        made.append(cluster)
        return cluster

    yield to
    for cluster in made:
        cluster.stop()


def alive_descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in children for child in file.read_text().split()]


def test_work_limits_errors_progress_and_cancel(shared_cluster: Dask, connect: Callable[..., ReportingCluster]) -> None:
    cluster = connect(shared_cluster.address)
    result = perform(cluster, "echo", b"one", memoryview(b"two"), depth={"ü": 1})
    assert (result.facts["options"], result.blobs) == ({"depth": {"ü": 1}}, [b"one", b"two"])
    there = [pid for worker in shared_cluster.workers for pid in alive_descendants(worker.pid)]
    assert result.facts["pid"] in there
    big = bytes(50 << 20)
    assert perform(cluster, "echo", big).blobs == [big]
    with pytest.raises(errors.ParentMissing, match=r"^no such study$"):
        perform(cluster, "refuse", error="ParentMissing", sentence="no such study")
    with pytest.raises(errors.TooLarge, match="200 MB"):
        perform(cluster, "eat", megabytes=300)
    with pytest.raises(errors.WorkerDied, match="SIGSEGV"):
        perform(cluster, "die", signal=11)
    with pytest.raises(errors.TimedOut, match="longer than the 1 seconds"):
        perform(cluster, "sleep", seconds=30, timeout=1.0)
    seen: list[float] = []
    work = Work("steps", {"fractions": [0.1, 0.5, 0.9]}, [], 30, runs_on_cluster=True)
    cluster.run(work, lambda fraction, step: seen.append(fraction), threading.Event())
    assert seen == [0.1, 0.5, 0.9]
    _cancel_in_the_middle(cluster, shared_cluster)


def _cancel_in_the_middle(cluster: Cluster, dask_cluster: Dask) -> None:
    cancelled = threading.Event()
    pids: list[int] = []

    def cancel() -> None:
        pids.extend(pid for worker in dask_cluster.workers for pid in alive_descendants(worker.pid))
        cancelled.set()

    threading.Timer(1.0, cancel).start()
    work = Work("sleep", {"seconds": 30}, [], 60, runs_on_cluster=True)
    with pytest.raises(errors.Cancelled):
        cluster.run(work, lambda fraction, step: None, cancelled)
    wait_for(lambda: not all(map(runs, pids)))  # the one that slept
    assert perform(cluster, "echo").blobs == []


def test_twenty_conversions_over_both_and_none_is_lost_with_a_worker(
    cluster_of: Callable[..., Dask], connect: Callable[..., ReportingCluster]
) -> None:
    dask_cluster = cluster_of()
    cluster = connect(dask_cluster.address)
    jobs = Jobs(cluster, workers=8, queue_size=20)
    first = [jobs.submit(order("sleep", seconds=0.2)) for _ in range(4)]
    for job in first:
        job.ended.wait(60)
    assert len({job.answer["pid"] for job in first}) == 2
    many = [jobs.submit(order("sleep", seconds=0.5)) for _ in range(20)]
    time.sleep(1.5)
    victim = dask_cluster.workers[0]
    orphans = alive_descendants(victim.pid)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    for job in many:
        job.ended.wait(60)
    assert Counter(job.state for job in many) == {"Success": 20}
    assert len({job.answer["pid"] for job in many}) == 2
    wait_for(lambda: not any(map(runs, orphans)))
    jobs.stop()


def test_the_parts_of_a_set_are_spread_and_their_file_is_parsed_once_by_each_worker(
    shared_cluster: Dask, connect: Callable[..., ReportingCluster]
) -> None:
    cluster = connect(shared_cluster.address)
    jobs = Jobs(cluster, workers=4)
    file = os.urandom(5 << 20)
    # Dask sends a task where the file is when bringing it elsewhere would take as long as the task itself.
    parts = [{"number": number, "seconds": 0.8} for number in range(8)]
    set_of_parts = Order("part", {}, lambda: [file], lambda outcomes: outcomes, parts=parts, runs_on_cluster=True)
    facts = [outcome.facts for outcome in jobs.run(set_of_parts)]
    assert [one["number"] for one in facts] == list(range(8))
    assert {one["sum"] for one in facts} == {sum(file)}
    pids = {one["pid"] for one in facts}
    assert len(pids) == 2
    assert sum(one["parsed"] for one in facts) == 2
    link = cluster._link
    assert link is not None
    wait_for(lambda: not link._sent)
    assert perform(cluster, "part", b"\1", number=0, seconds=0).facts["sum"] == 1
    jobs.stop()


@pytest.mark.slow
def test_every_source_is_converted_there(
    shared_cluster: Dask, python: str, make_pool: Callable[..., LocalPool], tmp_path: Path
) -> None:
    """The same file comes back as from a worker here."""
    here = make_pool(size=1, tasks="orthanc_stl.tasks")
    cluster = Cluster(shared_cluster.address, python, local=here, fallback=None, memory_mb=2000)
    try:
        for source in SOURCES:
            files = [file.read_bytes() for file in sample(source.kind.key, tmp_path)]
            asked: dict[str, dict[str, Any]] = {
                "images": {"Structures": [2]},
                "rtdose": {"Structures": [1], "Levels": [50]},
            }
            request = {"Resolution": 24, "Tolerance": 0, **asked.get(source.kind.key, {"All": True})}
            options: dict[str, Any] = {"Request": request, "Roles": ["source"] * len(files)}
            there = perform(cluster, "scene_file", *files, **options, Suffix="stl")
            local = perform(here, "scene_file", *files, here=True, **options, Suffix="stl")
            assert there.blobs[0] == local.blobs[0], source.kind.key
            assert len(there.blobs[0]) > 84, source.kind.key
    finally:
        cluster.stop()


def test_listings_stay_here(connect: Callable[..., ReportingCluster]) -> None:
    cluster = connect("tcp://127.0.0.1:9")  # nobody is there, and nobody is asked
    assert perform(cluster, "noise", here=True).facts["pid"] in pids_of(cluster._local)


def test_a_cluster_that_is_away_is_a_sentence(connect: Callable[..., ReportingCluster]) -> None:
    cluster = connect("tcp://127.0.0.1:9")
    with pytest.raises(errors.Busy, match=r"The Dask scheduler tcp://127.0.0.1:9 is away.*try again later"):
        perform(cluster, "echo")
    with pytest.raises(errors.Busy):
        perform(cluster, "echo")
    assert len(cluster.reports) == 1
    assert cluster.pids() == []


def test_without_dask_it_says_what_to_install(
    connect: Callable[..., ReportingCluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    cluster = connect("tcp://127.0.0.1:9")
    for _ in range(2):
        with pytest.raises(errors.Busy, match=r'pip install "orthanc-stl\[dask\]"'):
            perform(cluster, "echo")
    assert len(cluster.reports) == 1


def test_away_the_conversions_are_done_here_if_the_configuration_says_so(
    connect: Callable[..., ReportingCluster],
) -> None:
    cluster = connect("tcp://127.0.0.1:9", fallback=True)
    assert perform(cluster, "echo", b"x").blobs == [b"x"]
    assert "away" in cluster.reports[0]


def test_without_workers_it_is_away(cluster_of: Callable[..., Dask], connect: Callable[..., ReportingCluster]) -> None:
    cluster = connect(cluster_of(workers=0).address)
    with pytest.raises(errors.Busy, match="has no workers"):
        perform(cluster, "echo")


def test_a_scheduler_lost_in_the_middle_loses_no_conversion(
    cluster_of: Callable[..., Dask], connect: Callable[..., ReportingCluster]
) -> None:
    dask_cluster = cluster_of(workers=1)
    cluster = connect(dask_cluster.address, fallback=True)
    jobs = Jobs(cluster, workers=2)
    working = [jobs.submit(order("sleep", seconds=2)) for _ in range(2)]
    wait_for(lambda: alive_descendants(dask_cluster.workers[0].pid))
    dask_cluster.scheduler.kill()
    for job in working:
        job.ended.wait(60)
    assert [job.state for job in working] == ["Success", "Success"]
    assert {job.answer["pid"] for job in working} <= set(pids_of(cluster._fallback))
    jobs.stop()


def test_stop_ends_the_client_and_what_waits_for_it(
    shared_cluster: Dask, connect: Callable[..., ReportingCluster]
) -> None:
    cluster = connect(shared_cluster.address)
    perform(cluster, "echo")
    jobs = Jobs(cluster, workers=1)
    job = jobs.submit(order("sleep", seconds=30))
    wait_for(lambda: job.state == "Running")
    time.sleep(0.3)
    (client,) = cluster.pids()
    jobs.stop()
    assert isinstance(job.error, errors.Busy)
    assert not runs(client)
