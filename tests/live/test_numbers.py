"""Statistics and comparisons over HTTP, against known figures."""

from __future__ import annotations

import csv
import io
import json
import math
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
import trimesh

from orthanc_stl.conversion.printing import THIN
from orthanc_stl.formats.stl import read_stl
from orthanc_stl.mesh.contours.polygon import signed_area
from orthanc_stl.mesh.report import report_of
from testing import phantoms
from testing.server import OrthancServer
from tests.live import samples

BALL_ML, SMALL_ML = 4 / 3 * math.pi * 20**3 / 1000, 4 / 3 * math.pi * 12**3 / 1000


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as server:
        yield server


@pytest.fixture(scope="module")
def balls(server: OrthancServer) -> str:
    rois = [
        phantoms.ball("Ball, große", 20, (10, -15, 30)),
        phantoms.ball("=SUM(A1)", 12, (28, -15, 30)),
        phantoms.ball("ball grosse 2", 20, (10, -15, 30)),
    ]
    return server.upload(phantoms.structure_set(rois))


def test_a_row_for_each_structure(server: OrthancServer, balls: str) -> None:
    first, second, _ = server.get(f"/instances/{balls}/stl/statistics").json()
    assert (first["Name"], second["Name"]) == ("Ball, große", "=SUM(A1)")
    assert first["VolumeMl"] == pytest.approx(BALL_ML, rel=0.01)
    assert first["ContoursMl"] == pytest.approx(BALL_ML, rel=0.01)
    assert first["AreaMm2"] == pytest.approx(4 * math.pi * 400, rel=0.01)
    assert first["Centroid"] == pytest.approx([10, -15, 30], abs=0.2)
    assert second["Extent"] == pytest.approx([24, 24, 24], abs=3.1)  # slices are 3 mm apart
    assert (first["Pieces"], first["Closed"], first["Warnings"]) == (1, True, [])
    assert first["SpacingMm"] == pytest.approx(3, abs=0.01)
    assert first["Slices"] in (13, 14)


def test_the_same_for_a_spreadsheet(server: OrthancServer, balls: str) -> None:
    reply = server.get(f"/instances/{balls}/stl/statistics.csv")
    assert reply.headers["content-type"] == ["text/csv"]
    header, first, second, _ = csv.reader(io.StringIO(reply.body.decode("utf-8-sig")))
    assert header[:2] == ["Number", "Name"]
    assert header[5] == "Volume of mesh (mL)"
    assert first[1] == "Ball, große"
    assert second[1] == "'=SUM(A1)"  # no formula
    assert float(first[5]) == pytest.approx(BALL_ML, rel=0.01)


def test_stored_models_of_a_series(server: OrthancServer, balls: str) -> None:
    made = server.post("/stl/encode", {"Instance": balls, "Structures": [1, 2], "Separate": True, "Resolution": 64})
    rows = server.get(f"/series/{made.json()['ParentSeries']}/stl/statistics").json()
    assert [row["Name"] for row in rows] == ["Ball, große", "=SUM(A1)"]
    assert rows[1]["VolumeMl"] == pytest.approx(SMALL_ML, rel=0.05)
    outlines = [contour.points for contour in phantoms.ball("", 12, (28, -15, 30)).contours or ()]
    drawn = 3 * sum(abs(signed_area(points[:, :2])) for points in outlines) / 1000  # slices are 3 mm apart
    small = made.json()["Models"][1]
    assert small["ContoursMl"] == pytest.approx(drawn, rel=1e-4)
    info = server.get(small["Path"] + "/stl/info").json()
    assert (info["ContoursMl"], info["Notes"], info["Warnings"]) == (small["ContoursMl"], [], [])


def test_what_is_ignored_is_told(server: OrthancServer, balls: str) -> None:
    body = {"Instance": balls, "Structures": [1, 2], "Separate": True, "Resolution": 16}
    answer = server.post("/stl/encode", body | {"Exclud": ["x"], "Name": "Both"}).json()
    told = ['ignored: there is no field "Exclud": is "Exclude" meant?']
    told.append("ignored: Name, since with Separate each model has the name of its structure")
    assert answer["Warnings"][-2:] == told == [note["Text"] for note in answer["Notes"]][-2:]


def test_colors_by_number_and_by_name(server: OrthancServer, balls: str) -> None:
    body = {"Instance": balls, "Structures": [1, 2], "Separate": True, "Resolution": 16}
    colors = {"1": [0, 0, 255], "=SUM(A1)": [0, 255, 0]}
    made = server.post("/stl/encode", body | {"Colors": colors}).json()
    rows = server.get(f"/series/{made['ParentSeries']}/stl/statistics").json()
    assert [row["Color"] for row in rows] == [[0, 0, 255], [0, 255, 0]]
    reply = server.post("/stl/encode", body | {"Colors": {"1": "red"}})
    assert (reply.status, "Colors.1" in reply.json()["Details"]) == (400, True)
    answer = server.post("/stl/encode", body | {"Colors": {"99": [0, 0, 0]}}).json()
    assert answer["Warnings"] == ['Colors has "99", but there is no such structure']


def test_two_structures(server: OrthancServer, balls: str) -> None:
    body = {"A": {"Instance": balls, "Structure": 1}, "B": {"Instance": balls, "Structure": 2}}
    (pair,) = server.post("/stl/compare", body).json()["Pairs"]
    assert pair["Dice"] == pytest.approx(0.17965, abs=0.004)
    assert pair["HausdorffMm"] == pytest.approx(26, abs=0.3)
    assert pair["VolumeDifferenceMl"] == pytest.approx(BALL_ML - SMALL_ML, rel=0.02)
    body["B"]["Structure"] = 3
    (same,) = server.post("/stl/compare", body).json()["Pairs"]
    assert (same["Dice"], same["HausdorffMm"]) == (pytest.approx(1, abs=1e-4), pytest.approx(0, abs=1e-3))


def test_a_model_colored_by_distance(server: OrthancServer, balls: str) -> None:
    body = {"A": {"Instance": balls, "Structure": 2}, "B": {"Instance": balls, "Structure": 1}, "File": "ply"}
    reply = server.post("/stl/compare", body)
    assert reply.body.startswith(b"ply\nformat binary_little_endian 1.0\n")
    assert float(reply.headers["x-scale-mm"][0]) == pytest.approx(14.0, abs=2)
    assert "x-warnings" not in reply.headers
    ball = [phantoms.ball("Ball", 20, frame="")]
    nowhere = server.upload(phantoms.structure_set(ball, phantoms.Study("nowhere"), frames=None))
    reply = server.post("/stl/compare", body | {"B": {"Instance": nowhere}, "Resolution": 16})
    sentence = "B names no frame of reference: it was assumed that A and B lie in the same one"
    assert json.loads(reply.headers["x-warnings"][0]) == [sentence]
    assert f"comment warning: {sentence}\n".encode() in reply.body[:2000]


def test_a_comparison_in_the_background(server: OrthancServer, balls: str) -> None:
    body = {"A": {"Instance": balls}, "B": {"Instance": balls}, "Resolution": 64, "Asynchronous": True}
    job = server.post("/stl/compare", body).json()
    while (state := server.get(job["Path"]).json())["State"] in ("Pending", "Running"):
        time.sleep(0.1)
    assert [pair["Dice"] for pair in state["Answer"]["Pairs"]] == pytest.approx([1, 1, 1], abs=1e-4)
    cancelled = server.post("/stl/compare", {**body, "Resolution": 512}).json()
    assert server.delete(cancelled["Path"]).status == 200
    assert server.get(cancelled["Path"]).json()["State"] == "Cancelled"
    assert server.post("/stl/compare", {**body, "File": "glb"}).status == 400
    assert server.post("/stl/compare", {**body, "File": "stl", "Asynchronous": False}).status == 400


def test_whole_sets_by_name(server: OrthancServer, balls: str) -> None:
    other = server.upload(samples.structure_set({"BALL,  große": samples.ball(), "alone": samples.ball(5)}))
    answer = server.post("/stl/compare", {"A": {"Instance": balls}, "B": {"Instance": other}, "Resolution": 64})
    assert answer.status == 400  # another frame of reference
    assert "frames of reference" in answer.json()["Details"]
    again = server.post("/stl/compare", {"A": {"Instance": balls}, "B": {"Instance": balls}, "Resolution": 64}).json()
    assert [pair["Dice"] for pair in again["Pairs"]] == pytest.approx([1, 1, 1], abs=1e-4)
    assert again["OnlyInA"] == again["OnlyInB"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"A": {}},
        {"A": {"Instance": "x"}, "B": {}},
        {"A": 5, "B": 6},
        {"A": {"Series": ""}, "B": {"Series": ""}},
        {"A": {"Series": "\0"}, "B": {"Instance": "\ud800"}},
    ],
)
def test_what_cannot_be_compared(server: OrthancServer, body: dict[str, object]) -> None:
    reply = server.post("/stl/compare", body)
    assert reply.status in (400, 404)
    assert reply.json()["Details"]


@pytest.mark.parametrize(
    ("side", "sentence"),
    [
        ({"Instance": "0" * 44, "Series": "0" * 44}, "A has an Instance and a Series, expected one of them"),
        ({"Instance": "0" * 44, "Structures": [1]}, "A has the unknown field 'Structures'"),
    ],
)
def test_a_side_that_says_two_things(server: OrthancServer, side: dict[str, object], sentence: str) -> None:
    reply = server.post("/stl/compare", {"A": side, "B": {"Instance": "0" * 44}})
    assert reply.status == 400
    assert sentence in reply.json()["Details"]


def test_print_check_of_a_prepared_model(server: OrthancServer, balls: str) -> None:
    options = {"Resolution": 64, "Shell": {"Wall": 2, "Drain": {"Diameter": 5}}, "Mirror": "x"}
    made = server.post("/stl/encode", {"Instance": balls, "Structures": [1], **options}).json()
    tags = server.get(f"/instances/{made['ID']}/tags?simplify").json()
    assert (tags["ModelModification"], tags["ModelMirroring"]) == ("YES", "YES")
    (part,) = server.get(f"/instances/{made['ID']}/stl/print-check?wall=0.8&bed=220,220,30").json()["Parts"]
    assert (part["Closed"], part["Cavities"], part["FitsBed"]) == (True, 0, False)
    assert part["SolidMl"] == pytest.approx(9.08 - 0.04, rel=0.03)
    facts, told = (server.get(f"/instances/{made['ID']}/stl/info{query}").json() for query in ("", "?bed=220,220,30"))
    assert told == facts | {"PrintCheck": told["PrintCheck"]}
    assert told["PrintCheck"]["Parts"] == [part]
    for wrong in ("print-check?bed=220", "print-check?structures=1", "info?wall=0.8&smoothmm=2"):
        assert server.get(f"/instances/{made['ID']}/stl/{wrong}").status == 400


def test_another_size_only_where_the_tags_say_so(server: OrthancServer, balls: str) -> None:
    body = {"Instance": balls, "Structures": [2], "Resolution": 48}
    yes = {"Tags": {"0068,7001": "YES"}}
    before = server.get("/statistics").json()["CountInstances"]
    for scale, tags in ((True, yes), (2, {}), (2, {"Tags": {"0068,7001": "NO"}})):
        reply = server.post("/stl/encode", body | {"Scale": scale} | tags)
        assert reply.status == 400
        assert ("1:1" if scale == 2 else "got true") in reply.json()["Details"]
    assert server.get("/statistics").json()["CountInstances"] == before
    made = server.post("/stl/encode", body | {"Scale": 2} | yes).json()
    assert made["VolumeMl"] == pytest.approx(8 * SMALL_ML, rel=0.03)
    assert server.get(f"/instances/{made['ID']}/tags?simplify").json()["ModelModification"] == "YES"


def test_print_check_of_what_a_query_asks_for(server: OrthancServer, balls: str, small: str) -> None:
    """What is asked for by itself is done as that within `options`, as it is for downloads, or refused."""
    for instance in (balls, small):
        address = f"/instances/{instance}/stl/print-check?triangles=100"
        options = urllib.parse.quote(json.dumps({"Triangles": 100}))
        alone, within = (
            server.get(one).json()["Parts"]
            for one in (address, f"/instances/{instance}/stl/print-check?options={options}")
        )
        assert alone == within
        assert alone != server.get(f"/instances/{instance}/stl/print-check?triangles=400").json()["Parts"]
        refused = server.get(f"/instances/{instance}/stl/print-check?margin=3")
        assert refused.status == 400
        assert "margin is not read by itself here" in refused.json()["Details"]


def test_a_cut_gives_two_models_of_one_series(server: OrthancServer, balls: str) -> None:
    plane = {"Point": [10, -15, 30], "Normal": [1, 0, 0]}
    body = {"Instance": balls, "Structures": [1, 2], "Separate": True, "Resolution": 64, "Cut": [plane]}
    models = server.post("/stl/encode", body).json()["Models"]
    names = ["Ball, große, part 1 of 2", "Ball, große, part 2 of 2"]
    assert [one["Name"] for one in models[:2]] == names
    numbers = [server.get(f"/instances/{one['ID']}/tags?simplify").json()["InstanceNumber"] for one in models]
    assert numbers == [str(place) for place in range(1, len(models) + 1)]


@pytest.fixture(scope="module")
def small(server: OrthancServer, balls: str) -> str:
    """A stored model of the small ball."""
    made = server.post("/stl/encode", {"Instance": balls, "Structures": [2], "Tolerance": 0.01}).json()
    return str(made["ID"])


def test_stored_models_of_other_instances_are_united_subtracted_and_intersected(
    server: OrthancServer, balls: str, small: str
) -> None:
    volumes = {}
    for operation in ("Unite", "Subtract", "Intersect"):
        body = {"Instance": balls, "Structures": [1], operation: [{"Instance": small}]}
        made = server.post("/stl/encode", body).json()
        assert any("=SUM(A1)" in warning for warning in made["Warnings"])
        tags = server.get(f"/instances/{made['ID']}/tags?simplify").json()
        assert tags["ModelModification"] == "YES"
        volumes[operation] = made["VolumeMl"]
    assert volumes["Intersect"] == pytest.approx(3.660, rel=0.02)
    assert volumes["Unite"] == pytest.approx(BALL_ML + SMALL_ML - 3.660, rel=0.01)
    assert volumes["Subtract"] == pytest.approx(BALL_ML - 3.660, rel=0.01)


def test_operands_elsewhere_are_refused(server: OrthancServer, balls: str) -> None:
    elsewhere = server.upload(phantoms.structure_set([phantoms.ball("Far", 9, (0, 0, 0))], phantoms.Study("elsewhere")))
    before = server.get("/statistics").json()["CountInstances"]
    for operand, status, reason in (
        ({"Instance": elsewhere}, 400, "another frame of reference"),
        ({"Instance": "0" * 44}, 404, ""),
        ({"Series": elsewhere}, 400, "expected only Instance, Structures"),
        ({"Instance": balls, "Structures": ["Liver"]}, 400, 'no structure "Liver"'),
    ):
        reply = server.post("/stl/encode", {"Instance": balls, "Structures": [2], "Subtract": [operand]})
        assert (reply.status, reason in reply.json()["Details"]) == (status, True), reply.body
    assert server.get("/statistics").json()["CountInstances"] == before


def test_a_preview_is_what_would_be_stored_and_stores_nothing(server: OrthancServer, balls: str, small: str) -> None:
    before = server.get("/statistics").json()["CountInstances"]
    plane = {"Point": [10, -15, 30], "Normal": [0, 0, 1], "Keep": "back"}
    options = {"Structures": [1], "Subtract": [{"Instance": small}], "Shell": {"Wall": 2}}
    options |= {"Cut": [plane], "Resolution": 48}
    query = f"options={urllib.parse.quote(json.dumps(options))}"
    (part,) = server.get(f"/instances/{balls}/stl/scene/info?{query}").json()["Models"]
    mesh = read_stl(server.get(f"/instances/{balls}/stl/scene.stl?{query}&part=1").body)
    assert report_of(mesh).volume / 1000 == pytest.approx(part["VolumeMl"], abs=1e-3)
    assert mesh.vertices[:, 2].max() == pytest.approx(30, abs=1e-3)
    made = server.post("/stl/encode", {"Instance": balls, **options}).json()
    assert (made["VolumeMl"], made["Triangles"]) == (part["VolumeMl"], part["Triangles"])
    assert server.get("/statistics").json()["CountInstances"] == before + 1
    assert server.get(f"/instances/{balls}/stl/scene.stl?{query}&part=2").status == 400
    assert server.get(f"/instances/{balls}/stl/scene.stl?options=[1]").status == 400


def test_a_print_check_of_what_is_not_stored_and_its_colors(server: OrthancServer, balls: str) -> None:
    options = {"Structures": [1], "Resolution": 64, "Shell": {"Wall": 0.5}}
    query = f"wall=0.8&options={urllib.parse.quote(json.dumps(options))}"
    (part,) = server.get(f"/instances/{balls}/stl/print-check?{query}").json()["Parts"]
    assert part["SmallestWallMm"] == pytest.approx(0.5, abs=0.1)
    assert part["Problems"]
    ply: Any = trimesh.load(io.BytesIO(server.get(f"/instances/{balls}/stl/print-check.ply?{query}").body), "ply")
    corners = ply.visual.vertex_colors[ply.faces][:, :, :3]
    assert (corners == corners[:, :1]).all()  # a triangle has one color
    thin = (corners[:, 0] == THIN).all(axis=1)
    assert ply.area_faces[thin].sum() == pytest.approx(part["ThinAreaMm2"], rel=0.001)
    assert server.get(f"/instances/{balls}/stl/print-check").status == 400
