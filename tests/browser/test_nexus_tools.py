"""Every tool of the viewer with all tools, by clicking, on a box of 10 × 20 × 40 at a known place."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from testing.server import OrthancServer
from tests.browser.conftest import Watched
from tests.browser.nexus_pages import (
    CANVAS,
    PAGES,
    click_at,
    complete,
    drag,
    model_mask,
    picture,
    place,
    press,
    stored_model,
    tool,
)
from tests.browser.study import settle
from tests.nexus_writer import box, write_nexus

from .waiting import expect

sync_api = pytest.importorskip("playwright.sync_api")

CENTRE = (100.0, -50.0, 7.0)
FRONT = CENTRE[2] + 20.0  # the box's face towards the eye


def on_front(x: float, y: float) -> tuple[float, float, float]:
    return CENTRE[0] + x, CENTRE[1] + y, FRONT


@pytest.fixture(scope="module")
def instance(server: OrthancServer) -> str:
    return stored_model(server, write_nexus([box(centre=CENTRE)]))


@pytest.fixture(scope="module")
def opened(chromium: Any, server: OrthancServer, instance: str) -> Iterator[Watched]:
    """One page for all tests of this file, since a tool that is put away again must leave nothing behind."""
    context = chromium.new_context(viewport={"width": 900, "height": 640}, reduced_motion="reduce")
    watched = Watched(context.new_page())
    watched.page.goto(server.url + PAGES["all tools"](instance))
    complete(watched.page)
    yield watched
    context.close()
    assert watched.unexpected() == []


@pytest.fixture
def page(opened: Watched) -> Iterator[Any]:
    yield opened.page
    panel = opened.page.get_by_role("group", name="Sections")
    if panel.is_visible():
        panel.get_by_role("button", name="Reset").click()
    opened.page.keyboard.press("Escape")
    for name in ("measure", "pick"):
        press(opened.page, name)
        clear = opened.page.locator(".hint-panel:visible").get_by_role("button", name="Clear")
        if clear.is_visible():
            clear.click()
    for button in opened.page.locator(".tool[aria-pressed]").all():
        if button.get_attribute("aria-pressed") != str(button.get_attribute("id") == "tool-light").lower():
            button.click()
    press(opened.page, "home")


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+\.?\d*", text)]


def hint(page: Any) -> str:
    return page.locator(".hint-panel:visible").inner_text()


def middle(page: Any) -> tuple[float, float]:
    area = page.locator(CANVAS).bounding_box()
    return area["x"] + area["width"] / 2, area["y"] + area["height"] / 2


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """The share of pixels that differ."""
    return float((np.abs(before - after).max(axis=2) > 6).mean())


def test_a_measured_distance_is_the_known_one(page: Any) -> None:
    press(page, "measure")
    click_at(page, on_front(-4, -8))
    assert "second point" in hint(page)
    click_at(page, on_front(3, 9))
    known = (7**2 + 17**2) ** 0.5
    assert numbers(hint(page))[0] == pytest.approx(known, abs=0.1)
    assert numbers(page.locator(".label.measure").inner_text())[0] == pytest.approx(known, abs=0.1)
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator(".label.measure")).to_have_count(0)
    page.mouse.click(30, 600)
    settle(page)
    assert "no surface" in hint(page)


def test_the_distance_between_two_corners(page: Any) -> None:
    """The box's front face has corners 22.36 apart, which are met within a pixel."""
    press(page, "measure")
    for x, y in ((-4.97, -9.97), (4.97, 9.97)):
        click_at(page, on_front(x, y))
    assert numbers(hint(page))[0] == pytest.approx(22.36, abs=0.15)


def test_an_angle_by_three_clicks(page: Any) -> None:
    press(page, "measure")
    page.get_by_role("button", name="Angle", exact=True).click()
    for x, y in ((-4, 9), (-4, -8), (3, -1)):
        click_at(page, on_front(x, y))
    assert numbers(hint(page).partition("Angle")[2])[0] == pytest.approx(45, abs=0.8)
    page.get_by_role("button", name="Distance", exact=True).click()


def test_a_point_tells_its_coordinates(page: Any) -> None:
    page.keyboard.press("i")
    click_at(page, on_front(2, -6))
    assert numbers(hint(page)) == pytest.approx(on_front(2, -6), abs=0.08)
    expect(page.locator(".overlay circle")).to_have_count(1)


def test_one_mouse_tool_at_a_time(page: Any) -> None:
    press(page, "measure")
    press(page, "pick")
    expect(tool(page, "measure")).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".hint-panel:visible")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".hint-panel:visible")).to_have_count(0)


def test_sections_cut_flip_move_and_show_planes_and_edges(page: Any) -> None:
    whole = model_mask(page).sum()
    press(page, "sections")
    panel = page.get_by_role("group", name="Sections")
    panel.get_by_role("button", name="Planes").click()
    half = model_mask(page).sum()
    assert half < 0.95 * whole
    assert orange(page) > 100
    panel.get_by_role("button", name="Edges").click()
    assert orange(page) == 0
    panel.get_by_role("button", name="Show the other side of section X").click()
    other = model_mask(page)
    slider = panel.get_by_label("Place of section X")
    slider.press("Home")
    settle(page)
    expect(slider).to_have_attribute("aria-valuetext", "95.000")
    assert model_mask(page).sum() == pytest.approx(whole, rel=0.05)  # all but the wall at the plane itself
    slider.press("End")
    settle(page)
    expect(slider).to_have_attribute("aria-valuetext", "105.000")
    assert model_mask(page).sum() < 0.2 * whole  # only the wall at the plane itself
    panel.get_by_role("button", name="Reset").click()
    settle(page)
    assert model_mask(page).sum() == pytest.approx(whole, rel=0.05)
    assert other.sum() < whole


def orange(page: Any) -> int:
    red, green, blue = np.moveaxis(picture(page), -1, 0)
    return int(((red > 200) & (green > 50) & (green < 130) & (blue < 60)).sum())


@pytest.mark.parametrize("axis", ["X", "Y", "Z"])
def test_each_section_has_its_place_in_the_files_coordinates(page: Any, axis: str) -> None:
    press(page, "sections")
    page.get_by_role("button", name="Section X", exact=True).click()  # off
    page.get_by_role("button", name=f"Section {axis}", exact=True).click()
    value = page.get_by_label(f"Place of section {axis}").get_attribute("aria-valuetext")
    assert float(value) == pytest.approx(CENTRE["XYZ".index(axis)])
    assert page.evaluate("() => nexusViewer.stage.materials.planes.length") == 1


def test_what_is_cut_away_cannot_be_picked(page: Any) -> None:
    press(page, "sections")
    page.get_by_role("button", name="Section X", exact=True).click()
    page.get_by_role("button", name="Section Z", exact=True).click()
    press(page, "pick")
    click_at(page, on_front(4, 5))  # the front half is gone: there the inside of the box's left wall is seen
    assert numbers(hint(page))[0] == pytest.approx(CENTRE[0] - 5, abs=0.01)
    assert numbers(hint(page))[2] < CENTRE[2]


def test_lighting_and_its_direction(page: Any) -> None:
    lit = picture(page)
    x, y = middle(page)
    press(page, "light-direction")
    camera = "() => nexusViewer.stage.camera.position.toArray()"
    eye = page.evaluate(camera)
    drag(page, (x, y), (x + 220, y))
    assert page.evaluate(camera) == eye
    turned = picture(page)
    assert changed(lit, turned) > 0.03
    press(page, "upright")
    eye = page.evaluate(camera)
    drag(page, (x, y), (x - 100, y))
    assert page.evaluate(camera) == pytest.approx(eye)
    press(page, "upright")
    press(page, "light-direction")
    press(page, "light")
    flat = picture(page)[model_mask(page)]
    assert (flat == np.median(flat, axis=0)).all(axis=1).mean() > 0.97  # one colour, apart from smoothed outlines


def test_the_view_turns_moves_zooms_and_comes_home(page: Any) -> None:
    home = picture(page)
    size = model_mask(page).sum()
    x, y = middle(page)
    press(page, "zoom-in")
    assert model_mask(page).sum() == pytest.approx(size * 1.25**2, rel=0.2)
    press(page, "zoom-out")
    assert changed(home, picture(page)) < 0.01
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    settle(page)
    assert model_mask(page).sum() > 1.1 * size
    page.keyboard.press("r")
    assert changed(home, picture(page)) < 0.01
    before = place(page, CENTRE)
    drag(page, (x, y), (x + 60, y + 30), button="right")
    after = place(page, CENTRE)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((60, 30), abs=4)
    drag(page, (x, y), (x - 60, y - 30), button="middle")
    assert place(page, CENTRE) == pytest.approx(before, abs=4)
    drag(page, (x, y), (x + 200, y))
    assert changed(home, picture(page)) > 0.05
    press(page, "home")
    assert changed(home, picture(page)) < 0.01


def test_a_double_click_brings_a_point_into_the_middle(page: Any) -> None:
    page.mouse.dblclick(*place(page, on_front(3, 8)))
    settle(page)
    assert place(page, on_front(3, 8)) == pytest.approx(middle(page), abs=2)


def test_parallel_projection_keeps_parallels(page: Any) -> None:
    def depth_ratio() -> float:
        """Length of an edge at the back to that of the same edge in front."""
        lengths = []
        for z in (-20.0, 20.0):
            (a, b), (c, d) = (place(page, (CENTRE[0] + x, CENTRE[1] + 10, CENTRE[2] + z)) for x in (-5, 5))
            lengths.append(np.hypot(a - c, b - d))
        return lengths[0] / lengths[1]

    assert depth_ratio() < 0.9
    press(page, "projection")
    assert depth_ratio() == pytest.approx(1, abs=1e-6)
    press(page, "measure")
    for x, y in ((-4, -8), (3, 9)):
        click_at(page, on_front(x, y))
    assert numbers(hint(page))[0] == pytest.approx((7**2 + 17**2) ** 0.5, abs=0.1)


def test_z_can_point_upwards(page: Any) -> None:
    press(page, "upright")
    settle(page)
    (x, low), (_, high) = (place(page, (*CENTRE[:2], CENTRE[2] + z)) for z in (-10, 10))
    assert high < low - 20
    assert abs(x - middle(page)[0]) < 300


def test_a_picture_is_saved(page: Any) -> None:
    with page.expect_download() as download:
        press(page, "screenshot")
    assert download.value.suggested_filename == "Nexus model.png"
    image = Image.open(io.BytesIO(download.value.path().read_bytes()))
    area = page.locator(CANVAS).bounding_box()
    assert image.size == (area["width"], area["height"])
    assert len(np.unique(np.asarray(image.convert("RGB").resize((64, 40))).reshape(-1, 3), axis=0)) > 50


def test_full_screen_and_help(page: Any) -> None:
    press(page, "fullscreen")
    expect(page.locator("#viewer:fullscreen")).to_have_count(1)
    press(page, "fullscreen")
    expect(page.locator(":fullscreen")).to_have_count(0)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Mouse and keys")
    expect(dialog).to_contain_text("measure a distance", use_inner_text=True)
    expect(dialog).to_contain_text("size of points", use_inner_text=True)
