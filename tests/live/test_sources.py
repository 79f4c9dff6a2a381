"""Every source on a real Orthanc: what is listed, what is made of it, what is refused."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from orthanc_stl.formats import glb
from orthanc_stl.formats.base import WriteOptions
from testing import phantoms
from testing.data import shared_file
from testing.nifti_phantoms import folder_of_masks, nifti_file
from testing.server import OrthancServer
from testing.source_phantoms import ball_frames, dose_dataset, file_of, item, plan_dataset, seg_dataset
from tests.sources.test_label_maps import CARET, extension, labels
from tests.sources.test_meshes import facets, surfaces, two_parts

CENTRE = (10.0, -15.0, 30.0)


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as server:
        yield server


def content(data: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(data).decode()


def listed(server: OrthancServer, instance: str) -> list[dict[str, Any]]:
    reply = server.get(f"/instances/{instance}/stl/structures")
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = reply.json()
    return found


def encoded(server: OrthancServer, **body: Any) -> list[dict[str, Any]]:
    reply = server.post("/stl/encode", {"Separate": True, "All": True, **body})
    assert reply.status == 200, reply.body
    models: list[dict[str, Any]] = reply.json()["Models"]
    return models


def tags(server: OrthancServer, model: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = server.get(f"/instances/{model['ID']}/tags?simplify").json()
    return found


def segmentation() -> bytes:
    frames, positions = ball_frames(CENTRE, 12, places=range(-13, 14))
    small, _ = ball_frames(CENTRE, 6, places=range(-13, 14))
    placed = [(number, position) for number in (1, 7) for position in positions]
    return file_of(seg_dataset(np.concatenate((frames, small)), placed, numbers=(1, 7)))


def test_a_segmentation(server: OrthancServer) -> None:
    instance = server.upload(segmentation())
    structures = listed(server, instance)
    assert [(s["Number"], s["Name"], s["Usable"]) for s in structures] == [
        (1, "segment 1", True), (7, "segment 7", True),
    ]  # fmt: skip
    models = encoded(server, Instance=instance)
    for model, structure in zip(models, structures, strict=True):
        assert model["VolumeMl"] == pytest.approx(structure["VolumeMl"], rel=2e-3)
    stored = tags(server, models[0])
    assert stored["FrameOfReferenceUID"] == "1.2.3.4"
    assert stored["DocumentTitle"] == "STL model generated from DICOM SEG"
    assert stored["ContentDescription"] == "segment 1"
    assert len(stored["SourceInstanceSequence"]) == 1
    (union,) = encoded(server, Instance=instance, Separate=False)
    assert union["VolumeMl"] == pytest.approx(structures[0]["VolumeMl"], rel=2e-3)  # the small one lies in it
    body = {"Instance": instance, "All": True, "Separate": True, "Resolution": 32, "Levels": [30], "Step": 1}
    answer = server.post("/stl/encode", body).json()
    assert answer["Warnings"] == [note["Text"] for note in answer["Notes"]] == [
        "Levels was ignored: it means nothing for a DICOM SEG", 'ignored: there is no field "Step"',
    ]  # fmt: skip


def test_twenty_who_ask_at_once_cause_one_conversion(server: OrthancServer) -> None:
    path = f"/instances/{server.upload(segmentation())}/stl/scene.glb?resolution=120"
    before = conversions(server)
    with ThreadPoolExecutor(20) as clients:
        files = list(clients.map(lambda _: server.get(path).body, range(20)))
    assert len(set(files)) == 1
    assert files[0].startswith(b"glTF")
    assert conversions(server) == before + 1
    assert server.get(path).body == files[0]
    assert conversions(server) == before + 1


def conversions(server: OrthancServer) -> int:
    """How often the log tells the end of one that made a file for an answer."""
    return server.log_text().count("scene_file of ")


def test_a_dose_and_the_plan_of_its_study(server: OrthancServer) -> None:
    grid = (np.arange(40) - 19.5) * 2.5
    r2 = grid[None, None] ** 2 + grid[None, :, None] ** 2 + grid[:, None, None] ** 2
    ds = dose_dataset(60 * np.exp(-r2 / 800), offsets=grid - grid[0], position=(grid[0], grid[0], grid[0]))
    plan = plan_dataset(40.0)
    plan.StudyInstanceUID = ds.StudyInstanceUID
    ds.ReferencedRTPlanSequence = [
        item(ReferencedSOPClassUID=plan.SOPClassUID, ReferencedSOPInstanceUID=plan.SOPInstanceUID)
    ]
    instance = server.upload(file_of(ds))
    assert listed(server, instance)[0]["Name"] == "95 % of the maximum (56.6666 Gy)"
    server.upload(file_of(plan))
    assert listed(server, instance)[0]["Name"] == "107 % of the prescription (42.8 Gy)"
    models = encoded(server, Instance=instance, Levels=[30, "50%"], Reference="prescription")
    radii = [20 * np.sqrt(2 * np.log(60 / level)) for level in (30, 20)]
    assert [m["VolumeMl"] for m in models] == pytest.approx([4 / 3 * np.pi * r**3 / 1000 for r in radii], rel=0.01)
    reply = server.post("/stl/encode", {"Instance": instance, "All": True, "Levels": ["much"]})
    assert (reply.status, "Levels" in reply.json()["Details"]) == (400, True)


def test_a_surface_segmentation(server: OrthancServer) -> None:
    primitives = item(FacetSequence=facets("LongPrimitivePointIndexList", "<u4"))
    instance = server.upload(file_of(surfaces(primitives)))
    (model,) = encoded(server, Instance=instance)
    assert (model["Name"], model["VolumeMl"], model["Triangles"]) == ("cube", pytest.approx(1.0), 12)


def test_a_stored_model_is_a_source(server: OrthancServer) -> None:
    models = encoded(server, Instance=server.upload(segmentation()))
    (again,) = encoded(server, Instance=models[1]["ID"])
    assert again["VolumeMl"] == pytest.approx(models[1]["VolumeMl"], rel=1e-3)


@pytest.mark.parametrize(
    ("data", "fields", "expected"),
    [
        (nifti_file(labels(), extension=extension(CARET, 0)), {}, ["liver & co", "spleen", "label 200"]),
        (nifti_file(labels()), {"LabelNames": {"labels": {"background": 0, "a": 1}}}, ["a", "label 5", "label 200"]),
        (glb.write(two_parts(), WriteOptions()), {}, ["left kidney", "Größe 2"]),
    ],
    ids=["names in the file", "names in the request", "GLB"],
)
def test_a_file_that_is_not_stored(
    server: OrthancServer, data: bytes, fields: dict[str, Any], expected: list[str]
) -> None:
    reply = server.post("/stl/structures", {"Content": content(data), **fields})
    assert reply.status == 200, reply.body
    assert [structure["Name"] for structure in reply.json()] == expected
    instance = server.upload(phantoms.structure_set(phantoms.rt60()))
    study = server.get(f"/instances/{instance}/study").json()["ID"]
    models = encoded(server, Content=content(data), Parent=study, **fields)
    assert [model["Name"] for model in models] == expected
    for model, structure in zip(models, reply.json(), strict=True):
        assert model["VolumeMl"] == pytest.approx(structure["VolumeMl"], rel=0.02)


def test_a_folder_of_masks_in_one_request(server: OrthancServer) -> None:
    images = [server.upload(image) for image in phantoms.ct_slices()]
    study = server.get(f"/instances/{images[0]}/study").json()["ID"]
    affine = np.diag([-3.0, -3, 3, 1])  # RAS, of the voxels of the images
    affine[:3, 3] = 94.5, 94.5, -60
    masks = []
    for place, name in enumerate(("liver", "spleen", "empty")):
        mask = np.zeros((64, 64, 41), np.uint8)
        mask[10 + 20 * place : 20 + 20 * place, 10:20, 10:20] = place < 2
        masks.append({"FileName": f"seg/{name}.nii.gz", "Content": content(gzip.compress(nifti_file(mask, affine)))})
    found = server.post("/stl/structures", {"Contents": masks}).json()
    assert [(s["Name"], s["VolumeMl"], s["Reason"]) for s in found] == [
        ("liver", 27.0, ""), ("spleen", 27.0, ""), ("empty", 0.0, "its mask is empty"),
    ]  # fmt: skip
    reply = server.post("/stl/encode", {"Contents": masks, "Parent": study, "All": True, "Separate": True})
    assert reply.status == 200, reply.body
    assert [(m["Name"], round(m["VolumeMl"])) for m in reply.json()["Models"]] == [("liver", 27), ("spleen", 27)]
    frames = {server.get(f"/instances/{one}/tags?simplify").json()["FrameOfReferenceUID"] for one in images}
    assert {tags(server, model)["FrameOfReferenceUID"] for model in reply.json()["Models"]} == frames
    for wrong, sentence in (
        ([], "Contents must be a list of 1 to 1000 files"),
        ([masks[0], {"FileName": "b.nii"}], "file 2 of Contents: String value expected in field: Content"),
        ([masks[0], {"FileName": "b.nii", "Content": "data:;base64,AAAA"}], "b.nii: Not a NIfTI file"),
        (masks[0], "List of objects expected in field: Contents"),
    ):
        reply = server.post("/stl/structures", {"Contents": wrong})
        assert (reply.status, sentence in reply.json()["Details"]) == (400, True), reply.body


@pytest.mark.slow
def test_the_117_files_of_totalsegmentator_in_one_request(server: OrthancServer) -> None:
    """Each is listed and becomes a model of its own volume, in one series."""
    files = folder_of_masks()
    masks = [{"FileName": f"segmentations/{name}", "Content": content(data)} for name, (data, _) in files.items()]
    reply = server.post("/stl/structures", {"Contents": masks})
    assert reply.status == 200, reply.body
    voxels = {name.removesuffix(".nii.gz"): count for name, (_, count) in files.items()}
    assert {s["Name"]: (s["Voxels"], s["VolumeMl"]) for s in reply.json()} == {
        name: (count, round(count / 1000, 4)) for name, count in voxels.items()
    }
    study = server.get(f"/instances/{server.upload(phantoms.ct_slices(planes=(0,))[0])}/study").json()["ID"]
    models = encoded(server, Contents=masks, Parent=study, Resolution=32)
    assert {m["Name"]: m["VolumeMl"] for m in models} == {
        name: pytest.approx(count / 1000, rel=0.01) for name, count in voxels.items()
    }
    assert len({server.get(f"/instances/{m['ID']}").json()["ParentSeries"] for m in models}) == 1


def test_an_obj_and_its_mtl_in_one_request(server: OrthancServer) -> None:
    obj, mtl = (shared_file(f"surfaces/balls.{name}").read_bytes() for name in ("obj", "mtl"))
    files = [{"FileName": "balls.obj", "Content": content(obj)}, {"FileName": "balls.mtl", "Content": content(mtl)}]
    found = server.post("/stl/structures", {"Contents": files}).json()
    assert [s["Color"] for s in found] == [[220, 20, 60], [0, 128, 255]]


@pytest.mark.parametrize(
    ("data", "sentence"), [(b"%PDF-1.7\n" + bytes(100), "a PDF document"), (b"PK\3\4" + bytes(100), "a zip archive")]
)
def test_what_is_no_source_is_named(server: OrthancServer, data: bytes, sentence: str) -> None:
    reply = server.post("/stl/structures", {"Content": content(data)})
    assert (reply.status, sentence in reply.json()["Details"]) == (400, True)
