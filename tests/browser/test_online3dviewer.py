"""Online3DViewer with our models: it shows the same, and has the tools that its engine can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .study import (
    Stored,
    extent,
    pixels,
    reddish,
    viewer_ready,
)
from .waiting import eventually, expect

Open = Callable[..., Any]


def test_online3dviewer_shows_the_same_ball(open_page: Open, stored: Stored) -> None:
    page = open_page("/stl/app/settings.json")
    held: list[Any] = []
    page.route("**/stl", lambda route: held.append(route))
    with page.expect_request("**/stl"):
        page.goto(page.url.replace("settings.json", f"o3dv.html?instance={stored.model}"))
    page.wait_for_selector("text=Loading the model")
    eventually(page, lambda: len(held), lambda number: number == 1)
    held.pop().continue_()
    viewer_ready(page)
    expect(page.locator(".loading")).to_have_count(0)
    mask = eventually(page, lambda: reddish(pixels(page)), lambda mask: mask.sum() > 0.05 * mask.size)
    width, height = extent(mask)
    assert width == pytest.approx(height, rel=0.05)


def test_online3dviewer_has_tools(open_page: Open, stored: Stored) -> None:
    """Sides, letters, edges, the parallel view, a picture; what its engine cannot do is one click away."""
    page = viewer_ready(open_page(f"/stl/app/o3dv.html?instance={stored.model}"))
    letters = "[...document.querySelectorAll('.edge-letter')].map((each) => each.textContent).join(' ')"
    for key, side in (("a", "R L S I"), ("p", "L R S I"), ("l", "A P S I"), ("s", "R L P A"), ("i", "R L A P")):
        page.keyboard.press(key)
        eventually(page, lambda: page.evaluate(letters), side.__eq__)
    page.get_by_role("button", name="Anterior").click()
    plain = pixels(page)
    page.keyboard.press("w")
    assert (np.abs(pixels(page) - plain).sum(axis=2) > 40).mean() > 0.01, "dark edges on the ball"
    page.keyboard.press("w")
    page.keyboard.press("o")
    assert extent(reddish(pixels(page)))[0] == pytest.approx(extent(reddish(plain))[0], rel=0.1)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save a picture").click()
    picture = np.asarray(Image.open(saved.value.path()).convert("RGB")).astype(int)
    assert picture.shape[:2] == (1200, 1920)
    assert reddish(picture).mean() > 0.05
    page.get_by_role("link", name="in the 3D viewer").click()
    viewer_ready(page)
    assert page.evaluate("viewer.parts()[0].id") == stored.model
