"""Statistics and comparisons over HTTP of each kind of source, and of models that are none to rely on: no 500."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator

import numpy as np
import pytest

from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.types import Mesh
from testing.server import OrthancServer
from tests.mesh.shapes import box
from tests.sources.test_mutants import FILES

CUBE = box(10, 10, 10)


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as server:
        yield server


def stored(server: OrthancServer, content: bytes, frame: str = "1.2.3") -> str:
    """An Encapsulated STL as Orthanc's core makes it of any bytes."""
    tags = {"Modality": "M3D", "FrameOfReferenceUID": frame, "DocumentTitle": "Twice", "PatientID": "awkward"}
    document = "data:model/stl;base64," + base64.b64encode(content).decode()
    return str(server.post("/tools/create-dicom", {"Tags": tags, "Content": document}).json()["ID"])


@pytest.mark.parametrize(
    "kind", ["rtstruct", "seg", "seg-fractional", "seg-labelmap", "rtdose", "surfaces", "encapsulated"]
)
def test_each_kind_of_source_has_a_table_and_is_equal_to_itself(server: OrthancServer, kind: str) -> None:
    source = server.upload(FILES[kind][1]())
    path = f"/instances/{source}/stl/statistics"
    rows = server.get(f"{path}?resolution=32").json()
    table = server.get(f"{path}.csv?resolution=32").body.decode("utf-8-sig")
    _, *lines = csv.reader(io.StringIO(table))
    assert [line[1] for line in lines] == [row["Name"] for row in rows]
    assert [line[5] for line in lines] == [str(row["VolumeMl"] or "") for row in rows]
    made = [row for row in rows if row["VolumeMl"]]
    assert made
    assert all(row in made or row["Warnings"] for row in rows)
    side = {"Instance": source, "Structure": made[0]["Number"]}
    (pair,) = server.post("/stl/compare", {"A": side, "B": side, "Resolution": 32}).json()["Pairs"]
    assert pair["Dice"] == pytest.approx(1, abs=1e-3)


MODELS = {
    "no triangles": (stl_bytes(Mesh(CUBE.vertices[:0], CUBE.triangles[:0]), ""), "there are no triangles"),
    "one triangle": (stl_bytes(Mesh(CUBE.vertices, CUBE.triangles[:1]), ""), "not closed"),
    "open": (stl_bytes(Mesh(CUBE.vertices, CUBE.triangles[:-1]), ""), "not closed"),
    "inside out": (stl_bytes(Mesh(CUBE.vertices, CUBE.triangles[:, ::-1]), ""), "inside out"),
    "without area": (stl_bytes(Mesh(CUBE.vertices * 0, CUBE.triangles), ""), "not closed"),
    "each twice": (stl_bytes(Mesh(CUBE.vertices, np.concatenate([CUBE.triangles] * 2)), ""), "not closed"),
    "of 10,000 km": (stl_bytes(Mesh(CUBE.vertices * 1e9, CUBE.triangles), ""), ""),
    "of 1e31 mm": (stl_bytes(Mesh(CUBE.vertices * 1e30, CUBE.triangles), ""), ""),
    "text": (b"solid nothing\nendsolid nothing\n", "there are no triangles"),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_that_are_none_to_rely_on_are_told_and_not_compared(server: OrthancServer, name: str) -> None:
    content, told = MODELS[name]
    model, cube = stored(server, content), stored(server, stl_bytes(CUBE, ""))
    (row,) = server.get(f"/instances/{model}/stl/statistics").json()
    assert told in "".join(row["Warnings"])
    assert bool(row["Warnings"]) == bool(told)
    for sides in ((model, cube), (cube, model)):
        body = {side: {"Instance": one} for side, one in zip("AB", sides, strict=True)}
        (pair,) = server.post("/stl/compare", body).json()["Pairs"]
        assert pair["Reason"] if told else pair["HausdorffMm"] > 1e6
        colored = server.post("/stl/compare", body | {"File": "ply"})
        refused = told and (model == sides[1] or told == "there are no triangles")  # nothing is inside of B, or no A
        assert colored.status == (400 if refused else 200)
        assert not refused or "got a surface" in colored.json()["Details"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (stl_bytes(Mesh(np.where(CUBE.vertices > 4, np.nan, CUBE.vertices), CUBE.triangles), ""), "not finite"),
        (stl_bytes(CUBE, "")[:-30], "no STL"),
        (b"\xff" * 500, "no STL"),
    ],
)
def test_damaged_models_are_refused_with_a_sentence(server: OrthancServer, content: bytes, told: str) -> None:
    model, cube = stored(server, content), stored(server, stl_bytes(CUBE, ""))
    for reply in (
        server.get(f"/instances/{model}/stl/statistics"),
        server.get(f"/instances/{model}/stl/statistics.csv"),
        server.post("/stl/compare", {"A": {"Instance": model}, "B": {"Instance": cube}}),
    ):
        assert reply.status == 400
        assert told in reply.json()["Details"]
