"""Files of models: whatever names they have, and read back by our own readers."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import lxml.etree
import numpy as np
import pygltflib
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.formats.obj import obj_and_mtl
from orthanc_stl.formats.scene import shown_name
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.registry import open_files
from testing.scenes import part
from tests.formats.written import SCENE, written

OBJ_WORDS = {"#", "mtllib", "o", "v", "usemtl", "f"}
NAMES = st.lists(st.text(max_size=80), min_size=1, max_size=4)
TETRAHEDRON = Mesh(
    np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 3]], np.float32),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32),
)


@settings(max_examples=40, deadline=None)
@given(NAMES, st.floats(-2, 2), st.integers(-(1 << 40), 1 << 40), st.text(max_size=40))
def test_any_name_number_opacity_and_title(names: list[str], opacity: float, number: int, title: str) -> None:
    parts = [part(number + place, name, TETRAHEDRON, opacity=opacity, kind=title) for place, name in enumerate(names)]
    model = Model(tuple(parts), title, title)
    shown = [shown_name(piece) for piece in parts]
    document = pygltflib.GLTF2().load_from_bytes(written("glb", model))
    assert [mesh.name for mesh in document.meshes] == shown
    package = zipfile.ZipFile(io.BytesIO(written("3mf", model)))
    root = lxml.etree.fromstring(package.read("3D/3dmodel.model"))
    named = [each.get("name") for each in root.iter("{*}object")]
    assert named[:-1] == shown
    obj, mtl = obj_and_mtl(model)
    found = [line[2:] for line in obj.decode().split("\n") if line.startswith("o ")]
    assert len(set(found)) == len(names)
    assert [line[7:] for line in mtl.decode().split("\n") if line.startswith("newmtl ")] == found
    assert not any(re.search(r"\s", name) for name in found)
    assert not [line for line in obj.decode().split("\n") if line and line.split(" ")[0] not in OBJ_WORDS]
    loaded: Any = trimesh.load(io.BytesIO(written("ply", model)), file_type="ply", process=False)
    assert len(loaded.faces) == 4 * len(names)
    files = zipfile.ZipFile(io.BytesIO(written("stl.zip", model))).namelist()
    assert len(set(files)) == len(names) + 1
    assert all(name == Path(name).name and not name.startswith(".") for name in files)


@pytest.mark.parametrize("suffix", ["glb", "3mf", "ply", "obj"])
def test_our_own_readers_put_everything_back_where_it_was(suffix: str) -> None:
    files = obj_and_mtl(SCENE) if suffix == "obj" else (written(suffix),)
    source = open_files(files, ReadOptions(), name=f"scene.{suffix}")
    for structure in source.structures:
        piece = SCENE[structure.name]
        mesh, notes = source.shape(structure.number)
        assert not notes
        assert structure.color == (piece.color or (127, 127, 127))
        assert structure.facts.get("Opacity", 1) == pytest.approx(piece.opacity, abs=0.002)
        assert isinstance(mesh, Mesh)
        report = report_of(mesh)
        assert np.allclose(report.box, piece.report.box, atol=1e-4)
        assert report.triangles == piece.report.triangles
        assert report.volume == pytest.approx(piece.report.volume, rel=1e-5)
    assert len(source.structures) == 3
