"""The scene for everybody: rules of axe-core, by keyboard alone, and links that strangers made."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.server import OrthancServer

from .study import Stored, viewer_ready

Open = Callable[..., Any]
AXE = Path(os.environ.get("ORTHANC_STL_JS_TOOLS", "none")) / "axe-core/axe.min.js"


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not among the JavaScript tools")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Open, stored: Stored, scheme: str) -> None:
    page = viewer_ready(open_page(f"/stl/app/three.html?source={stored.rtstruct}", color_scheme=scheme))
    page.evaluate("viewer.loaded")
    for keys in ("", "c", "m", "l"):
        page.keyboard.press(keys) if keys else None
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_a_distance_by_keyboard_alone(open_page: Open, stored: Stored) -> None:
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={stored.model}"))
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "tool-measure":
            break
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.view-3d canvas')"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    said = page.locator(".measure-list li > span").inner_text()
    assert 2 < float(said.removeprefix("Distance: ").removesuffix(" mm")) < 60


@pytest.mark.parametrize(
    "state",
    [
        "%%%",
        base64.urlsafe_b64encode(b"not JSON").decode(),
        base64.urlsafe_b64encode(json.dumps([1]).encode()).decode(),
        base64.urlsafe_b64encode(
            json.dumps(
                {"camera": {"position": ["x"], "target": 1}, "hidden": 7, "looks": {"a": "b"}, "section": {"at": "<b>"},
                 "slices": {"at": [None]}, "measures": [{"kind": 1}], "layout": "many"}
            ).encode()
        ).decode(),
    ],
    ids=["characters", "no JSON", "a list", "wrong kinds"],
)  # fmt: skip
def test_a_link_that_makes_no_sense_shows_the_scene_as_it_is(open_page: Open, stored: Stored, state: str) -> None:
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={stored.model}#view={state}"))
    assert page.evaluate("viewer.parts()[0].visible")


def test_frames_of_other_origins_get_nothing_by_default(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={stored.model}"))
    answer = page.evaluate(
        """() => new Promise((resolve) => {
          addEventListener('message', ({ data }) => data.result !== undefined && resolve(data));
          postMessage({ id: 1, call: 'parts' }, '*');
          setTimeout(() => resolve(null), 500);
        })"""
    )
    assert answer is None
