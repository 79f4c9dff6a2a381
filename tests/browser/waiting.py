"""Waiting for what is asserted: what a page shows after an action may come later than a test's next line.

A look at once (`count()`, `inner_text()`, a picture) right after a click is right or wrong by chance.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Seen = TypeVar("Seen")
SECONDS = 45

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
expect = sync_api.expect
expect.set_options(timeout=1000 * SECONDS)


def eventually(page: Any, look: Callable[[], Seen], right: Callable[[Seen], object]) -> Seen:
    """What `look` gives once it is `right`; for what `expect` has no words: pictures, what a script gives.

    >>> shown = eventually(page, lambda: pixels(page), lambda image: reddish(image).any())
    """
    end = time.monotonic() + SECONDS
    while not right(seen := look()):
        assert time.monotonic() < end, f"still {seen!r}"
        page.wait_for_timeout(50)
    return seen
