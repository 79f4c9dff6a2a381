"""A model of five million triangles, without freezing the page."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest

from testing.chromium import CHROMIUM, FLAGS
from testing.server import OrthancServer

from .conftest import WINDOW, Watched
from .study import HEARTBEAT, Stored, pixels, reddish, stl_of, viewer_ready
from .waiting import expect

SIDE = 1581  # 2 * SIDE² = 5 million
FREEZE_MS = 2000


def waves() -> np.ndarray:
    """(5 million, 3, 3) float32: a surface with waves, 200 mm wide."""
    axis = np.linspace(-100, 100, SIDE + 1, dtype=np.float32)
    x, z = np.meshgrid(axis, axis)
    points = np.stack([x, 8 * np.sin(x / 9) * np.cos(z / 11), z], axis=-1)
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    return np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(-1, 3, 3)


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """In a browser of its own, which takes its gigabyte along when it ends."""
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=FLAGS)
    one = Watched(browser.new_page(viewport=WINDOW, reduced_motion="reduce"))
    one.page.set_default_timeout(150_000)
    yield one.page
    browser.close()
    assert one.unexpected() == []


def test_five_million_triangles(page: Any, server: OrthancServer, stored: Stored) -> None:
    triangles = waves()
    assert len(triangles) > 4_990_000
    model = pydicom.dcmread(BytesIO(server.get(f"/instances/{stored.model}/file").body))
    model.SOPInstanceUID = model.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    model.SeriesInstanceUID = pydicom.uid.generate_uid()
    model.EncapsulatedDocument = stl_of(triangles)
    model.EncapsulatedDocumentLength = len(model.EncapsulatedDocument)
    buffer = BytesIO()
    model.save_as(buffer)
    instance = server.upload(buffer.getvalue())
    page.add_init_script(HEARTBEAT)
    page.goto(f"{server.url}/stl/app/three.html?instance={instance}")
    viewer_ready(page)
    assert reddish(pixels(page)).sum() > 50_000
    expect(page.locator(".facts dd >> nth=2").first).to_have_text(f"{len(triangles):,}", use_inner_text=True)
    assert page.evaluate("window.gap") < FREEZE_MS
    server.delete(f"/instances/{instance}")
    expect(page.locator("body")).to_contain_text("The surface is not closed", timeout=120_000)
