"""Time as the best of several runs; memory as the peak of a process of its own, above what it needs idle."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

from orthanc_stl.mesh.progress import Progress

RUNS = 5


def seconds(
    *functions: Callable[[], object], runs: int = RUNS, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """The shortest time of each function; they take turns, so that a busy moment of the machine meets them all.

    With `time.process_time`: processor time, of all threads together, which says more on a busy machine.
    """
    best = [float("inf")] * len(functions)
    for _ in range(runs):
        for i, function in enumerate(functions):
            start = clock()
            function()
            best[i] = min(best[i], clock() - start)
    return best


def peak_megabytes(what: str, resolution: int) -> float:
    """The peak memory (MB above idle) of `python -m benchmarks.child WHAT RESOLUTION`."""
    command = [sys.executable, "-m", "benchmarks.child", what, str(resolution)]
    folder = Path(__file__).resolve().parents[1]
    return float(subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600).stdout)


def resident_megabytes(field: str) -> float:
    """`VmRSS` (now) or `VmHWM` (the peak) of this process. Linux only."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return float(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status has no {field}")


def forget_peak() -> None:
    """Makes the present memory the peak (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def _mark(marks: list[tuple[str, float]], fraction: float, step: str) -> None:
    marks.append((step, time.perf_counter()))


def time_steps(run: Callable[[Progress], object], runs: int = 3) -> list[tuple[str, float]]:
    """The steps that `run` reports, each with the shortest time it took."""
    best: dict[str, float] = {}
    for _ in range(runs):
        marks: list[tuple[str, float]] = []
        run(partial(_mark, marks))
        marks.append(("", time.perf_counter()))
        for (step, start), (_, end) in pairwise(marks):
            best[step] = min(best.get(step, float("inf")), end - start)
    return list(best.items())
