"""Models from structure sets, as a client makes, reads and deletes them, on a real Orthanc."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pydicom
import pytest

from orthanc_stl.formats.stl import read_stl
from testing import phantoms
from testing.data import shared_files
from testing.phantoms import Contour, Roi, Study
from testing.server import OrthancServer, Reply
from tests.live import samples

BALL_ML = 4 / 3 * np.pi * 30**3 / 1000


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as server:
        yield server


@pytest.fixture(scope="module")
def instance(server: OrthancServer) -> str:
    """A cylinder "Body" of 180 x 144 mm, a ball "Sphere" of radius 30 mm, and what no model can be made of."""
    points = Roi("Points", [Contour(np.array([[0.0, 0, 0]]), "POINT")])
    partly = phantoms.ball("Partly")
    partly = Roi("Partly", [*(partly.contours or ()), Contour(np.zeros((1, 3)), "POINT")])
    return server.upload(phantoms.structure_set([*phantoms.body_and_sphere(), points, partly], Study(seed="models")))


def convert(server: OrthancServer, instance: str, **fields: Any) -> Reply:
    return server.post("/stl/encode-rtstruct", {"Instance": instance, "Resolution": 64} | fields)


def made(server: OrthancServer, instance: str, **fields: Any) -> dict[str, Any]:
    reply = convert(server, instance, **fields)
    assert reply.status == 200, reply.body
    return reply.json()


def dicom(server: OrthancServer, answer: dict[str, Any]) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(server.get(answer["Path"] + "/file").body))


def test_a_model_is_a_closed_mesh_beside_its_structure_set(server: OrthancServer, instance: str) -> None:
    answer = made(server, instance, RoiNames=["Sphere"], Resolution=256)
    assert answer["VolumeMl"] == pytest.approx(BALL_ML, rel=0.01)
    assert answer["ParentStudy"] == server.get(f"/instances/{instance}/study").json()["ID"]
    mesh = read_stl(server.get(answer["Path"] + "/stl").body)
    assert len(mesh.triangles) == answer["Triangles"]
    info = server.get(answer["Path"] + "/stl/info").json()
    assert (info["Closed"], info["EulerNumber"], info["Pieces"], info["Rois"]) == (True, 2, 1, ["Sphere"])
    source = pydicom.dcmread(io.BytesIO(server.get(f"/instances/{instance}/file").body)).SOPInstanceUID
    assert info["SourceInstances"] == [source]
    assert info["VolumeMl"] == pytest.approx(answer["VolumeMl"], abs=0.001)


def test_by_name_or_by_number(server: OrthancServer, instance: str) -> None:
    assert made(server, instance, RoiNumbers=[2])["VolumeMl"] == made(server, instance, RoiNames=["Sphere"])["VolumeMl"]
    both = convert(server, instance, RoiNames=["Sphere"], RoiNumbers=[2])
    assert (both.status, "exclude each other" in both.json()["Details"]) == (400, True)
    assert convert(server, instance, RoiNumbers=[99]).status == 400
    assert convert(server, instance, RoiNumbers=[]).status == 400


def test_several_rois_are_united(server: OrthancServer, instance: str) -> None:
    body = made(server, instance, RoiNames=["Body"])["VolumeMl"]
    assert made(server, instance, RoiNames=["Body", "Sphere"])["VolumeMl"] == pytest.approx(body, rel=0.01)


def test_end_caps_are_half_a_slice_each(server: OrthancServer, instance: str) -> None:
    with_caps = made(server, instance, RoiNames=["Body"])["VolumeMl"]
    without = made(server, instance, RoiNames=["Body"], EndCaps=False)["VolumeMl"]
    assert with_caps / without == pytest.approx(123 / 120, rel=0.005)


def test_what_was_skipped_is_a_warning_and_strict_refuses_it(server: OrthancServer, instance: str) -> None:
    warnings = made(server, instance, RoiNames=["Partly"])["Warnings"]
    assert len(warnings) == 1
    refused = convert(server, instance, RoiNames=["Partly"], Strict=True)
    assert (refused.status, warnings[0] in refused.json()["Details"]) == (400, True)
    assert made(server, instance, RoiNames=["Sphere"], Strict=True)["Warnings"] == []


def test_a_roi_without_contours_of_use_is_refused(server: OrthancServer, instance: str) -> None:
    reply = convert(server, instance, RoiNames=["Points"])
    assert (reply.status, "Points" in reply.json()["Details"]) == (400, True)


def test_tags_win_over_the_defaults(server: OrthancServer, instance: str) -> None:
    tags = {"SeriesDescription": "Für den Drucker", "0018,1030": "Models", "DocumentTitle": "Mine"}
    ds = dicom(server, made(server, instance, RoiNames=["Sphere"], Tags=tags))
    assert (ds.SeriesDescription, ds.ProtocolName, ds.DocumentTitle) == tuple(tags.values())
    for tag in ("PatientID", "StudyInstanceUID", "SOPInstanceUID", "SOPClassUID", "0010,0010", "NoSuchTag"):
        refused = convert(server, instance, RoiNames=["Sphere"], Tags={tag: "1"})
        assert (refused.status, bool(refused.json()["Details"])) == (400, True)


def test_structures_say_what_is_usable_and_why_not(server: OrthancServer, instance: str) -> None:
    rois = server.get(f"/instances/{instance}/stl/structures").json()
    assert [(roi["Number"], roi["Name"], roi["Usable"]) for roi in rois] == [
        (1, "Body", True), (2, "Sphere", True), (3, "Points", False), (4, "Partly", True),
    ]  # fmt: skip
    assert rois[1]["Extent"] == [[-30, -30, -27], [30, 30, 27]]
    assert rois[2]["Reason"]
    assert rois[3]["Contours"] == {"CLOSED_PLANAR": 19, "POINT": 1}


def test_an_asynchronous_conversion_from_start_to_end(server: OrthancServer, instance: str) -> None:
    reply = made(server, instance, RoiNames=["Sphere"], Asynchronous=True)
    assert reply["Path"] == f"/stl/jobs/{reply['ID']}"
    seen = [server.get(reply["Path"]).json()]
    while seen[-1]["State"] in ("Pending", "Running"):
        time.sleep(0.02)
        seen.append(server.get(reply["Path"]).json())
    progress = [job["Progress"] for job in seen]
    assert progress == sorted(progress)
    assert (seen[-1]["State"], progress[-1], seen[-1]["Error"]) == ("Success", 100, None)
    assert seen[-1]["Answer"].keys() == made(server, instance, RoiNames=["Sphere"]).keys()
    assert server.get(seen[-1]["Answer"]["Path"] + "/stl").status == 200
    assert server.delete(reply["Path"]).json()["State"] == "Success"


def test_an_asynchronous_failure_has_the_error_of_the_synchronous_form(server: OrthancServer, instance: str) -> None:
    wrong = {"RoiNames": ["Nobody"]}
    job = made(server, instance, **wrong, Asynchronous=True)["Path"]
    while (state := server.get(job).json())["State"] in ("Pending", "Running"):
        time.sleep(0.02)
    error = convert(server, instance, **wrong).json()
    assert state["State"] == "Failure"
    assert state["Error"] == {key: error[key] for key in ("Details", "HttpStatus", "Message", "OrthancStatus")}


def test_a_model_of_what_was_deleted_meanwhile_is_not_stored(server: OrthancServer) -> None:
    gone = server.upload(samples.structure_set({"Box": samples.box(200, 200, 1)}))
    job = made(server, gone, RoiNames=["Box"], Resolution=200, Asynchronous=True)["Path"]
    while server.get(job).json()["Progress"] < 5:
        time.sleep(0.02)
    server.delete(f"/instances/{gone}")
    count = server.get("/statistics").json()["CountInstances"]
    while (state := server.get(job).json())["State"] in ("Pending", "Running"):
        time.sleep(0.02)
    assert (state["State"], state["Error"]["HttpStatus"]) == ("Failure", 404)
    assert server.get("/statistics").json()["CountInstances"] == count


def test_ranges_and_validators_of_a_model(server: OrthancServer, instance: str) -> None:
    path = made(server, instance, RoiNames=["Sphere"])["Path"] + "/stl"
    whole = server.get(path)
    etag = whole.headers["etag"][0]
    assert whole.headers["content-type"] == ["model/stl"]
    assert whole.headers["accept-ranges"] == ["bytes"]
    part = server.get(path, {"Range": "bytes=84-133"})
    assert (part.status, part.body) == (206, whole.body[84:134])
    assert part.headers["content-range"] == [f"bytes 84-133/{len(whole.body)}"]
    known = server.get(path, {"If-None-Match": etag})
    assert (known.status, known.body, known.headers["etag"]) == (304, b"", [etag])
    assert server.get(path, {"Range": "bytes=0-9", "If-Range": '"another"'}).status == 200


@pytest.mark.parametrize("length", ["even", "odd", "unknown"])
def test_objects_of_others_come_out_byte_by_byte(server: OrthancServer, instance: str, length: str) -> None:
    stl = server.get(made(server, instance, RoiNames=["Sphere"], Resolution=16)["Path"] + "/stl").body
    stl += b"x" if length == "odd" else b""
    ds = dicom(server, made(server, instance, RoiNames=["Sphere"], Resolution=16))
    ds.EncapsulatedDocument = stl + bytes(len(stl) % 2)
    ds.EncapsulatedDocumentLength = len(stl)
    if length == "unknown":
        del ds.EncapsulatedDocumentLength
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    target = io.BytesIO()
    ds.save_as(target)
    assert server.get(f"/instances/{server.upload(target.getvalue())}/stl").body == stl


@pytest.mark.parametrize("file", shared_files("encapsulated/*.dcm"), ids=lambda file: file.name)
def test_real_objects_of_others(server: OrthancServer, file: Any) -> None:
    ds = pydicom.dcmread(file)
    path = f"/instances/{server.upload(file.read_bytes())}/stl"
    document = ds.get("EncapsulatedDocument") or b""
    reply = server.get(path)
    if document:
        assert (reply.status, reply.body) == (200, document[: ds.get("EncapsulatedDocumentLength") or None])
    else:
        assert (reply.status, "holds no document" in reply.json()["Details"]) == (400, True)
        assert server.get(path + "/info").status == 400
