"""The scene: the structures of a source together, over the images; tools by clicking, with figures that are known."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from testing.server import OrthancServer

from .study import (
    BALL_CENTRE,
    BALL_ML,
    BALL_RADIUS,
    SMALL_CENTRE,
    SMALL_RADIUS,
    WIDE,
    Scene,
    apart,
    opened_scene,
    pixels,
    reddish,
    screen,
    settle,
    viewer_ready,
)
from .waiting import eventually, expect

Open = Callable[..., Any]


def call(page: Any, text: str) -> Any:
    return page.evaluate(text)


def front(page: Any) -> None:
    page.get_by_role("button", name="Anterior", exact=True).press("Enter")


def test_the_structures_of_a_source_are_there_with_names_colors_and_volumes(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    parts = {part["name"]: part for part in call(page, "viewer.parts()")}
    assert set(parts) == {"Ball", "Small", "BODY"}
    assert parts["Ball"]["color"] == [200, 60, 60]
    assert parts["Ball"]["volumeMl"] == pytest.approx(BALL_ML, rel=0.01)
    assert parts["BODY"]["opacity"] == 0.15
    assert parts["BODY"]["kind"] == "External"
    assert all(part["triangles"] > 500 and part["state"] == "ready" for part in parts.values())
    expect(page.locator(".part")).to_have_count(3)
    expect(page.locator(".part-volume")).to_have_text(
        [f"{float(format(part['volumeMl'], '.3g')):g} mL" for part in parts.values()], use_inner_text=True
    )
    expect(page.locator(".part-unusable summary").first).to_have_text("1 cannot be shown", use_inner_text=True)


def test_hiding_solo_filter_kinds_looks_and_undo(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
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
    expect(page.locator(".part")).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="External", exact=True).click()
    expect(page.locator(".part")).to_have_count(2)
    page.click("[data-look=xray]")
    assert {part["opacity"] for part in call(page, "viewer.parts()")} == {0.25}
    page.click("[data-look=standard]")
    assert sorted(part["opacity"] for part in call(page, "viewer.parts()")) == [0.15, 1, 1]


def test_the_list_by_keyboard(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    page.locator(".part-name").first.focus()
    page.keyboard.press("ArrowDown")
    assert "Small" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("v")
    assert [part["visible"] for part in call(page, "viewer.parts()")] == [True, False, True]
    page.keyboard.press("o")
    assert [part["visible"] for part in call(page, "viewer.parts()")] == [False, True, False]


def test_outlines_lie_on_the_circles_of_the_balls(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
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
    page = opened_scene(open_page, scene)
    (image,) = call(page, "viewer.images()")
    assert image["series"] == scene.ct
    assert image["count"] == 41
    assert image["positions"][:2] == [0, 3]
    page.evaluate("window.told = []; viewer.addEventListener('slice', event => told.push(event.detail.index))")
    page.evaluate("viewer.showSlice({ index: 7 })")
    eventually(page, lambda: page.evaluate("told"), lambda told: 7 in told)
    assert page.evaluate("viewer.pixelAt([0, 0, 21])") == 16, "in the disc"
    assert page.evaluate("viewer.pixelAt([-90, -90, 21])") == -1000
    assert page.evaluate("viewer.pixelAt([0, 0, 2100])") is None
    with pytest.raises(Exception, match="index is from 0 to 40"):
        page.evaluate("viewer.showSlice({ index: 41 })")


def measured(page: Any, count: int) -> list[str]:
    """The measurements of the list, once there are so many."""
    rows = page.locator(".measure-list li > span")
    expect(rows).to_have_count(count)
    return rows.all_inner_texts()


def test_each_measuring_tool_by_clicking(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    page.keyboard.press("4")  # the scene alone
    page.keyboard.press("i")
    front(page)
    page.keyboard.press("p")
    page.keyboard.press("m")
    settle(page)
    ball, small = screen(page, BALL_CENTRE), screen(page, SMALL_CENTRE)
    page.mouse.click(*ball)
    page.mouse.click(*small)
    distance = float(measured(page, 1)[0].split(": ")[1].removesuffix(" mm"))
    assert distance == pytest.approx(np.hypot(60, BALL_RADIUS - SMALL_RADIUS), rel=0.01)
    page.click("[data-measure=between]")
    page.mouse.click(*ball)
    page.mouse.click(*small)
    assert float(measured(page, 2)[1].split(": ")[1].split(" mm")[0]) == pytest.approx(60 - 30 - 12, abs=0.6)
    page.click("[data-measure=diameter]")
    page.mouse.click(*ball)
    assert float(measured(page, 3)[2].split(": ")[1].split(" mm")[0]) == pytest.approx(60, abs=1.5)
    page.click("[data-measure=angle]")
    for point in (ball, small, ball):
        page.mouse.click(*point)
    assert float(measured(page, 4)[3].split(": ")[1].removesuffix("°")) == pytest.approx(0, abs=0.5)
    page.keyboard.press("c")
    page.click("[data-measure=area]")
    page.mouse.click(*ball)
    area = float(measured(page, 5)[4].split(": ")[1].split(" cm")[0])
    assert area == pytest.approx(np.pi * 3**2, rel=0.02)
    labels = page.locator(".label.measure")
    boxes = eventually(page, lambda: [label.bounding_box() for label in labels.all()], all)  # each is made anew
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i]), "labels do not overlap"
    page.get_by_role("button", name="Delete measurement 2").click()
    measured(page, 4)
    page.keyboard.press("Control+z")
    measured(page, 5)


def test_labels_on_a_slice_keep_apart_and_in_sight(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
    page.wait_for_selector(".view-plane")
    page.evaluate("viewer.showSlice({ index: 20 })")
    ends = [[0.0, -40.0, 60.0], [60.0, -40.0, 60.0]]
    words = ["60.0 mm", "a measurement with a long name of its own", "60.0 mm", "at the edge of the slice"]
    marks = [{"kind": "distance", "text": text, "points": ends, "closed": False} for text in words]
    marks[3]["points"] = [[-94.0, 0.0, 60.0], [-92.0, 0.0, 60.0]]
    page.evaluate("marks => viewer.restore({ ...viewer.state(), measures: marks })", marks)
    axial = page.locator(".view-plane[data-axis='2']")
    labels = axial.locator(".label.measure")
    expect(labels).to_have_text(words)
    view = axial.bounding_box()
    boxes = eventually(page, lambda: [label.bounding_box() for label in labels.all()], all)  # each is made anew
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(view["x"] <= b["x"] and b["x"] + b["width"] <= view["x"] + view["width"] for b in boxes)
    page.keyboard.press("m")
    page.get_by_role("button", name="Delete measurement 2", exact=True).click()
    expect(labels).to_have_text([words[0], *words[2:]])
    page.evaluate("viewer.showSlice({ index: 10 })")
    expect(labels).to_have_count(0)


def link_of(page: Any) -> str:
    """The address of the page once it holds what is shown: it follows when the hand has come to rest."""

    def follows(url: str) -> bool:
        held = url.partition("#view=")[2]
        return bool(held) and json.loads(base64.urlsafe_b64decode(held + "==")) == page.evaluate("viewer.state()")

    return eventually(page, lambda: str(page.evaluate("location.href")), follows)


def test_a_link_restores_the_view(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    page = opened_scene(open_page, scene)
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
    page = opened_scene(open_page, scene, "&token=secret")
    assert "secret" not in page.url
    assert "secret" not in page.evaluate("location.href")
    assert page.evaluate("history.state.token") == "secret", "a reload still has it"


def test_a_filled_cut_shows_what_lies_inside(open_page: Open, scene: Scene) -> None:
    page = opened_scene(open_page, scene)
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
    page = opened_scene(open_page, scene, "&lang=de")
    expect(page.get_by_role("button", name="Schnittebene")).to_have_count(1)
    assert page.evaluate("document.documentElement.lang") == "de"
    expect(page.locator(".part-unusable summary").first).to_have_text("1 nicht darstellbar", use_inner_text=True)


def test_parts_that_a_link_hides_can_be_shown(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    page = opened_scene(open_page, scene)
    page.get_by_role("button", name="None", exact=True).click()
    other = viewer_ready(open_page(link_of(page).removeprefix(server.url), **WIDE))
    other.evaluate("viewer.loaded")
    assert [part["state"] for part in other.evaluate("viewer.parts()")] == ["waiting"] * 3
    other.keyboard.press("4")
    other.keyboard.press("i")
    other.get_by_role("button", name="Show Ball").click()
    other.wait_for_selector(".part[data-state=ready]")
    assert reddish(pixels(other, ".view-3d canvas")).sum() > 5000
