"""The scene: the structures of a source together, over the images; tools by clicking, with figures that are known."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing import phantoms
from testing.server import OrthancServer

from .study import BALL_CENTRE, BALL_ML, BALL_RADIUS, Stored, apart, pixels, reddish, settle, viewer_ready

Open = Callable[..., Any]
WIDE = {"viewport": {"width": 1400, "height": 900}}
SMALL_RADIUS, SMALL_CENTRE = 12.0, (80.0, -40.0, 60.0)


@dataclass(frozen=True)
class Scene:
    """Orthanc's ids: a structure set of two balls and a body, and the CT that it was drawn on."""

    source: str
    ct: str


@pytest.fixture(scope="module")
def scene(server: OrthancServer) -> Scene:
    study = phantoms.Study(seed="scene", patient_name="Scene^Ball", study_description="Two balls")
    planes = range(0, 121, 3)
    images = [server.upload(data) for data in phantoms.ct_slices(study, planes=planes)]
    rois = [
        phantoms.ball("Ball", BALL_RADIUS, BALL_CENTRE, colour=(200, 60, 60)),
        phantoms.ball("Small", SMALL_RADIUS, SMALL_CENTRE, colour=(0, 0, 255)),
        phantoms.ball("BODY", 55, (40.0, -40.0, 60.0), colour=(0, 160, 0)),
        phantoms.Roi("Marker", [phantoms.Contour(np.array([[1.0, 2.0, 3.0]]), kind="POINT")], colour=None),
    ]
    source = server.upload(phantoms.structure_set(rois, study))
    return Scene(source, server.get(f"/instances/{images[0]}").json()["ParentSeries"])


def opened(open_page: Open, scene: Scene, more: str = "", **options: Any) -> Any:
    page = viewer_ready(open_page(f"/stl/app/three.html?source={scene.source}{more}", **(WIDE | options)))
    page.evaluate("viewer.loaded")
    return page


def call(page: Any, text: str) -> Any:
    return page.evaluate(text)


def screen(page: Any, point: tuple[float, float, float]) -> tuple[float, float]:
    """Where a point of the patient is on the page."""
    at = page.evaluate("point => viewer.project(point)", list(point))
    box = page.locator(".view-3d canvas").bounding_box()
    return box["x"] + at["x"], box["y"] + at["y"]


def front(page: Any) -> None:
    page.get_by_role("button", name="Anterior", exact=True).press("Enter")


def test_the_structures_of_a_source_are_there_with_names_colors_and_volumes(open_page: Open, scene: Scene) -> None:
    page = opened(open_page, scene)
    parts = {part["name"]: part for part in call(page, "viewer.parts()")}
    assert set(parts) == {"Ball", "Small", "BODY"}
    assert parts["Ball"]["color"] == [200, 60, 60]
    assert parts["Ball"]["volumeMl"] == pytest.approx(BALL_ML, rel=0.01)
    assert parts["BODY"]["opacity"] == 0.15
    assert parts["BODY"]["kind"] == "External"
    assert all(part["triangles"] > 500 and part["state"] == "ready" for part in parts.values())
    assert page.locator(".part").count() == 3
    assert page.inner_text(".part-unusable summary") == "1 cannot be shown"


def test_hiding_solo_filter_kinds_looks_and_undo(open_page: Open, scene: Scene) -> None:
    page = opened(open_page, scene)
    visible = "viewer.parts().filter(part => part.visible).map(part => part.name).sort()"
    page.get_by_role("button", name="Show Ball").click()
    assert call(page, visible) == ["BODY", "Small"]
    page.keyboard.press("Control+z")
    assert call(page, visible) == ["BODY", "Ball", "Small"]
    page.locator(".part-name", has_text="Small").click()
    page.get_by_role("button", name="Only this").click()
    assert call(page, visible) == ["Small"]
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("searchbox").fill("ball")
    assert page.locator(".part").count() == 1
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="External", exact=True).click()
    assert page.locator(".part").count() == 2
    page.click("[data-look=xray]")
    assert {part["opacity"] for part in call(page, "viewer.parts()")} == {0.25}
    page.click("[data-look=standard]")
    assert sorted(part["opacity"] for part in call(page, "viewer.parts()")) == [0.15, 1, 1]


def test_the_list_by_keyboard(open_page: Open, scene: Scene) -> None:
    page = opened(open_page, scene)
    page.locator(".part-name").first.focus()
    page.keyboard.press("ArrowDown")
    assert "Small" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("v")
    assert [part["visible"] for part in call(page, "viewer.parts()")] == [True, False, True]
    page.keyboard.press("o")
    assert [part["visible"] for part in call(page, "viewer.parts()")] == [False, True, False]


def test_outlines_lie_on_the_circles_of_the_balls(open_page: Open, scene: Scene) -> None:
    page = opened(open_page, scene)
    index = 25  # z = 75 mm
    page.evaluate("index => viewer.showSlice({ index })", index)
    names = {part["id"]: part["name"] for part in call(page, "viewer.parts()")}
    found = {names[id]: [np.array(loop) for loop in loops] for id, loops in call(page, "viewer.outlines()").items()}
    assert {name: len(loops) for name, loops in found.items()} == {"Ball": 1, "BODY": 1}
    points = found["Ball"][0]
    assert np.allclose(points[:, 2], 75, atol=1e-3)
    radius = np.hypot(points[:, 0] - BALL_CENTRE[0], points[:, 1] - BALL_CENTRE[1])
    assert radius == pytest.approx(np.sqrt(BALL_RADIUS**2 - 15**2), abs=0.5)
    coronal = "viewer.showSlice({ plane: 'coronal', at: -40 }).then(() => viewer.outlines())"
    rings = [np.array(loops[0]) for loops in call(page, coronal).values()]
    assert len(rings) == 3
    assert all(np.ptp(ring[:, 1]) < 1e-3 for ring in rings)


def test_images_values_and_events(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    page = opened(open_page, scene)
    (image,) = call(page, "viewer.images()")
    assert image["series"] == scene.ct
    assert image["count"] == 41
    assert image["positions"][:2] == [0, 3]
    page.evaluate("window.told = []; viewer.addEventListener('slice', event => told.push(event.detail.index))")
    page.evaluate("viewer.showSlice({ index: 7 })")
    assert 7 in page.evaluate("told")
    assert page.evaluate("viewer.pixelAt([0, 0, 21])") == 16, "in the disc"
    assert page.evaluate("viewer.pixelAt([-90, -90, 21])") == -1000
    assert page.evaluate("viewer.pixelAt([0, 0, 2100])") is None
    with pytest.raises(Exception, match="index is from 0 to 40"):
        page.evaluate("viewer.showSlice({ index: 41 })")


def measured(page: Any) -> list[str]:
    return page.locator(".measure-list li > span").all_inner_texts()


def test_each_measuring_tool_by_clicking(open_page: Open, scene: Scene) -> None:
    page = opened(open_page, scene)
    page.keyboard.press("4")  # the scene alone
    page.keyboard.press("i")
    front(page)
    page.keyboard.press("p")
    page.keyboard.press("m")
    settle(page)
    ball, small = screen(page, BALL_CENTRE), screen(page, SMALL_CENTRE)
    page.mouse.click(*ball)
    page.mouse.click(*small)
    distance = float(measured(page)[0].split(": ")[1].removesuffix(" mm"))
    assert distance == pytest.approx(np.hypot(60, BALL_RADIUS - SMALL_RADIUS), rel=0.01)
    page.click("[data-measure=between]")
    page.mouse.click(*ball)
    page.mouse.click(*small)
    assert float(measured(page)[1].split(": ")[1].split(" mm")[0]) == pytest.approx(60 - 30 - 12, abs=0.6)
    page.click("[data-measure=diameter]")
    page.mouse.click(*ball)
    assert float(measured(page)[2].split(": ")[1].split(" mm")[0]) == pytest.approx(60, abs=1.5)
    page.click("[data-measure=angle]")
    for point in (ball, small, ball):
        page.mouse.click(*point)
    assert float(measured(page)[3].split(": ")[1].removesuffix("°")) == pytest.approx(0, abs=0.5)
    page.keyboard.press("c")
    page.click("[data-measure=area]")
    page.mouse.click(*ball)
    area = float(measured(page)[4].split(": ")[1].split(" cm")[0])
    assert area == pytest.approx(np.pi * 3**2, rel=0.02)
    boxes = [label.bounding_box() for label in page.locator(".label.measure").all()]
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i]), "labels do not overlap"
    page.get_by_role("button", name="Delete measurement 2").click()
    assert len(measured(page)) == 4
    page.keyboard.press("Control+z")
    assert len(measured(page)) == 5


def link_of(page: Any) -> str:
    """The address of the page once it holds what is shown: it follows when the hand has come to rest."""
    for _ in range(100):
        page.wait_for_timeout(100)
        held = page.url.partition("#view=")[2]
        if held and json.loads(base64.urlsafe_b64decode(held + "==")) == page.evaluate("viewer.state()"):
            return str(page.url)
    raise AssertionError("the address does not follow")


def test_a_link_restores_the_view(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    page = opened(open_page, scene)
    front(page)
    page.evaluate("viewer.setPart(viewer.parts()[2].id, { visible: false })")
    page.evaluate("viewer.setPart(viewer.parts()[0].id, { color: [0, 0, 255], opacity: 0.5 })")
    page.evaluate("viewer.showSlice({ index: 12 })")
    page.keyboard.press("c")
    state = page.evaluate("viewer.state()")
    other = viewer_ready(open_page(link_of(page).removeprefix(server.url), **WIDE))
    other.evaluate("viewer.loaded")
    again = other.evaluate("viewer.state()")
    assert again["hidden"] == state["hidden"]
    assert again["looks"] == state["looks"]
    assert again["section"] == state["section"]
    assert again["slices"]["at"] == state["slices"]["at"]
    assert np.allclose(again["camera"]["position"], state["camera"]["position"], atol=0.05)


def test_the_token_leaves_the_address_at_once(open_page: Open, scene: Scene) -> None:
    page = opened(open_page, scene, "&token=secret")
    assert "secret" not in page.url
    assert "secret" not in page.evaluate("location.href")
    assert page.evaluate("history.state.token") == "secret", "a reload still has it"


def test_the_table_its_csv_and_files_of_what_is_shown(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    page = opened(open_page, scene)
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
            assert page.locator("#stl-download-series").count() == has_model
            server.delete(f"/series/{series}")


def test_a_filled_cut_shows_what_lies_inside(open_page: Open, scene: Scene) -> None:
    page = opened(open_page, scene)
    page.keyboard.press("4")
    page.keyboard.press("i")
    front(page)
    page.keyboard.press("p")
    page.keyboard.press("c")
    image = pixels(page, ".view-3d canvas")
    x, y = (round(value) for value in screen(page, BALL_CENTRE))
    box = page.locator(".view-3d canvas").bounding_box()
    spot = image[y - round(box["y"]), x - round(box["x"])]
    assert reddish(spot[None, None])[0, 0], "the ball's face lies on the body's"
    _, counts = np.unique(image[reddish(image)], axis=0, return_counts=True)
    assert np.max(counts) > 0.7 * reddish(image).sum(), "one flat colour"


def test_words_in_german(open_page: Open, scene: Scene) -> None:
    page = opened(open_page, scene, "&lang=de")
    assert page.get_by_role("button", name="Schnittebene").count() == 1
    assert page.evaluate("document.documentElement.lang") == "de"
    assert page.inner_text(".part-unusable summary") == "1 nicht darstellbar"


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


def test_an_rt_struct_is_offered_as_what_it_is(open_page: Open, stored: Stored) -> None:
    page = open_page(f"/stl/app/three.html?instance={stored.rtstruct}", expected=("400",), **WIDE)
    page.get_by_role("link", name="Show its structures").click()
    viewer_ready(page)
    assert page.locator(".part").count() == 3


def test_parts_that_a_link_hides_can_be_shown(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    page = opened(open_page, scene)
    page.get_by_role("button", name="None", exact=True).click()
    other = viewer_ready(open_page(link_of(page).removeprefix(server.url), **WIDE))
    other.evaluate("viewer.loaded")
    assert [part["state"] for part in other.evaluate("viewer.parts()")] == ["waiting"] * 3
    other.keyboard.press("4")
    other.keyboard.press("i")
    other.get_by_role("button", name="Show Ball").click()
    other.wait_for_selector(".part[data-state=ready]")
    assert reddish(pixels(other, ".view-3d canvas")).sum() > 5000
