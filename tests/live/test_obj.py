"""Models stored as Encapsulated OBJ with MTL on a real Orthanc: made, served, drawn, and made into other files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pydicom
import pytest
import trimesh
from PIL import Image

from testing import phantoms
from testing.server import OrthancServer
from tests.dicom.standard import departures

OBJ, MTL = "1.2.840.10008.5.1.4.1.1.104.4", "1.2.840.10008.5.1.4.1.1.104.5"
STUDY = phantoms.Study(seed="obj")
BODY = {"All": True, "Separate": True, "Resolution": 32, "Format": "obj"}


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as running:
        yield running


@pytest.fixture(scope="module")
def source(server: OrthancServer) -> str:
    balls = [phantoms.ball("Left ball", 20, (30, 0, 0)), phantoms.ball("Right ball", 10, (-30, 0, 0))]
    return server.upload(phantoms.structure_set(balls, STUDY))


@pytest.fixture(scope="module")
def made(server: OrthancServer, source: str) -> dict[str, Any]:
    reply = server.post("/stl/encode", BODY | {"Instance": source})
    assert reply.status == 200, reply.body
    answer: dict[str, Any] = reply.json()
    return answer


def dicom_of(server: OrthancServer, instance: str) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(server.get(f"/instances/{instance}/file").body))


def test_all_structures_are_in_one_obj_with_its_mtl(server: OrthancServer, made: dict[str, Any]) -> None:
    assert [model["Name"] for model in made["Models"]] == ["Left ball", "Right ball"]
    assert {model["ID"] for model in made["Models"]} == {made["ID"]}
    obj = dicom_of(server, made["ID"])
    assert obj.SOPClassUID == OBJ
    assert departures(obj, "encapsulated-obj") == []
    assert obj.SeriesDescription.endswith("Left ball, Right ball")
    named = obj.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID
    found = server.post("/tools/lookup", named.encode()).json()
    mtl = dicom_of(server, found[0]["ID"])
    assert mtl.SOPClassUID == MTL
    assert departures(mtl, "encapsulated-mtl") == []
    assert mtl.StudyInstanceUID == obj.StudyInstanceUID
    assert server.get(f"/instances/{found[0]['ID']}/mtl").body.count(b"newmtl") == 2


def test_the_obj_is_served(server: OrthancServer, made: dict[str, Any]) -> None:
    reply = server.get(f"/instances/{made['ID']}/obj")
    assert (reply.status, reply.headers["content-type"]) == (200, ["model/obj"])
    assert reply.body.startswith(b"# orthanc-stl")
    assert reply.body.count(b"\no ") == 2
    refused = server.get(f"/instances/{made['ID']}/stl")
    assert refused.status == 400
    assert "is an encapsulated OBJ, but an encapsulated STL is needed" in refused.json()["Details"]


def test_it_becomes_other_files_with_names_and_colors(server: OrthancServer, made: dict[str, Any], source: str) -> None:
    stl = server.post("/stl/encode", BODY | {"Instance": source, "Format": "stl"}).json()
    from_obj = server.get(f"/instances/{made['ID']}/stl/scene.glb").body
    from_stl = server.get(f"/series/{stl['ParentSeries']}/stl/scene.glb").body
    scenes: list[Any] = [trimesh.load(io.BytesIO(data), file_type="glb") for data in (from_obj, from_stl)]
    for obj, other in zip(*(sorted(scene.geometry.items()) for scene in scenes), strict=True):
        assert obj[0] == other[0]
        assert np.array_equal(obj[1].visual.material.baseColorFactor, other[1].visual.material.baseColorFactor)
        assert obj[1].volume == pytest.approx(other[1].volume, rel=1e-6)


@pytest.mark.parametrize("width", [16, 200])
def test_a_picture(server: OrthancServer, made: dict[str, Any], width: int) -> None:
    reply = server.get(f"/instances/{made['ID']}/stl/preview?width={width}")
    assert (reply.status, reply.headers["content-type"]) == (200, ["image/png"])
    image = np.asarray(Image.open(io.BytesIO(reply.body)))
    assert image.shape == (width, width, 4)
    assert 0.02 < (image[..., 3] > 0).mean() < 0.9
    again = server.get(f"/instances/{made['ID']}/stl/preview?width={width}")
    assert again.body == reply.body


def test_what_is_no_picture(server: OrthancServer, made: dict[str, Any], source: str) -> None:
    for path, status, words in (
        (f"/instances/{made['ID']}/stl/preview?width=5", 400, "from 16 to 2048"),
        (f"/instances/{made['ID']}/stl/preview?width=x", 400, "from 16 to 2048"),
        (f"/instances/{source}/stl/preview", 400, "a stored model is needed"),
        ("/instances/00000000-00000000-00000000-00000000-00000000/stl/preview", 404, ""),
    ):
        reply = server.get(path)
        assert (reply.status, words in reply.json()["Details"]) == (status, True)


def test_replaced_are_both(server: OrthancServer, source: str) -> None:
    first = server.post("/stl/encode", BODY | {"Instance": source}).json()
    before = server.get("/statistics").json()["CountInstances"]
    second = server.post("/stl/encode", BODY | {"Instance": source, "Replace": True}).json()
    assert server.get(f"/instances/{first['ID']}").status == 404
    assert server.get("/statistics").json()["CountInstances"] <= before
    assert server.get(f"/instances/{second['ID']}").status == 200


def test_a_format_that_is_none(server: OrthancServer, source: str) -> None:
    reply = server.post("/stl/encode", BODY | {"Instance": source, "Format": "glb"})
    assert reply.status == 400
    assert "Format must be 'stl' or 'obj'" in reply.json()["Details"]
