"""The queue of jobs and the threads that run them, in the Orthanc process: the standard library only."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orthanc_stl import errors
from orthanc_stl.engine.executor import Executor, Work
from orthanc_stl.engine.fair_queue import Turns
from orthanc_stl.engine.job import CANCELLED, FAILURE, Job, Order

__all__ = ["Job", "Jobs", "Order", "Stats"]


@dataclass(frozen=True)
class Stats:
    """Figures since the start, on conversions and not on quick listings: `seconds` is the time spent running.

    `peak_memory` is the largest worker's, in bytes.
    """

    jobs: int = 0
    failures: int = 0
    cancelled: int = 0
    queued: int = 0
    running: int = 0
    seconds: float = 0.0
    peak_memory: int = 0


class Jobs:
    """Runs orders on an executor: `workers` at a time, and one more that only takes interactive ones.

    So a listing never waits behind conversions. The executor should have `workers + 1` places.
    `queue_size` bounds what waits, conversions and listings each; `held_bytes` the bodies of all unfinished, 0: no
    limit. `on_finished` is called with each job that ended, on any thread, before those who wait for it go on.
    """

    def __init__(
        self, executor: Executor, *, workers: int = 1, queue_size: int = 32, held_bytes: int = 0,
        timeout_seconds: float = 600, keep_finished: int = 100, keep_seconds: float = 3600,
        on_finished: Callable[[Job], None] | None = None,
    ) -> None:  # fmt: skip
        self._executor, self._workers = executor, workers
        self._queue_size, self._timeout = queue_size, timeout_seconds
        self._held_bytes, self._held = held_bytes, 0
        self._keep_finished, self._keep_seconds = keep_finished, keep_seconds
        self._on_finished = on_finished
        self._changed = threading.Condition()
        self._quick: Turns[Job] = Turns()
        self._long: Turns[Job] = Turns()
        self._threads: list[threading.Thread] = []
        self._known: OrderedDict[str, Job] = OrderedDict()
        self._finished: OrderedDict[str, float] = OrderedDict()
        self._running: set[Job] = set()
        self._figures = {"jobs": 0, "failures": 0, "cancelled": 0, "seconds": 0.0, "peak_memory": 0}
        self._stopped = False

    def run(self, order: Order) -> Any:
        """Submit an order, wait for its end, give its answer. Raises the job's StlError."""
        job = self._enqueue(Job(order), known=False)
        job.ended.wait()
        if job.error is not None:
            raise job.error
        return job.answer

    def submit(self, order: Order) -> Job:
        """Put an order into the queue. Raises Busy when that is full or Orthanc is stopping."""
        return self._enqueue(Job(order), known=True)

    def get(self, uuid: str) -> Job:
        """A job that was submitted. Raises NotFound, also when it ended long ago."""
        with self._changed:
            self._forget_old()
            job = self._known.get(uuid)
        if job is None:
            raise errors.NotFound("There is no such job, or it ended long ago")
        return job

    def cancel(self, uuid: str) -> Job:
        """Cancel a job; it stores nothing. One whose result is being stored, or that is over, stays as it is.

        Raises NotFound.
        """
        job = self.get(uuid)
        if job.cancel():
            with self._changed:
                self._line(job).remove(job.client, job)
            self._settle(job)
        return job

    def stop(self) -> None:
        """Fail what waits, end what runs, within two seconds. No job can be submitted afterwards."""
        with self._changed:
            self._stopped = True
            waiting = self._quick.clear() + self._long.clear()
            self._changed.notify_all()
        for job in waiting:
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
            return Stats(queued=len(self._quick) + len(self._long), running=len(self._running), **self._figures)  # type: ignore[arg-type]

    def _line(self, job: Job) -> Turns[Job]:
        return self._quick if job.interactive else self._long

    def _enqueue(self, job: Job, known: bool) -> Job:
        with self._changed:
            if self._stopped:
                raise _stopping()
            line = self._line(job)
            if len(line) >= self._queue_size:
                full = f'{len(line)} requests are waiting already, as many as the option "QueueSize" allows'
                raise errors.Busy(f"{full}: try again later")
            if self._held_bytes and self._held and self._held + job.size > self._held_bytes:
                raise errors.Busy(
                    f"Requests with {self._held >> 20} MB are being worked on, and together they may have "
                    f'{self._held_bytes >> 20} MB (option "MaxBodyMB"): try again later'
                )
            self._ensure_threads()
            self._held += job.size
            line.put(job.client, job)
            if known:
                self._forget_old()
                self._known[job.id] = job
            self._changed.notify_all()
        return job

    def _ensure_threads(self) -> None:
        for number in range(len(self._threads), self._workers + 1):
            thread = threading.Thread(target=self._work, args=(number == 0,), name=f"stl-job-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _work(self, interactive_only: bool) -> None:
        while True:
            with self._changed:
                lines = [self._quick] if interactive_only else [self._quick, self._long]
                while not self._stopped and not any(lines):
                    self._changed.wait()
                if self._stopped:
                    return
                job = next(line for line in lines if line).take()
                self._running.add(job)
            try:
                self._perform(job)
            finally:
                with self._changed:
                    self._running.discard(job)

    def _perform(self, job: Job) -> None:
        order = job.order
        if order is None or not job.start():
            return
        try:
            self._carry_out(job, order)
        except errors.StlError as error:
            self._fail(job, error)
        except Exception as error:  # whatever happens is this job's failure; the thread goes on
            failure = errors.StlError(f"The request failed unexpectedly: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self._fail(job, failure)

    def _carry_out(self, job: Job, order: Order) -> None:
        blobs = order.fetch()
        job.bytes_in = sum(map(len, blobs))
        job.advance(0.0, "starting the conversion")
        work = Work(order.task, order.options, blobs, self._timeout)
        del blobs
        result = self._executor.run(work, job.advance, job.cancelled)
        del work
        job.bytes_out, job.peak_memory = sum(map(len, result.blobs)), result.peak_memory
        job.warnings = result.facts.get("warnings", 0)
        if job.begin_storing() and job.succeed(order.finish(result)):
            self._settle(job)

    def _fail(self, job: Job, error: errors.StlError) -> None:
        if job.fail(error):
            self._settle(job)

    def _settle(self, job: Job) -> None:
        """A job ended: keep it for a while, count it, tell who wants to know, then who waits for it."""
        with self._changed:
            if job.id in self._known:
                self._finished[job.id] = time.monotonic()
                self._forget_old()
            self._running.discard(job)
            self._held -= job.size
            if not job.interactive:
                self._figures["jobs"] += 1
                self._figures["failures"] += job.state == FAILURE
                self._figures["cancelled"] += job.state == CANCELLED
                self._figures["seconds"] += job.seconds
            self._figures["peak_memory"] = max(self._figures["peak_memory"], job.peak_memory)
        try:
            if self._on_finished is not None:
                self._on_finished(job)
        finally:
            job.ended.set()

    def _forget_old(self) -> None:
        horizon = time.monotonic() - self._keep_seconds
        while self._finished:
            oldest, ended = next(iter(self._finished.items()))
            if len(self._finished) <= self._keep_finished and ended >= horizon:
                return
            del self._finished[oldest]
            self._known.pop(oldest, None)


def _stopping() -> errors.Busy:
    return errors.Busy("Orthanc is stopping")
