"""NIfTI to STL: masks made here, against the original's own steps and the figures to reach.

The original's steps begin with the voxels: reading the file and finding half of its range are not counted, in its
favour.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter, process_time

import numpy as np

from benchmarks.measure import forget_peak, resident_megabytes, seconds
from benchmarks.rows import Row
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.volumes.build import surface_from_volume
from orthanc_stl.sources.nifti_file import read_nifti
from testing.nifti_phantoms import ball_mask, nifti_file
from testing.original import INSIDE, Slices, original_stl

BALLS = (
    # radius and voxels (mm), Resolution, mean distance to reach (mm)
    (15, (1, 1, 1), 256, 0.25),
    (15, (1, 1, 4), 256, 0.6),
    (5, (1, 1, 1), 256, None),
    (30, (0.5, 0.5, 3), 256, None),
    (100, (1, 1, 1), 64, None),
)
SHARES = {256: 4, 512: 6}


def tenth(side: int) -> np.ndarray:
    """A mask of `side` cubed that a ball fills to a tenth."""
    return ball_mask((side, side, side), side * (0.3 / (4 * np.pi)) ** (1 / 3))


def ours(file: bytes, resolution: int) -> bytes:
    return stl_bytes(surface_from_volume(read_nifti(file), resolution=resolution).mesh, "benchmark")


def original(mask: np.ndarray, resolution: int) -> bytes:
    return original_stl(Slices(mask.T, np.zeros(3), np.ones(3)), resolution, True)


def nifti() -> Iterator[Row]:
    for radius, spacing, resolution, limit in BALLS:
        yield from _ball(radius, spacing, resolution, limit)
    for side, resolution in ((256, 256), (512, 512), (512, 256), (256, 512)):
        yield from _speed(side, resolution)
    theirs, own = (float(_in_a_process(what)) for what in ("original", "ours"))
    yield Row("mask of 512 cubed at 512: peak memory beyond the volume", theirs, own, "MB")


def _ball(radius: float, spacing: tuple[float, ...], resolution: int, limit: float | None) -> Iterator[Row]:
    size = [int(2 * radius / s) + 8 for s in spacing]
    centre = np.array([n * s / 2 + 0.3 for n, s in zip(size, spacing, strict=True)])
    mask = ball_mask(size, radius, spacing, centre)
    model = surface_from_volume(read_nifti(nifti_file(mask, np.diag([*spacing, 1]))), resolution=resolution)
    far = np.abs(np.linalg.norm(model.mesh.vertices * (-1, -1, 1) - centre, axis=1) - radius)
    name = f"mask of a ball r = {radius}, voxels {' x '.join(map(str, spacing))} mm, {resolution}"
    met = None if limit is None else bool(far.mean() < limit)
    yield Row(f"{name}: mean distance", None, float(far.mean()), "mm", f"{limit} mm" if limit else "", met)
    yield Row(f"{name}: largest distance", None, float(far.max()), "mm")
    wrong = abs(model.report.volume / (np.count_nonzero(mask) * float(np.prod(spacing))) - 1) * 100
    yield Row(f"{name}: volume error", None, wrong, "%", "1 %", bool(wrong <= 1))


def _speed(side: int, resolution: int) -> Iterator[Row]:
    mask = tenth(side)
    file, pixels = nifti_file(mask), mask * np.uint8(INSIDE)
    share = SHARES[resolution]
    for what, clock in (("time", perf_counter), ("processor time, all threads", process_time)):
        theirs, mine = seconds(
            lambda: original(pixels, resolution), lambda: ours(file, resolution), runs=3, clock=clock
        )
        name = f"mask of {side} cubed, a tenth filled, {resolution}: {what}"
        if what == "time":
            yield Row(name, theirs, mine, "s", f"1/{share} of it", mine <= theirs / share)
        else:
            yield Row(name, theirs, mine, "s")


def _in_a_process(what: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.nifti", what], check=True, capture_output=True, text=True, timeout=600
    ).stdout


def print_peak(what: str) -> None:
    """The peak memory (MB) of one conversion, beyond what the process has with the volume in it."""
    file, pixels = nifti_file(tenth(512)), tenth(512) * np.uint8(INSIDE)
    small = ball_mask((16, 16, 16), 5)
    ours(nifti_file(small), 16)
    original(small * np.uint8(INSIDE), 16)
    forget_peak()
    idle = resident_megabytes("VmRSS")
    if what == "ours":
        ours(file, 512)
    else:
        original(pixels, 512)
    print(resident_megabytes("VmHWM") - idle)


if __name__ == "__main__":
    print_peak(sys.argv[1])
