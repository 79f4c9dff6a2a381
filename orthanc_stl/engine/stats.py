"""Figures on jobs since the start, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orthanc_stl.engine.job import CANCELLED, FAILURE, Job


@dataclass(frozen=True)
class Stats:
    """Figures on conversions, not on quick listings: `seconds` is the time spent running.

    `peak_memory` is the largest worker's, in bytes, listings included.
    """

    jobs: int = 0
    failures: int = 0
    cancelled: int = 0
    queued: int = 0
    running: int = 0
    seconds: float = 0.0
    peak_memory: int = 0


class JobCounts:
    """Counts jobs that ended. Not thread-safe."""

    def __init__(self) -> None:
        self._ended = Stats()

    def add(self, job: Job) -> None:
        old = self._ended
        self._ended = replace(old, peak_memory=max(old.peak_memory, job.peak_memory))
        if not job.interactive:
            self._ended = replace(
                self._ended,
                jobs=old.jobs + 1,
                failures=old.failures + (job.state == FAILURE),
                cancelled=old.cancelled + (job.state == CANCELLED),
                seconds=old.seconds + job.seconds,
            )

    def stats(self, queued: int, running: int) -> Stats:
        """With how many wait and run now."""
        return replace(self._ended, queued=queued, running=running)
