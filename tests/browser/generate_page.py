"""What the tests of generate.html share: its address, choosing there, and its end."""

from __future__ import annotations

from typing import Any


def url(query: str) -> str:
    return f"/stl/app/generate.html?{query}"


def generate(page: Any, *names: str, resolution: str = "128") -> None:
    for name in names:
        page.get_by_label(name).check()
    page.get_by_label("Resolution").select_option(resolution)
    page.get_by_role("button", name="Generate", exact=True).click()


def result(page: Any) -> Any:
    """The preview at the end."""
    page.wait_for_selector("text=The model is ready")
    frame = page.frame_locator("iframe.preview")
    frame.locator("#viewer[data-ready=true]").wait_for()
    return frame
