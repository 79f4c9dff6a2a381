"""What programs of others see in the files: the Khronos validator, three.js' loaders, assimp."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trimesh

from orthanc_stl.model import Part
from testing.scenes import FRAME, scene
from tests.formats.draw import drawing, files_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCENE = scene()
LOW, HIGH = [-100, -40, -180], [80, 80, 50]
COLORS = ["dd8265", "0ac83c", "7f7f7f"]
OBJ_NAMES = ["PTV_60_Gy_boost_Größe", "External", "skin_scan"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene in every format."""
    path = tmp_path_factory.mktemp("scene")
    for name, content in files_of(SCENE).items():
        (path / name).write_bytes(content)
    return path


@pytest.fixture(scope="module")
def seen(folder: Path) -> dict[str, Any]:
    """What judge.mjs prints."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed: apt-get install nodejs")
    for variable in ("ORTHANC_STL_NPM", "ORTHANC_STL_JS_TOOLS"):
        if not os.environ.get(variable):
            pytest.skip(f"{variable} is not set: the tests' npm packages are not here")
    judge = Path(__file__).with_name("judge.mjs")
    done = subprocess.run(["node", judge, folder], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_validator_of_gltf_finds_nothing(seen: dict[str, Any]) -> None:
    assert seen["issues"] == []


@pytest.mark.parametrize(("kind", "volume_error"), [("glb", 1e-6), ("compressed", 1e-4)])
def test_glb_in_three(seen: dict[str, Any], kind: str, volume_error: float) -> None:
    root, parts = seen[kind]["root"], seen[kind]["parts"]
    assert (root["units"], root["space"], root["FrameOfReferenceUID"]) == ("mm", "LPS", FRAME)
    assert [part["name"] for part in parts] == [piece.name for piece in SCENE]
    assert [part["color"] for part in parts] == COLORS
    assert [part["opacity"] for part in parts] == [1, 0.15, 1]
    assert [part["transparent"] for part in parts] == [False, True, False]
    assert [part["doubleSided"] for part in parts] == [False, False, True]
    assert all(part["normals"] and part["metalness"] == 0 for part in parts)
    for part, piece in zip(parts, SCENE.parts, strict=True):
        (x0, y0, z0), (x1, y1, z1) = piece.report.box
        metres_y_up = np.array([[x0, z0, -y1], [x1, z1, -y0]]) / 1000
        assert np.allclose(part["box"], metres_y_up, atol=1e-6)
        assert part["volume"] * 1e9 == pytest.approx(volume_about_middle(piece), rel=volume_error)


def test_obj_in_three(seen: dict[str, Any]) -> None:
    assert [part["name"] for part in seen["obj"]] == OBJ_NAMES
    assert [part["color"] for part in seen["obj"]] == COLORS
    assert [part["opacity"] for part in seen["obj"]] == [1, 0.15, 1]
    for part, piece in zip(seen["obj"], SCENE.parts, strict=True):
        assert np.allclose(part["box"], piece.report.box, atol=1e-5)
        assert part["volume"] == pytest.approx(volume_about_middle(piece), rel=1e-6)


def test_ply_and_stl_in_three(seen: dict[str, Any]) -> None:
    for kind in ("ply", "stl"):
        assert seen[kind]["box"] == [LOW, HIGH]
    assert seen["ply"]["normals"]
    drawn = [[int(color[i : i + 2], 16) for i in (0, 2, 4)] for color in seen["ply"]["colors"]]
    wanted = [[int(color[i : i + 2], 16) for i in (0, 2, 4)] for color in COLORS]
    assert np.abs(np.subtract(drawn, wanted)).max() <= 3  # it keeps linear light in bytes, where dark ones are coarse


def volume_about_middle(piece: Part) -> float:
    """As the judge computes it: for an open surface, about the middle of its box."""
    mesh = trimesh.Trimesh(piece.mesh.vertices, piece.mesh.triangles, process=False)
    corners = mesh.triangles - mesh.bounds.mean(axis=0)
    return float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


@pytest.mark.parametrize(
    ("file", "names", "box"),
    [
        ("scene.glb", [piece.name for piece in SCENE], [[-0.1, -0.18, -0.08], [0.08, 0.05, 0.04]]),
        ("model.obj", OBJ_NAMES, [LOW, HIGH]),
        ("scene.3mf", None, [[0, 0, 0], [180, 120, 230]]),
        ("scene.ply", None, [LOW, HIGH]),
        ("scene.stl", None, [LOW, HIGH]),
    ],
)
def test_assimp(folder: Path, file: str, names: list[str] | None, box: list[list[float]]) -> None:
    if shutil.which("assimp") is None:
        pytest.skip("assimp is not installed: it is in the package assimp-utils")
    path = without_thumbnail(folder / file) if file.endswith(".3mf") else folder / file
    done = subprocess.run(["assimp", "info", path], capture_output=True, timeout=60, check=False)
    told = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, told[-2000:]
    points = re.findall(r"(?:Minimum|Maximum) point\s+\(([^)]*)\)", told)
    assert np.allclose([[float(value) for value in point.split()] for point in points], box, atol=1e-6)
    meshes = re.findall(r"^ +\d+ \((.*)\): \[\d+ / \d+ / (\d+) \| triangle\]$", told, re.MULTILINE)
    assert sum(int(count) for _, count in meshes) == sum(piece.report.triangles for piece in SCENE)
    if names:
        assert [name for name, _ in meshes] == names


def without_thumbnail(file: Path) -> Path:
    """The same 3MF without its picture: assimp 5.2.5 dies of any (it frees the picture twice)."""
    plain = file.with_name("plain.3mf")
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as parts:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "_rels/.rels":
                content = re.sub(rb"<Relationship [^>]*thumbnail[^>]*/>", b"", content)
            if not name.endswith(".png"):
                parts.writestr(name, content)
    return plain


def test_3mf_in_three(chromium: Browser) -> None:
    """In a browser, since its loader needs one."""
    if not os.environ.get("ORTHANC_STL_NPM"):
        pytest.skip("ORTHANC_STL_NPM is not set: three.js is not here")
    with drawing(chromium, files_of(SCENE)) as draw:
        facts, image = draw("3mf")
    assert {part["name"]: part["color"] for part in facts["parts"]} == {
        piece.name: color for piece, color in zip(SCENE.parts, COLORS, strict=True)
    }
    assert np.allclose(facts["box"], [[0, 0, 0], [180, 120, 230]], atol=1e-4)
    assert image.startswith(b"\x89PNG")
