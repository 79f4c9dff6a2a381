"""How many requests may hold one of Orthanc's HTTP threads ("HttpThreadsCount", 50 by default) at once.

If all were held by requests of this plugin, nobody could look at an image: so some are always left for Orthanc's own
routes, of the others some for what is quick, and a client that has a name gets no more than its share.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from orthanc_stl import errors
from orthanc_stl.engine.admission import has_place


class Use(IntEnum):
    """What a thread is held for. The higher, the more of the threads may be taken for it and those below together."""

    CONVERSION = 0  # seconds to minutes
    LISTING = 1  # and models that are read: up to seconds
    ANY = 2  # all requests


# Percent of the HTTP threads.
_PERCENT = {Use.CONVERSION: 70, Use.LISTING: 80, Use.ANY: 90}

# Seconds that what is quick waits for a place that others leave in a moment. Conversions do not wait here.
PATIENCE = 2.0


class Waiting:
    def __init__(self, http_threads: int, patience: float = PATIENCE) -> None:
        self._places = {use: max(1, http_threads * percent // 100) for use, percent in _PERCENT.items()}
        self._patience = patience
        self._changed = threading.Condition()
        self._held = {use: Counter[str]() for use in Use}

    @contextmanager
    def place(self, use: Use, client: str = "") -> Iterator[None]:
        """For as long as a request takes. Raises `Busy` when there is no place.

        A conversion or a listing has a place for `ANY` as well: the one that every request has from its beginning.
        """
        self._take(use, client)
        try:
            yield
        finally:
            with self._changed:
                for one in _counted_as(use):
                    self._held[one][client] -= 1
                    if not self._held[one][client]:
                        del self._held[one][client]
                self._changed.notify_all()

    def _take(self, use: Use, client: str) -> None:
        patience = 0.0 if use is Use.CONVERSION else self._patience
        with self._changed:
            free = self._changed.wait_for(
                lambda: all(self._is_free(one, use, client) for one in _counted_as(use)), patience
            )
            if not free:
                raise errors.Busy(
                    "So many requests wait already that Orthanc would have no thread left for others: try again later, "
                    'or use "Asynchronous": true'
                )
            for one in _counted_as(use):
                self._held[one][client] += 1

    def _is_free(self, one: Use, use: Use, client: str) -> bool:
        held, places = self._held[one], self._places[one]
        if not client or one is not use or use is Use.ANY:
            return held.total() < places
        if held[client]:
            return has_place(held[client], held.total(), places)
        return held.total() < self._places[Use.LISTING]  # its first one takes what is left for what is quick


def _counted_as(use: Use) -> tuple[Use, ...]:
    return (Use.CONVERSION, Use.LISTING) if use is Use.CONVERSION else (use,)
