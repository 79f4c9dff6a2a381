"""The scene as files: stored models shown, downloads of what is shown, and the table of numbers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing.server import OrthancServer

from .study import BALL_ML, BALL_RADIUS, SMALL_RADIUS, WIDE, Scene, Stored, opened_scene, pixels, reddish, viewer_ready
from .waiting import expect

Open = Callable[..., Any]


def test_a_stored_obj_is_shown_with_its_structures(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    body = {"Instance": scene.source, "Structures": [1, 2], "Separate": True, "Resolution": 64, "Format": "obj"}
    made = server.post("/stl/encode", body).json()
    explorer = open_page(f"/app/explorer.html#series?uuid={made['ParentSeries']}")
    with explorer.context.expect_page() as shown:
        explorer.click("#stl-scene-series")
    page = viewer_ready(shown.value)
    page.evaluate("viewer.loaded")
    parts = page.evaluate("viewer.parts()")
    assert [(part["name"], part["color"]) for part in parts] == [("Ball", [200, 60, 60]), ("Small", [0, 0, 255])]
    assert [part["volumeMl"] for part in parts] == pytest.approx([m["VolumeMl"] for m in made["Models"]], rel=1e-3)
    assert reddish(pixels(page, ".view-3d canvas")).sum() > 1000
    page.evaluate("viewer.setPart('1', { visible: false })")
    page.click("#tool-keep")
    with page.expect_download() as saved:
        page.locator(".keep-body .chip").get_by_text("obj.zip", exact=True).click()
    wanted = server.get(f"/instances/{made['ID']}/stl/scene.obj.zip?structures=2").body
    assert Path(saved.value.path()).read_bytes() == wanted
    page.close()
    other = server.post("/stl/encode", body | {"Structures": [2]}).json()
    both = ",".join(one["Models"][0]["ID"] for one in (made, other))
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={both}"))
    page.evaluate("viewer.loaded")
    shown = [(part["name"], part["state"]) for part in page.evaluate("viewer.parts()")]
    assert shown == [("Ball", "ready"), ("Small", "ready"), ("Small", "ready")]
    page.close()
    for series in server.get(f"/instances/{scene.source}/study").json()["Series"]:
        if server.get(f"/series/{series}").json()["MainDicomTags"]["Modality"] == "M3D":
            has_model = series in (made["ParentSeries"], other["ParentSeries"])  # the others hold the MTL
            page = open_page(f"/app/explorer.html#series?uuid={series}")
            page.locator("#series-archive").wait_for()
            page.wait_for_load_state("networkidle")
            expect(page.locator("#stl-download-series")).to_have_count(int(has_model))
            server.delete(f"/series/{series}")


def test_studies_and_lists_of_models(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    body = {"Instance": stored.rtstruct, "RoiNames": ["Left"], "Resolution": 128}
    other = server.post("/stl/encode-rtstruct", body).json()["ID"]
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={stored.model},{other}", **WIDE))
    page.evaluate("viewer.loaded")
    assert [part["id"] for part in page.evaluate("viewer.parts()")] == [stored.model, other]
    page.click("#tool-keep")
    for shown, wanted in ((True, f"{stored.model}/stl/scene.glb?with={other}"), (False, f"{other}/stl/scene.glb")):
        page.evaluate(f"viewer.setPart('{stored.model}', {{ visible: {str(shown).lower()} }})")
        with page.expect_download() as saved:
            page.locator(".keep-body .chip").get_by_text("glb", exact=True).click()
        assert Path(saved.value.path()).read_bytes() == server.get(f"/instances/{wanted}").body
    page = viewer_ready(open_page(f"/stl/app/three.html?study={stored.study}", **WIDE))
    assert {stored.model, other} <= {part["id"] for part in page.evaluate("viewer.parts()")}
    for series, name in (("Contours: Ball", "Ball"), ("Contours: Left", "Left")):
        rows = page.locator(f".part-group:text-is('{series}') + .part-rows .part-text")
        assert set(rows.all_inner_texts()) == {name}, "below the title of its series"


def test_an_rt_struct_is_offered_as_what_it_is(open_page: Open, stored: Stored) -> None:
    page = open_page(f"/stl/app/three.html?instance={stored.rtstruct}", expected=("400",), **WIDE)
    page.get_by_role("link", name="Show its structures").click()
    viewer_ready(page)
    expect(page.locator(".part")).to_have_count(3)


def test_the_table_its_csv_and_files_of_what_is_shown(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    page = opened_scene(open_page, scene)
    page.keyboard.press("n")
    page.locator(".numbers tbody").get_by_text("yes", exact=True).nth(2).wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(Path(saved.value.path()).read_text("utf-8-sig").splitlines()))
    assert [row["Name"] for row in rows] == ["Ball", "Small", "BODY"]
    assert float(rows[0]["Volume (mL)"]) == pytest.approx(BALL_ML, rel=0.01)
    assert float(rows[0]["Area (cm²)"]) == pytest.approx(4 * np.pi * 9, rel=0.03)
    for row, radius in zip(rows, (BALL_RADIUS, SMALL_RADIUS, 55), strict=True):
        extent = [float(side) for side in row["Extent (mm)"].split(" × ")]
        assert extent == pytest.approx([2 * radius] * 3, abs=3.1)  # slices are 3 mm apart
        assert float(row["Volume of the contours (mL)"]) == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.02)
        assert (row["Pieces"], row["Closed"]) == ("1", "yes")
        assert int(row["Triangles"]) > 1000
    table = [row.locator("th, td").all_inner_texts() for row in page.locator(".numbers tbody tr").all()]
    assert table == [list(row.values()) for row in rows]
    with page.context.expect_page() as compare:
        page.get_by_role("link", name="Compare with others").click()
    assert compare.value.url.endswith(f"/stl/app/compare.html?a={scene.source}")
    compare.value.close()
    page.locator("dialog.numbers").get_by_role("button", name="Close").click()
    page.evaluate("viewer.setPart('3', { visible: false })")
    page.click("#tool-keep")
    page.wait_for_selector(".keep-body .chip")
    suffixes = page.locator(".keep-body .chip").all_inner_texts()
    assert suffixes == [one["Suffix"] for one in server.get("/stl/formats").json()]
    for suffix in ("glb", "3mf"):
        with page.expect_download() as saved:
            page.locator(".keep-body .chip").get_by_text(suffix, exact=True).click()
        assert saved.value.suggested_filename.endswith(f".{suffix}")
        wanted = server.get(f"/instances/{scene.source}/stl/scene.{suffix}?structures=1,2").body
        assert Path(saved.value.path()).read_bytes() == wanted
