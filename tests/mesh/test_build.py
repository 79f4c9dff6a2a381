"""Limits, progress, and the same bytes every time."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from orthanc_stl.errors import OutOfRange, name_of
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.errors import TooManyTriangles, TooManyVoxels
from testing.solids import Solid, ball, fork, model_of, ring, roi_of, two_balls, voxel_of

FINGERPRINT = """
import hashlib, sys
from vtkmodules.vtkCommonCore import vtkSMPTools
from orthanc_stl.mesh import surface
vtkSMPTools.SetBackend(sys.argv[1])
from orthanc_stl.formats.stl import stl_bytes
from scipy.spatial.transform import Rotation
from testing.solids import fork, model_of
turn = Rotation.from_euler("xyz", [20, 30, 40], degrees=True)
print(hashlib.sha256(stl_bytes(model_of(fork(), turn, (1, 2, 3), resolution=128).mesh, "x")).hexdigest())
"""


def test_voxels_are_limited_before_memory_is_spent() -> None:
    tracemalloc.start()
    with pytest.raises(TooManyVoxels, match=r"takes about [\d,]+ voxels, more than the 1,000,000 that are allowed"):
        model_of(ball(30), resolution=512, max_voxels=1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_triangles_are_limited_before_memory_is_spent() -> None:
    tracemalloc.start()
    with pytest.raises(TooManyTriangles, match=r"takes about [\d,]+ triangles, more than the 100,000"):
        model_of(ball(30), resolution=512, max_triangles=100_000)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_no_model_has_more_triangles_than_allowed() -> None:
    count = model_of(fork(), resolution=64).report.triangles
    with pytest.raises(TooManyTriangles) as refused:
        model_of(fork(), resolution=64, max_triangles=count - 1)
    assert refused.value.count > refused.value.limit == count - 1
    assert name_of(refused.value) == "TooLarge"
    assert model_of(fork(), resolution=64, max_triangles=count + count // 5).report.triangles == count


@pytest.mark.parametrize("resolution", [2, 3, 5, 16])
def test_low_resolutions_still_give_closed_bodies(resolution: int) -> None:
    report = model_of(ball(30), resolution=resolution).report
    assert report.closed
    assert report.euler_number == 2


@pytest.mark.parametrize("resolution", [-1, 0, 1])
def test_resolution_below_two(resolution: int) -> None:
    with pytest.raises(OutOfRange, match="the resolution is at least 2"):
        model_of(ball(30), resolution=resolution)


def test_grid_covers_only_the_chosen_roi() -> None:
    """Far-off surroundings make the voxels no larger than the organ's and the grid no larger at all."""
    far = [np.array([[[5000.0, 5000, 5000], [-5000, -5000, -5000]]])]
    assert model_of(ball(30), surroundings=far, resolution=64, max_voxels=60_000).report.closed


def test_resolution_rule() -> None:
    alone = voxel_of(model_of(ball(30), resolution=128))
    assert alone[0] == pytest.approx(60 / 128, rel=0.01)
    beside = voxel_of(model_of(ball(30), surroundings=[ring(45, 0)[None]], resolution=128))
    assert beside[0] == pytest.approx(90 / 128, rel=0.01)
    beside_more = voxel_of(model_of(ball(30), surroundings=[ring(450, 0)[None]], resolution=128))
    assert beside_more[0] == pytest.approx(60 / 64, rel=0.01)
    for side, _, along in (alone, beside, beside_more):
        assert side < along * 1.01
        assert along <= 2 * side
        assert 3 / along == pytest.approx(round(3 / along))  # contour planes are planes of the grid


@pytest.mark.parametrize("solid", [fork(), two_balls()], ids=["fork", "two balls"])
def test_same_bytes_in_any_order_of_contours(solid: Solid) -> None:
    turned = [outline[::-1] for outline in solid.outlines[::-1]]
    one, other = (surface_from_contours([roi_of(o)], resolution=64).mesh for o in (solid.outlines, turned))
    assert np.array_equal(one.vertices, other.vertices)
    assert np.array_equal(one.triangles, other.triangles)


@pytest.mark.slow
def test_same_bytes_whatever_the_threads() -> None:
    prints = set()
    for backend, threads in (("Sequential", "1"), ("STDThread", "1"), ("STDThread", "7")):
        environment = os.environ | {"VTK_SMP_MAX_THREADS": threads, "OMP_NUM_THREADS": threads}
        environment |= {"OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", FINGERPRINT, backend]
        folder = Path(__file__).resolve().parents[2]
        done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)
        prints.add(done.stdout)
    assert len(prints) == 1


def test_progress_rises_to_the_end() -> None:
    steps: list[tuple[float, str]] = []
    model_of(fork(), resolution=48, progress=lambda fraction, step: steps.append((fraction, step)))
    fractions = [fraction for fraction, _ in steps]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < fractions[-1] <= 1
    assert len({step for _, step in steps}) >= 5
