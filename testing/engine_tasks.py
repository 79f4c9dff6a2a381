"""Tasks of the engine's tests and benchmarks, run in real worker processes: each is one of the things that go wrong."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from orthanc_stl import errors
from orthanc_stl.engine import kept_files
from orthanc_stl.mesh.progress import Progress

Outcome = tuple[dict[str, Any], list[bytes]]


def preload() -> None:
    """Nothing: these tests want processes that start fast."""


def echo(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    return {"options": options, "pid": os.getpid()}, [bytes(blob) for blob in blobs]


def steps(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    for fraction in options["fractions"]:
        progress(fraction, f"at {fraction}")
        time.sleep(options.get("seconds", 0.06))
    return {}, []


def sleep(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    time.sleep(options["seconds"])
    return {"pid": os.getpid()}, []


def hold_the_gil(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """As VTK does: seconds in C without letting another thread of Python run."""
    ctypes.PyDLL(None).usleep(int(options["seconds"] * 1e6))
    return {}, []


def die(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    os.kill(os.getpid(), options["signal"])
    time.sleep(30)
    return {}, []


def leave(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> NoReturn:
    """End the process; a file named by the option `note` says how often that was asked for."""
    if "note" in options:
        with open(options["note"], "a") as note:
            note.write("left\n")
    os._exit(3)


def segfault(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    ctypes.string_at(8)
    return {}, []


def eat(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Take that many megabytes, in touched pages."""
    data = bytearray(options["megabytes"] << 20)
    for page in range(0, len(data), 4096):
        data[page] = 1
    return {"bytes": len(data)}, []


KEPT: list[bytes] = []


def keep(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Grow for good, as a leak does."""
    KEPT.append(bytes(options["megabytes"] << 20).replace(b"\0\0", b"\1\1"))
    return {"pid": os.getpid()}, []


def let_go(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Takes so many MB in small pieces and lets go of all but the last: malloc does not give them back by itself."""
    pieces = [bytes(1000) for _ in range(options["mb"] * 1000)]
    KEPT.append(pieces.pop())
    return {}, []


def noise(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Print from Python and from C, where messages used to be."""
    print("python speaks", flush=True)
    os.write(1, b"the descriptor speaks\n")
    libc = ctypes.CDLL(None)
    libc.printf(b"C speaks\n")
    libc.fflush(None)
    return {"pid": os.getpid()}, []


def refuse(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> NoReturn:
    raise getattr(errors, options["error"])(options["sentence"])


def bug(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Any:
    return [][0]


def ignore_signals(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(options["seconds"])
    return {}, []


def part(options: dict[str, Any], blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Sum of the bytes of a file, which is parsed once for all parts of a request. Or one of the things that fail."""
    parsed = []

    def parse() -> int:
        parsed.append(True)
        return sum(blobs[0])

    total = kept_files.once("sum", parse)
    progress(0.5, "summing up")
    if "error" in options:
        raise getattr(errors, options["error"])("this part cannot be done")
    if "signal" in options:
        os.kill(os.getpid(), options["signal"])
    time.sleep(options["seconds"])
    return {"number": options["number"], "sum": total, "parsed": len(parsed), "pid": os.getpid(), "warnings": 1}, [
        bytes(options.get("size", 0))
    ]


ALL = (
    echo,
    steps,
    sleep,
    hold_the_gil,
    die,
    leave,
    segfault,
    eat,
    keep,
    let_go,
    noise,
    refuse,
    bug,
    ignore_signals,
    part,
)
TASKS = {function.__name__: function for function in ALL}
