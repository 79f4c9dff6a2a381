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

import lxml.etree
import numpy as np
import pytest
import trimesh

from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.registry import writer_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part
from testing.scenes import FRAME, half, scene, sphere
from testing.scenes import part as a_part
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
    glb = writer_of("glb")
    assert glb
    for compress in (False, True):
        content = glb.write(wild(), WriteOptions(compress=compress))
        (path / f"wild{'_compressed' * compress}.glb").write_bytes(content)
    return path


def wild() -> Model:
    """Names of all of Unicode, several parts of one color, flat, tiny, far and large ones, vertices without a face."""
    letters = [chr(code) for code in range(0, 0x110000, 61)]
    names = ["".join(letters[i::40]) for i in range(40)] + ["", "\\", '"', "\u202e", "\U0001f9b4", "e\u0301"]
    ball = sphere(5, (0, 0, 0), 6)
    point = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32))
    unused = Mesh(np.concatenate([ball.vertices, [[9, 9, 9]]]).astype(np.float32), ball.triangles)
    shapes = [ball, sphere(1e-4, (1, 1, 1), 4), sphere(1e4, (1e5, 0, 0), 4), half(ball), point, unused]
    parts = [a_part(n, name, shapes[n % len(shapes)], color=(9, 9, 9)) for n, name in enumerate(names)]
    return Model((*parts, a_part(99, names[0], sphere(9, (0, 0, 0), 190), opacity=0.5)), "".join(letters), FRAME)


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
    assert seen["validated"] == ["scene.glb", "scene_compressed.glb", "wild.glb", "wild_compressed.glb"]
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


@pytest.mark.parametrize(
    ("file", "colors"),
    [
        # sRGB (221, 130, 101), (10, 200, 60) and (127, 127, 127) as linear light; MTL has them as they are
        ("scene.glb", [(0.723055, 0.223228, 0.130136), (0.003035, 0.577580, 0.045186), (0.212231, 0.212231, 0.212231)]),
        ("model.obj", [(0.866667, 0.509804, 0.396078), (0.039216, 0.784314, 0.235294), (0.498039, 0.498039, 0.498039)]),
        ("scene.3mf", None),
        ("scene.ply", None),
        ("scene.stl", None),
    ],
)
def test_colors_and_volumes_in_assimp(folder: Path, file: str, colors: list[tuple[float, ...]] | None) -> None:
    if shutil.which("assimp") is None:
        pytest.skip("assimp is not installed: it is in the package assimp-utils")
    path = without_thumbnail(folder / file) if file.endswith(".3mf") else folder / file
    dump = path.with_name(f"{file}.xml")
    subprocess.run(["assimp", "dump", path, dump], capture_output=True, timeout=60, check=True)
    root = lxml.etree.parse(dump, lxml.etree.XMLParser(huge_tree=True)).getroot()
    meshes = list(root.iter("Mesh"))
    parts = [piece for piece in SCENE if piece.closed]
    if colors:
        materials = [
            [float(value) for value in one.text.split()]
            for one in root.iter("MatProperty") if one.get("key") == "$clr.diffuse"
        ]  # fmt: skip
        assert [int(mesh.get("material_index")) for mesh in meshes] == [0, 1, 2] if "glb" in file else [1, 2, 3]
        first = int(meshes[0].get("material_index"))
        assert [tuple(material[:3]) for material in materials[first : first + 3]] == colors
        volumes = [volume_of(*arrays(mesh)) for mesh in meshes[:2]]
        assert volumes == pytest.approx([piece.report.volume for piece in parts], rel=1e-6)
        return
    found, triangles = zip(*map(arrays, meshes), strict=True)
    firsts = np.cumsum([0, *map(len, found[:-1])])
    whole = np.concatenate(found), np.concatenate([t + first for t, first in zip(triangles, firsts, strict=True)])
    of_all = sum(volume_about_middle(piece) for piece in SCENE)
    skin = SCENE["skin \\ scan"]
    low, high = (np.array(corner) for corner in skin.report.box)
    middle = (low + high) / 2  # of the open part, whose volume depends on it
    assert volume_of(whole[0] - middle, whole[1]) == pytest.approx(of_all, rel=1e-6)


def arrays(mesh: lxml.etree._Element) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of a mesh in a dump of assimp."""
    (places,) = mesh.iter("Positions")
    triangles = [[int(value) for value in str(face.text).split()] for face in mesh.iter("Face")]
    return np.array(str(places.text).split(), float).reshape(-1, 3), np.array(triangles)


def volume_of(points: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


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
