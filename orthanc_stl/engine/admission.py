"""Which requests are let into the queue: each client has its share of the places, and of the memory for bodies."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_stl import errors
from orthanc_stl.engine.job import Job

# Clients that are let in with their first request although all places are taken. It bounds what somebody costs who
# makes up a new name for each request.
NEW_CLIENTS = 256


def has_place(own: int, total: int, places: int) -> bool:
    """Whether a client that has `own` of the `total` requests that wait may have one more.

    A client takes at most half of what is free, so that the others always find something (dynamic thresholds,
    Choudhury and Hahne, IEEE/ACM Transactions on Networking 6 (1998) 130-140). One that has none is let in although
    all `places` are taken.
    """
    if own == 0:
        return total < places + NEW_CLIENTS
    return own < places - total


class Admission:
    """`queue_size`: submitted conversions that may wait. `held_bytes`: bodies of all unfinished requests, 0: no limit.

    Clients without a name cannot be told apart, so there is nobody to protect from them: they may fill both.
    Not thread-safe.
    """

    def __init__(self, queue_size: int, held_bytes: int) -> None:
        self._queue_size, self._held_bytes = queue_size, held_bytes
        self._held: dict[str, int] = {}  # bytes of the bodies of each client

    def require_place(self, client: str, waiting: Sequence[str]) -> None:
        """`waiting`: the client of each submitted conversion that waits. Raises Busy."""
        own, total = waiting.count(client), len(waiting)
        if has_place(own, total, self._queue_size) if client else total < self._queue_size:
            return
        whose = f", {own} of them of this client" if client else ""
        waits = f"{total} requests are" if total > 1 else "a request is"
        raise errors.Busy(
            f'{waits} waiting already{whose}; the option "QueueSize" allows {self._queue_size}, and each '
            "client a share of them: try again later"
        )

    def hold(self, job: Job) -> None:
        """Count a request's body. Raises Busy when there is no memory for it.

        A client that holds something takes at most half of what is free; one that does not, up to as much again.
        """
        limit, total, own = self._held_bytes, sum(self._held.values()), self._held.get(job.client, 0)
        allowed = limit - total if not job.client else (limit - total) // 2 if own else 2 * limit - total
        if limit and total and job.size and job.size > allowed:
            raise errors.Busy(
                f"Requests with {total >> 20} MB are being worked on, and together they may have {limit >> 20} MB "
                '(option "MaxBodyMB"), each client a share of them: try again later'
            )
        if job.size:
            self._held[job.client] = own + job.size

    def release(self, job: Job) -> None:
        left = self._held.pop(job.client, 0) - job.size
        if left > 0:
            self._held[job.client] = left
