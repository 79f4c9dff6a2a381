"""What a page of Chromium does while it is watched: the tasks of its own thread."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Browser, Page


class Task(NamedTuple):
    """`clock`: ms until it was done; `work`: ms of processor time. Between them it waits: for the graphics process,
    which draws, or for the processor."""

    clock: float
    work: float


def tasks_while(browser: Browser, page: Page, act: Callable[[], object]) -> list[Task]:
    """The tasks of the page's own thread while something happens: all of its scripts, styles and layout."""
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
    act()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = Counter((one["pid"], one["tid"]) for one in events if one.get("name") == "FunctionCall")
    ((thread, _),) = threads.most_common(1)
    return [
        Task(one["dur"] / 1000, one.get("tdur", 0) / 1000)  # Chromium leaves out what it could not measure
        for one in events
        if one["ph"] == "X" and one["name"].endswith("::RunTask") and (one["pid"], one["tid"]) == thread
    ]
