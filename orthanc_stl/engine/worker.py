"""The main of a worker process: `python -m orthanc_stl.engine.worker`, started by `engine/process.py`.

Messages come on standard input and go out on what was standard output; file descriptor 1 is then pointed at standard
error, so that nothing a library prints can get between the messages.

A worker never outlives Orthanc, however that ends: when it holds the other end of the lifeline no more, the kernel
kills the worker.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import logging
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from orthanc_stl import errors
from orthanc_stl.engine import memory, wire
from orthanc_stl.engine.executor import Progress

Task = Callable[[dict, Sequence[bytes], Progress], tuple[dict, Sequence[bytes]]]
PROGRESS_INTERVAL = 0.05  # seconds; more messages than that nobody can see


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    detach(options.lifeline)
    incoming, outgoing = take_streams()
    quieten()
    module = importlib.import_module(options.tasks)
    module.preload()
    gc.collect()
    gc.freeze()  # what is imported stays: the collections after each task need not look at it (90 ms each time)
    memory.limit_address_space(options.memory_mb)
    wire.send(outgoing, {"kind": "ready"})
    with contextlib.suppress(EOFError, BrokenPipeError):
        serve(incoming, outgoing, module.TASKS, options.memory_mb)
    return 0


def serve(incoming: BinaryIO, outgoing: BinaryIO, tasks: dict[str, Task], memory_mb: int) -> None:
    """Do one task after the other, until Orthanc closes the pipe (EOFError)."""
    while True:
        try:
            header, blobs = wire.receive(incoming)
        except MemoryError:  # the rest of the message is still in the pipe: nothing to go on with
            wire.send(outgoing, _out_of_memory(memory_mb))
            return
        facts, outputs = perform(tasks, header, blobs, _reporter(outgoing), memory_mb)
        blobs.clear()
        wire.send(outgoing, {**facts, "peak": memory.peak()}, outputs)
        del outputs
        gc.collect()
        memory.give_back()
        wire.send(outgoing, {"kind": "idle", "rss": memory.resident()})


def perform(
    tasks: dict[str, Task], header: dict, blobs: Sequence[bytes], progress: Progress, memory_mb: int
) -> tuple[dict, Sequence[bytes]]:
    """The message that answers a request: the task's result, or its error as a class name and a sentence."""
    try:
        facts, outputs = tasks[header["task"]](header["options"], blobs, progress)
        return {"kind": "result", "facts": facts}, outputs
    except errors.StlError as error:
        return _failure(type(error).__name__, str(error)), ()
    except MemoryError:
        return _out_of_memory(memory_mb), ()
    except Exception as error:
        traceback.print_exc()
        return _failure("StlError", f"The conversion failed unexpectedly: {type(error).__name__}: {error}"), ()


def _out_of_memory(memory_mb: int) -> dict:
    limit = f'needs more than the {memory_mb} MB of the option "WorkerMemoryMB"' if memory_mb else "ran out of memory"
    return _failure("TooLarge", f"The conversion {limit}: ask for a lower Resolution or for less in one model")


def _failure(name: str, sentence: str) -> dict:
    return {"kind": "error", "error": name, "message": sentence}


def _reporter(outgoing: BinaryIO) -> Progress:
    last = 0.0

    def report(fraction: float, step: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_INTERVAL:
            last = now
            wire.send(outgoing, {"kind": "progress", "fraction": float(fraction), "step": step})

    return report


def detach(lifeline: int | None) -> None:
    """Die with Orthanc, by no signal of its terminal, and without a core dump."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, set())  # Orthanc's threads block signals, and we inherit that
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    memory.no_core_dump()
    memory.first_to_kill()
    if lifeline is not None:
        threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()
        _kill_at_hangup(lifeline)


def _watch(lifeline: int) -> None:
    os.read(lifeline, 1)  # nothing is ever written to it: this returns when the other end is closed
    os._exit(1)


def _kill_at_hangup(lifeline: int) -> None:
    """Have the kernel do what `_watch` does: VTK holds the GIL for seconds, and the watching thread needs it."""
    if not sys.platform.startswith("linux"):
        return
    import fcntl

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)  # type: ignore[attr-defined, unused-ignore]
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output as binary streams; afterwards whatever prints goes to standard error."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return incoming, outgoing


def quieten() -> None:
    """No chatter on odd files: it may hold patient data, and Orthanc's log is no place for that."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)


def _options(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="orthanc_stl.engine.worker")
    parser.add_argument("--tasks", default="orthanc_stl.engine.tasks", help="the module that has TASKS and preload()")
    parser.add_argument("--memory-mb", type=int, default=0, help="megabytes that a task may take; 0: no limit")
    parser.add_argument("--lifeline", type=int, help="a pipe that Orthanc holds open as long as it lives")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # nothing is left to tidy, and VTK's destructors take their time
