"""Nexus models built by pymeshlab, read back by the viewer's own decoder: nothing is lost, nothing moves."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from orthanc_stl.engine.work_folder import work_folder
from orthanc_stl.errors import InvalidInput, StlError, WorkerDied
from orthanc_stl.formats.nexus_index import read_index
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.nexus import builder
from orthanc_stl.nexus.builder import STEPS, build_nexus, step_of
from tests.engine.conftest import background, wait_for, works
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


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os.kill(os.getpid(), 11)", r"could not make a Nexus model .* \(it was ended by SIGSEGV\)"),
        ("raise ImportError('libGL.so.1 is not here')", "cannot be loaded: libGL.so.1 is not here"),
    ],
)
def test_a_crash_of_pymeshlab_is_an_error_of_this_model_alone(
    source: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pymeshlab.py").write_text(source)
    with pytest.raises(InvalidInput, match=words):
        build_nexus(bumpy_sphere(10), lambda fraction, step: None)


def test_without_pymeshlab_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match="pip install pymeshlab"):
        build_nexus(bumpy_sphere(10), lambda fraction, step: None)


def test_no_room_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "ply", lambda mesh, colors: [b"ply", bytes(1 << 20)])
    with pytest.raises(StlError, match=r"room in the folder for temporary files: .*File too large"), smallest_files():
        build_nexus(bumpy_sphere(10), lambda fraction, step: None)


@contextlib.contextmanager
def smallest_files() -> Iterator[None]:
    """Nothing started in here writes files of more than 64 KiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("moment", ["mesh.ply", "model.nxs"])
def test_a_worker_that_is_killed_leaves_no_process_and_no_file(moment: str, tmp_path: Path) -> None:
    """Cancelled, out of time: while the mesh is handed over, and while C++ is at work."""
    code = (
        "from tests.nexus.test_builder import bumpy_sphere\n"
        "from orthanc_stl.nexus.builder import build_nexus\n"
        "build_nexus(bumpy_sphere(200), lambda fraction, step: None)\n"
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], env=env) as worker:
        wait_for(lambda: list(tmp_path.glob(f"*/{moment}*")), 60)
        processes = children(worker.pid)
        worker.send_signal(signal.SIGKILL)
    assert processes
    wait_for(lambda: not any(map(works, processes)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("killed", ["keeper", "child", "both"])
def test_a_kill_is_no_fault_of_the_mesh_and_leaves_no_file(
    killed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    (tmp_path / "site/pymeshlab.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    others = set(children(os.getpid()))  # such as the browser's of other tests
    outcome = background(lambda: build_nexus(bumpy_sphere(10), lambda fraction, step: None))
    wait_for(lambda: len(set(children(os.getpid())) - others) == 2)
    keeper, child = (pid for pid in children(os.getpid()) if pid not in others)
    for pid in {"keeper": [keeper], "child": [child], "both": [keeper, child]}[killed]:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: outcome)
    assert isinstance(outcome[0], WorkerDied)
    assert "SIGKILL" in str(outcome[0])
    wait_for(lambda: not list(tmp_path.glob("orthanc-stl-nexus-*")))
    wait_for(lambda: not works(child))


def test_what_a_kill_of_all_has_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    """Six of seven kills left a patient's mesh in the folder for temporary files."""
    code = (
        "from tests.nexus.test_builder import bumpy_sphere\n"
        "from orthanc_stl.nexus.builder import build_nexus\n"
        "build_nexus(bumpy_sphere(200), lambda fraction, step: None)\n"
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], env=env) as worker:
        wait_for(lambda: list(tmp_path.glob("*/model.nxs*")), 60)
        processes = [worker.pid, *children(worker.pid)]
        for pid in processes:  # halted, for on a busy machine the model might be done before the look from elsewhere
            os.kill(pid, signal.SIGSTOP)
        # A look from elsewhere while they live removes nothing.
        remove = [sys.executable, "-c", "from orthanc_stl.engine.work_folder import *; remove_abandoned()"]
        subprocess.run(remove, env=env, check=True)
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        for pid in processes:
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(works, processes[1:])))
    assert (folder / "mesh.ply").exists()
    (tmp_path / "orthanc-stl-nexus-new").mkdir()
    subprocess.run(remove, env=env, check=True)
    assert [left.name for left in tmp_path.iterdir()] == ["orthanc-stl-nexus-new"]


def test_what_a_kill_of_all_has_left_is_removed_at_the_next_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "orthanc-stl-nexus-left").mkdir()
    (tmp_path / "orthanc-stl-nexus-left/lock").touch()
    with work_folder() as (folder, _):
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def children(pid: int) -> list[int]:
    """The processes that this one started, and theirs."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for task in tasks for child in task.read_text().split()]
    return found + [grandchild for child in found for grandchild in children(child)]
