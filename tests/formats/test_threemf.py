"""3MF, read back by lib3mf and trimesh."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import lib3mf
import numpy as np
import pytest
import trimesh
from PIL import Image

from testing.scenes import FRAME
from tests.formats.written import EXTERNAL, HIGH, LOW, PNG, PTV, SCENE, SKIN, written


def opened_3mf(data: bytes) -> Any:
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromBuffer(data)
    assert reader.GetWarningCount() == 0
    return model


def each(iterator: Any, current: str) -> list[Any]:
    found = []
    while iterator.MoveNext():
        found.append(getattr(iterator, current)())
    return found


def test_3mf_by_lib3mf() -> None:
    model = opened_3mf(written("3mf", thumbnail=PNG))
    assert model.GetUnit() == lib3mf.ModelUnit.MilliMeter
    objects = each(model.GetMeshObjects(), "GetCurrentMeshObject")
    assert [mesh.GetName() for mesh in objects] == [EXTERNAL.name, SKIN.name, PTV.name]  # outer ones first
    assert [mesh.GetPartNumber() for mesh in objects] == ["2", "9", "5"]
    assert [mesh.IsManifoldAndOriented() for mesh in objects] == [True, False, True]
    ordinary, surface = lib3mf.ObjectType.Model, lib3mf.ObjectType.Surface
    assert [mesh.GetType() for mesh in objects] == [ordinary, surface, ordinary]
    (group,) = each(model.GetColorGroups(), "GetCurrentColorGroup")
    colors = [group.GetColor(mesh.GetObjectLevelProperty()[1]) for mesh in objects]
    assert [(c.Red, c.Green, c.Blue, c.Alpha) for c in colors] == [
        (10, 200, 60, 38), (127, 127, 127, 255), (221, 130, 101, 255),
    ]  # fmt: skip
    (item,) = each(model.GetBuildItems(), "GetCurrent")
    assert [list(row) for row in item.GetObjectTransform().Fields][3] == list(-LOW)
    assert item.GetObjectResource().GetName() == SCENE.title
    assert model.HasPackageThumbnailAttachment()


def test_3mf_has_a_picture_of_the_model_unless_another_is_given() -> None:
    given, own = (zipfile.ZipFile(io.BytesIO(data)) for data in (written("3mf", thumbnail=PNG), written("3mf")))
    assert given.read("Metadata/thumbnail.png") == PNG
    image = np.asarray(Image.open(io.BytesIO(own.read("Metadata/thumbnail.png"))))
    assert image.shape == (256, 256, 4)
    assert (image[..., 3] > 0).mean() > 0.1


def test_3mf_metadata_has_no_patient() -> None:
    model = opened_3mf(written("3mf"))
    group = model.GetMetaDataGroup()
    known = {group.GetMetaData(i).GetName(): group.GetMetaData(i).GetValue() for i in range(group.GetMetaDataCount())}
    assert set(known) == {"Title", "Application", "Space", "FrameOfReferenceUID"}
    assert (known["Title"], known["Space"], known["FrameOfReferenceUID"]) == (SCENE.title, "LPS", FRAME)


def test_3mf_keeps_every_coordinate() -> None:
    for mesh in each(opened_3mf(written("3mf")).GetMeshObjects(), "GetCurrentMeshObject"):
        piece = SCENE[mesh.GetName()]
        places = np.array([list(vertex.Coordinates) for vertex in mesh.GetVertices()], np.float32)
        corners = np.array([list(triangle.Indices) for triangle in mesh.GetTriangleIndices()])
        assert np.array_equal(places, piece.mesh.vertices)
        assert np.array_equal(corners, piece.mesh.triangles)


def test_3mf_by_trimesh() -> None:
    loaded: Any = trimesh.load(io.BytesIO(written("3mf")), file_type="3mf")
    assert loaded.units == "millimeter"
    assert np.allclose(loaded.bounds, [[0, 0, 0], HIGH - LOW])
    for piece in (PTV, EXTERNAL):
        assert loaded.geometry[piece.name].is_watertight
        assert loaded.geometry[piece.name].volume / 1000 == pytest.approx(piece.volume_ml, rel=1e-6)
