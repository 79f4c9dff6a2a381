"""Nexus models built by pymeshlab, read back by the viewer's own decoder: nothing is lost, nothing moves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from orthanc_stl.engine import nexus_builder
from orthanc_stl.engine.nexus_builder import STEPS, build_nexus, step_of
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.model import Mesh
from orthanc_stl.mesh.nexus_index import read_index
from tests.nexus_writer import box, sphere

pytest.importorskip("pymeshlab", reason="pymeshlab is not installed: pip install pymeshlab")
spatial = pytest.importorskip("scipy.spatial", reason="scipy is not installed: pip install scipy")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: apt-get install nodejs")

DECODER = Path(__file__).parents[1] / "js/finest_level.mjs"


def bumpy_sphere(rings: int, radius: float = 50.0) -> Mesh:
    vertices, triangles = sphere(rings, 2 * rings, radius)
    bumps = 1 + 0.06 * np.sin(vertices[:, :1] / radius * 9) * np.cos(vertices[:, 1:2] / radius * 7)
    return Mesh((vertices * bumps).astype(np.float32), triangles.astype(np.int32))


def decoded(model: bytes, folder: Path) -> tuple[np.ndarray, dict[str, int]]:
    """(n, 3, 3) corners of the finest level, and the totals of all levels."""
    file = folder / "model.nxz"
    file.write_bytes(model)
    done = subprocess.run(["node", DECODER, file], capture_output=True, timeout=60, check=True)
    return np.frombuffer(done.stdout, "<f4").reshape(-1, 3, 3), json.loads(done.stderr)


def volume(corners: np.ndarray) -> float:
    a, b, c = np.moveaxis(corners.astype(float), 1, 0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


@needs_node
@pytest.mark.parametrize(
    "mesh",
    [
        pytest.param(bumpy_sphere(12), id="one node"),
        pytest.param(bumpy_sphere(90), id="several levels"),
        pytest.param(bumpy_sphere(30, radius=0.002), id="very small"),
        pytest.param(Mesh(box().vertices.astype(np.float32), box().triangles.astype(np.int32)), id="a box"),
    ],
)
def test_the_finest_level_is_the_mesh(mesh: Mesh, tmp_path: Path) -> None:
    model = build_nexus(mesh, lambda fraction, step: None)
    index = read_index(model)
    corners, totals = decoded(model, tmp_path)
    assert len(corners) == len(mesh.triangles)
    assert totals == {"vertices": index.vertices, "triangles": index.triangles, "roots": 1}
    step = step_of(mesh)
    assert step <= np.ptp(mesh.vertices, axis=0).max() / STEPS
    points = corners.reshape(-1, 3)
    for one, other in ((points, mesh.vertices), (mesh.vertices, points)):
        distance, _ = spatial.cKDTree(other).query(one)
        assert distance.max() <= step * 3**0.5
    assert volume(corners) == pytest.approx(volume(mesh.vertices[mesh.triangles]), rel=1e-3)


def test_progress_goes_forward_and_names_the_step() -> None:
    seen: list[tuple[float, str]] = []
    build_nexus(bumpy_sphere(40), lambda fraction, step: seen.append((fraction, step)))
    assert seen
    assert [fraction for fraction, _ in seen] == sorted(fraction for fraction, _ in seen)
    assert seen[-1][0] < 1


@pytest.mark.parametrize(
    ("mesh", "words"),
    [
        (Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), "no triangles"),
        (Mesh(np.ones((3, 3), np.float32), np.array([[0, 1, 2]], np.int32)), "in one place"),
    ],
)
def test_a_mesh_of_nothing_is_refused(mesh: Mesh, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        build_nexus(mesh, lambda fraction, step: None)


def test_a_crash_of_the_builder_is_an_error_of_this_model_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nexus_builder, "__name__", "tests.engine.crashing_builder")
    with pytest.raises(InvalidInput, match="SIGSEGV"):
        build_nexus(bumpy_sphere(10), lambda fraction, step: None)


def test_the_builder_ends_with_the_worker_that_started_it() -> None:
    """A worker that is killed (cancelled, out of time) leaves nothing behind, even while C++ is at work."""
    code = (
        "from tests.engine.test_nexus_builder import bumpy_sphere\n"
        "from orthanc_stl.engine.nexus_builder import build_nexus\n"
        "build_nexus(bumpy_sphere(500), lambda fraction, step: None)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2]) as worker:
        builder = _wait_for_child(worker.pid)
        time.sleep(1.5)  # until it is at work
        worker.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _is_alive(builder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(builder)


def _wait_for_child(pid: int) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.05)
    raise AssertionError("the builder was not started")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
