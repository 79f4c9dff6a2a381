"""Models stored as Encapsulated OBJ with MTL on a real Orthanc: made, served, drawn, and made into other files."""

from __future__ import annotations

import io
import zipfile
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


def names_in(glb: bytes) -> list[str]:
    scene: Any = trimesh.load(io.BytesIO(glb), file_type="glb")
    return sorted(scene.geometry)


def test_facts_on_it_and_on_its_parts(server: OrthancServer, made: dict[str, Any]) -> None:
    facts = server.get(f"/instances/{made['ID']}/stl/info").json()
    assert facts["Title"] == "OBJ model generated from DICOM RT-STRUCT"
    assert [(part["Number"], part["Name"]) for part in facts["Parts"]] == [(1, "Left ball"), (2, "Right ball")]
    for part, model in zip(facts["Parts"], made["Models"], strict=True):
        assert (part["Triangles"], part["Closed"], part["EulerNumber"]) == (model["Triangles"], True, 2)
        assert part["VolumeMl"] == pytest.approx(model["VolumeMl"], rel=1e-5)
    assert facts["Triangles"] == sum(part["Triangles"] for part in facts["Parts"])
    assert facts["VolumeMl"] == pytest.approx(sum(part["VolumeMl"] for part in facts["Parts"]), abs=1e-3)
    assert (facts["Pieces"], facts["Units"], facts["Warnings"]) == (2, "mm", made["Warnings"])
    assert facts["Rois"] == ["Left ball", "Right ball"]


def test_some_of_the_parts_of_stored_models(server: OrthancServer, made: dict[str, Any], source: str) -> None:
    stl = server.post("/stl/encode", BODY | {"Instance": source, "Format": "stl"}).json()
    left, right = (model["ID"] for model in stl["Models"])
    for path, names in (
        (f"/instances/{made['ID']}/stl/scene.glb?structures=2", ["Right ball"]),
        (f"/series/{stl['ParentSeries']}/stl/scene.glb?structures=1", ["Left ball"]),
        (f"/instances/{right}/stl/scene.glb?with={left}", ["Left ball", "Right ball"]),
        (f"/instances/{left}/stl/scene.glb?with={made['ID']}&structures=1,3", ["Left ball", "Right ball"]),
        (f"/instances/{left}/stl/scene.glb", ["Left ball"]),
    ):
        assert names_in(server.get(path).body) == names
    coarse = server.get(f"/instances/{left}/stl/scene.stl?tolerance=2").body
    assert len(coarse) < len(server.get(f"/instances/{left}/stl/scene.stl").body) / 2


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("instances/{obj}/stl/scene.glb?compress=banana", "compress is true or false, got 'banana'"),
        ("instances/{obj}/stl/scene.3mf?compress=true", "compress makes files of GLB smaller, not those of 3MF"),
        ("instances/{obj}/stl/scene.glb?structures=9", "the model has no part 9"),
        ("instances/{obj}/stl/scene.glb?part=1", "part has no meaning for a stored model as it is"),
        ("instances/{obj}/stl/scene.glb?with=x", "with are identifiers of stored models"),
        ("instances/{obj}/stl/scene.glb?with={source}", "is an RT-STRUCT, but a stored model is needed"),
        ("studies/{study}/stl/scene.glb?resolution=64", "resolution has no meaning for stored models together"),
        ("instances/{source}/stl/scene.glb?structures=x", "structures are numbers"),
        ("instances/{source}/stl/scene.glb?smooth=banana", "true or false, got 'banana'"),
        ("instances/{source}/stl/scene.glb?mirror=x", "mirror is not read by itself"),
        ("instances/{source}/stl/structures/1.glb?compress=banana", "compress is true or false"),
        ("instances/{source}/stl/structures/1.glb?structures=2", "structures has no meaning for one structure"),
        ("instances/{source}/stl/structures/9.glb", "no structure 9"),
    ],
)
def test_what_a_query_cannot_ask(
    server: OrthancServer, made: dict[str, Any], source: str, path: str, words: str
) -> None:
    reply = server.get("/" + path.format(obj=made["ID"], source=source, study=made["ParentStudy"]))
    assert (reply.status, words in reply.json()["Details"]) == (400, True), reply.body


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


def test_an_obj_alone_and_with_its_mtl(server: OrthancServer, made: dict[str, Any], source: str) -> None:
    for path in (f"/instances/{source}/stl/structures/1", f"/series/{made['ParentSeries']}/stl/scene"):
        query = "?resolution=16" if "structures" in path else ""
        alone, zipped = (server.get(f"{path}.{suffix}{query}") for suffix in ("obj", "obj.zip"))
        assert alone.headers["content-type"] == ["model/obj"]
        with zipfile.ZipFile(io.BytesIO(zipped.body)) as files:
            lines = files.read("model.obj").splitlines(keepends=True)
        assert alone.body == b"".join(line for line in lines if not line.startswith((b"mtllib ", b"usemtl ")))
        assert alone.body != b"".join(lines)


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
