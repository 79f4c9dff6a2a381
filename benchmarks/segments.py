"""DICOM SEG of many segments: the time of a request for all of them, and what the worker needs of memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import process_time

import numpy as np

from benchmarks.measure import forget_peak, resident_megabytes, seconds
from benchmarks.rows import Row
from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.engine.executor import Work
from orthanc_stl.engine.memory import limit_address_space
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.engine.python import find_python
from orthanc_stl.mesh.progress import no_progress
from orthanc_stl.mesh.volumes.build import surface_from_volume
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.settings import Settings
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.registry import open_files
from testing.source_phantoms import file_of, seg_dataset

SEGMENTS, PLANES, SIDE, PIXEL, STEP = 11, 100, 256, 1.5, 3.0
MANY, MANY_PLANES, MANY_SIDE = 117, 400, 512
RESOLUTION = 256


def segments() -> Iterator[Row]:
    masks = _organs()
    data = _file(masks)
    affine = np.diag([PIXEL, PIXEL, STEP, 1.0])

    def alone() -> None:
        for mask in masks:
            surface_from_volume(Volume(mask.T, affine, labels=True), resolution=RESOLUTION)

    full, small = (lambda: _separate(data, tolerance=0.0), lambda: _separate(data, tolerance=None))
    alone_s, full_s, small_s = seconds(alone, full, small, runs=3, clock=process_time)
    name = f"SEG of {SEGMENTS} segments, {SIDE} x {SIDE} x {PLANES}: surface_from_volume of each, and Separate"
    yield Row(f"{name}, full surfaces, processor time", alone_s, full_s, "s", "2 times", full_s <= 2 * alone_s)
    yield Row(f"{name}, default Tolerance, processor time", alone_s, small_s, "s")
    largest_first = sorted(range(1, SEGMENTS + 1), key=lambda number: -int(masks[number - 1].sum()))
    with _two_workers(data, largest_first) as convert:
        alone_s, small_s = seconds(alone, convert, runs=5)
    yield Row(f"{name}, default Tolerance, two workers, time", alone_s, small_s, "s", "2 times", small_s <= 2 * alone_s)
    limit = Settings().worker_memory_mb
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "many.dcm"
        file.write_bytes(_many())
        command = [sys.executable, "-m", "benchmarks.segments", str(file)]
        root = Path(__file__).resolve().parents[1]
        printed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True, timeout=900).stdout
    size, peak, spent = map(float, printed.split())
    name = f"SEG of {MANY} segments, {MANY_SIDE} x {MANY_SIDE} x {MANY_PLANES}, all frames kept"
    what = f"{name}: peak memory, its file of {size:,.0f} MB included"
    yield Row(what, None, peak, "MB", f"{limit:,} MB", peak <= limit)
    yield Row(f"{name}: Separate at {RESOLUTION}, processor time", None, spent, "s")


def _organs() -> list[np.ndarray]:
    """Masks `(planes, rows, columns) uint8` of bodies with bumps, of 0.2 to 0.8 L."""
    chance = np.random.default_rng(0)
    k, j, i = np.mgrid[:PLANES, :SIDE, :SIDE].astype(np.float32)
    masks = []
    for _ in range(SEGMENTS):
        centre = chance.uniform((30, 70, 70), (70, 186, 186))
        radii = chance.uniform(30, 70, 3)
        sides = zip((k, j, i), centre, radii, (STEP, PIXEL, PIXEL), strict=True)
        distance = np.sqrt(sum(((at - middle) * side / radius) ** 2 for at, middle, radius, side in sides))
        masks.append((distance + 0.08 * np.sin(i / 5) + 0.08 * np.cos(j / 6) < 1).astype(np.uint8))
    return masks


def _file(masks: list[np.ndarray]) -> bytes:
    frames, placed = [], []
    for number, mask in enumerate(masks, 1):
        for plane in np.flatnonzero(mask.any(axis=(1, 2))).tolist():
            frames.append(mask[plane])
            placed.append((number, (0.0, 0.0, STEP * plane)))
    numbers = range(1, len(masks) + 1)
    return file_of(
        seg_dataset(np.array(frames), placed, spacing=(PIXEL, PIXEL), step=STEP, thickness=STEP, numbers=numbers)
    )


def _separate(data: bytes, tolerance: float | None) -> int:
    request = ConversionRequest(all=True, separate=True, resolution=RESOLUTION, tolerance=tolerance)
    return len(build_model(open_files([data], ReadOptions()), request).model.parts)


@contextmanager
def _two_workers(data: bytes, numbers: Sequence[int]) -> Iterator[Callable[[], object]]:
    """What makes an STL of each segment in two warm workers that have the file, in the order of `numbers`: a request
    over HTTP begins the largest first, too.
    """
    pool = LocalPool(find_python(), size=2)

    def convert(number: int) -> bytes:
        request = ConversionRequest(structures=(number,), separate=True, resolution=RESOLUTION)
        work = Work("scene_file", {"Request": request.as_json(), "Suffix": "stl"}, [data], 60, file_key="SEG")
        return pool.run(work, no_progress, Event()).blobs[0]

    try:
        with ThreadPoolExecutor(2) as threads:
            yield lambda: list(threads.map(convert, numbers))
    finally:
        pool.stop()


def _many() -> bytes:
    """A box of 48 x 48 x 40 voxels in each segment; the pixels are packed here, since as bytes they take 12 GB."""
    placed = [(number, (0.0, 0.0, float(k))) for number in range(1, MANY + 1) for k in range(MANY_PLANES)]
    ds = seg_dataset(np.zeros((len(placed), 1, 8), np.uint8), placed, numbers=range(1, MANY + 1))
    ds.Rows = ds.Columns = MANY_SIDE
    packed = np.zeros((MANY, MANY_PLANES, MANY_SIDE, MANY_SIDE // 8), np.uint8)
    for number in range(MANY):
        k, j, i = 3 * number, 4 * (number % 100), number % 50
        packed[number, k : k + 40, j : j + 48, i : i + 6] = 0xFF
    ds.PixelData = packed.tobytes()
    return file_of(ds)


def main(file: str) -> None:
    """In a process with a worker's limit: prints MB of the file, MB of the peak, s of processor time."""
    limit_address_space(Settings().worker_memory_mb)
    idle = resident_megabytes("VmRSS")
    forget_peak()
    data = Path(file).read_bytes()
    start = process_time()
    made = _separate(data, tolerance=None)
    assert made == MANY
    print(len(data) / 1e6, resident_megabytes("VmHWM") - idle, process_time() - start)


if __name__ == "__main__":
    main(sys.argv[1])
