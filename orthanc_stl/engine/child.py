"""What each process that Orthanc starts does first.

Messages come on standard input and go out on what was standard output; file descriptor 1 is then pointed at standard
error, so that nothing a library prints can get between the messages.

Such a process never outlives Orthanc, however that ends: when Orthanc holds the other end of the lifeline no more, the
kernel kills it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from typing import IO

from orthanc_stl.engine import memory

LIFELINE = "a pipe that Orthanc holds open as long as it lives"


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


def take_streams() -> tuple[IO[bytes], IO[bytes]]:
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
