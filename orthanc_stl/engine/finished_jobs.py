"""Jobs that ended, remembered for a while so that who began one can ask how it ended."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from typing import NamedTuple

from orthanc_stl.engine.job import Job

# What a job's own objects take, and a character of its JSON: together 3.9 KB for an answer of 600 characters, measured
# with tracemalloc on CPython 3.13.
JOB_BYTES, CHARACTER_BYTES = 2700, 2


class _Ended(NamedTuple):
    job: Job
    when: float
    size: int


class FinishedJobs:
    """Each for `seconds`, whatever their number; the oldest go earlier when all have more than `max_bytes`.

    Not thread-safe.
    """

    def __init__(self, seconds: float, max_bytes: int) -> None:
        self._seconds, self._max_bytes = seconds, max_bytes
        self._jobs: OrderedDict[str, _Ended] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        size = JOB_BYTES + CHARACTER_BYTES * len(json.dumps(job.as_json(), default=repr))
        self._jobs[job.id] = _Ended(job, time.monotonic(), size)
        self._bytes += size
        self._forget_old()

    def get(self, uuid: str) -> Job | None:
        self._forget_old()
        ended = self._jobs.get(uuid)
        return None if ended is None else ended.job

    def _forget_old(self) -> None:
        horizon = time.monotonic() - self._seconds
        while self._jobs:
            oldest = next(iter(self._jobs.values()))
            if oldest.when >= horizon and self._bytes <= self._max_bytes:
                return
            self._jobs.popitem(last=False)
            self._bytes -= oldest.size
