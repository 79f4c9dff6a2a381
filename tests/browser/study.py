"""The study that the browser tests look at, and waiting for what they look for."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from testing import phantoms
from testing.server import OrthancServer

WIDE = {"viewport": {"width": 1400, "height": 900}}
RED = (200, 60, 60)
MARKUP = '<img src="x" onerror="alert(1)"><b>bold</b>'
BALL_RADIUS, BALL_CENTRE = 30.0, (20.0, -40.0, 60.0)
SMALL_RADIUS, SMALL_CENTRE = 12.0, (80.0, -40.0, 60.0)
BALL_ML = 4 / 3 * np.pi * BALL_RADIUS**3 / 1000


@dataclass(frozen=True)
class Stored:
    """Orthanc's ids of the study, its structure set and the model of one ball in it."""

    study: str
    rtstruct: str
    rtstruct_series: str
    ct_series: str
    model: str
    model_series: str


def rois() -> list[phantoms.Roi]:
    """A red ball, a smaller one to the patient's left of it, a name with markup, and one that cannot become a model."""
    return [
        phantoms.ball("Ball", BALL_RADIUS, BALL_CENTRE, colour=RED),
        phantoms.ball("Left", 12, (BALL_CENTRE[0] + 60, *BALL_CENTRE[1:]), colour=(0, 0, 255)),
        phantoms.ball(MARKUP, 20, BALL_CENTRE, colour=(0, 160, 0)),
        phantoms.Roi("Marker", [phantoms.Contour(np.array([[1.0, 2.0, 3.0]]), kind="POINT")], colour=None),
    ]


def store(server: OrthancServer) -> Stored:
    study = phantoms.Study(seed="browser", patient_name=f"{MARKUP}^Jane", study_description=MARKUP)
    image = server.upload(phantoms.ct_slices(study, planes=(0,))[0])
    rtstruct = server.upload(phantoms.structure_set(rois(), study))
    answer = server.post("/stl/encode-rtstruct", {"Instance": rtstruct, "RoiNames": ["Ball"], "Resolution": 128}).json()
    series = {id: server.get(f"/instances/{id}").json()["ParentSeries"] for id in (image, rtstruct)}
    study_id, model_series = answer["ParentStudy"], answer["ParentSeries"]
    return Stored(study_id, rtstruct, series[rtstruct], series[image], answer["ID"], model_series)


@dataclass(frozen=True)
class Scene:
    """Orthanc's ids: a structure set of two balls and a body, and the CT that it was drawn on."""

    source: str
    ct: str


def store_scene(server: OrthancServer) -> Scene:
    study = phantoms.Study(seed="scene", patient_name="Scene^Ball", study_description="Two balls")
    images = [server.upload(data) for data in phantoms.ct_slices(study, planes=range(0, 121, 3))]
    rois = [
        phantoms.ball("Ball", BALL_RADIUS, BALL_CENTRE, colour=RED),
        phantoms.ball("Small", SMALL_RADIUS, SMALL_CENTRE, colour=(0, 0, 255)),
        phantoms.ball("BODY", 55, (40.0, -40.0, 60.0), colour=(0, 160, 0)),
        phantoms.Roi("Marker", [phantoms.Contour(np.array([[1.0, 2.0, 3.0]]), kind="POINT")], colour=None),
    ]
    source = server.upload(phantoms.structure_set(rois, study))
    return Scene(source, server.get(f"/instances/{images[0]}").json()["ParentSeries"])


def attach(server: OrthancServer, study: str, stl: bytes, **tags: Any) -> str:
    """A stored model of any bytes, by the core's own route."""
    content = "data:model/stl;base64," + base64.b64encode(stl).decode()
    tags = {"SeriesDescription": "made"} | tags
    reply = server.post("/tools/create-dicom", {"Content": content, "Parent": study, "Tags": tags})
    assert reply.status == 200, reply.body
    return reply.json()["ID"]


def stl_of(triangles: np.ndarray) -> bytes:
    """A binary STL of (n, 3, 3) coordinates."""
    records = np.zeros(len(triangles), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
    records["corners"] = triangles
    return b"made by a test".ljust(80) + struct.pack("<I", len(triangles)) + records.tobytes()


def box(size: float = 20.0) -> np.ndarray:
    """(12, 3, 3): a cube from the origin."""
    corners = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)]) * size
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    return np.array([corners[[a, b, c]] for q in quads for a, b, c in ((q[0], q[1], q[2]), (q[0], q[2], q[3]))])


# Keeps in `window.gap` the longest time, in ms, that the page did not answer.
HEARTBEAT = """
window.gap = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  window.gap = Math.max(window.gap, now - last);
  last = now;
}, 20);
"""


# What is to be seen ---------------------------------------------------------------------------------------------------


def pixels(page: Any, selector: str = "#viewer canvas") -> np.ndarray:
    """(height, width, 3) int: what an element shows, once what was asked for has been drawn."""
    settle(page)
    return np.asarray(Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB")).astype(int)


def settle(page: Any) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def colours_rest(page: Any) -> None:
    """Once what changes slowly has changed; what turns for ever is not waited for."""
    settle(page)
    page.evaluate(
        "() => Promise.all([document, ...[...document.querySelectorAll('*')].flatMap((each) => each.shadowRoot ?? [])]"
        ".flatMap((root) => root.getAnimations())"
        ".filter(({ effect }) => effect.getComputedTiming().endTime < Infinity)"
        ".map(({ finished }) => finished.catch(() => {})))"
    )


def reddish(image: np.ndarray) -> np.ndarray:
    """(height, width) bool: where the red of the ball is, in any light."""
    red, green, blue = np.moveaxis(image, -1, 0)
    return (red > 60) & (red > 1.8 * green) & (red > 1.8 * blue)


def bluish(image: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(image, -1, 0)
    return (blue > 60) & (blue > 1.8 * red) & (blue > 1.8 * green)


def extent(mask: np.ndarray) -> tuple[int, int]:
    """Width and height of what is marked, in pixels."""
    rows, columns = np.nonzero(mask)
    assert len(rows), "nothing is to be seen"
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def middle(mask: np.ndarray) -> float:
    """The column in the middle of the lit pixels."""
    return float(np.flatnonzero(mask.any(axis=0)).mean())


def apart(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether two boxes on the screen have nothing in common."""
    return any(
        a[low] + a[size] <= b[low]
        for a, b in ((one, other), (other, one))
        for low, size in (("x", "width"), ("y", "height"))
    )


def viewer_ready(page: Any) -> Any:
    page.wait_for_selector("#viewer[data-ready=true]")
    return page


def opened_scene(open_page: Callable[..., Any], scene: Scene, more: str = "", **options: Any) -> Any:
    page = viewer_ready(open_page(f"/stl/app/three.html?source={scene.source}{more}", **(WIDE | options)))
    page.evaluate("viewer.loaded")
    return page


def hiding(parts: list[str]) -> str:
    """The state of a link that hides these."""
    return base64.urlsafe_b64encode(json.dumps({"hidden": parts}).encode()).decode().rstrip("=")


ALL_BUT_TWO = hiding([str(number) for number in range(3, 101)])  # of a hundred


def screen(page: Any, point: tuple[float, float, float]) -> tuple[float, float]:
    """Where a point of the patient is on the page, once what was asked for has been drawn."""
    settle(page)
    at = page.evaluate("point => viewer.project(point)", list(point))
    box = page.locator(".view-3d canvas").bounding_box()
    return box["x"] + at["x"], box["y"] + at["y"]


def series_of(server: OrthancServer, study: str) -> set[str]:
    return set(server.get(f"/studies/{study}").json()["Series"])


def description(server: OrthancServer, series: str) -> str:
    return json.loads(server.get(f"/series/{series}").body)["MainDicomTags"]["SeriesDescription"]
