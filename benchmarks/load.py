"""Fifty clients at once: how long they wait, and what Orthanc and its workers have of memory."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator

from benchmarks.rows import Row
from testing.load import CLIENTS, thirds, under_load

SECONDS = float(os.environ.get("ORTHANC_STL_LOAD_SECONDS", "60"))
MOST_WAITING = 20.0  # seconds of a conversion in the queue
SYSTEM = 0.3  # seconds of /system, in 99 of 100 requests


def load() -> Iterator[Row]:
    """Lists, conversions, ranges of a model, jobs and uploads, for a minute."""
    found = under_load(SECONDS)
    name = f"{sum(CLIENTS.values())} clients, {SECONDS:g} s"
    refused = sum(number for (_, status), number in found.statuses.items() if status not in (200, 206))
    yield Row(f"{name}: answers", None, sum(found.statuses.values()), "")
    yield Row(f"{name}: requests that were refused", None, refused, "", "none", refused == 0)
    yield Row(f"{name}: conversions", None, len(found.queued), "")
    yield Row(f"{name}: in the queue, median", None, statistics.median(found.queued), "s")
    longest = max(found.queued)
    yield Row(f"{name}: in the queue, at most", None, longest, "s", f"{MOST_WAITING:g} s", longest <= MOST_WAITING)
    yield Row(f"{name}: /system, median", None, statistics.median(found.system), "s")
    slow = sorted(found.system)[len(found.system) * 99 // 100]
    yield Row(f"{name}: /system, 99 of 100", None, slow, "s", f"{SYSTEM:g} s", slow <= SYSTEM)
    for what, values in (
        ("memory of Orthanc", found.orthanc),
        ("its heap in use", found.in_use),
        ("its heap free", found.free),
        ("memory of its workers", found.workers),
    ):
        first, _, last = thirds(values)
        yield Row(f"{name}: {what}, first third", None, first, "MB")
        yield Row(f"{name}: {what}, last third", None, last, "MB")
