"""A Nexus model of two million triangles, from the bytes of its STL: time, processor time, memory."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from time import perf_counter

import numpy as np

from benchmarks.rows import Row
from orthanc_stl.formats.nexus_index import read_index
from orthanc_stl.formats.stl import read_stl, stl_bytes
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.nexus.builder import build_nexus
from testing.scenes import sphere

SECONDS = 30.0
RINGS = 708
"""Of a ball: 2,002,224 triangles."""


def nexus() -> Iterator[Row]:
    ball = sphere(100, (0, 0, 0), RINGS)
    bumps = 1 + 0.02 * np.sin(ball.vertices[:, :1] / 5) * np.cos(ball.vertices[:, 1:2] / 7)
    content = stl_bytes(Mesh((ball.vertices * bumps).astype(np.float32), ball.triangles), "a ball with bumps")
    start = perf_counter()
    mesh = read_stl(content)
    read = perf_counter() - start
    start, before = perf_counter(), _processor_seconds()
    model = build_nexus(mesh, lambda fraction, step: None)
    took = perf_counter() - start
    processor = _processor_seconds() - before
    assert read_index(model).triangles >= len(mesh.triangles)
    name = f"Nexus model of {len(mesh.triangles):,} triangles"
    yield Row(f"{name}: reading the STL", None, read, "s")
    yield Row(f"{name}: all together", None, read + took, "s", f"{SECONDS:g} s", read + took <= SECONDS)
    yield Row(f"{name}: processor time of pymeshlab", None, processor, "s")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield Row(f"{name}: peak memory of pymeshlab", None, peak, "MB")
    yield Row(f"{name}: size", None, len(model) / (1 << 20), "MB")


def _processor_seconds() -> float:
    """Of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
