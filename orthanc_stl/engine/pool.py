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
from orthanc_stl.engine.process import WorkerProcess

START_SECONDS = 60.0  # for a worker to import its packages: two seconds, more on a busy machine
TICK = 0.05  # seconds between looks at who was cancelled or is over time
IDLE_TICK = 1.0  # the same when nothing runs: only an idle worker's death can be seen then
MB = 1 << 20


@dataclass
class _Running:
    """What the guard looks at, and its reason for having ended the process."""

    worker: WorkerProcess
    cancelled: threading.Event
    deadline: float
    timeout: float
    idle: bool  # the worker was there before the request
    verdict: errors.StlError | None = None

    def judge(self, now: float) -> None:
        if self.verdict is not None:
            return
        if self.cancelled.is_set():
            self.end(errors.Cancelled("The conversion was cancelled"))
        elif now >= self.deadline and not self.worker.ready:
            self.end(errors.WorkerDied(f"The process for the conversion did not start in {START_SECONDS:g} seconds"))
        elif now >= self.deadline:
            limit = f'the {self.timeout:g} seconds that the option "TimeoutSeconds" allows'
            self.end(errors.TimedOut(f"The conversion took longer than {limit}"))

    def end(self, verdict: errors.StlError) -> None:
        self.verdict = verdict
        self.worker.kill()


class LocalPool:
    """An `Executor` of `size` processes at most.

    `memory_mb`: what one task may take beyond the imported packages, 0 for no limit. `retire_mb`: a worker that holds
    more than that between tasks is replaced. `spare`: when all are busy, one more is started for the next request.
    `tasks`: the module that has `TASKS` and `preload()`.
    """

    def __init__(
        self, python: str, *, size: int = 2, memory_mb: int = 0, retire_mb: int = 512,
        retire_after: int = 1000, spare: bool = False, tasks: str = "orthanc_stl.engine.tasks",
    ) -> None:  # fmt: skip
        self._python, self._tasks = python, tasks
        self._size, self._memory_mb = size, memory_mb
        self._retire_mb, self._retire_after, self._spare = retire_mb, retire_after, spare
        self._changed = threading.Condition()
        self._idle: list[WorkerProcess] = []
        self._running: list[_Running] = []
        self._stopped = False
        self._guard: threading.Thread | None = None

    def run(self, work: Work, on_progress: Progress, cancelled: threading.Event) -> Result:
        deadline = time.monotonic() + work.timeout
        while True:
            running = self._take(cancelled, deadline, work.timeout)
            try:
                running.worker.await_ready()
                if self._spare and not self._idle:
                    self._replace()
                running.deadline = time.monotonic() + work.timeout
                result = running.worker.perform(work, on_progress)
            except errors.StlError:
                self._give_back(running)
                raise
            except (EOFError, OSError, ValueError) as error:
                failure = self._bury(running)
                if running.idle and not running.worker.began and running.verdict is None:
                    continue  # it was killed while idle, and its end had not been seen: that is nobody's failed request
                raise failure from error
            except BaseException:
                self._bury(running)
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
        guard = self._guard
        if guard is not None and guard is not threading.current_thread():
            guard.join(1.0)

    def pids(self) -> list[int]:
        """The process ids of the workers."""
        with self._changed:
            return [worker.pid for worker in self._idle] + [running.worker.pid for running in self._running]

    def _take(self, cancelled: threading.Event, deadline: float, timeout: float) -> _Running:
        with self._changed:
            while not self._stopped and not self._idle and len(self._running) >= self._size:
                self._changed.wait(TICK)
                if cancelled.is_set():
                    raise errors.Cancelled("The conversion was cancelled")
                if time.monotonic() >= deadline:
                    raise errors.TimedOut(f"No worker process was free within {timeout:g} seconds")
            if self._stopped:
                raise _stopping()
            idle = self._living()
            # The time limit is the conversion's: a worker that it ended at its start would never get warm.
            start = time.monotonic() + START_SECONDS
            running = _Running(idle or self._start(), cancelled, start, timeout, idle is not None)
            self._running.append(running)
            if self._guard is None:
                self._guard = threading.Thread(target=self._watch, name="stl-guard", daemon=True)
                self._guard.start()
            self._changed.notify_all()
            return running

    def _living(self) -> WorkerProcess | None:
        """An idle worker, the one used last first: the others' memory may rest."""
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
        grown = worker.resident > self._retire_mb * MB or worker.done >= self._retire_after
        with self._changed:
            self._running.remove(running)
            # Cancelled or over time in the very moment of the end: the guard has killed it already.
            spent = running.verdict is not None or grown or not worker.usable or self._stopped
            if not spent:
                self._idle.append(worker)
            self._changed.notify_all()
        if spent:
            worker.close()
            self._replace()

    def _bury(self, running: _Running) -> errors.StlError:
        """Clear away a worker that ended or was ended in its task, start another. Returns what to tell the client."""
        # One that closed its pipe is about to end by itself; how it does is worth the wait.
        manner = running.worker.close(grace=0.0 if running.verdict else 1.0)
        with self._changed:
            self._running.remove(running)
            self._changed.notify_all()
        if running.worker.ready:  # one that cannot start would not do so in the background either
            self._replace()
        if running.verdict is not None:
            return running.verdict
        if not running.worker.ready:
            return errors.WorkerDied(f"The process for the conversion {manner} at its start; standard error says why")
        hint = ", most likely by the system for want of memory" if "SIGKILL" in manner else ""
        return errors.WorkerDied(f"The process that did the conversion {manner}{hint}")

    def _replace(self) -> None:
        """Start a worker that nobody waits for, so that the next request finds it warm."""
        with self._changed, contextlib.suppress(errors.WorkerDied):
            if not self._stopped and len(self._idle) + len(self._running) < self._size:
                self._idle.insert(0, self._start())

    def _watch(self) -> None:
        """The guard's thread: ends what is cancelled or over time, and replaces idle workers that died."""
        while True:
            with self._changed:
                if self._stopped and not self._running:
                    return
                now = time.monotonic()
                for running in self._running:
                    running.judge(now)
                dead = [worker for worker in self._idle if not worker.alive]
                self._idle = [worker for worker in self._idle if worker not in dead]
                self._changed.wait(TICK if self._running else IDLE_TICK)
            for worker in dead:
                worker.close()
                self._replace()


def _stopping() -> errors.Busy:
    return errors.Busy("Orthanc is stopping")
