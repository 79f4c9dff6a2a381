"""DICOM SEG of very many segments: memory goes with one of them, and a worker's limit holds all.

That all frames of such a file may be kept (1.5 GB) is measured by `./orthanc-stl bench --only segments`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.engine import memory
from orthanc_stl.settings import Settings
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.registry import open_files
from testing.source_phantoms import ball_frames, file_of, seg_dataset
from tests.sources.test_seg import opened

SEGMENTS, SIDE, PLANES = 117, 512, 400


def test_one_segment_at_a_time_is_in_memory() -> None:
    """Segments that fill their planes: to keep them all would take 30 times as much as one."""
    frames, positions = ball_frames((0, 0, 0), 60, places=range(-20, 20), size=64)
    numbers = range(1, 31)
    placed = [(number, position) for number in numbers for position in positions]
    source = opened(file_of(seg_dataset(np.concatenate([frames] * len(numbers)), placed, numbers=numbers)))
    source.shape(1)
    peaks = []
    for wanted in ([1], numbers):
        tracemalloc.start()
        for number in wanted:
            source.shape(number)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert frames.size < peaks[0] < 5 * frames.size
    assert peaks[1] < 1.5 * peaks[0]


def many() -> bytes:
    """Boxes of 40 x 30 x 12 voxels all over 512 x 512 x 400; the pixels are packed here, a frame for each plane."""
    placed, packed = [], []
    for n, start in enumerate(np.linspace(0, PLANES - 12, SEGMENTS).astype(int).tolist()):
        frame = np.zeros((SIDE, SIDE // 8), np.uint8)
        frame[4 * n : 4 * n + 30, n % 50 : n % 50 + 5] = 0xFF
        packed.append(np.repeat(frame[None], 12, axis=0))
        placed += [(n + 1, (0.0, 0.0, float(k))) for k in range(start, start + 12)]
    ds = seg_dataset(np.zeros((len(placed), 1, 8), np.uint8), placed, numbers=range(1, SEGMENTS + 1))
    ds.Rows = ds.Columns = SIDE
    ds.PixelData = np.concatenate(packed).tobytes()
    return file_of(ds)


@pytest.mark.slow
@pytest.mark.skipif(not memory.LINUX, reason="the limit of a worker is one of Linux")
def test_117_segments_of_512_x_512_x_400_within_the_limit_of_a_worker(tmp_path: Path) -> None:
    (tmp_path / "many.dcm").write_bytes(many())
    command = [sys.executable, "-m", __name__, str(tmp_path / "many.dcm")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["volumes"] == pytest.approx([14.4] * SEGMENTS, rel=0.01)
    assert found["peak_mb"] < 400  # the voxels of one of them, uncut, are 105 million


def main(file: str) -> None:
    memory.limit_address_space(Settings().worker_memory_mb)
    before = memory.resident()
    request = ConversionRequest(all=True, separate=True, resolution=64)
    parts = build_model(open_files([Path(file).read_bytes()], ReadOptions()), request).model.parts
    peak_mb = (memory.peak() - before) / memory.MB
    print(json.dumps({"volumes": [part.volume_ml for part in parts], "peak_mb": peak_mb}))


if __name__ == "__main__":
    main(sys.argv[1])
