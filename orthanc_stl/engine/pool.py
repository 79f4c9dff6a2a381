"""Worker processes on this machine.

As many as configured, each started when first needed and kept warm; one that dies, is killed or has grown is replaced
in the background. A worker does one task at a time, so ending a task is ending its process, and nothing of one request
can harm another.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass

from orthanc_stl import errors
from orthanc_stl.engine.executor import Progress, Result, Work
from orthanc_stl.engine.process import WorkerProcess, key_of

START_SECONDS = 60.0  # for a worker to import its packages: two seconds, more on a busy machine
TICK = 0.05  # seconds between looks at who was cancelled or is over time
IDLE_TICK = 1.0  # the same when nothing runs: only an idle worker's death can be seen then
SPARE_DELAY = 1.0  # seconds: a start takes that much of a processor's time, which short requests have first
MB = 1 << 20


@dataclass
class _Running:
    """What the watchdog looks at, and its reason for having ended the process."""

    worker: WorkerProcess
    cancelled: threading.Event
    deadline: float
    too_long: str
    idle: bool  # the worker was there before the request
    end_reason: errors.StlError | None = None

    def end_if_due(self, now: float) -> None:
        if self.end_reason is not None:
            return
        if self.cancelled.is_set():
            self.end(errors.Cancelled("The conversion was cancelled"))
        elif now >= self.deadline and not self.worker.ready:
            self.end(errors.WorkerDied(f"The process for the conversion did not start in {START_SECONDS:g} seconds"))
        elif now >= self.deadline:
            self.end(errors.TimedOut(self.too_long))

    def end(self, reason: errors.StlError) -> None:
        self.end_reason = reason
        self.worker.kill()


class LocalPool:
    """An `Executor` of `size` processes at most.

    `memory_mb`: what one task may take beyond the imported packages, 0 for no limit. `retire_mb`: a worker that holds
    more than that between tasks is replaced. `spare`: soon after the last idle one was taken, one more is started for
    the next request.
    `tasks`: the module that has `TASKS` and `preload()`.
    """

    def __init__(
        self, python: str, *, size: int = 2, memory_mb: int = 0, retire_mb: int = 512,
        retire_after: int = 1000, spare: bool = False, tasks: str = "orthanc_stl.tasks",
    ) -> None:  # fmt: skip
        self._python, self._tasks = python, tasks
        self._size, self._memory_mb = size, memory_mb
        self._retire_mb, self._retire_after, self._spare = retire_mb, retire_after, spare
        self._changed = threading.Condition()
        self._idle: list[WorkerProcess] = []
        self._running: list[_Running] = []
        self._stopped = False
        self._watchdog: threading.Thread | None = None
        self._spare_due: float | None = None

    def run(self, work: Work, on_progress: Progress, cancelled: threading.Event) -> Result:
        deadline = time.monotonic() + work.timeout
        while True:
            asked = time.monotonic()
            running = self._take(work, cancelled, deadline)
            try:
                running.worker.await_ready()
                if self._spare and not self._idle and self._spare_due is None:
                    self._spare_due = asked + SPARE_DELAY
                running.deadline = time.monotonic() + work.timeout
                result = running.worker.perform(work, on_progress)
            except errors.StlError:
                self._give_back(running)
                raise
            except (EOFError, OSError, ValueError) as error:
                failure = self._clear_away(running)
                if running.idle and not running.worker.began and running.end_reason is None:
                    continue  # it was killed while idle, and its end had not been seen: that is nobody's failed request
                raise failure from error
            except BaseException:
                self._clear_away(running)
                raise
            self._give_back(running)
            return result

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            for running in self._running:
                running.end(_stopping())
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for worker in idle:
            worker.kill()
        for worker in idle:
            worker.close()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=1.5)
        watchdog = self._watchdog
        if watchdog is not None and watchdog is not threading.current_thread():
            watchdog.join(1.0)

    def forget(self, file_key: str) -> None:
        with self._changed:
            for worker in self._idle:
                if worker.file_key == file_key:
                    worker.forget()

    def pids(self) -> list[int]:
        """The process ids of the workers."""
        with self._changed:
            return [worker.pid for worker in self._idle] + [running.worker.pid for running in self._running]

    def _take(self, work: Work, cancelled: threading.Event, deadline: float) -> _Running:
        with self._changed:
            while not self._stopped and not self._idle and len(self._running) >= self._size:
                self._changed.wait(TICK)
                if cancelled.is_set():
                    raise errors.Cancelled("The conversion was cancelled")
                if time.monotonic() >= deadline:
                    raise errors.TimedOut(f"No worker process was free within {work.timeout:g} seconds")
            if self._stopped:
                raise _stopping()
            idle = self._take_idle(key_of(work))
            # The time limit is the conversion's: a worker that it ended at its start would never get warm.
            start = time.monotonic() + START_SECONDS
            running = _Running(idle or self._start(), cancelled, start, work.took_too_long, idle is not None)
            self._running.append(running)
            if self._watchdog is None:
                self._watchdog = threading.Thread(target=self._watch, name="stl-watchdog", daemon=True)
                self._watchdog.start()
            self._changed.notify_all()
            return running

    def _take_idle(self, file_key: str) -> WorkerProcess | None:
        """An idle worker: one that holds the files already; one that holds none; of those, the one used last."""
        self._idle.sort(key=lambda worker: 1 if not worker.file_key else 2 if worker.file_key == file_key else 0)
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            worker.close()
        return None

    def _start(self) -> WorkerProcess:
        try:
            return WorkerProcess(self._python, self._tasks, self._memory_mb)
        except OSError as error:
            raise errors.WorkerDied(f"No worker process could be started with {self._python}: {error}") from error

    def _give_back(self, running: _Running) -> None:
        worker = running.worker
        # What a worker holds for the next part of a request is no growth.
        parts_follow = worker.file_key and worker.keeps_until is None
        grown = (worker.resident > self._retire_mb * MB and not parts_follow) or worker.done >= self._retire_after
        with self._changed:
            self._running.remove(running)
            # Cancelled or over time in the very moment of the end: the watchdog has killed it already.
            spent = running.end_reason is not None or grown or not worker.usable or self._stopped
            if not spent:
                self._idle.append(worker)
            self._changed.notify_all()
        if spent:
            worker.close()
            self._replace()

    def _clear_away(self, running: _Running) -> errors.StlError:
        """Clear away a worker that ended or was ended in its task, start another. Returns what to tell the client."""
        # One that closed its pipe is about to end by itself; how it does is worth the wait.
        how_it_ended = running.worker.close(grace=0.0 if running.end_reason else 1.0)
        with self._changed:
            self._running.remove(running)
            self._changed.notify_all()
        if running.worker.ready:  # one that cannot start would not do so in the background either
            self._replace()
        if running.end_reason is not None:
            return running.end_reason
        if not running.worker.ready:
            at_start = f"{how_it_ended} at its start; standard error says why"
            return errors.WorkerDied(f"The process for the conversion {at_start}")
        hint = ", most likely by the system for want of memory" if "SIGKILL" in how_it_ended else ""
        return errors.WorkerDied(f"The process that did the conversion {how_it_ended}{hint}")

    def _replace(self) -> None:
        """Start a worker that nobody waits for, so that the next request finds it warm."""
        with self._changed, contextlib.suppress(errors.WorkerDied):
            if not self._stopped and len(self._idle) + len(self._running) < self._size:
                self._idle.insert(0, self._start())

    def _watch(self) -> None:
        """The watchdog's thread: ends what is cancelled or over time, starts spare workers, replaces idle dead ones."""
        while True:
            with self._changed:
                if self._stopped and not self._running:
                    return
                now = time.monotonic()
                for running in self._running:
                    running.end_if_due(now)
                for worker in self._idle:
                    if worker.keeps_until is not None and now >= worker.keeps_until:
                        worker.forget()
                dead = [worker for worker in self._idle if not worker.alive]
                self._idle = [worker for worker in self._idle if worker not in dead]
                if self._spare_due is not None and now >= self._spare_due:
                    self._spare_due = None
                    self._replace()
                self._changed.wait(TICK if self._running else IDLE_TICK)
            for worker in dead:
                worker.close()
                self._replace()


def _stopping() -> errors.Busy:
    return errors.Busy("Orthanc is stopping")
