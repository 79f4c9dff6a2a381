"""What runs a task: a pool of processes on this machine, or a cluster. Both look like `Executor`.

Imported in the Orthanc process: the standard library only.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from orthanc_stl.engine.pieces import Piece
from orthanc_stl.mesh.progress import Progress

__all__ = ["Blob", "Executor", "Piece", "Progress", "Result", "Work"]

Blob = bytes | bytearray | memoryview | Piece


@dataclass(frozen=True)
class Work:
    """One task of `orthanc_stl/tasks/`: its options (JSON), its input files, and the seconds that it may take.

    `timeout_option`: the option of the configuration that sets those seconds, named to who waited for too long.
    `file_key`: the same for all works that have the same files; a worker that had them once is not sent them again,
    until `Executor.forget` is called with that key. Empty: the files are this work's alone.
    `source_key`: the same for requests that read the same files in the same way, which often follow each other, as for
    the structures of a scene: a worker of this machine keeps them, and what it made of them, for some seconds more.
    `runs_on_cluster`: it is worth the way to another machine. What is quick is answered faster than it would get there.
    """

    task: str
    options: dict[str, Any]
    blobs: Sequence[Blob]
    timeout: float
    timeout_option: str = "TimeoutSeconds"
    file_key: str = ""
    source_key: str = ""
    runs_on_cluster: bool = False

    @property
    def took_too_long(self) -> str:
        limit = f'the {self.timeout:g} seconds that the option "{self.timeout_option}" allows'
        return f"The {'conversion' if self.timeout_option == 'TimeoutSeconds' else 'request'} took longer than {limit}"


@dataclass(frozen=True)
class Result:
    """What the task gave back. `peak_memory`: the worker's largest resident size so far, in bytes; 0 if unknown."""

    facts: dict[str, Any]
    blobs: list[bytes] = field(default_factory=list)
    peak_memory: int = 0


class Executor(Protocol):
    def run(self, work: Work, on_progress: Progress, cancelled: threading.Event) -> Result:
        """Do the work and wait for it.

        Raises the task's own StlError; TimedOut, WorkerDied, Cancelled (within a second of `cancelled` being set),
        Busy when stopped.
        """

    def forget(self, file_key: str) -> None:
        """No further work has that `file_key`: what workers hold of its files is let go."""

    def stop(self) -> None:
        """End every process at once. What runs raises Busy; nothing can be run afterwards. May be called twice."""
