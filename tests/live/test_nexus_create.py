"""POST /stl/create-nexus on a real Orthanc: what is stored, where, and what is refused."""

from __future__ import annotations

import base64
import os
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest

from orthanc_stl.formats.nexus_index import read_index
from orthanc_stl.formats.registry import writer_of
from testing import phantoms
from testing.scenes import scene
from testing.server import OrthancServer, Reply
from tests.conversion.painted import MTL, png, square, zipped
from tests.nexus_writer import box, levels, nexus_dicom, write_nexus

MODEL = write_nexus(levels([(4, 6), (12, 18)]))
NEXUS_RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def changed(at: int, value: int) -> bytes:
    model = bytearray(MODEL)
    struct.pack_into("<I", model, at, value)
    return bytes(model)


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    """Its workers have the packages of the tests: pymeshlab is one."""
    path = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    with OrthancServer(stl={"EnableNexus": True}, env=path) as running:
        yield running


@pytest.fixture(scope="module")
def image(server: OrthancServer) -> dict[str, str]:
    """An image, by Orthanc's ids of its patient, study and series."""
    study = phantoms.Study(seed="nexus", patient_name="Doe^Jane")
    instance = server.upload(phantoms.ct_slices(study, planes=(0,))[0])
    return {"ID": instance} | {
        level: server.get(f"/instances/{instance}/{level}").json()["ID"] for level in ("patient", "study", "series")
    }


def create(server: OrthancServer, **body: Any) -> Reply:
    return server.post("/stl/create-nexus", body)


def count(server: OrthancServer) -> int:
    return server.get("/statistics").json()["CountInstances"]


def tags_of(server: OrthancServer, instance: str) -> dict[str, Any]:
    return server.get(f"/instances/{instance}/simplified-tags").json()


def test_a_model_is_stored_byte_by_byte_and_answered_as_create_dicom_does(server: OrthancServer) -> None:
    reply = create(server, Content=encoded(MODEL), Tags={"PatientName": "Scan^One", "SeriesDescription": "Statue"})
    assert reply.status == 200
    assert set(reply.json()) == {"ID", "ParentPatient", "ParentSeries", "ParentStudy", "Path", "Status"}
    instance = reply.json()["ID"]
    assert server.get(f"/instances/{instance}/nexus").body == MODEL
    assert server.get(f"/instances/{instance}/content/4205-1001").body == MODEL
    tags = tags_of(server, instance)
    assert (tags["SOPClassUID"], tags["Modality"]) == (NEXUS_RAW_DATA, "OT")
    assert (tags["PatientName"], tags["SeriesDescription"]) == ("Scan^One", "Statue")


def test_tags_and_parent_may_be_missing(server: OrthancServer) -> None:
    first, second = (create(server, Content=encoded(MODEL)).json() for _ in range(2))
    assert first["ParentStudy"] != second["ParentStudy"]
    assert first["ParentPatient"] != second["ParentPatient"]


@pytest.mark.parametrize("level", ["patient", "study"])
def test_a_model_joins_a_patient_or_a_study(server: OrthancServer, image: dict[str, str], level: str) -> None:
    answer = create(server, Content=encoded(MODEL), Parent=image[level]).json()
    assert answer["ParentPatient"] == image["patient"]
    assert (answer["ParentStudy"] == image["study"]) == (level == "study")
    assert tags_of(server, answer["ID"])["PatientName"] == "Doe^Jane"


def test_a_model_joins_a_series_of_models_but_no_other(server: OrthancServer, image: dict[str, str]) -> None:
    first = create(server, Content=encoded(MODEL), Parent=image["study"]).json()
    second = create(server, Content=encoded(write_nexus([box()])), Parent=first["ParentSeries"]).json()
    assert second["ParentSeries"] == first["ParentSeries"]
    assert [tags_of(server, one["ID"])["InstanceNumber"] for one in (first, second)] == ["1", "2"]
    refused = create(server, Content=encoded(MODEL), Parent=image["series"])
    assert refused.status == 400
    assert "CT Image" in refused.json()["Details"]


def test_a_new_series_has_the_next_number_of_its_study(server: OrthancServer) -> None:
    study = phantoms.Study(seed="nexus numbers")
    rtstruct = server.upload(phantoms.structure_set([phantoms.ball("Ball", 20, (0, 0, 0))], study))
    order = {"Instance": rtstruct, "RoiNames": ["Ball"], "Resolution": 16}
    stl = server.post("/stl/encode-rtstruct", order).json()
    joins = {"Content": encoded(MODEL), "Parent": stl["ParentStudy"]}
    first, second = (create(server, **joins).json() for _ in range(2))
    again = server.post("/stl/encode-rtstruct", order).json()
    chosen = create(server, **joins, Tags={"SeriesNumber": "42"}).json()
    numbers = [tags_of(server, one["ID"])["SeriesNumber"] for one in (stl, first, second, again, chosen)]
    assert numbers == ["1", "2", "3", "4", "42"]
    elsewhere = create(server, Content=encoded(MODEL), Parent=stl["ParentPatient"]).json()
    assert tags_of(server, elsewhere["ID"])["SeriesNumber"] == "1"


def test_a_model_of_odd_length_comes_back_without_a_byte_more(server: OrthancServer) -> None:
    odd = MODEL + b"\1"
    answer = create(server, Content=encoded(odd)).json()
    assert server.get(f"/instances/{answer['ID']}/nexus").body == odd


def test_an_asynchronous_model_is_stored_by_its_job(server: OrthancServer) -> None:
    job = create(server, Content=encoded(MODEL), Asynchronous=True).json()
    deadline = time.monotonic() + 60
    while (progress := server.get(job["Path"]).json())["State"] in ("Pending", "Running"):
        assert time.monotonic() < deadline, progress
        time.sleep(0.05)
    assert progress["State"] == "Success"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no content": ({}, "Content"),
    "content that is a number": ({"Content": 5}, "Content"),
    "an empty file": ({"Content": ""}, "magic header"),
    "another file": ({"Content": encoded(b"solid cube")}, "magic header"),
    "a data URI": ({"Content": "data:;base64," + encoded(MODEL)}, "base64"),
    "broken base64": ({"Content": encoded(MODEL)[:-7] + "!"}, "base64"),
    "cut base64": ({"Content": encoded(MODEL)[:-3]}, "base64"),
    "the magic alone": ({"Content": encoded(MODEL[:4])}, "cut off"),
    "a file cut in its header": ({"Content": encoded(MODEL[:60])}, "cut off"),
    "a file cut in its index": ({"Content": encoded(MODEL[:100])}, "cut off"),
    "a file cut in its last node": ({"Content": encoded(MODEL[:-300])}, "cut off"),
    "a deepzoom index": ({"Content": encoded(changed(56, 8))}, "deepzoom"),
    "2^32 nodes": ({"Content": encoded(changed(60, 0xFFFFFFFF))}, "cut off"),
    "another version": ({"Content": encoded(changed(4, 7))}, "version 7"),
    "an unknown parent": ({"Content": encoded(MODEL), "Parent": "-".join(["00000000"] * 5)}, "Parent"),
    "a parent that is a number": ({"Content": encoded(MODEL), "Parent": 5}, "Parent"),
    "tags that are a string": ({"Content": encoded(MODEL), "Tags": "no"}, "Tags"),
    "an unknown tag": ({"Content": encoded(MODEL), "Tags": {"NoSuchTag": "1"}}, "NoSuchTag"),
    "another modality": ({"Content": encoded(MODEL), "Tags": {"Modality": "CT"}}, "Modality"),
    "a damaged GLB file": ({"Content": encoded(b"glTF" + bytes(40))}, "GLB"),
    "a zip without an OBJ": ({"Content": encoded(b"PK\3\4" + bytes(40))}, "zip"),
    "both a file and an STL": ({"Content": encoded(MODEL), "Instance": "x"}, "exclude each other"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_refused_with_the_reason_and_not_stored(server: OrthancServer, case: str) -> None:
    body, words = BAD[case]
    before = count(server)
    reply = create(server, **body)
    assert reply.status == 400
    assert words in reply.json()["Details"]
    assert count(server) == before


def test_an_stl_is_needed_to_build_from(server: OrthancServer, image: dict[str, str]) -> None:
    reply = create(server, Instance=image["ID"])
    assert (reply.status, "a CT image, but an encapsulated STL is needed" in reply.json()["Details"]) == (400, True)
    assert create(server, Instance="-".join(["00000000"] * 5)).status == 404


def built(server: OrthancServer, reply: Reply) -> dict[str, Any]:
    """The answer, after a look at the model; the test ends here where pymeshlab is missing."""
    if reply.status == 400 and "pip install pymeshlab" in reply.json()["Details"]:
        pytest.skip("pymeshlab is not installed: pip install pymeshlab")
    assert reply.status == 200, reply.body
    answer: dict[str, Any] = reply.json()
    index = read_index(server.get(f"/instances/{answer['ID']}/nexus").body)
    assert index.triangles >= answer["Triangles"]
    return answer


def test_a_stored_stl_becomes_one(server: OrthancServer) -> None:
    study = phantoms.Study(seed="nexus build")
    rtstruct = server.upload(phantoms.structure_set([phantoms.ball("Ball", 20, (0, 0, 0))], study))
    stl = server.post("/stl/encode-rtstruct", {"Instance": rtstruct, "RoiNames": ["Ball"], "Resolution": 32}).json()
    answer = built(server, create(server, Instance=stl["ID"]))
    assert (answer["ParentStudy"], answer["Triangles"]) == (stl["ParentStudy"], stl["Triangles"])


def test_a_series_of_models_becomes_one(server: OrthancServer) -> None:
    study = phantoms.Study(seed="nexus of several")
    balls = [phantoms.ball("Left", 20, (30, 0, 0)), phantoms.ball("Right", 20, (-30, 0, 0))]
    rtstruct = server.upload(phantoms.structure_set(balls, study))
    body = {"Instance": rtstruct, "All": True, "Separate": True, "Resolution": 32}
    models = server.post("/stl/encode-rtstruct", body).json()
    assert len(models["Models"]) == 2
    answer = built(server, create(server, Series=models["ParentSeries"]))
    assert answer["ParentStudy"] == models["ParentStudy"]
    assert answer["Triangles"] == sum(model["Triangles"] for model in models["Models"])


def test_a_glb_file_becomes_one(server: OrthancServer, image: dict[str, str]) -> None:
    glb = writer_of("glb")
    assert glb
    answer = built(server, create(server, Content=encoded(glb.write(scene())), Parent=image["study"]))
    assert answer["ParentStudy"] == image["study"]
    assert (answer["Triangles"], answer["Warnings"]) == (5520, [])


def test_a_stored_obj_becomes_one_and_what_is_not_seen_through_is_told(server: OrthancServer) -> None:
    balls = [phantoms.ball("BODY", 30, (0, 0, 0)), phantoms.ball("Left", 10, (10, 0, 0))]
    rtstruct = server.upload(phantoms.structure_set(balls, phantoms.Study(seed="nexus of an OBJ")))
    body = {"Instance": rtstruct, "All": True, "Separate": True, "Resolution": 32, "Format": "obj", "Opacity": 0.5}
    stored = server.post("/stl/encode", body).json()
    answer = built(server, create(server, Instance=stored["ID"]))
    assert answer["Triangles"] == sum(model["Triangles"] for model in stored["Models"])
    assert [warning for warning in answer["Warnings"] if "opaque" in warning] == [
        'The viewers of Nexus models here draw "BODY", "Left" opaque, which are to be seen through'
    ]


def test_a_textured_obj_becomes_one_and_what_it_lost_is_told(server: OrthancServer, image: dict[str, str]) -> None:
    whole: dict[str, bytes | str] = {"s.obj": square(), "s.mtl": MTL, "pictures/s.png": png()}
    answer = built(server, create(server, Content=encoded(zipped(whole)), Parent=image["study"]))
    assert answer["Triangles"] > 2
    (warning,) = answer["Warnings"]
    assert warning.startswith("The texture became the colors of")
    without = {name: content for name, content in whole.items() if name != "pictures/s.png"}
    answer = built(server, create(server, Content=encoded(zipped(without)), Parent=image["study"]))
    assert answer["Warnings"] == [
        'the picture "pictures/s.png" is not in the zip: the colors that it gives to the surface are lost'
    ]


def test_a_series_that_has_no_models(server: OrthancServer, image: dict[str, str]) -> None:
    for series, status, words in (
        (image["series"], 400, "no stored model"),
        ("-".join(["00000000"] * 5), 404, ""),
        ("../studies", 400, "identifier of a series"),
    ):
        reply = create(server, Series=series)
        assert (reply.status, words in reply.json()["Details"]) == (status, True)


def test_the_originals_objects_are_read(server: OrthancServer) -> None:
    """They have no length of their own: an odd model comes with the byte that pads it."""
    instance = server.upload(nexus_dicom(MODEL))
    assert server.get(f"/instances/{instance}/nexus").body == MODEL
