"""Every writer's file, read back by libraries of others: names, colors, volumes, places, units."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pygltflib
import pytest
import trimesh

from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.base import Writer
from orthanc_stl.formats.glb import TO_METRES_Y_UP
from orthanc_stl.formats.obj import obj_and_mtl
from orthanc_stl.formats.registry import WRITERS
from orthanc_stl.formats.stl import read_stl
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model
from testing.scenes import FRAME, many_triangles, part, scene, sphere
from tests.formats.written import EXTERNAL, HIGH, LOW, PTV, SCENE, SKIN, written

# All of them ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.suffix)
def test_a_model_without_triangles_is_refused(writer: Writer) -> None:
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    with pytest.raises(InvalidInput, match="1 parts without triangles"):
        writer.write(Model((part(1, "nothing", empty),)))


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.suffix)
def test_the_same_model_gives_the_same_bytes(writer: Writer) -> None:
    assert writer.write(SCENE) == writer.write(scene())


def test_the_registry_loads_no_numpy() -> None:
    code = "import sys, orthanc_stl.formats.registry; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.suffix)
def test_parts_without_triangles_color_or_name_take_nothing_from_the_others(writer: Writer) -> None:
    empty = part(1, "nothing", Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
    nameless = replace(PTV, name=" \0\n", color=None)
    named = replace(PTV, name="Structure 5", color=None)
    assert writer.write(Model((empty, nameless))) == writer.write(Model((named,)))


# GLB ------------------------------------------------------------------------------------------------------------------


def test_glb_by_trimesh() -> None:
    loaded: Any = trimesh.load(io.BytesIO(written("glb")), file_type="glb")
    assert np.allclose(loaded.bounds, [[-0.1, -0.18, -0.08], [0.08, 0.05, 0.04]], atol=1e-7)
    assert set(loaded.geometry) == {PTV.name, EXTERNAL.name, SKIN.name}
    for piece in SCENE:
        mesh = loaded.geometry[piece.name]
        assert np.array_equal(mesh.bounds, np.array(piece.report.box))  # the meshes themselves are in LPS mm
        assert mesh.volume == pytest.approx(trimesh.Trimesh(*_arrays(piece.mesh)).volume, rel=1e-6)
        assert mesh.visual.material.metallicFactor == 0


def test_glb_document() -> None:
    document = pygltflib.GLTF2().load_from_bytes(written("glb"))
    root = document.nodes[document.scenes[0].nodes[0]]
    assert root.matrix == TO_METRES_Y_UP
    assert root.extras == {"units": "mm", "space": "LPS", "FrameOfReferenceUID": FRAME}
    nodes = [document.nodes[child] for child in root.children]
    assert [node.name for node in nodes] == [document.meshes[node.mesh].name for node in nodes]
    assert nodes[0].extras == {"number": 5, "volumeMl": 7.1867, "kind": "PTV"}
    materials = [document.materials[document.meshes[node.mesh].primitives[0].material] for node in nodes]
    # sRGB (221, 130, 101) as linear light; the standard's own formula, worked out by hand
    assert materials[0].pbrMetallicRoughness.baseColorFactor == pytest.approx(
        [0.723055, 0.223228, 0.130136, 1], abs=2e-6
    )
    assert [material.alphaMode for material in materials] == ["OPAQUE", "BLEND", "OPAQUE"]
    assert [bool(material.doubleSided) for material in materials] == [False, False, True]
    assert materials[1].pbrMetallicRoughness.baseColorFactor[3] == 0.15
    assert {material.pbrMetallicRoughness.roughnessFactor for material in materials} == {0.6}


def test_glb_normals_are_outward_and_of_length_one() -> None:
    document = pygltflib.GLTF2().load_from_bytes(written("glb"))
    blob = document.binary_blob()
    view = document.bufferViews[document.accessors[document.meshes[1].primitives[0].attributes.NORMAL].bufferView]
    normals = np.frombuffer(blob, "<f4", view.byteLength // 4, view.byteOffset).reshape(-1, 3)
    radial = (EXTERNAL.mesh.vertices - [-40, 20, -120]) / 60
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-6)
    assert np.min((normals * radial).sum(axis=1)) > 0.999


@pytest.mark.parametrize(("rings", "kind"), [(128, 5123), (129, 5125)])
def test_glb_indices_of_16_bits_end_before_the_forbidden_one(rings: int, kind: int) -> None:
    mesh = sphere(10, (0, 0, 0), rings)  # 32,514 and 33,026 vertices
    double = np.concatenate([mesh.vertices, mesh.vertices])
    document = pygltflib.GLTF2().load_from_bytes(
        written("glb", Model((part(1, "ball", Mesh(double, mesh.triangles)),)))
    )
    assert (len(double) <= 65535) == (kind == 5123)
    assert document.accessors[document.meshes[0].primitives[0].indices].componentType == kind


def test_glb_compressed_is_smaller_and_within_two_micrometres() -> None:
    plain, small = written("glb", many_triangles()), written("glb", many_triangles(), compress=True)
    assert len(small) < 0.7 * len(plain)
    document = pygltflib.GLTF2().load_from_bytes(written("glb", compress=True))
    assert document.extensionsRequired == ["KHR_mesh_quantization"]
    for node, piece in zip(document.nodes, SCENE.parts, strict=False):
        accessor = document.accessors[document.meshes[node.mesh].primitives[0].attributes.POSITION]
        view = document.bufferViews[accessor.bufferView]
        steps = np.frombuffer(document.binary_blob(), "<u2", view.byteLength // 2, view.byteOffset).reshape(-1, 4)[
            :, :3
        ]
        places = np.array(node.translation) + steps * np.array(node.scale)
        extent = np.ptp(piece.mesh.vertices, axis=0).max()
        assert np.abs(places - piece.mesh.vertices).max() <= extent / 65535 / 2 + 1e-5


# OBJ and PLY ----------------------------------------------------------------------------------------------------------


def test_obj_by_trimesh() -> None:
    archive = zipfile.ZipFile(io.BytesIO(written("obj.zip")))
    assert archive.namelist() == ["model.obj", "model.mtl"]
    files = {name: archive.read(name) for name in archive.namelist()}
    assert (files["model.obj"], files["model.mtl"]) == obj_and_mtl(SCENE)
    resolver = trimesh.resolvers.ZipResolver({name: io.BytesIO(data) for name, data in files.items()})
    loaded: Any = trimesh.load(io.BytesIO(files["model.obj"]), file_type="obj", resolver=resolver)
    names = {"PTV_60_Gy_boost_Größe": PTV, "External": EXTERNAL, "skin_scan": SKIN}
    assert set(loaded.geometry) == set(names)
    for name, piece in names.items():
        mesh = loaded.geometry[name]
        assert np.array_equal(mesh.bounds.astype(np.float32), np.array(piece.report.box, np.float32))
        assert mesh.volume == pytest.approx(trimesh.Trimesh(*_arrays(piece.mesh)).volume, rel=1e-6)
        assert tuple(mesh.visual.material.diffuse[:3]) == (piece.color or (127, 127, 127))


def test_obj_alone_by_trimesh() -> None:
    obj = written("obj")
    loaded: Any = trimesh.load(io.BytesIO(obj), file_type="obj")
    assert loaded.volume == pytest.approx(sum(trimesh.Trimesh(*_arrays(one.mesh)).volume for one in SCENE), rel=1e-6)
    words = [line.split(b" ")[0] for line in obj.splitlines()]
    assert (words.count(b"o"), words.count(b"mtllib"), words.count(b"usemtl")) == (len(SCENE.parts), 0, 0)


def test_obj_says_what_it_is() -> None:
    obj, mtl = obj_and_mtl(SCENE, "colors.mtl")
    lines = obj.decode().splitlines()
    assert {"# UNITS=mm", "# SPACE=LPS", f"# FrameOfReferenceUID={FRAME}", "mtllib colors.mtl"} <= set(lines[:8])
    assert "# 5 PTV 60 Gy <boost> & Größe" in lines
    assert "d 0.15" in mtl.decode().splitlines()


def test_names_of_obj_differ_and_have_no_blanks() -> None:
    names = ["PTV 1", "PTV_1", "ptv 1", "../../etc", " ", "a/b\\c", "\u202e"]
    model = Model(tuple(part(place, name, PTV.mesh) for place, name in enumerate(names, 1)))
    found = [line[2:] for line in obj_and_mtl(model)[0].decode().splitlines() if line.startswith("o ")]
    assert found == ["PTV_1", "PTV_1_2", "ptv_1_3", "etc", "Structure_5", "a_b_c", "Structure_7"]


def test_names_of_files_are_taken_by_every_system() -> None:
    names = ["CON", "aux.", "com1.tumour", "NUL .", "Console", "Liver. . ", "PTV" * 90, "PTV" * 90, "\U00020000" * 90]
    names += ["é", "e\u0301", "LPT¹", " . "]
    model = Model(tuple(part(place, name, PTV.mesh) for place, name in enumerate(names, 1)))
    files = zipfile.ZipFile(io.BytesIO(written("stl.zip", model))).namelist()
    assert files == [
        "_CON.stl", "_aux.stl", "_com1.tumour.stl", "_NUL.stl", "Console.stl", "Liver.stl",
        f"{('PTV' * 90)[:64]}.stl", f"{('PTV' * 90)[:64]}_2.stl", "\U00020000" * 40 + ".stl",
        "é.stl", "é_2.stl", "_LPT¹.stl", "Structure_13.stl", "structures.csv",
    ]  # fmt: skip
    assert max(len(name.encode()) for name in files) < 255


def test_ply_by_trimesh() -> None:
    data = written("ply")
    loaded: Any = trimesh.load(io.BytesIO(data), file_type="ply", process=False)
    raw = loaded.metadata["_ply_raw"]
    labels = raw["face"]["data"]["label"]
    assert {int(label): int(count) for label, count in zip(*np.unique(labels, return_counts=True), strict=True)} == {
        2: 2208, 5: 2208, 9: 1104,
    }  # fmt: skip
    assert np.array_equal(loaded.bounds, [LOW, HIGH])
    for piece in (PTV, EXTERNAL):
        of_it = loaded.submesh([np.flatnonzero(labels == piece.number)], append=True)
        assert of_it.volume / 1000 == pytest.approx(piece.volume_ml, rel=1e-6)
        assert {tuple(color) for color in of_it.visual.vertex_colors.tolist()} == {
            (*(piece.color or ()), round(piece.opacity * 255))
        }
    header = data[: data.index(b"end_header")].decode().splitlines()
    assert {"comment UNITS=mm", "comment SPACE=LPS", "comment label 5 PTV 60 Gy <boost> & Größe"} <= set(header)


def test_ply_labels_of_equal_numbers_are_counted() -> None:
    header = written("ply", Model((PTV, replace(EXTERNAL, number=5)))).split(b"end_header")[0].decode()
    assert "comment label 1 PTV" in header
    assert "comment label 2 External" in header


# STL ------------------------------------------------------------------------------------------------------------------


def test_stl_has_the_triangles_of_all() -> None:
    report = report_of(read_stl(written("stl")))
    assert report.triangles == sum(piece.report.triangles for piece in SCENE)
    assert report.box == (tuple(LOW), tuple(HIGH))
    assert written("stl")[:80].strip().endswith(b"UNITS=mm SPACE=LPS")


def test_stl_zip_has_a_file_a_structure_and_a_table() -> None:
    formula = replace(PTV, name="=cmd|' /C calc'!A0", number=1)
    archive = zipfile.ZipFile(io.BytesIO(written("stl.zip", Model((*SCENE.parts, formula)))))
    assert archive.testzip() is None
    rows = list(csv.DictReader(io.StringIO(archive.read("structures.csv").decode("utf-8-sig"))))
    assert [row["Name"] for row in rows] == [PTV.name, EXTERNAL.name, SKIN.name, "'=cmd|' /C calc'!A0"]
    assert [row["Color"] for row in rows] == ["#DD8265", "#0AC83C", "#7F7F7F", "#DD8265"]
    assert [row["Closed"] for row in rows] == ["yes", "yes", "no", "yes"]
    for row, piece in zip(rows, SCENE.parts, strict=False):
        report = report_of(read_stl(archive.read(row["File"])))
        assert report.box == piece.report.box
        if piece.closed:  # else it depends on where it is measured from
            assert report.volume == pytest.approx(piece.report.volume, rel=1e-6)
        assert float(row["Volume (mL)"]) == pytest.approx(piece.volume_ml, abs=5e-5)


def _arrays(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    return mesh.vertices, mesh.triangles
