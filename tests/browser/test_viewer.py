"""The basic viewer: the model is there, in its colour and the right way round, and each tool does what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from testing.server import OrthancServer

from .study import (
    BALL_ML,
    BALL_RADIUS,
    MARKUP,
    Stored,
    apart,
    attach,
    bluish,
    box,
    extent,
    middle,
    pixels,
    reddish,
    settle,
    stl_of,
    viewer_ready,
)
from .waiting import eventually, expect

Open = Callable[..., Any]


def url(instance: str) -> str:
    return f"/stl/app/three.html?instance={instance}"


@pytest.fixture
def ball(open_page: Open, stored: Stored) -> Any:
    return viewer_ready(open_page(url(stored.model)))


@pytest.fixture(scope="module")
def cube(server: OrthancServer, stored: Stored) -> str:
    return attach(server, stored.study, stl_of(box(20.0)), SeriesDescription="Cube")


def test_shows_the_ball_as_a_red_disc(ball: Any) -> None:
    mask = reddish(pixels(ball))
    width, height = extent(mask)
    assert width == pytest.approx(height, rel=0.03)
    assert mask.sum() == pytest.approx(np.pi / 4 * width * height, rel=0.06)
    assert mask.sum() > 0.08 * mask.size


def test_says_name_size_volume_and_triangles_as_text(ball: Any, stored: Stored, server: OrthancServer) -> None:
    expect(ball.locator(".card h1").first).to_have_text("Contours: Ball", use_inner_text=True)
    expect(ball.locator(".card .about").first).to_contain_text(MARKUP, use_inner_text=True)
    facts = dict(
        zip(ball.locator(".facts dt").all_inner_texts(), ball.locator(".facts dd").all_inner_texts(), strict=True)
    )
    info = server.get(f"/instances/{stored.model}/stl/info").json()
    assert facts["Triangles"] == f"{info['Triangles']:,}"
    assert float(facts["Volume"].removesuffix(" mL")) == pytest.approx(BALL_ML, rel=0.02)
    sizes = [float(size) for size in facts["Size"].removesuffix(" mm").split(" × ")]
    low, high = np.array(info["BoundingBox"])
    assert sizes == pytest.approx(high - low, abs=0.06)
    assert sizes[0] == pytest.approx(2 * BALL_RADIUS, abs=0.5)


def test_the_patients_left_is_right_from_the_front(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    body = {"Instance": stored.rtstruct, "RoiNames": ["Ball", "Left"], "Resolution": 128, "Color": [255, 0, 0]}
    page = viewer_ready(open_page(url(server.post("/stl/encode-rtstruct", body).json()["ID"])))
    views = {"Anterior": "RLSI", "Posterior": "LRSI", "Right": "PASI", "Superior": "RLPA", "Inferior": "RLAP"}
    for view, edges in views.items():
        page.get_by_role("button", name=view, exact=True).press("Enter")
        for edge, letter in zip(("left", "right", "top", "bottom"), edges, strict=True):
            expect(page.locator(f".edge-letter.{edge}").first, view).to_have_text(letter, use_inner_text=True)
        rows = reddish(pixels(page)).sum(axis=0)
        columns = np.nonzero(rows)[0]
        small_end = rows[columns[0] + 10] < rows[columns[-1] - 10]
        if view in ("Anterior", "Superior"):
            assert not small_end, "the small ball, on the patient's left, belongs to the right"
        elif view == "Posterior":
            assert small_end


def place(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a point of the 3D view is on the page: pixels from its middle."""
    box = page.locator("#viewer canvas").bounding_box()
    return box["x"] + box["width"] / 2 + x, box["y"] + box["height"] / 2 + y


def test_measures_and_dimensions(open_page: Open, cube: str) -> None:
    page = viewer_ready(open_page(url(cube)))
    page.keyboard.press("p")
    page.get_by_role("button", name="Anterior", exact=True).press("Enter")
    page.keyboard.press("m")
    page.mouse.click(*place(page, -40, 0))
    page.mouse.click(*place(page, 40, 0))
    expect(page.locator(".label.measure").first).to_be_visible()
    label = page.inner_text(".label.measure")
    page.keyboard.press("d")
    expect(page.locator(".label.dimension")).to_have_text(["20.0 mm"] * 3, use_inner_text=True)
    settle(page)
    lines = [path.get_attribute("d") for path in page.locator("path.dimension").all()]
    ends = [[float(end.split(" ")[0]) for end in line[1:].split("L")] for line in lines]
    spans = [abs(last - first) for first, last in ends]
    assert float(label.removesuffix(" mm")) == pytest.approx(80 / max(spans) * 20, rel=0.01)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".label.measure")).to_have_count(0)
    page.mouse.click(*place(page, -250, 180))
    expect(page.locator(".measure-hint").first).to_contain_text("no surface", use_inner_text=True)


def test_section_shows_a_flat_cut_face_that_moves_and_flips(ball: Any) -> None:
    ball.keyboard.press("p")
    ball.get_by_role("button", name="Anterior", exact=True).press("Enter")
    ball.keyboard.press("c")

    def cut() -> int:
        _, counts = np.unique(pixels(ball)[reddish(pixels(ball))], axis=0, return_counts=True)
        return int(np.max(counts))

    whole = reddish(pixels(ball)).sum()
    assert cut() > 0.8 * whole, "through the middle nearly all that one sees is the cut face"
    expect(ball.locator(".section-sheet output").first).to_have_text("-40.0 mm", use_inner_text=True)
    slider = ball.get_by_role("slider", name="Position of the section plane")
    slider.fill("-61")
    assert cut() == pytest.approx(0.51 * whole, rel=0.1), "a circle at 0.7 of the radius"
    ball.get_by_role("button", name="Flip").click()
    assert cut() < 0.2 * whole, "from the front the cap that is left shows its outside"
    ball.keyboard.press("Escape")
    expect(ball.locator(".section-sheet").first).not_to_be_visible()


def test_wireframe_projection_centre_and_reset(ball: Any) -> None:
    home = pixels(ball)
    ball.keyboard.press("w")
    assert 0.05 < np.mean(reddish(pixels(ball))) / np.mean(reddish(home)) < 0.99
    ball.keyboard.press("w")
    ball.keyboard.press("p")
    assert extent(reddish(pixels(ball)))[0] == pytest.approx(extent(reddish(home))[0], rel=0.15)
    before = reddish(pixels(ball))
    ball.mouse.dblclick(*place(ball, -60, -50))
    assert middle(reddish(pixels(ball))) > middle(before) + 20, "the point that was clicked came into the middle"
    assert middle(reddish(pixels(ball)).T) > middle(before.T) + 20
    ball.keyboard.press("p")
    ball.keyboard.press("r")
    assert np.mean(reddish(pixels(ball)) != reddish(home)) < 0.002


def test_dragging_turns_and_the_wheel_zooms(open_page: Open, cube: str) -> None:
    page = viewer_ready(open_page(url(cube)))
    before = pixels(page)
    page.mouse.move(480, 300)
    page.mouse.down()
    page.mouse.move(640, 260, steps=4)
    page.mouse.up()
    assert np.abs(pixels(page) - before).mean() > 1
    letters = page.inner_text(".edge-letter.left")
    assert letters not in ("RA", "R")
    turned = pixels(page)
    page.mouse.wheel(0, -600)
    eventually(page, lambda: pixels(page), lambda now: np.abs(now - turned).mean() > 1)


def test_keys_turn_move_and_zoom(ball: Any) -> None:
    before = reddish(pixels(ball))
    letter = ball.inner_text(".edge-letter.left")
    for key, grows, moves in (("+", True, False), ("-", False, False), ("Shift+ArrowRight", False, True)):
        ball.keyboard.press(key)
        now = reddish(pixels(ball))
        assert (extent(now)[0] > 1.05 * extent(before)[0]) == grows
        assert (middle(now) > middle(before) + 10) == moves
    for _ in range(12):
        ball.keyboard.press("ArrowLeft")
    expect(ball.locator(".edge-letter.left").first).not_to_have_text(letter, use_inner_text=True)


def test_the_picture_has_the_model_and_its_name_as_file_name(ball: Any) -> None:
    ball.keyboard.press("d")
    with ball.expect_download() as saved:
        ball.click("#tool-screenshot")
    assert saved.value.suggested_filename == "Contours Ball.png"
    picture = np.asarray(Image.open(saved.value.path()).convert("RGB")).astype(int)
    assert picture.shape == pytest.approx(pixels(ball).shape, abs=1)
    assert reddish(picture).sum() == pytest.approx(reddish(pixels(ball)).sum(), rel=0.05)


def test_the_downloaded_file_is_the_stored_one(ball: Any, server: OrthancServer, stored: Stored) -> None:
    ball.click("#tool-keep")
    for suffix, address in (("stl", "stl"), ("3mf", "stl/scene.3mf")):
        with ball.expect_download() as saved:
            ball.locator(".keep-body .chip").get_by_text(suffix, exact=True).click()
        assert saved.value.suggested_filename == f"Contours Ball.{suffix}"
        assert saved.value.path().read_bytes() == server.get(f"/instances/{stored.model}/{address}").body
    ball.click("#tool-keep")


def test_turns_by_itself_until_it_is_touched(open_page: Open, cube: str) -> None:
    page = viewer_ready(open_page(url(cube), reduced_motion="no-preference"))
    first = pixels(page)
    eventually(page, lambda: pixels(page), lambda now: np.abs(first - now).mean() > 0.1)
    page.mouse.click(480, 300)

    def still_for_a_while() -> float:
        before = pixels(page)
        page.wait_for_timeout(300)
        return float(np.abs(pixels(page) - before).mean())

    eventually(page, still_for_a_while, lambda change: change < 0.01)  # it comes to rest gently


def test_stands_still_for_whoever_asked_for_less_motion(open_page: Open, cube: str) -> None:
    page = viewer_ready(open_page(url(cube)))
    first = pixels(page)
    page.wait_for_timeout(1000)
    assert np.abs(pixels(page) - first).mean() < 0.05


def test_every_tool_is_reached_by_keyboard(ball: Any) -> None:
    seen = []
    for _ in range(48):
        ball.keyboard.press("Tab")
        name = ball.evaluate("document.activeElement.getAttribute('aria-label')") or ""
        seen.append(name.split(": ")[-1])  # a word on the button that is not in the name is put before it
    wanted = {
        "Reset the view",
        "Wireframe",
        "Section plane",
        "Measure",
        "Dimensions",
        "Save a picture",
        "Superior",
    }
    assert wanted <= set(seen)
    ball.keyboard.press("?")
    expect(ball.get_by_role("dialog")).to_be_visible()
    ball.keyboard.press("Escape")
    expect(ball.get_by_role("dialog")).not_to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(open_page: Open, stored: Stored, scheme: str) -> None:
    page = viewer_ready(open_page(url(stored.model), color_scheme=scheme))
    corner = pixels(page, "#viewer")[350:450, 5:60].mean()
    assert corner > 200 if scheme == "light" else corner < 60


@pytest.mark.parametrize(("width", "height"), [(360, 740), (740, 360)], ids=["upright", "sideways"])
def test_on_a_phone_everything_is_within_reach(open_page: Open, stored: Stored, width: int, height: int) -> None:
    phone = {"viewport": {"width": width, "height": height}, "has_touch": True, "is_mobile": True}
    page = viewer_ready(open_page(url(stored.model), **phone))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for tool in page.locator(".tool:visible").all():
        where = tool.bounding_box()
        assert where["width"] >= 40
        assert where["x"] >= 0
        assert where["x"] + where["width"] <= width
        assert where["y"] + where["height"] <= height
    for fact in page.locator(".facts div:visible").all():
        name, value = (fact.locator(kind).bounding_box() for kind in ("dt", "dd"))
        assert name["y"] == value["y"], "a figure is not torn from its name"
    assert reddish(pixels(page)).sum() > 3000
    for name in ("parts", "section", "measure"):
        page.tap(f"#tool-{name}")
        sheets = page.locator(".sheet-panel:visible")
        expect(sheets, "one panel at a time").to_have_count(1)
        for other in page.locator(".tool:visible, .card:visible, .cube-frame, .view-3d").all():
            assert apart(sheets.bounding_box(), other.bounding_box()), name
    assert page.locator(".view-3d").bounding_box()["height"] > 120


def test_a_model_of_one_structure_has_its_color(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    body = {"Instance": stored.rtstruct, "RoiNames": ["Left"], "Resolution": 64}
    page = viewer_ready(open_page(url(server.post("/stl/encode-rtstruct", body).json()["ID"])))
    assert bluish(pixels(page)).sum() > 10000


def test_warnings_of_the_model_are_shown(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    triangles = box(20.0)[:-2]
    page = viewer_ready(open_page(url(attach(server, stored.study, stl_of(triangles)))))
    page.wait_for_selector(".card .notice")
    expect(page.locator(".card .notice").first).to_contain_text("not closed", use_inner_text=True)
