"""Orthanc's side of the processes that it starts: start one, talk to it, end it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from orthanc_stl import errors
from orthanc_stl.engine import wire
from orthanc_stl.engine.executor import Progress, Result, Work
from orthanc_stl.engine.python import environment

PIPE_SIZE = 1 << 20  # the most that Linux gives to ordinary users; a large file then passes in few turns
PATIENCE = 5.0  # seconds for a killed process to be gone
KEEP_SECONDS = 30.0  # that a worker holds a source after the last request for it
KEEP_BYTES = 64 << 20  # of the files of a source that it holds so
# One conversion's numpy needs no threads of its own, each of which would reserve address space and an arena.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class Child:
    """A process of ours with a pipe in and a pipe out, that does not outlive us. Any thread may `kill` it."""

    def __init__(self, python: str, module: str, arguments: Sequence[str]) -> None:
        """Start it; it imports its packages while the caller goes on. Raises OSError."""
        self._lock = threading.Lock()
        # -P: the working folder of Orthanc is no place to import from. faulthandler: a crash names its place in a log.
        command = [python, "-P", "-X", "faulthandler", "-m", module, *arguments]
        # The lifeline: nothing is written to it, and its end closes when this process ends, in whatever way.
        theirs, self._lifeline = os.pipe()
        passed = () if os.name == "nt" else (theirs,)
        try:
            self._process = subprocess.Popen(
                command + [f"--lifeline={fd}" for fd in passed], env=environment(ENVIRONMENT), pass_fds=passed,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(theirs)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin, self.stdout = self._process.stdin, self._process.stdout
        for stream in (self.stdin, self.stdout):
            _enlarge(stream.fileno())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once. Safe from any thread, at any time, more than once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self, grace: float = 0.0) -> str:
        """End it after `grace` seconds, wait for it and free what it held. Returns how it had ended, in words."""
        survive_broken_pipes()
        with self._lock:
            if self._lifeline >= 0:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(grace)
                self.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(PATIENCE)
                for stream in (self.stdin, self.stdout):
                    with contextlib.suppress(OSError):
                        stream.close()
                os.close(self._lifeline)
                self._lifeline = -1
        return describe_exit(self._process.returncode)


def key_of(work: Work) -> str:
    """The key under which a worker keeps the files of the work; empty: it keeps none."""
    if work.file_key or not work.source_key:
        return work.file_key
    return work.source_key if sum(wire.size_of(blob) for blob in work.blobs) <= KEEP_BYTES else ""


class WorkerProcess(Child):
    """A running `engine/worker.py`. One thread talks to it at a time."""

    def __init__(self, python: str, tasks: str, memory_mb: int) -> None:
        self.done = 0
        self.resident = 0
        self.ready = False
        self.usable = True
        self.file_key = ""  # whose files it holds for the next part of the request, or for the next request
        self.keeps_until: float | None = None  # a source that is nobody's any more, on the clock of `time.monotonic`
        self.began = False  # whether it has taken up the work that it was asked for last
        super().__init__(python, "orthanc_stl.engine.worker", [f"--tasks={tasks}", f"--memory-mb={memory_mb}"])

    def perform(self, work: Work, on_progress: Progress) -> Result:
        """Do the work, once it is ready. Raises the task's StlError; EOFError or OSError when the process has ended."""
        survive_broken_pipes()
        self.usable = self.began = False
        key = key_of(work)
        has_files = bool(key) and key == self.file_key
        request = {"task": work.task, "options": work.options, "file_key": key, "has_files": has_files}
        with contextlib.suppress(BrokenPipeError):  # it may have said why before it ended
            wire.send(self.stdin, request, () if has_files else work.blobs)
        self.file_key, self.keeps_until = key, None
        while True:
            header, blobs = wire.receive(self.stdout)
            if header["kind"] == "begun":
                self.began = True
            elif header["kind"] == "progress":
                on_progress(header["fraction"], header["step"])
            else:
                break
        with contextlib.suppress(EOFError):
            idle, _ = wire.receive(self.stdout)
            self.resident, self.done, self.usable = idle["rss"], self.done + 1, True
        if key and not work.file_key:
            self.keeps_until = time.monotonic() + KEEP_SECONDS
        if header["kind"] == "error":
            raise errors.by_name(header["error"])(header["message"])
        return Result(header["facts"], blobs, header["peak"])

    def forget(self) -> None:
        """Have it let go of the files that it holds. Only while it is idle."""
        survive_broken_pipes()
        self.file_key, self.keeps_until = "", None
        with contextlib.suppress(OSError, ValueError):  # it has ended: so have its files
            wire.send(self.stdin, {"forget": True})

    def await_ready(self) -> None:
        """Wait until it has imported its packages. Raises EOFError or OSError when it has ended."""
        if not self.ready:
            wire.receive(self.stdout)
            self.ready = True


def _enlarge(pipe: int) -> None:
    """Give a pipe `PIPE_SIZE`; the system may not let us have it, when this user has many."""
    if sys.platform.startswith("linux"):
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)


def describe_exit(code: int | None) -> str:
    """A process's return code in words."""
    if code is None:
        return "does not end"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    return f"was ended by signal {-code} ({name})"


def survive_broken_pipes() -> None:
    """Writing to a worker that just died must be an error here, not the end of Orthanc by SIGPIPE."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
