"""What the plugin tells of itself: one log line for each conversion, and figures in /tools/metrics-prometheus."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any

from orthanc_stl.engine.job import FAILURE, Job
from orthanc_stl.engine.jobs import Stats
from orthanc_stl.errors import StlError


class Figures:
    """`sdk` is Orthanc's module; `stats` gives what the queue counts."""

    def __init__(self, sdk: Any, stats: Callable[[], Stats]):
        self._sdk, self._stats = sdk, stats
        self._lock = threading.Lock()
        self._conversions = self._failures = 0
        self._seconds = 0.0

    def job_ended(self, job: Job) -> None:
        if not job.interactive:
            self._sdk.LogWarning(printable(job.summary()))
            with self._lock:
                self._conversions += 1
                self._failures += job.state == FAILURE
                self._seconds += job.seconds
        if type(job.error) is StlError and job.error.__cause__ is not None:  # none of ours: somebody has to see where
            for part in traceback.format_exception(job.error.__cause__):
                for line in part.splitlines():
                    self._sdk.LogError(printable(line))
        self.publish()

    def publish(self) -> None:
        """Orthanc's SDK for Python cannot ask for them, so they are set whenever they change."""
        stats = self._stats()
        values = {
            "conversions": self._conversions,
            "failures": self._failures,
            "seconds": self._seconds,
            "queue": stats.queued,
            "running": stats.running,
            "peak_memory_mb": stats.peak_memory / 1e6,
        }
        for name, value in values.items():
            self._sdk.SetMetricsValue(f"orthanc_stl_{name}", float(value), self._sdk.MetricsType.DEFAULT)


def printable(line: str) -> str:
    """On one line, and in characters that Orthanc's log takes, whatever a client has put into it."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
