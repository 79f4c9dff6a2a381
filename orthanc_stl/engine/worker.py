"""The main of a worker process: `python -m orthanc_stl.engine.worker`, started by `engine/process.py`."""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from orthanc_stl import errors
from orthanc_stl.engine import kept_files, memory, wire
from orthanc_stl.engine.child import LIFELINE, detach, quieten, take_streams
from orthanc_stl.engine.executor import Progress

Task = Callable[[dict[str, Any], Sequence[bytes], Progress], tuple[dict[str, Any], Sequence[bytes]]]
PROGRESS_INTERVAL = 0.05  # seconds; more messages than that nobody can see
MUCH = 64 * memory.MB
"""Bytes: what a worker may hold more than after it last gave memory back, between the parts of a request. Taking the
pages from the system again for each part of a SEG was a fifteenth of its time."""


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


def serve(incoming: IO[bytes], outgoing: IO[bytes], tasks: dict[str, Task], memory_mb: int) -> None:
    """Do one task after the other, until Orthanc closes the pipe (EOFError)."""
    level = memory.resident()
    while True:
        try:
            header, blobs = wire.receive(incoming)
        except MemoryError:  # the rest of the message is still in the pipe: nothing to go on with
            wire.send(outgoing, _out_of_memory(memory_mb))
            return
        if header.get("forget"):
            kept_files.forget()
            level = _free_memory()
            continue
        wire.send(outgoing, {"kind": "begun"})
        files = kept_files.begin(header["file_key"], blobs, header["has_files"])
        del blobs
        facts, outputs = perform(tasks, header, files, _reporter(outgoing), memory_mb)
        del files
        wire.send(outgoing, {**facts, "peak": memory.peak()}, outputs)
        del outputs
        gc.collect()
        if not header["file_key"] or memory.resident() > level + MUCH:
            level = _free_memory()
        wire.send(outgoing, {"kind": "idle", "rss": memory.resident()})


def _free_memory() -> int:
    """Give back to the system what is free. Returns the bytes that this process then holds."""
    gc.collect()
    memory.give_back()
    return memory.resident()


def perform(
    tasks: Mapping[str, Task], header: dict[str, Any], blobs: Sequence[bytes], progress: Progress, memory_mb: int
) -> tuple[dict[str, Any], Sequence[bytes]]:
    """The message that answers a request: the task's result, or its error as a class name and a sentence."""
    try:
        facts, outputs = tasks[header["task"]](header["options"], blobs, progress)
        return {"kind": "result", "facts": facts}, outputs
    except errors.StlError as error:
        return _failure(errors.name_of(error), str(error)), ()
    except MemoryError:
        return _out_of_memory(memory_mb), ()
    except Exception as error:
        traceback.print_exc()
        return _failure("StlError", f"The conversion failed unexpectedly: {type(error).__name__}: {error}"), ()


def _out_of_memory(memory_mb: int) -> dict[str, Any]:
    limit = f'needs more than the {memory_mb} MB of the option "WorkerMemoryMB"' if memory_mb else "ran out of memory"
    return _failure("TooLarge", f"The conversion {limit}: ask for a lower Resolution or for less in one model")


def _failure(name: str, sentence: str) -> dict[str, Any]:
    return {"kind": "error", "error": name, "message": sentence}


def _reporter(outgoing: IO[bytes]) -> Progress:
    last = 0.0

    def report(fraction: float, step: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_INTERVAL:
            last = now
            wire.send(outgoing, {"kind": "progress", "fraction": float(fraction), "step": step})

    return report


def _options(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="orthanc_stl.engine.worker")
    parser.add_argument("--tasks", default="orthanc_stl.tasks", help="the module that has TASKS and preload()")
    parser.add_argument("--memory-mb", type=int, default=0, help="megabytes that a task may take; 0: no limit")
    parser.add_argument("--lifeline", type=int, help=LIFELINE)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # nothing is left to tidy, and VTK's destructors take their time
