"""An input file of a task that is fetched when it is sent, so that not all of them are in memory together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A file of `size` bytes that `load` gives, each time it is sent to a worker.

    It is called while a message is under way, when there is no place left for an error: it gives exactly `size` bytes
    and raises nothing. What went wrong is for the task to read in those bytes.
    """

    size: int
    load: Callable[[], bytes | bytearray | memoryview]

    def __len__(self) -> int:
        return self.size
