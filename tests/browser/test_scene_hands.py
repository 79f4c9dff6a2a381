"""The scene by hand: the list's controls, the slices' controls, and what pages that embed the viewer hear of it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from testing import phantoms
from testing.server import OrthancServer
from tests.sources.test_glb_files import CORNERS, box_glb

from .study import BALL_CENTRE, Scene, opened_scene, pixels, screen, settle, viewer_ready
from .waiting import eventually, expect

Open = Callable[..., Any]
NAMES = ".part:visible .part-text"
AXIAL = ".view-plane[data-axis='2'] canvas"


def test_colors_opacity_order_and_looks(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    page.get_by_label("Colour of Ball").fill("#00ff80")
    page.locator(".part-name", has_text="Ball").click()
    page.get_by_label("Opacity of Ball").fill("40")
    ball = page.evaluate("viewer.parts()[0]")
    assert (ball["color"], ball["opacity"]) == ([0, 255, 128], 0.4)
    page.keyboard.press("Control+z")
    assert page.evaluate("viewer.parts()[0].opacity") == 1
    for order, names in (
        ("By name", ["Ball", "BODY", "Small"]), ("By volume", ["BODY", "Ball", "Small"]),
        ("As in the file", ["Ball", "Small", "BODY"]),
    ):  # fmt: skip
        page.get_by_label("Order").select_option(order)
        expect(page.locator(NAMES)).to_have_text(names, use_inner_text=True)
    page.click("[data-look=targets]")
    assert [part["opacity"] for part in page.evaluate("viewer.parts()")] == [0.35, 0.35, 0.1]
    page.click("[data-look=standard]")
    assert page.evaluate("viewer.parts()[0].color") == [200, 60, 60]
    page.get_by_role("button", name="Look at it").click()
    middle = page.evaluate("point => viewer.project(point)", list(BALL_CENTRE))
    box = page.locator(".view-3d canvas").bounding_box()
    assert (middle["x"], middle["y"]) == pytest.approx((box["width"] / 2, box["height"] / 2), abs=2)


def test_slices_by_slider_wheel_and_frame(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    page.wait_for_selector("#tool-slices:visible")
    page.wait_for_selector(".view-plane")
    at = "viewer.state().slices.at"
    page.locator(".slice-body input[data-plane=axial]").fill("10")
    assert page.evaluate(at)[2] == 10
    page.locator(AXIAL).hover()
    page.mouse.wheel(0, 100)
    eventually(page, lambda: page.evaluate(at)[2], lambda index: index == 9)  # towards the feet
    page.get_by_label("Window preset").select_option("Lung")
    assert page.evaluate("viewer.state().slices.window") == [-600, 1500]
    dark = pixels(page, AXIAL).mean()
    page.get_by_label("Window preset").select_option("Bone")
    assert pixels(page, AXIAL).mean() < dark
    page.evaluate("viewer.showSlice({ index: 20 })")
    corner, above = screen(page, (-93.0, -93.0, 60.0)), screen(page, (-93.0, -93.0, 75.0))
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(*above, steps=4)
    page.mouse.up()
    assert page.evaluate(at)[2] == pytest.approx(25, abs=1)


def heard(page: Any, events: int) -> None:
    """Until so many are in `told`. The page's policy forbids what `wait_for_function` does."""
    page.evaluate(
        "events => new Promise(done => {"
        "  const look = () => (told.length >= events ? done() : setTimeout(look, 20)); look(); })",
        events,
    )


def test_events_restoring_and_the_picture(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    page.evaluate("window.told = []")
    for kind in ("select", "measure"):
        page.evaluate(f"viewer.addEventListener('{kind}', event => told.push(['{kind}', event.detail]))")
    before = page.evaluate("viewer.state()")
    page.keyboard.press("4")
    page.keyboard.press("i")
    page.get_by_role("button", name="Anterior", exact=True).press("Enter")
    settle(page)
    ball = screen(page, BALL_CENTRE)
    page.mouse.click(*ball)
    heard(page, 1)
    page.keyboard.press("m")
    for x in (-10, 10):
        page.mouse.click(ball[0] + x, ball[1])
    heard(page, 2)
    (_, selected), (_, measured) = page.evaluate("told")
    assert selected == {"id": "1", "number": 1, "name": "Ball"}
    assert measured["kind"] == "distance"
    assert len(measured["points"]) == 2
    page.evaluate("state => viewer.restore(state)", before)
    after = page.evaluate("viewer.state()")
    assert after["measures"] == before["measures"] == []
    assert np.allclose(after["camera"]["position"], before["camera"]["position"], atol=0.05)
    picture = page.evaluate(
        "viewer.picture().then(async blob => [blob.type, Array.from(new Uint8Array(await blob.arrayBuffer()))])"
    )
    assert picture[0] == "image/png"
    image = np.asarray(Image.open(io.BytesIO(bytes(picture[1]))).convert("RGB"))
    assert image.shape[1] >= page.locator(".view-3d canvas").bounding_box()["width"]
    for part in page.evaluate("viewer.parts()"):  # 12 x 12 pixels of the legend, which no light changes
        rows, columns = np.nonzero((image[:, :60] == part["color"]).all(axis=2))
        assert len(rows) >= 144, part["name"]
        assert [int(np.ptp(side)) for side in (rows, columns)] == [11, 11]


def test_images_of_another_frame_are_a_sentence_not_an_overlay(open_page: Open, server: OrthancServer) -> None:
    study = phantoms.Study(seed="other frame")
    for data in phantoms.ct_slices(study, planes=(0, 3, 6)):
        file = pydicom.dcmread(io.BytesIO(data))
        file.FrameOfReferenceUID = study.uid("another frame")
        file.save_as(buffer := io.BytesIO())
        server.upload(buffer.getvalue())
    source = server.upload(phantoms.structure_set([phantoms.ball("Ball", 10)], study))
    page = viewer_ready(open_page(f"/stl/app/three.html?source={source}"))
    page.wait_for_selector(".toast")
    sentence = "“CT Phantom CT” has another frame of reference: it is not known how the patient lay in it"
    expect(page.locator(".toast").first).to_contain_text(sentence, use_inner_text=True)
    assert page.evaluate("viewer.images()") == []
    page.keyboard.press("i")
    expect(page.locator(".slice-body").first).to_contain_text(sentence, use_inner_text=True)
    expect(page.locator(".view-plane")).to_have_count(0)


def ring(x: float) -> phantoms.Contour:
    """Of the largest of a ball of 10 mm there."""
    return phantoms.Contour(phantoms.circle(10, 0, (x, 0, 0)))


def with_contour(name: str, x: float, more: phantoms.Contour) -> phantoms.Roi:
    ball = phantoms.ball(name, 10, (x, 0, 0))
    return phantoms.Roi(name, [*(ball.contours or ()), more])


def test_warnings_of_many_parts_are_told_the_worst_first(open_page: Open, server: OrthancServer) -> None:
    """In the file the least comes first."""
    short = phantoms.Contour(np.array([[0.0, 0, 0], [1, 0, 0]]))
    rois = [
        with_contour("Short", 0, short),
        with_contour("Twice", 60, ring(60)),
        with_contour("Crossed", 120, ring(126)),
        with_contour("Broken", 180, phantoms.Contour(np.zeros((1, 3)), data=b"180\\0\\0\\1")),
    ]
    source = server.upload(phantoms.structure_set(rois, phantoms.Study(seed="ranks")))
    page = viewer_ready(open_page(f"/stl/app/three.html?source={source}"))
    page.evaluate("viewer.loaded")
    page.get_by_role("button", name="Things to know about Crossed", exact=True).click()
    expect(page.locator(".part.selected .part-notes li")).to_contain_text(["they are united"])
    expect(page.locator(".part-badge:visible")).to_have_count(4)
    page.locator(".warnings-button", has_text="Changed the shape: 2 · Guessed: 1 · Left out: 1").click()
    dialog = page.locator("dialog.warnings")
    expect(dialog.locator("h3")).to_have_text(
        ["Changed the shape (2)", "Guessed (1)", "Left out (1)"], use_inner_text=True
    )
    expect(dialog.locator("li strong")).to_have_text(["Crossed", "Broken", "Twice", "Short"], use_inner_text=True)
    sentences = dialog.locator("li").all_inner_texts()
    assert "they are united" in sentences[0]
    assert "no multiple of three: left out" in sentences[1]
    assert "it repeats contour " in sentences[2]
    assert "fewer than three distinct points" in sentences[3]
    told = zip(sentences, ["Crossed", "Broken", "Twice", "Short"], strict=True)
    assert [sentence.count(name) for sentence, name in told] == [1] * 4, "each is named once"
    nodes = "(await import('/stl/app/shared/dom.js')).sentenceOn('ptv_L', 'ptv_L is open')"
    told_of_one = page.evaluate(f"async () => {nodes}.map((each) => each.textContent ?? each).join('')")
    assert told_of_one == "ptv_L is open.", "a name keeps its small letters"
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("dialog.warnings")).to_have_count(0)
    page.route("**/stl/structures/**", lambda route: None)  # the list says it by itself
    page.reload()
    expect(page.locator(".warnings-button")).to_have_text("Changed the shape: 1 · Left out: 1", use_inner_text=True)


def test_a_copied_link_shows_the_same_and_holds_no_token(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene, "&token=secret", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Show Small").click()
    page.get_by_role("button", name="Anterior", exact=True).press("Enter")
    page.click("#tool-link")
    expect(page.locator(".toast").first).to_contain_text("The link to this view was copied.", use_inner_text=True)
    link = page.evaluate("navigator.clipboard.readText()")
    assert "secret" not in link
    other = open_page(link.removeprefix(page.evaluate("location.origin")))
    viewer_ready(other).evaluate("viewer.loaded")
    assert [part["name"] for part in other.evaluate("viewer.parts()") if not part["visible"]] == ["Small"]
    position = "viewer.state().camera.position"
    assert np.allclose(other.evaluate(position), page.evaluate(position), atol=0.1)


def test_a_section_that_faces_the_eye_takes_away_what_is_nearer(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    page.keyboard.press("4")  # the scene alone
    canvas = page.locator(".view-3d canvas").bounding_box()
    middle = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 120, middle[1] + 70, steps=3)
    page.mouse.up()
    page.click("#tool-section")
    page.get_by_role("button", name="Facing me").click()
    camera, section = page.evaluate("[viewer.state().camera, viewer.state().section]")
    away = np.subtract(camera["target"], camera["position"])
    away /= np.linalg.norm(away)
    assert section["id"] == "free"
    assert np.allclose(section["normal"], away, atol=1e-3)
    assert np.abs(away).max() < 0.98, "along no axis of the body"
    assert not section["flipped"], "what is beyond is kept"


def test_the_wheel_with_alt_moves_slices_and_without_it_the_eye(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    page.wait_for_selector(".view-plane")
    page.evaluate("viewer.showSlice({ index: 20 })")
    state = "[viewer.state().slices.at, viewer.state().camera.position]"
    at, eye = page.evaluate(state)
    page.mouse.move(*screen(page, (-90.0, -90.0, 60.0)))
    page.keyboard.down("Alt")
    page.mouse.wheel(0, 100)
    page.keyboard.up("Alt")
    moved, same = eventually(page, lambda: page.evaluate(state), lambda now: now[0] != at)
    assert np.abs(np.subtract(moved, at)).sum() == 1, "one slice of one plane"
    assert np.allclose(same, eye)
    page.mouse.wheel(0, 100)
    unmoved, _ = eventually(page, lambda: page.evaluate(state), lambda now: not np.allclose(now[1], eye))
    assert unmoved == moved


def test_what_is_said_of_all_parts_is_told_once(open_page: Open, server: OrthancServer) -> None:
    """Of each part of a file that does not say which of its nodes it shows."""
    image = server.upload(phantoms.ct_slices(phantoms.Study(seed="all say it"), planes=(0,))[0])
    nodes = [{"mesh": 0, "name": "One"}, {"mesh": 0, "name": "Other", "translation": [1, 0, 0]}]
    content = "data:;base64," + base64.b64encode(box_glb(CORNERS, nodes=nodes, scenes=[])).decode()
    study = server.get(f"/instances/{image}/study").json()["ID"]
    made = server.post("/stl/encode", {"Parent": study, "Content": content, "Separate": True, "All": True}).json()
    series = server.get(f"/instances/{made['Models'][0]['ID']}").json()["ParentSeries"]
    page = viewer_ready(open_page(f"/stl/app/three.html?series={series}"))
    page.evaluate("viewer.loaded")
    expect(page.locator(".part-badge:visible")).to_have_count(2)
    page.locator(".warnings-button", has_text="Guessed: 1").click()
    expect(page.locator("dialog.warnings li", has_text="has no scene")).to_have_count(1)
    expect(page.locator("dialog.warnings li strong")).to_have_text(["All parts"], use_inner_text=True)
