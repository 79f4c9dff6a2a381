"""On a slow line: something coarse soon, then finer and finer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from testing.server import OrthancServer
from tests.browser.nexus_pages import PAGES, complete, model_mask, stored_model
from tests.nexus_writer import levels, write_nexus

OpenPage = Callable[..., Any]
MEGABIT = 1_000_000 / 8  # bytes a second


def four_megabytes() -> bytes:
    """Five levels; what the larger ones lack in triangles is made up by padding."""
    nodes = levels([(10, 14), (20, 30), (40, 60), (80, 120), (120, 180)])
    sizes = [0, 0, 100 << 10, 900 << 10, 2 << 20]
    return write_nexus([replace(node, padding=size) for node, size in zip(nodes, sizes, strict=True)])


def throttle(page: Any, bytes_per_second: float) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    line = {
        "offline": False,
        "latency": 40,
        "downloadThroughput": bytes_per_second,
        "uploadThroughput": bytes_per_second,
    }
    session.send("Network.emulateNetworkConditions", line)


# Bytes of the model that had come when the page made that mark.
RECEIVED = "(mark) => performance.getEntriesByName(mark)[0].detail"
DRAWN = "() => nexusViewer.stage.model.drawn"


def test_a_coarse_model_within_a_second_which_refines(server: OrthancServer, open_page: OpenPage) -> None:
    """Of a line of 8 Mbit/s: what is seen first needs no more than such a line brings in a second."""
    model = four_megabytes()
    assert 3.9e6 < len(model) < 4.5e6
    url = PAGES["all tools"](stored_model(server, model))
    page = complete(open_page(url, viewport={"width": 500, "height": 400}))  # the scripts are in the cache now
    throttle(page, 8 * MEGABIT)
    page.reload(wait_until="commit")
    page.wait_for_selector("#viewer[data-state=coarse]")
    drawn = [page.evaluate(DRAWN)]
    assert model_mask(page).mean() > 0.1
    while page.locator("#viewer").get_attribute("data-state") != "complete":
        drawn.append(page.evaluate(DRAWN))
    assert drawn == sorted(drawn)
    assert drawn[0] < 20_000 < 40_000 < page.evaluate(DRAWN)
    assert page.evaluate(RECEIVED, "nexus-coarse") < 8 * MEGABIT
    assert page.evaluate(RECEIVED, "nexus-complete") > 0.9 * len(model)


@pytest.mark.timeout(120)
def test_at_one_megabit_something_is_seen_within_eight_seconds(server: OrthancServer, open_page: OpenPage) -> None:
    """The same of 1 Mbit/s and eight seconds, without tools."""
    url = PAGES["threejs"](stored_model(server, four_megabytes()))
    page = complete(open_page(url, viewport={"width": 500, "height": 400}))
    throttle(page, MEGABIT)
    page.reload(wait_until="commit")
    page.wait_for_selector("#viewer[data-state=coarse]")
    assert page.evaluate(RECEIVED, "nexus-coarse") < 8 * MEGABIT
