"""What each page does first: the token leaves the address bar, and the window gets a name of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from .waiting import expect

PAGES = (
    "/stl/app/three.html?instance={model}&token=abc#x",
    "/stl/app/o3dv.html?token=abc&instance={model}",
    "/stl/app/generate.html?instance={model}&token=abc",
    "/stl/app/attach.html?study={model}&token=abc",
    "/stl/nexus/threejs.html?model=../../instances/{model}/nexus&token=abc",
    "/stl/3dhop/3DHOP_all_tools.html?instance={model}&token=abc",
)


@pytest.mark.parametrize("path", PAGES)
def test_the_token_leaves_the_address_bar_and_the_window_its_name(open_page: Callable[..., Page], path: str) -> None:
    """Orthanc Explorer 2 opens every page in one window of the name "undefined"."""
    page = open_page(
        path.format(model="00000000-00000000-00000000-00000000-00000000"), expected=("404", "400", "WebGL", "GL Driver")
    )
    page.wait_for_url(lambda url: "token" not in url)
    assert page.evaluate("history.state.token") == "abc"
    assert "00000000-00000000" in page.url
    page.evaluate("window.name = 'undefined'")
    page.reload()
    assert page.evaluate("window.name") == ""
    assert page.evaluate("history.state.token") == "abc"


@pytest.mark.parametrize("model", ["http://", "http:", "%20", "C:%5Cmodel.nxz"])
def test_an_address_that_is_none_is_said(open_page: Callable[..., Page], model: str) -> None:
    page = open_page(f"/stl/nexus/threejs.html?model={model}")
    page.wait_for_selector("text=is no address")
    expect(page.locator("main").first).to_contain_text("must end with ?model=", use_inner_text=True)


KEPT = """
performance.getEntriesByType("resource").filter(({ name }) => /[.](js|css)$/.test(name))
  .map(({ name, transferSize }) => [name, transferSize])
"""


@pytest.mark.parametrize("path", PAGES)
def test_scripts_that_have_not_changed_are_not_asked_for_again(open_page: Callable[..., Page], path: str) -> None:
    """Only what has no version in its address, the page by itself, is asked for at each use."""
    page = open_page(path.format(model="none"), expected=("404", "400", "WebGL", "GL Driver"))
    page.wait_for_selector(".notice, .error")
    page.reload()
    page.wait_for_selector(".notice, .error")
    kept = page.evaluate(KEPT)
    assert len(kept) > 5
    assert [name for name, size in kept if size] == []
