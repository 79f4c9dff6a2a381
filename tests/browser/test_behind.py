"""Behind a reverse proxy with a prefix, and with tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testing.server import OrthancServer

from .proxy import Proxy
from .study import Stored, box, pixels, reddish, stl_of, viewer_ready
from .waiting import expect

Open = Callable[..., Any]
TOKEN = "a.b-c_d"


def test_everything_stays_below_the_prefix(
    open_page: Open, server: OrthancServer, stored: Stored, tmp_path: Path
) -> None:
    with Proxy(server.url, prefix="/some/site/orthanc") as proxy:
        page = open_page(f"/app/explorer.html#series?uuid={stored.rtstruct_series}", base=proxy.url)
        page.click("#stl-generate-rtstruct-series")
        page.get_by_label("Ball").check()
        page.get_by_label("Resolution").select_option("128")
        page.get_by_role("button", name="Generate", exact=True).click()
        page.click("#stl-viewer-series")
        with page.expect_popup() as popup:
            page.get_by_role("link", name="Basic viewer").click()
        assert reddish(pixels(viewer_ready(popup.value))).sum() > 5000
        assert popup.value.url.startswith(proxy.url)
        viewer_ready(open_page(f"/stl/app/o3dv.html?instance={stored.model}", base=proxy.url))
        page = open_page(f"/stl/app/attach.html?study={stored.study}", base=proxy.url)
        (tmp_path / "cube.stl").write_bytes(stl_of(box()))
        page.set_input_files("input[type=file]", tmp_path / "cube.stl")
        page.get_by_role("button", name="Import").click()
        page.frame_locator("iframe.preview").locator("#viewer[data-ready=true]").wait_for()
    assert [path for path in proxy.strays if path != "/favicon.ico"] == []


def test_the_token_goes_with_every_request(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    with Proxy(server.url, token=TOKEN) as proxy:
        for viewer in ("three.html", "o3dv.html"):
            page = viewer_ready(open_page(f"/stl/app/{viewer}?instance={stored.model}&token={TOKEN}", base=proxy.url))
            expect(page.locator(".card h1").first).to_have_text("Contours: Ball", use_inner_text=True)
        page = open_page(f"/stl/app/generate.html?series={stored.rtstruct_series}&token={TOKEN}", base=proxy.url)
        page.get_by_label("Ball").check()
        page.get_by_role("button", name="Generate", exact=True).click()
        page.wait_for_selector("text=The model is ready")
        frame = page.frame_locator("iframe.preview")
        frame.locator("#viewer[data-ready=true]").wait_for()
        frame.locator("#tool-keep").click()
        with page.expect_download():
            frame.locator(".keep-body .chip").get_by_text("stl", exact=True).click()
        expect(page.locator(".result-links").first, "its links would lack the token").not_to_contain_text(
            "Orthanc Explorer", use_inner_text=True
        )
    assert proxy.refused == []


PAGES = ["three.html?instance=", "o3dv.html?instance=", "generate.html?instance=", "attach.html?study="]


@pytest.mark.parametrize("page_name", PAGES)
@pytest.mark.parametrize(("query", "words"), [("&lang=de", "nicht angemeldet"), ("&token=expired", "not signed in")])
def test_no_or_an_old_token_is_said_in_words(
    open_page: Open, server: OrthancServer, stored: Stored, page_name: str, query: str, words: str
) -> None:
    id = stored.study if "study" in page_name else stored.rtstruct if "generate" in page_name else stored.model
    with Proxy(server.url, token=TOKEN) as proxy:
        page = open_page(f"/stl/app/{page_name}{id}{query}", base=proxy.url, expected=("401",))
        page.wait_for_selector(".notice.error")
        expect(page.locator(".notice.error").first).to_contain_text(words, use_inner_text=True)
