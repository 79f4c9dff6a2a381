"""The panel "Prepare": a structure set becomes printable parts by clicking, seen and checked before it is stored."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import trimesh

from testing import phantoms
from testing.server import OrthancServer

from .study import apart, pixels, viewer_ready
from .waiting import eventually, expect

Open = Callable[..., Any]
CENTRE = (10.0, -15.0, 30.0)
BALL, SMALL, LENS = 33.510, 7.238, 3.660
"""mL: balls of 20 and 12 mm, 18 mm apart, and what they share."""


@pytest.fixture(scope="module")
def balls(server: OrthancServer) -> str:
    rois = [
        phantoms.ball("Ball 20", 20, CENTRE, 1.0, colour=(200, 60, 60)),
        phantoms.ball("Ball 12", 12, (28, -15, 30), 1.0, colour=(0, 0, 255)),
    ]
    return server.upload(phantoms.structure_set(rois, phantoms.Study(seed="prepare")))


def opened(open_page: Open, balls: str, **options: Any) -> Any:
    page = viewer_ready(open_page(f"/stl/app/three.html?source={balls}", **options))
    page.evaluate("viewer.loaded")
    page.click("#tool-prepare")
    return page


def preview(page: Any) -> dict[str, float]:
    """The names and volumes (mL) of the parts that the preview shows."""
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_selector(".prepare-body[aria-busy=false]")
    page.wait_for_selector(".part[data-id=prepared-1][data-state=ready]", state="attached")
    parts = page.evaluate("viewer.parts().filter(({ id }) => id.startsWith('prepared'))")
    return {part["name"]: part["volumeMl"] for part in parts}


def colored(image: np.ndarray) -> int:
    """Pixels of the red of a ball, of thin walls or of an overhang."""
    red, green, blue = np.moveaxis(image, -1, 0)
    return int(((red > 60) & (red > 1.5 * blue) & (red > 1.2 * green)).sum())


def test_from_the_structures_to_the_printable_file(
    open_page: Open, balls: str, server: OrthancServer, tmp_path: Path
) -> None:
    page = opened(open_page, balls)
    stored = server.get("/statistics").json()["CountInstances"]
    page.get_by_role("button", name="For printing").click()
    page.get_by_label("What Ball 12 is").select_option("subtract")
    assert preview(page) == {"Ball 20": pytest.approx(BALL - LENS, rel=0.01)}
    expect(page.locator(".check-table tr:has-text('Closed') td").first).to_have_text("yes", use_inner_text=True)
    material = page.locator(".check-table tr:has-text('Material') td").first
    wanted = pytest.approx(BALL - LENS, rel=0.01)
    eventually(page, lambda: float(material.inner_text()), lambda volume: volume == wanted)
    page.locator("summary", has_text="Hollow").click()
    page.get_by_label("Wall (mm)").fill("2")
    page.locator("summary", has_text="Text").click()
    page.get_by_label("Letters").fill("É")
    page.get_by_label("What Ball 12 is").select_option("")
    hollow = 4 / 3 * math.pi * (20**3 - 18**3) / 1000
    expect(page.get_by_text("The preview shows what was asked for before.")).to_be_visible()
    assert preview(page) == {"Ball 20": pytest.approx(hollow, rel=0.01)}
    notes = page.locator(".prepare-body .part-notes")
    assert notes.evaluate("(at) => at.scrollHeight === at.clientHeight"), "a note is out of sight"
    expect(page.get_by_text("The preview shows what was asked for before.")).to_have_count(0)
    eventually(page, lambda: page.evaluate("viewer.parts().every(part => !part.visible || part.id !== '1')"), bool)
    assert server.get("/statistics").json()["CountInstances"] == stored
    with page.expect_download() as download:
        page.get_by_role("button", name="3MF", exact=True).click()
    path = tmp_path / "ball.3mf"
    download.value.save_as(path)
    mesh: Any = trimesh.load(path, force="mesh")
    assert mesh.volume / 1000 == pytest.approx(hollow, rel=0.01)
    page.get_by_role("button", name="Store", exact=True).click()
    page.get_by_text("1 model was stored.").wait_for()
    assert server.get("/statistics").json()["CountInstances"] == stored + 1
    (model,) = server.post(
        "/tools/find", {"Level": "Instance", "Query": {"Modality": "M3D", "ContentDescription": "Ball 20"}}
    ).json()[-1:]
    info = server.get(f"/instances/{model}/stl/info").json()
    assert info["VolumeMl"] == pytest.approx(hollow, rel=0.01)
    assert json.loads(info["Parameters"]["Shell"]) == {"Wall": 2}
    label = {"Text": "É", "Height": 8, "Depth": 1, "Raised": False, "At": "front"}
    assert json.loads(info["Parameters"]["Label"]) == label


def test_a_refusal_is_told_in_sight_and_changes_nothing(open_page: Open, balls: str) -> None:
    page = opened(open_page, balls, expected=("400",))
    page.locator("summary", has_text="Text").click()
    page.get_by_label("Letters").fill("LLLLLLLLLLLLLLLLLLLL")
    page.get_by_role("button", name="Preview", exact=True).click()
    said = page.get_by_text(
        re.compile("^No place for the text: it reaches over the edge of the body, .+ elsewhere[.]$")
    )
    said.wait_for()
    box = said.bounding_box()
    assert box["y"] + box["height"] <= page.viewport_size["height"]
    page.get_by_label("Letters").fill("")
    page.locator("summary", has_text="Hollow").click()
    page.get_by_label("Wall (mm)").fill("25")
    page.get_by_role("button", name="Preview", exact=True).click()
    page.get_by_text("no place is thick enough to be hollow").wait_for()
    assert [part["name"] for part in page.evaluate("viewer.parts()")] == ["Ball 20", "Ball 12"]
    page.get_by_label("Wall (mm)").fill("")
    page.locator("summary", has_text="Margin").click()
    page.get_by_label("Margin (mm)").fill("3")
    page.get_by_role("spinbutton", name="Posterior").fill("1")
    page.get_by_role("spinbutton", name="Superior").fill("0")
    page.route("**/scene.stl?*", lambda route: route.fulfill(status=400, body="{}"))
    with page.expect_request("**/scene/info?*options*") as asked:
        page.get_by_role("button", name="Preview", exact=True).click()
    margin = json.loads(parse_qs(urlsplit(asked.value.url).query)["options"][0])["Margin"]
    assert margin == {"XMinus": 3, "XPlus": 3, "YMinus": 3, "YPlus": 1, "ZMinus": 3, "ZPlus": 0}
    missing = page.locator(".prepare-body .notice.error")
    expect(missing).to_have_text("Ball 20: The server answered with an error (400).")
    expect(missing).to_be_in_viewport()


def test_a_cut_by_the_section_plane_keeps_the_half_that_is_shown(open_page: Open, balls: str) -> None:
    page = opened(open_page, balls)
    page.locator("summary", has_text="Cut and mirror").click()
    page.get_by_label("Cut by the section plane").check()
    page.locator("[data-plane=sagittal]").click()
    page.evaluate(
        "const slider = document.querySelector('.section-body input[type=range]');"
        "slider.value = '10'; slider.dispatchEvent(new Event('input'))"
    )
    page.get_by_label("Keep", exact=True).select_option("front")
    assert preview(page) == {"Ball 20, cut": pytest.approx(BALL / 2, rel=0.01)}
    box = page.evaluate("viewer.parts().at(-1)")
    assert box["triangles"] > 100
    page.get_by_label("Keep", exact=True).select_option("both")
    halves = preview(page)
    assert list(halves) == ["Ball 20, part 1 of 2", "Ball 20, part 2 of 2"]
    assert sum(halves.values()) == pytest.approx(BALL, rel=0.01)
    page.get_by_role("button", name="Discard").click()
    names = "viewer.parts().map(part => part.name)"
    eventually(page, lambda: page.evaluate(names), lambda shown: shown == ["Ball 20", "Ball 12"])
    assert all(part["visible"] for part in page.evaluate("viewer.parts()"))


def test_the_print_check_colors_thin_walls_red(open_page: Open, balls: str) -> None:
    page = opened(open_page, balls)
    page.get_by_label("What Ball 20 is").select_option("")
    page.get_by_label("What Ball 12 is").select_option("model")
    page.get_by_role("button", name="Show Ball 20").click()
    page.locator("summary", has_text="Hollow").click()
    page.get_by_label("Wall (mm)").fill("0.5")
    preview(page)
    plain = colored(pixels(page, ".view-3d canvas"))
    page.locator(".prepare-body .chip", has_text="Print check").click()
    page.get_by_text("walls thinner than 0.8 mm").wait_for()
    page.wait_for_selector("button[aria-pressed=true]:has-text('Colour the model')")
    assert plain < 100 < 3_000 < colored(pixels(page, ".view-3d canvas"))


def test_a_section_of_the_colored_model_is_filled(open_page: Open, balls: str) -> None:
    """A solid ball looked hollow: its cut is painted in the model's own color."""
    page = opened(open_page, balls)
    page.get_by_label("What Ball 20 is").select_option("")
    page.get_by_label("What Ball 12 is").select_option("model")
    preview(page)
    page.locator(".prepare-body .chip", has_text="Print check").click()
    page.wait_for_selector("button[aria-pressed=true]:has-text('Colour the model')")
    page.click("#tool-section")

    def painted() -> float:
        """The share of the view in the pure blue of the ball."""
        red, green, blue = np.moveaxis(pixels(page, ".view-3d canvas"), -1, 0)
        return float(((red < 40) & (green < 40) & (blue > 150)).mean())

    eventually(page, painted, lambda seen: seen > 0.05)


@pytest.mark.parametrize("upright", [True, False])
def test_the_panel_on_a_phone(open_page: Open, balls: str, upright: bool) -> None:
    """It covers no tool, and its last button can be reached."""
    size = {"width": 390, "height": 800} if upright else {"width": 800, "height": 390}
    page = opened(open_page, balls, viewport=size, has_touch=True, is_mobile=True)
    sheet = page.locator(".prepare-sheet").bounding_box()
    for tools in (".main-tools", ".extra-tools"):
        assert apart(sheet, page.locator(tools).bounding_box()), tools
    button = page.get_by_role("button", name="Preview", exact=True)
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert sheet["y"] <= box["y"]
    assert box["y"] + box["height"] <= sheet["y"] + sheet["height"] <= size["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.locator("summary", has_text="Margin").click()
    for field in page.locator(".prepare-sides input").all():
        field.scroll_into_view_if_needed()
        box = field.bounding_box()
        assert box["x"] + box["width"] <= sheet["x"] + sheet["width"]
    page.locator("summary", has_text="Cut and mirror").click()
    page.get_by_label("Cut by the section plane").check()
    expect(page.locator(".prepare-sheet")).to_be_hidden()
    page.get_by_role("button", name='Back to "Prepare"').click()
    expect(page.locator(".section-sheet")).to_be_hidden()
    expect(page.locator(".prepare-sheet")).to_be_visible()
    expect(page.locator("#tool-section")).to_have_attribute("aria-pressed", "true")
