"""How many requests may wait for a job at once.

Each holds one of Orthanc's HTTP threads ("HttpThreadsCount", 50 by default). If all were waiting for conversions,
nobody could look at an image: so some are left for Orthanc's own routes, and some for quick listings.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from orthanc_stl import errors

# Of the HTTP threads: conversions may hold 70 %, and all that waits 90 %.
CONVERSIONS, ALL = 0.7, 0.9


class Waiting:
    def __init__(self, http_threads: int):
        self._all = threading.Semaphore(max(1, int(http_threads * ALL)))
        self._conversions = threading.Semaphore(max(1, int(http_threads * CONVERSIONS)))

    @contextmanager
    def place(self, *, interactive: bool) -> Iterator[None]:
        """For as long as a request waits. Raises `Busy` when there is no place."""
        if interactive:
            with _held(self._all):
                yield
        else:
            with _held(self._conversions), _held(self._all):
                yield


@contextmanager
def _held(places: threading.Semaphore) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise errors.Busy(
            "So many requests wait already that Orthanc would have no thread left for others: try again later, or use "
            '"Asynchronous": true'
        )
    try:
        yield
    finally:
        places.release()
