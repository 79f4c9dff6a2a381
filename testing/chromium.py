"""Chromium without a window, as the tests and the makers of pictures start it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    # SwiftShader stands in for a graphics card and is slow: by Debian's own flags it would draw the pages, too.
    "--disable-gpu-rasterization",
]


@contextmanager
def chromium_browser() -> Iterator[Browser]:
    """A running Chromium; one at a time in a process, since playwright keeps its thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
