"""What a viewer says when there is nothing to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing.server import OrthancServer

from .study import Stored, attach, box, stl_of, viewer_ready

Open = Callable[..., Any]
UNKNOWN = "00000000-00000000-00000000-00000000-00000000"
VIEWERS = pytest.mark.parametrize("viewer", ["three.html", "o3dv.html"])


def said(page: Any) -> str:
    page.wait_for_selector(".notice.error")
    return page.inner_text(".notice.error")


@VIEWERS
def test_no_webgl(open_page: Open, stored: Stored, server: OrthancServer, viewer: str) -> None:
    page = open_page("/stl/app/settings.json", expected=("Error creating WebGL context",))
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext ="
        "function (kind, ...more) { return /webgl/.test(kind) ? null : get.call(this, kind, ...more); }"
    )
    page.goto(f"{server.url}/stl/app/{viewer}?instance={stored.model}")
    assert "WebGL 2 is missing" in said(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download 3D model").click()
    assert saved.value.suggested_filename == "Contours Ball.stl"
    assert Path(saved.value.path()).read_bytes() == server.get(f"/instances/{stored.model}/stl").body


@VIEWERS
def test_no_instance(open_page: Open, viewer: str) -> None:
    assert "No model was named" in said(open_page(f"/stl/app/{viewer}"))


@VIEWERS
def test_unknown_instance(open_page: Open, viewer: str) -> None:
    text = said(open_page(f"/stl/app/{viewer}?instance={UNKNOWN}", expected=("404",)))
    assert "cannot be shown" in text
    assert len(text.splitlines()[-1]) > 20


@VIEWERS
def test_another_kind_of_object(open_page: Open, stored: Stored, viewer: str) -> None:
    page = open_page(f"/stl/app/{viewer}?instance={stored.rtstruct}", expected=("400",))
    assert "STL" in said(page)
    told = page.inner_text(".notice.error p")
    assert re.fullmatch("[A-Z].*[.]", told), "a sentence"
    assert stored.rtstruct not in told


@VIEWERS
def test_a_series_is_as_good_as_its_instance(open_page: Open, stored: Stored, viewer: str) -> None:
    viewer_ready(open_page(f"/stl/app/{viewer}?series={stored.model_series}"))
    assert "modality CT" in said(open_page(f"/stl/app/{viewer}?series={stored.ct_series}"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"%PDF-1.4 not a model at all" * 40, "not an STL file", id="pdf"),
        pytest.param(stl_of(box())[:300], "damaged", id="cut"),
        pytest.param(stl_of(np.zeros((0, 3, 3))), "no triangle", id="empty"),
        pytest.param(stl_of(np.full((4, 3, 3), np.nan)), "not a finite number", id="nan"),
        pytest.param(stl_of(np.ones((4, 3, 3))), "without area", id="flat"),
    ],
)
def test_a_stored_document_that_is_no_model(
    open_page: Open, server: OrthancServer, stored: Stored, data: bytes, words: str
) -> None:
    instance = attach(server, stored.study, data)
    assert words in said(open_page(f"/stl/app/three.html?instance={instance}", expected=("400",)))
