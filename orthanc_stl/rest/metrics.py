"""What the plugin tells of itself: one log line for each conversion, and figures in /tools/metrics-prometheus."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from orthanc_stl.engine.job import Job
from orthanc_stl.engine.jobs import Stats
from orthanc_stl.errors import StlError
from orthanc_stl.rest.http.messages import printable


class Figures:
    """`sdk` is Orthanc's module; `stats` gives what the queue counts."""

    def __init__(self, sdk: Any, stats: Callable[[], Stats]):
        self._sdk, self._stats = sdk, stats

    def job_ended(self, job: Job) -> None:
        if not job.interactive:
            self._sdk.LogWarning(printable(job.summary()))
        if type(job.error) is StlError and job.error.__cause__ is not None:  # none of ours: somebody has to see where
            for part in traceback.format_exception(job.error.__cause__):
                for line in part.splitlines():
                    self._sdk.LogError(printable(line))
        self.publish()

    def publish(self) -> None:
        """Orthanc's SDK for Python cannot ask for them, so they are set whenever they change."""
        stats = self._stats()
        values = {
            "conversions": stats.jobs,
            "failures": stats.failures,
            "cancelled": stats.cancelled,
            "seconds": stats.seconds,
            "queue": stats.queued,
            "running": stats.running,
            "peak_memory_mb": stats.peak_memory / 1e6,
        }
        for name, value in values.items():
            self._sdk.SetMetricsValue(f"orthanc_stl_{name}", float(value), self._sdk.MetricsType.DEFAULT)

    def publish_rules(self, waiting: int, made: int, failed: int) -> None:
        """Sources that wait for a rule, and what rules have made and failed at since the start."""
        for name, value in {"waiting": waiting, "made": made, "failed": failed}.items():
            self._sdk.SetMetricsValue(f"orthanc_stl_rules_{name}", float(value), self._sdk.MetricsType.DEFAULT)
