"""What Nexus models are built of: colors of parts, of materials and of textures, at the right places."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from orthanc_stl.conversion import nexus_surfaces, painted_files
from orthanc_stl.conversion.nexus_surfaces import surface_of_file, surface_of_model
from orthanc_stl.dicom.study_context import read_study_context
from orthanc_stl.errors import InvalidInput, StlError, TooLarge
from orthanc_stl.formats.encapsulated import encapsulate_parts
from orthanc_stl.formats.nexus_index import read_index
from orthanc_stl.formats.registry import writer_of
from orthanc_stl.model import Model
from orthanc_stl.nexus.builder import build_nexus
from orthanc_stl.rest.routes.nexus import find_model
from orthanc_stl.tasks import TASKS
from testing.phantoms import ball, structure_set
from testing.scenes import scene, sphere
from tests.conversion.painted import MOST, MTL, QUARTERS, png, square, zipped
from tests.sources.test_glb_files import glb

SCENE = scene()
COLORS = {(221, 130, 101, 255), (10, 200, 60, 38), (127, 127, 127, 255)}


def written(suffix: str, model: Model = SCENE) -> bytes:
    writer = writer_of(suffix)
    assert writer
    return writer.write(model)


def test_parts_keep_their_colors() -> None:
    mesh, colors = surface_of_model(SCENE)
    assert colors is not None
    assert len(mesh.triangles) == 5520
    first = 0
    for part in SCENE:
        own = colors[first : first + len(part.mesh.vertices)]
        assert {tuple(color) for color in own.tolist()} == {
            (*(part.color or (127, 127, 127)), round(part.opacity * 255))
        }
        first += len(own)
    assert first == len(colors) == len(mesh.vertices)


def test_a_single_part_has_no_colors() -> None:
    mesh, colors = surface_of_model(Model(SCENE.parts[:1]))
    assert colors is None
    assert mesh is SCENE.parts[0].mesh


@pytest.mark.parametrize(("suffix", "opaque"), [("glb", False), ("obj.zip", True)])
def test_our_own_files_come_back_in_lps(suffix: str, opaque: bool) -> None:
    mesh, colors, notes = surface_of_file(written(suffix), MOST)
    assert np.allclose(
        [mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)], [[-100, -40, -180], [80, 80, 50]], atol=1e-4
    )
    assert {tuple(c) for c in colors.tolist()} == {(*c[:3], 255) if opaque else c for c in COLORS}
    assert notes == ()


def test_a_texture_is_where_it_belongs() -> None:
    archive = zipped({"scan/s.obj": square(), "scan/s.mtl": MTL, "scan/pictures/s.png": png()})
    mesh, colors, notes = surface_of_file(archive, MOST)
    assert len(mesh.vertices) > 64 * 64
    assert "an edge between two of them is 1.0 pixels" in notes[0] or "0.5 pixels" in notes[0]
    x, y = mesh.vertices[:, 0], mesh.vertices[:, 1]
    for left, low, color in ((0, 0, (0, 0, 255)), (5, 0, (255, 255, 0)), (0, 5, (255, 0, 0)), (5, 5, (0, 255, 0))):
        inside = (x > left + 0.1) & (x < left + 4.9) & (y > low + 0.1) & (y < low + 4.9)
        assert {tuple(c) for c in colors[inside].tolist()} == {(*color, 255)}
    assert trimesh.Trimesh(mesh.vertices, mesh.triangles).area == pytest.approx(100)


def test_a_texture_that_is_repeated() -> None:
    archive = zipped({"s.obj": square(2), "s.mtl": MTL, "pictures/s.png": png()})
    mesh, colors, _ = surface_of_file(archive, MOST)
    inside = (np.abs(mesh.vertices[:, :2] - (6.2, 6.2)) < 1).all(axis=1)  # of the second repetition, its lower left
    assert {tuple(c) for c in colors[inside].tolist()} == {(0, 0, 255, 255)}


def test_a_texture_in_a_glb() -> None:
    ball = sphere(0.1, (0, 0, 0), 12)
    places = ball.vertices[:, :2] / 0.2 + 0.5
    painted = trimesh.visual.TextureVisuals(uv=places, image=Image.fromarray(QUARTERS))
    plain = trimesh.creation.box((0.5, 0.5, 0.5))
    textured = trimesh.Trimesh(ball.vertices, ball.triangles, process=False, visual=painted)
    mesh, colors, notes = surface_of_file(trimesh.Scene([textured, plain]).export(file_type="glb"), MOST)
    assert len(notes) == 1
    on_ball = np.linalg.norm(mesh.vertices, axis=1) < 110  # mm
    x, _, z = mesh.vertices[on_ball].T  # glTF's x and y
    red = (x < -10) & (z > 10)
    assert {tuple(c) for c in colors[on_ball][red].tolist()} == {(255, 0, 0, 255)}


def test_a_fine_mesh_is_not_refined_and_a_coarse_one_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = zipped({"s.obj": square(), "s.mtl": MTL, "pictures/s.png": png(QUARTERS[:1, :1])})
    assert len(surface_of_file(tiny, MOST)[0].triangles) == 2
    monkeypatch.setattr(nexus_surfaces, "REFINED_TRIANGLES", 200)
    coarse = zipped({"s.obj": square(), "s.mtl": MTL, "pictures/s.png": png()})
    mesh, _, notes = surface_of_file(coarse, MOST)
    assert len(mesh.triangles) == 128
    assert "8.0 pixels" in notes[0]


REFUSED = {
    "nothing": (b"", "neither a GLB"),
    "an STL": (written("stl"), "neither a GLB"),
    "a zip without an OBJ": (zipped({"a.txt": "x"}), "0 files that end in .obj"),
    "a zip with two": (zipped({"a.obj": square(), "b.obj": square()}), "2 files that end in .obj"),
    "a cut zip": (written("obj.zip")[:-40], "zip cannot be read"),
    "an OBJ without triangles": (zipped({"a.obj": "v 0 0 0\n"}), "OBJ file cannot be read|no triangle"),
    "a cut GLB": (written("glb")[:-100], "GLB"),
    "a GLB with outer files": (
        written("glb").replace(b'"buffers":[{"byteLength":', b'"buffers":[{"uri":"x","a":'),
        "GLB",
    ),
    "a damaged picture": (
        zipped({"s.obj": square(), "s.mtl": MTL, "pictures/s.png": png()[:100]}),
        "texture cannot be read|OBJ file cannot be read",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    data, sentence = REFUSED[name]
    with pytest.raises(InvalidInput, match=sentence):
        surface_of_file(data, MOST)


def test_what_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge, match="MaxTriangles"):
        surface_of_file(written("glb"), 1000)
    monkeypatch.setattr(nexus_surfaces, "MOST_TEXTURE_PIXELS", 1000)
    with pytest.raises(TooLarge, match="64 x 64 pixels"):
        surface_of_file(zipped({"s.obj": square(), "s.mtl": MTL, "pictures/s.png": png()}), MOST)
    monkeypatch.setattr(painted_files, "MOST_UNPACKED_BYTES", 1000)
    with pytest.raises(TooLarge, match="the zip has 2 files"):
        surface_of_file(zipped({"a.obj": b"x" * 900, "b.bin": bytes(900)}), MOST)


def test_names_in_a_zip_lead_nowhere() -> None:
    mtl = "newmtl paint\nKd 1 0 0\nmap_Kd ../../../etc/passwd\n"
    archive = zipped({"../../a/s.obj": square(), "../../a/s.mtl": mtl})
    _, colors, notes = surface_of_file(archive, MOST)
    (note,) = notes
    assert note.startswith('the picture "../../../etc/passwd" is not in the zip')
    assert {tuple(c) for c in colors.tolist()} == {(255, 0, 0, 255)}


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        (rb'"baseColorFactor": ?\[[^,]*', b'"baseColorFactor":[NaN'),
        (rb'"type": ?"VEC3"', b'"type":[1]'),
        (rb'"pbrMetallicRoughness": ?{', b'"pbrMetallicRoughness":{"baseColorTexture":{"index":0,"extensions":5},'),
    ],
)
def test_damaged_values_of_a_glb_are_refused(pattern: bytes, new: bytes) -> None:
    data = written("glb")
    length = int.from_bytes(data[12:16], "little")
    text, count = re.subn(pattern, new, data[20 : 20 + length])
    assert count
    with pytest.raises(InvalidInput, match="the painted file is damaged"):
        surface_of_file(glb(json.loads(text), data[28 + length :]), MOST)


SMALL = replace(SCENE, parts=tuple(replace(part, mesh=sphere(10, (0, 0, 0), 3)) for part in SCENE.parts[:2]))
FILES = [written("glb", SMALL), written("obj.zip", SMALL)]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damaged_files_give_a_surface_or_a_reason(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(FILES)))
    for place in data.draw(st.lists(st.integers(4, len(damaged) - 1), max_size=5)):
        damaged[place] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(len(damaged) // 2, len(damaged)))])
    try:
        mesh, colors, _ = surface_of_file(cut, MOST)
    except StlError:
        return
    assert len(colors) == len(mesh.vertices)
    assert np.isfinite(mesh.vertices).all()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: apt-get install nodejs")
def test_colors_are_in_the_nexus_file_to_the_bit(tmp_path: Path) -> None:
    pytest.importorskip("pymeshlab", reason="pymeshlab is not installed: pip install pymeshlab")
    mesh, colors = surface_of_model(SCENE)
    file = tmp_path / "model.nxz"
    file.write_bytes(build_nexus(mesh, lambda fraction, step: None, colors))
    decoder = Path(__file__).parents[1] / "js/finest_colors.mjs"
    done = subprocess.run(["node", decoder, file], capture_output=True, timeout=60, check=True)
    assert {tuple(map(int, color.split(","))) for color in json.loads(done.stdout)} == COLORS


def test_the_tasks_make_objects_in_the_study() -> None:
    pytest.importorskip("pymeshlab", reason="pymeshlab is not installed: pip install pymeshlab")
    study = read_study_context(structure_set([ball(radius=6, points=24)]))
    stored = encapsulate_parts(SCENE, study=study, references=[study.reference], version="1")
    options = {"tags": {}, "limits": {"max_triangles": 6000}}
    facts, (dicom,) = TASKS["build_nexus"](options, stored, lambda fraction, step: None)
    opaque = 'The viewers of Nexus models here draw "External" opaque, which are to be seen through'
    assert facts["answer"] == {"Triangles": 5520, "Warnings": [opaque]}
    assert read_study_context(dicom).study_instance_uid == study.study_instance_uid
    assert read_index(find_model(dicom, "")).triangles >= 5520
    facts, (dicom,) = TASKS["build_nexus_of_file"](options, [written("glb"), stored[0]], lambda fraction, step: None)
    assert facts["answer"] == {"Triangles": 5520, "Warnings": []}
    assert read_study_context(dicom).study_instance_uid == study.study_instance_uid
    with pytest.raises(TooLarge, match="5520 triangles"):
        TASKS["build_nexus"](options | {"limits": {"max_triangles": 5000}}, stored, lambda fraction, step: None)
