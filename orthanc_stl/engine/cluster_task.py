"""What runs on a Dask worker: it hands a conversion to a worker process of ours beside it.

So a crash, too much memory or a cancel ends that process and not the Dask worker, as on one machine. The processes are
those of `engine/pool.py`, one for each thread of the Dask worker, kept warm.
"""

from __future__ import annotations

import dataclasses
import threading

from distributed import get_worker

from orthanc_stl import __version__, errors
from orthanc_stl.engine.executor import Result, Work
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.engine.python import find_python

_lock = threading.Lock()
_pools: dict[tuple[str, int], LocalPool] = {}
_running: dict[str, threading.Event] = {}


def keep(files: list[bytes]) -> list[bytes]:
    """Files that several calls need: Dask brings them once to each machine, and makes them anew if one is lost."""
    return files


def perform(call: str, topic: str, work: Work, files: list[bytes], tasks: str, memory_mb: int, version: str) -> Result:
    """Do the work on these files; its progress goes to the client that subscribed to `topic`. Raises StlError."""
    if version != __version__:
        raise errors.StlError(f"Orthanc has orthanc-stl {version}, but a worker of the Dask cluster {__version__}")
    worker = get_worker()
    with _lock:
        if (tasks, memory_mb) not in _pools:
            size = max(worker.state.nthreads, 1)
            _pools[tasks, memory_mb] = LocalPool(find_python(), size=size, memory_mb=memory_mb, tasks=tasks)
        pool = _pools[tasks, memory_mb]
        cancelled = _running.setdefault(call, threading.Event())

    def on_progress(fraction: float, step: str) -> None:
        worker.log_event(topic, {"call": call, "fraction": fraction, "step": step})

    try:
        return pool.run(dataclasses.replace(work, blobs=files), on_progress, cancelled)
    finally:
        with _lock:
            _running.pop(call, None)


def forget(file_key: str) -> None:
    """Called on every Dask worker: the processes beside it let go of these files."""
    with _lock:
        pools = list(_pools.values())
    for pool in pools:
        pool.forget(file_key)


def cancel(call: str) -> None:
    """Called on every Dask worker: the one that runs that call ends it."""
    with _lock:
        event = _running.get(call)
    if event is not None:
        event.set()
