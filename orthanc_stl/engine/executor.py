"""What runs a conversion: a pool of processes on this machine, or a cluster. Both look like `Executor`.

Imported in the Orthanc process: the standard library only.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orthanc_stl.engine.pieces import Piece
from orthanc_stl.mesh.progress import Progress

__all__ = ["Blob", "Executor", "Piece", "Progress", "Result", "Work"]

Blob = bytes | bytearray | memoryview | Piece


@dataclass(frozen=True)
class Work:
    """One task of `engine/tasks.py`: its options (JSON), its input files, and the seconds that it may take."""

    task: str
    options: dict
    blobs: Sequence[Blob]
    timeout: float


@dataclass(frozen=True)
class Result:
    """What the task gave back. `peak_memory`: the worker's largest resident size so far, in bytes; 0 if unknown."""

    facts: dict
    blobs: list[bytes] = field(default_factory=list)
    peak_memory: int = 0


class Executor(Protocol):
    def run(self, work: Work, on_progress: Progress, cancelled: threading.Event) -> Result:
        """Do the work and wait for it.

        Raises the task's own StlError; TimedOut, WorkerDied, Cancelled (within a second of `cancelled` being set),
        Busy when stopped.
        """

    def stop(self) -> None:
        """End every process at once. What runs raises Busy; nothing can be run afterwards. May be called twice."""
