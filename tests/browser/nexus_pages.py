"""What the tests of the Nexus viewers share: models in Orthanc, their pages, and what is to be seen there."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from testing.server import OrthancServer
from tests.browser.study import settle
from tests.nexus_writer import nexus_dicom

CANVAS = "#draw-canvas"
PAGES: dict[str, Callable[[str], str]] = {
    "threejs": lambda instance: f"/stl/nexus/threejs.html?model=../../instances/{instance}/nexus",
    "all tools": lambda instance: f"/stl/3dhop/3DHOP_all_tools.html?instance={instance}",
}


def stored_model(server: OrthancServer, model: bytes) -> str:
    return server.upload(nexus_dicom(model))


def complete(page: Any) -> Any:
    """The page, once it shows all that there is to show."""
    page.wait_for_selector("#viewer[data-state=complete]", timeout=40_000)
    settle(page)
    return page


def picture(page: Any) -> np.ndarray:
    """(height, width, 3) int: the canvas alone, over the page's background."""
    settle(page)
    show = "(how) => document.querySelectorAll('#viewer > :not(canvas)').forEach((e) => { e.style.visibility = how; })"
    page.evaluate(show, "hidden")
    image = page.locator(CANVAS).screenshot()
    page.evaluate(show, "")
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB")).astype(int)


def background(page: Any) -> np.ndarray:
    """The same without a model."""
    page.evaluate("() => { nexusViewer.stage.scene.visible = false; nexusViewer.stage.renderNow(); }")
    image = picture(page)
    page.evaluate("() => { nexusViewer.stage.scene.visible = true; nexusViewer.stage.renderNow(); }")
    return image


def model_mask(page: Any) -> np.ndarray:
    """(height, width) bool: where the model is."""
    return np.abs(picture(page) - background(page)).max(axis=2) > 6


def place(page: Any, point: Sequence[float]) -> tuple[float, float]:
    """Where a point of the model (in its own coordinates) is on the page, in pixels."""
    return tuple(
        page.evaluate(
            """(point) => {
                const { stage } = nexusViewer;
                const fromMiddle = point.map((x, k) => x - stage.model.header.centre[k]);
                const at = stage.camera.position.clone().fromArray(fromMiddle);
                const { x, y } = stage.project(at);
                const box = stage.canvas.getBoundingClientRect();
                return [x + box.left, y + box.top];
            }""",
            list(point),
        )
    )


def click_at(page: Any, point: Sequence[float]) -> None:
    page.mouse.click(*place(page, point))
    settle(page)


def tool(page: Any, name: str) -> Any:
    return page.locator(f"#tool-{name}")


def press(page: Any, *names: str) -> None:
    """Click on tools, one after the other, and wait until that has been drawn."""
    for name in names:
        tool(page, name).click()
    settle(page)


def drag(page: Any, start: tuple[float, float], end: tuple[float, float], button: str = "left") -> None:
    page.mouse.move(*start)
    page.mouse.down(button=button)
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up(button=button)
    settle(page)
