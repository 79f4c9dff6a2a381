"""The queue of jobs and the threads that run them, in the Orthanc process: the standard library only.

Conversions and listings have a queue each, in which clients take turns. One worker takes listings only, and the others
take conversions first. So each kind always has a part of the workers, whatever is asked for of the other, and takes all
that the other leaves. Conversions of low priority never take the last worker for conversions, unless it is the only
one: so there is one for a person's request, however much arrives by itself and however long each of it takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from orthanc_stl import errors
from orthanc_stl.engine.admission import Admission
from orthanc_stl.engine.executor import Executor, Work
from orthanc_stl.engine.fair_queue import FairQueue
from orthanc_stl.engine.finished_jobs import FinishedJobs
from orthanc_stl.engine.job import PENDING, RUNNING, Job, Order, Outcome
from orthanc_stl.engine.stats import JobCounts, Stats

__all__ = ["Job", "Jobs", "Order", "Outcome", "Stats"]

# As which clients those without a name take turns with the jobs that they do not wait for.
_NAMELESS_CLIENTS = tuple(f"nameless {number}" for number in range(8))


class Task(NamedTuple):
    """One task of a job: which one in the order they are begun. The first one opens the job."""

    job: Job
    number: int


class Jobs:
    """Runs orders on an executor: conversions with `workers` tasks at a time, and listings with one more.

    The executor should have `workers + 1` places. `queue_size` bounds the submitted conversions that wait; those that
    somebody waits for are bounded by what `rest/http/waiting.py` lets in. `held_bytes` bounds the bodies of all
    unfinished requests, 0: no limit. Each client has its share of both (see `Admission`).
    `result_bytes` bounds what the tasks of one request give together, 0: no limit: it is held until all are done.
    `remember_seconds`, `remember_bytes`: see `FinishedJobs`. `on_finished` is called with each job that ended, on any
    thread, before those who wait for it go on.
    """

    def __init__(
        self, executor: Executor, *, workers: int = 1, queue_size: int = 64, held_bytes: int = 0,
        timeout_seconds: float = 600, listing_seconds: float = 30, remember_seconds: float = 3600,
        remember_bytes: int = 64 << 20, result_bytes: int = 0, on_finished: Callable[[Job], None] | None = None,
    ) -> None:  # fmt: skip
        self._executor, self._workers = executor, workers
        self._admission = Admission(queue_size, held_bytes)
        self._timeout_seconds, self._listing_seconds = timeout_seconds, listing_seconds
        self._result_bytes = result_bytes
        self._on_finished = on_finished
        self._changed = threading.Condition()
        self._listings: FairQueue[Task] = FairQueue()
        self._conversions: FairQueue[Task] = FairQueue()
        self._threads: list[threading.Thread] = []
        self._unfinished: dict[str, Job] = {}  # those that can be asked for
        self._finished = FinishedJobs(remember_seconds, remember_bytes)
        self._running: dict[Job, int] = {}  # how many tasks of it run
        self._counts = JobCounts()
        self._stopped = False

    def run(self, order: Order) -> Any:
        """Submit an order, wait for its end, give its answer. Raises the job's StlError."""
        job = self._enqueue(Job(order))
        job.ended.wait()
        if job.error is not None:
            raise job.error
        return job.answer

    def submit(self, order: Order) -> Job:
        """Put an order into the queue. Raises Busy when that is full or Orthanc is stopping."""
        return self._enqueue(Job(order, background=True))

    def get(self, uuid: str) -> Job:
        """A job that was submitted. Raises NotFound, also when it ended long ago."""
        with self._changed:
            job = self._unfinished.get(uuid) or self._finished.get(uuid)
        if job is None:
            raise errors.NotFound("There is no such job, or it ended long ago")
        return job

    def cancel(self, uuid: str) -> Job:
        """Cancel a job; it stores nothing. One whose result is being stored, or that is over, stays as it is.

        Raises NotFound.
        """
        job = self.get(uuid)
        if job.cancel():
            self._settle(job)
        return job

    def stop(self) -> None:
        """Fail what waits, end what runs, within two seconds. No job can be submitted afterwards."""
        with self._changed:
            self._stopped = True
            waiting = self._listings.clear() + self._conversions.clear()
            self._changed.notify_all()
        for job in dict.fromkeys(task.job for task in waiting):
            self._fail(job, _stopping())
        self._executor.stop()
        deadline = time.monotonic() + 1.0
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        for job in list(self._running):  # stuck in a call of Orthanc's that stops as well
            self._fail(job, _stopping())

    def stats(self) -> Stats:
        with self._changed:
            queued = sum(task.job.state == PENDING for queue in self._queues() for task in queue)
            running = sum(job.state == RUNNING for job in self._running)
            return self._counts.stats(queued, running)

    def _queues(self) -> tuple[FairQueue[Task], FairQueue[Task]]:
        return self._listings, self._conversions

    def _enqueue(self, job: Job) -> Job:
        with self._changed:
            if self._stopped:
                raise _stopping()
            if job.background:
                self._admission.require_place("" if job.low_priority else job.client, self._waiting())
            self._admission.hold(job)
            self._start_threads()
            job.turn = self._turn(job)
            if job.background:
                self._unfinished[job.id] = job
            self._put(Task(job, 0))
        return job

    def _waiting(self) -> list[str]:
        """The client of each submitted conversion that waits and has a place: low priority takes none from others."""
        jobs = [task.job for task in self._conversions if task.number == 0]
        return [job.client for job in jobs if job.background and not job.low_priority]

    def _turn(self, job: Job) -> str:
        """Whose turn a job takes.

        Clients without a name cannot be told apart. Of those that wait for their answer each request takes a turn:
        there are no more of them than threads. What nobody waits for counts as that of a few clients.
        """
        if job.client or not job.background:
            return job.client or job.id
        return min(_NAMELESS_CLIENTS, key=self._conversions.count)

    def _put(self, *tasks: Task) -> None:
        for task in tasks:
            (self._listings if task.job.interactive else self._conversions).put(task.job.turn, task)
        self._changed.notify_all()

    def _start_threads(self) -> None:
        for number in range(len(self._threads), self._workers + 1):
            thread = threading.Thread(target=self._work, args=(number == 0,), name=f"stl-job-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _work(self, listings_only: bool) -> None:
        queues = [self._listings] if listings_only else [self._conversions, self._listings]
        while True:
            with self._changed:
                while not self._stopped and (task := self._next(queues)) is None:
                    self._changed.wait()
                if self._stopped:
                    return
                assert task is not None
                self._running[task.job] = self._running.get(task.job, 0) + 1
            try:
                self._perform(task)
            finally:
                self._leave(task.job)

    def _next(self, queues: Sequence[FairQueue[Task]]) -> Task | None:
        low = sum(count for job, count in self._running.items() if job.low_priority)
        all_allowed = low < max(1, self._workers - 1)
        for queue in queues:
            if task := queue.take(lambda one: all_allowed or not one.job.low_priority):
                return task
        return None

    def _perform(self, task: Task) -> None:
        job, number = task
        order = job.order
        if order is None:
            return
        try:
            if number == 0 and not self._open(job, order):
                return
            self._carry_out(job, order, order.begun_at(number))
        except errors.StlError as error:
            self._fail(job, error)
        except Exception as error:  # whatever happens is this job's failure; the thread goes on
            failure = errors.StlError(f"The request failed unexpectedly: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self._fail(job, failure)

    def _open(self, job: Job, order: Order) -> bool:
        """Fetch the files and put the other parts into the queue. False when there is nothing more to do."""
        if not job.start():
            return False
        files = order.fetch()
        count = None if order.parts is None else len(order.parts)
        job.open(files, count)
        if count == 0:
            self._finish(job, order, [])
            return False
        with self._changed:
            if job.state == RUNNING and not self._stopped:
                self._put(*(Task(job, number) for number in range(1, count or 1)))
        return True

    def _carry_out(self, job: Job, order: Order, number: int) -> None:
        work = Work(
            order.task, order.options_of(number), job.files,
            timeout=self._listing_seconds if job.interactive else self._timeout_seconds,
            timeout_option="ListingSeconds" if job.interactive else "TimeoutSeconds",
            file_key="" if order.parts is None else job.id,
            source_key=order.source_key,
            runs_on_cluster=order.runs_on_cluster,
        )  # fmt: skip
        if order.parts is None:
            job.files = ()  # the work alone holds them now, and they are free when it is done

        def advance(fraction: float, step: str) -> None:
            job.advance(fraction, step, number)

        try:
            outcome: Outcome = self._executor.run(work, advance, job.cancelled)
        except errors.StlError as error:
            if order.fails_with(error):
                raise
            outcome = error
        del work
        whole = job.done(number, outcome)
        if self._result_bytes and job.bytes_out > self._result_bytes:
            raise errors.TooLarge(
                f"The models of this request have more than {self._result_bytes >> 20} MB together, as many as the "
                'option "MaxResultMB" allows: ask for less in one request, or for a lower Resolution'
            )
        if whole is not None:
            self._finish(job, order, whole if order.parts is not None else whole[0])

    def _finish(self, job: Job, order: Order, outcome: Outcome | list[Outcome]) -> None:
        if job.begin_storing() and job.succeed(order.finish(outcome)):
            self._settle(job)

    def _fail(self, job: Job, error: errors.StlError) -> None:
        if job.fail(error):
            self._settle(job)

    def _leave(self, job: Job) -> None:
        """A task is over. After the last one of a job that ended, no worker needs its files any more."""
        with self._changed:
            count = self._running.pop(job, 1) - 1
            if count > 0:
                self._running[job] = count
            if job.low_priority:
                self._changed.notify_all()  # another of that kind may run now
            over = count <= 0 and job.has_parts and job.state not in (PENDING, RUNNING)
        if over:
            self._executor.forget(job.id)

    def _settle(self, job: Job) -> None:
        """A job ended: keep it for a while, count it, tell who wants to know, then who waits for it."""
        with self._changed:
            queue = self._listings if job.interactive else self._conversions
            queue.remove_all(job.turn, lambda task: task.job is job)
            if self._unfinished.pop(job.id, None) is not None:
                self._finished.add(job)
            self._admission.release(job)
            self._counts.add(job)
        try:
            if self._on_finished is not None:
                self._on_finished(job)
        finally:
            job.settled()


def _stopping() -> errors.Busy:
    return errors.Busy("Orthanc is stopping")
