"""Conversions on a Dask cluster, through the same `Executor` as the local pool. The option "Scheduler".

Dask stays out of the Orthanc process: `engine/cluster_client.py`, one process for all conversions, talks to the
scheduler, and this module talks to that process over pipes. On the cluster, `engine/cluster_task.py` runs each
conversion in a worker process of ours, beside the Dask worker, with the same limits as here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import itertools
import queue
import threading
import time
from collections.abc import Callable

from orthanc_stl import errors
from orthanc_stl.engine import wire
from orthanc_stl.engine.executor import Executor, Progress, Result, Work
from orthanc_stl.engine.process import Child, survive_broken_pipes

# What is worth the way to another machine; listings are answered faster than they would get there.
CONVERSIONS = frozenset(("encode_rtstruct", "encode_nifti", "build_nexus"))
TICK = 0.05  # seconds between looks at whether a conversion was cancelled or is over time
RETRY = 10.0  # seconds before a cluster that was away is asked again

Message = tuple[dict, list[bytes]]


class ClusterAway(Exception):
    """The cluster cannot be reached, has no workers, or was lost before the result came. Says which, in a sentence.

    `link` is the client process that said so.
    """

    def __init__(self, sentence: str, link: Link | None = None) -> None:
        super().__init__(sentence)
        self.link = link


class Cluster:
    """An `Executor` that sends conversions to the Dask scheduler at `address`, and all else to `local`.

    `fallback` does the conversions while the cluster is away; None: they fail with Busy. `memory_mb` as in LocalPool.
    `report` is told, in a sentence, when the cluster goes away. `tasks`: see LocalPool; `conversions`: their names.
    """

    def __init__(
        self, address: str, python: str, *, local: Executor, fallback: Executor | None, memory_mb: int = 0,
        report: Callable[[str], None] = lambda sentence: None, tasks: str = "orthanc_stl.engine.tasks",
        conversions: frozenset[str] = CONVERSIONS,
    ) -> None:  # fmt: skip
        self._address, self._python, self._tasks = address, python, tasks
        self._local, self._fallback = local, fallback
        self._memory_mb, self._report, self._conversions = memory_mb, report, conversions
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._away: ClusterAway | None = None
        self._away_until = 0.0
        self._stopped = False

    def run(self, work: Work, on_progress: Progress, cancelled: threading.Event) -> Result:
        if work.task not in self._conversions:
            return self._local.run(work, on_progress, cancelled)
        deadline = time.monotonic() + work.timeout
        try:
            return self._run_there(self._linked(), work, on_progress, cancelled, deadline)
        except ClusterAway as away:
            self._give_up(away)
            if self._stopped:
                raise errors.Busy("Orthanc is stopping") from away
            if self._fallback is None:
                raise errors.Busy(f"{away}; try again later") from away
            left = dataclasses.replace(work, timeout=max(deadline - time.monotonic(), 1.0))
            return self._fallback.run(left, on_progress, cancelled)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            link, self._link = self._link, None
        if link is not None:
            link.close()
        self._local.stop()
        if self._fallback is not None:
            self._fallback.stop()

    def pids(self) -> list[int]:
        """The process id of the client, if it runs."""
        with self._lock:
            return [] if self._link is None else [self._link.pid]

    def _run_there(
        self, link: Link, work: Work, on_progress: Progress, cancelled: threading.Event, deadline: float
    ) -> Result:
        number, messages = link.call(work)
        try:
            while True:
                try:
                    header, blobs = messages.get(timeout=TICK)
                except queue.Empty:
                    _judge(cancelled, deadline, work.timeout)
                    continue
                if header["kind"] == "progress":
                    on_progress(header["fraction"], header["step"])
                elif header["kind"] == "result":
                    return Result(header["facts"], blobs, header["peak"])
                elif header["kind"] == "error":
                    raise errors.by_name(header["error"])(header["message"])
                else:
                    raise ClusterAway(header["message"], link)
        except (errors.Cancelled, errors.TimedOut):
            link.cancel(number)
            raise
        finally:
            link.forget(number)

    def _linked(self) -> Link:
        """The client process. A new one is started if there is none, and tells later whether it reached the cluster."""
        with self._lock:
            if self._away is not None and time.monotonic() < self._away_until:
                raise self._away
            if self._stopped:
                raise ClusterAway("Orthanc is stopping")
            if self._link is None:
                if importlib.util.find_spec("distributed") is None:
                    raise ClusterAway('The option "Scheduler" needs Dask: pip install "orthanc-stl[dask]"')
                try:
                    self._link = Link(self._python, self._address, self._tasks, self._memory_mb)
                except OSError as error:
                    raise ClusterAway(f"The client of the Dask cluster could not be started: {error}") from error
            return self._link

    def _give_up(self, away: ClusterAway) -> None:
        """Give up the client process, and the cluster for a while. The first to notice reports it."""
        with self._lock:
            if self._stopped or self._away is away or self._link is not away.link:
                return
            self._link = None
            self._away, self._away_until = away, time.monotonic() + RETRY
        if away.link is not None:
            away.link.close()
        self._report(str(away))


class Link:
    """The client process, and who waits for what from it."""

    def __init__(self, python: str, address: str, tasks: str, memory_mb: int) -> None:
        arguments = [f"--scheduler={address}", f"--tasks={tasks}", f"--memory-mb={memory_mb}"]
        self._address = address
        self._child = Child(python, "orthanc_stl.engine.cluster_client", arguments)
        self._numbers = itertools.count()
        self._waiting: dict[int, queue.SimpleQueue[Message]] = {}
        self._lost: str | None = None
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._reader = threading.Thread(target=self._read, name="stl-cluster", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def call(self, work: Work) -> tuple[int, queue.SimpleQueue[Message]]:
        """Send the work. What comes back, in the end a result, an error or "away", is put into the queue."""
        messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = messages
            if self._lost is not None:
                messages.put(({"kind": "away", "message": self._lost}, []))
                return number, messages
        header = {"kind": "run", "call": number, "task": work.task, "options": work.options, "timeout": work.timeout}
        self._send(header, work)
        return number, messages

    def cancel(self, number: int) -> None:
        self._send({"kind": "cancel", "call": number})

    def forget(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)

    def close(self) -> None:
        self._child.kill()
        if threading.current_thread() is not self._reader:
            self._reader.join(2.0)

    def _send(self, header: dict, work: Work | None = None) -> None:
        survive_broken_pipes()
        with self._writing, contextlib.suppress(OSError, ValueError):  # gone: the reader tells who waits
            wire.send(self._child.stdin, header, work.blobs if work else ())

    def _read(self) -> None:
        reason = f"The Dask scheduler {self._address} was lost"
        try:
            while True:
                header, blobs = wire.receive(self._child.stdout)
                if header["kind"] == "away":
                    reason = header["message"]
                    break
                with self._lock:
                    messages = self._waiting.get(header["call"])
                if messages is not None:
                    messages.put((header, blobs))
        except (EOFError, OSError, ValueError):
            reason = f"{reason}: its client {self._child.close(grace=1.0)}"
        with self._lock:
            self._lost = reason
            waiting = list(self._waiting.values())
        for messages in waiting:
            messages.put(({"kind": "away", "message": reason}, []))
        self._child.close()


def _judge(cancelled: threading.Event, deadline: float, timeout: float) -> None:
    if cancelled.is_set():
        raise errors.Cancelled("The conversion was cancelled")
    if time.monotonic() >= deadline:
        limit = f'the {timeout:g} seconds that the option "TimeoutSeconds" allows'
        raise errors.TimedOut(f"The conversion took longer than {limit}")
