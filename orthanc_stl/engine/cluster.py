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
from collections.abc import Callable, Sequence
from typing import Any

from orthanc_stl import errors
from orthanc_stl.engine import wire
from orthanc_stl.engine.executor import Blob, Executor, Progress, Result, Work
from orthanc_stl.engine.process import Child, survive_broken_pipes

TICK = 0.05  # seconds between looks at whether a conversion was cancelled or is over time
RETRY = 10.0  # seconds before a cluster that was away is asked again

Message = tuple[dict[str, Any], list[bytes]]


class ClusterAway(Exception):
    """The cluster cannot be reached, has no workers, or was lost before the result came. Says which, in a sentence.

    `link` is the client process that said so.
    """

    def __init__(self, sentence: str, link: Link | None = None) -> None:
        super().__init__(sentence)
        self.link = link


class Cluster:
    """An `Executor` that sends to the Dask scheduler at `address` what `runs_on_cluster`, and all else to `local`.

    `fallback` does that work while the cluster is away; None: it fails with Busy. `memory_mb` as in LocalPool.
    `report` is told, in a sentence, when the cluster goes away. `tasks`: see LocalPool.
    """

    def __init__(
        self, address: str, python: str, *, local: Executor, fallback: Executor | None, memory_mb: int = 0,
        report: Callable[[str], None] = lambda sentence: None, tasks: str = "orthanc_stl.tasks",
    ) -> None:  # fmt: skip
        self._address, self._python, self._tasks = address, python, tasks
        self._local, self._fallback = local, fallback
        self._memory_mb, self._report = memory_mb, report
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._away: ClusterAway | None = None
        self._away_until = 0.0
        self._stopped = False

    def run(self, work: Work, on_progress: Progress, cancelled: threading.Event) -> Result:
        if not work.runs_on_cluster:
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

    def forget(self, file_key: str) -> None:
        with self._lock:
            link = self._link
        if link is not None:
            link.forget_files(file_key)
        self._local.forget(file_key)
        if self._fallback is not None:
            self._fallback.forget(file_key)

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
                    _raise_if_due(cancelled, deadline, work)
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
        self._sent: set[str] = set()  # keys of the files that it holds
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
        header = {
            "kind": "run", "call": number, "task": work.task, "options": work.options, "timeout": work.timeout,
            "timeout_option": work.timeout_option, "file_key": work.file_key,
        }  # fmt: skip
        with self._writing:
            has_files = work.file_key in self._sent
            if work.file_key:
                self._sent.add(work.file_key)
            self._write({**header, "has_files": has_files}, () if has_files else work.blobs)
        return number, messages

    def cancel(self, number: int) -> None:
        with self._writing:
            self._write({"kind": "cancel", "call": number})

    def forget_files(self, file_key: str) -> None:
        """The cluster need not hold these files any more."""
        with self._writing:
            if file_key in self._sent:
                self._sent.discard(file_key)
                self._write({"kind": "forget", "file_key": file_key})

    def forget(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)

    def close(self) -> None:
        self._child.kill()
        if threading.current_thread() is not self._reader:
            self._reader.join(2.0)

    def _write(self, header: dict[str, Any], blobs: Sequence[Blob] = ()) -> None:
        survive_broken_pipes()
        with contextlib.suppress(OSError, ValueError):  # gone: the reader tells who waits
            wire.send(self._child.stdin, header, blobs)

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


def _raise_if_due(cancelled: threading.Event, deadline: float, work: Work) -> None:
    if cancelled.is_set():
        raise errors.Cancelled("The conversion was cancelled")
    if time.monotonic() >= deadline:
        raise errors.TimedOut(work.took_too_long)
