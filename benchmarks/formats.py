"""Files of 300,000 triangles in ten parts: time, size, the peak memory beside it, and the same file asked for again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.measure import forget_peak, resident_megabytes, seconds
from benchmarks.rows import Row
from orthanc_stl.dicom.study_context import read_study_context
from orthanc_stl.formats.encapsulated import encapsulate_parts
from orthanc_stl.formats.registry import WRITERS
from orthanc_stl.model import Model
from testing.phantoms import ball, structure_set
from testing.scenes import many_triangles
from testing.server import OrthancServer

SECONDS = {"glb": 0.3, "3mf": 3.0, "obj.zip": 3.0, "ply": 0.3}
TIMES_THE_FILE = 4.0
AGAIN_MS = 20.0


def formats() -> Iterator[Row]:
    model = many_triangles()
    triangles = sum(len(part.mesh.triangles) for part in model)
    for writer in WRITERS:
        (time,) = seconds(partial(writer.write, model), runs=3)
        limit = SECONDS.get(writer.suffix)
        name = f"{triangles:,} triangles in {len(model)} parts as {writer.suffix}"
        yield Row(f"{name}: time", None, time, "s", f"{limit} s" if limit else "", time <= limit if limit else None)
        command = [sys.executable, "-m", "benchmarks.formats", writer.suffix]
        folder = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
        size, peak = map(float, done.stdout.split())
        yield Row(f"{name}: size", None, size, "MB")
        yield Row(f"{name}: peak memory", None, peak, "MB", "4 x the file", peak <= TIMES_THE_FILE * size)
    yield from _again(model)


def _again(model: Model) -> Iterator[Row]:
    """Of a running Orthanc, on a connection of its own each time."""
    study = read_study_context(structure_set([ball(radius=6, points=24)]))
    parts = encapsulate_parts(model, study=study, references=[study.reference], version="1")
    with OrthancServer() as server:
        uploaded = [server.upload(part) for part in parts]
        series = server.get(f"/instances/{uploaded[0]}").json()["ParentSeries"]
        for suffix in ("glb", "3mf"):
            path = f"/series/{series}/stl/scene.{suffix}"
            size = len(server.get(path, timeout=600).body) / (1 << 20)
            times = []
            for _ in range(30):
                start = perf_counter()
                server.get(path)
                times.append(1000 * (perf_counter() - start))
            middle = median(times)
            name = f"scene.{suffix} of {size:.1f} MB, asked for again"
            yield Row(f"{name}: median", None, middle, "ms", f"{AGAIN_MS:g} ms", middle <= AGAIN_MS)
            yield Row(f"{name}: the slowest of 30", None, max(times), "ms")


def measure(suffix: str) -> None:
    """Prints the MB of a file and of the peak memory while it is written, in a process that has done it before."""
    (writer,) = (writer for writer in WRITERS if writer.suffix == suffix)
    writer.write(many_triangles(rings=8))
    model = many_triangles()
    forget_peak()
    idle = resident_megabytes("VmRSS")
    size = len(writer.write(model)) / (1 << 20)
    print(size, resident_megabytes("VmHWM") - idle)


if __name__ == "__main__":
    measure(sys.argv[1])
