"""From Orthanc Explorer to ten structures over their CT, by mouse and by keyboard, for two people at once."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from testing import phantoms
from testing.server import OrthancServer

from .study import WIDE, pixels, viewer_ready
from .waiting import expect

Open = Callable[..., Any]
RADIUS, APART = 9.0, 22.0
COLOURS = [tuple(round(255 * value) for value in colorsys.hsv_to_rgb(number / 10, 1, 0.9)) for number in range(10)]
CENTRES = [(APART * (number % 5 - 2), -30.0 + 60 * (number // 5), 0.0) for number in range(10)]


IMAGES_THERE = """async () => {
  while (!viewer.images().some(image => image.active) || viewer.pixelAt([0, 0, 0]) === null) {
    await new Promise(done => setTimeout(done, 50));
  }
}"""


@dataclass(frozen=True)
class Ten:
    """Orthanc's ids: a structure set of ten balls and its series."""

    source: str
    series: str


@pytest.fixture(scope="module")
def ten(server: OrthancServer) -> Ten:
    study = phantoms.Study(seed="ten", patient_name="Ten^Balls")
    for data in phantoms.ct_slices(study, planes=range(-30, 31, 3)):
        server.upload(data)
    balls = [
        phantoms.ball(f"Ball {number}", RADIUS, centre, colour=colour, points=40)
        for number, (centre, colour) in enumerate(zip(CENTRES, COLOURS, strict=True), 1)
    ]
    source = server.upload(phantoms.structure_set(balls, study))
    return Ten(source, server.get(f"/instances/{source}").json()["ParentSeries"])


def hue_at(image: np.ndarray, x: float, y: float) -> float:
    """0 to 1, of the middle of the colours around a pixel."""
    patch = image[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].reshape(-1, 3)
    return colorsys.rgb_to_hsv(*(np.median(patch, axis=0) / 255))[0]


def hues_of(page: Any) -> list[float]:
    """Of what the scene shows where the tops of the balls are."""
    image = pixels(page, ".view-3d canvas")
    tops = [[x, y, z + 0.7 * RADIUS] for x, y, z in CENTRES]
    spots = page.evaluate("tops => tops.map(point => viewer.project(point))", tops)
    return [hue_at(image, spot["x"], spot["y"]) for spot in spots]


def test_two_people_at_once(open_page: Open, ten: Ten, server: OrthancServer) -> None:
    """Both see all; what one hides stays with the other. The meshes are made once."""
    address = f"/stl/app/three.html?source={ten.source}"
    pages = [open_page(address, person=person, **WIDE) for person in (0, 1)]
    for page in pages:
        viewer_ready(page).evaluate("viewer.loaded")
    pages[0].get_by_role("button", name="Show Ball 3").click()
    parts = [page.evaluate("viewer.parts()") for page in pages]
    assert [part["name"] for part in parts[0] if not part["visible"]] == ["Ball 3"]
    assert all(part["visible"] for part in parts[1])
    assert [part["triangles"] for part in parts[0]] == [part["triangles"] for part in parts[1]]
    made = [line for line in server.log_text().splitlines() if "scene_file" in line and ten.source in line]
    assert len(made) == 10


def from_above(page: Any) -> None:
    page.get_by_role("button", name="Superior", exact=True).press("Enter")


def test_one_click_from_the_series_to_ten_structures_over_the_ct(open_page: Open, ten: Ten) -> None:
    page = open_page(f"/app/explorer.html#series?uuid={ten.series}", **WIDE)
    with page.expect_popup() as popup:
        page.click("#stl-scene-series")
    scene = viewer_ready(popup.value)
    scene.evaluate("viewer.loaded")
    scene.wait_for_selector(".view-plane canvas")
    scene.evaluate(IMAGES_THERE)
    assert scene.evaluate("viewer.pixelAt([0, 0, 0])") == 16, "in the disc of the CT"
    assert len(scene.evaluate("viewer.outlines()")) in (5, 10), "on the slice in the middle"
    scene.keyboard.press("4")  # the scene alone
    from_above(scene)
    wanted = [colorsys.rgb_to_hsv(*colour)[0] for colour in COLOURS]
    away = [abs((found - hue + 0.5) % 1 - 0.5) for found, hue in zip(hues_of(scene), wanted, strict=True)]
    assert max(away) < 0.05, away
    scene.close()


def tab_to(page: Any, matches: str, key: str = "Tab") -> None:
    for _ in range(80):
        page.keyboard.press(key)
        if page.evaluate(f"document.activeElement.matches({matches!r})"):
            return
    raise AssertionError(f"{matches} cannot be reached by keyboard")


def test_from_orthanc_explorer_to_a_distance_by_keyboard_alone(open_page: Open, ten: Ten) -> None:
    page = open_page(f"/app/explorer.html#series?uuid={ten.series}", **WIDE)
    page.wait_for_selector("#stl-scene-series")
    tab_to(page, "#stl-scene-series")
    with page.expect_popup() as popup:
        page.keyboard.press("Enter")
    scene = viewer_ready(popup.value)
    scene.evaluate("viewer.loaded")
    from_above(scene)
    tab_to(scene, "#tool-measure")
    scene.keyboard.press("Enter")
    tab_to(scene, ".view-3d canvas", "Shift+Tab")
    scene.keyboard.press("Enter")
    scene.keyboard.press("Shift+ArrowLeft")
    scene.keyboard.press("Enter")
    said = scene.locator(".measure-list li > span").inner_text()
    assert 2 < float(said.removeprefix("Distance: ").removesuffix(" mm")) < 150
    scene.close()


def test_a_panel_that_is_opened_is_in_sight(open_page: Open, ten: Ten) -> None:
    """Also below others that fill the column, and wherever that was scrolled to."""
    page = viewer_ready(open_page(f"/stl/app/three.html?source={ten.source}", **WIDE))
    page.evaluate("viewer.loaded")
    page.wait_for_selector(".slices-sheet:visible")
    for tool in ("prepare", "keep", "measure"):
        page.click(f"#tool-{tool}")
        expect(page.locator(f".{tool}-sheet .panel-head")).to_be_in_viewport(ratio=1)
    page.locator(".part-text").first.scroll_into_view_if_needed()
    page.keyboard.press("l")
    page.keyboard.press("l")
    expect(page.locator(".keep-sheet .keep-body")).to_be_in_viewport(ratio=0.99)


def test_the_list_has_room_beside_two_other_panels(open_page: Open, ten: Ten) -> None:
    page = viewer_ready(open_page(f"/stl/app/three.html?source={ten.source}", **WIDE))
    page.evaluate("viewer.loaded")
    page.wait_for_selector(".slices-sheet:visible")
    page.keyboard.press("e")
    page.wait_for_selector(".prepare-sheet:visible")
    assert page.locator(".part-list").bounding_box()["height"] > 120, "four rows"
    page.get_by_role("button", name="Slices", exact=True).and_(page.locator(".panel-fold")).click()
    expect(page.locator(".slice-body")).not_to_be_visible()
    page.locator(".prepare-body").get_by_role("button").last.scroll_into_view_if_needed()
    shown = page.locator(".prepare-body").get_by_role("button").last.bounding_box()
    assert (
        shown["y"] + shown["height"]
        <= page.locator(".panels").bounding_box()["y"] + page.locator(".panels").bounding_box()["height"]
    )
