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


SECONDS_TO = """(mark) => {
    const asked = performance.getEntriesByType('resource').find((entry) => /\\.nxz$|\\/nexus$/.test(entry.name));
    return (performance.getEntriesByName(mark)[0].startTime - asked.startTime) / 1000;
}"""


def test_a_coarse_model_within_a_second_which_refines(server: OrthancServer, open_page: OpenPage) -> None:
    model = four_megabytes()
    assert 3.9e6 < len(model) < 4.5e6
    url = PAGES["all tools"](stored_model(server, model))
    page = complete(open_page(url, viewport={"width": 500, "height": 400}))  # the scripts are in the cache now
    throttle(page, 8 * MEGABIT)
    page.reload(wait_until="commit")
    page.wait_for_selector("#viewer[data-state=coarse]")
    drawn = [page.evaluate("() => nexusViewer.model.drawn")]
    assert model_mask(page).mean() > 0.1
    while page.locator("#viewer").get_attribute("data-state") != "complete":
        drawn.append(page.evaluate("() => nexusViewer.model.drawn"))
    assert drawn == sorted(drawn)
    assert drawn[0] < 20_000 < 40_000 < page.evaluate("() => nexusViewer.model.drawn")
    coarse, fine = (page.evaluate(SECONDS_TO, mark) for mark in ("nexus-coarse", "nexus-complete"))
    print(f"coarse after {coarse:.2f} s, complete after {fine:.2f} s")
    assert coarse < fine
    assert fine > 3  # or the line was not slow
    assert coarse < 1 + STARTING


# Seconds that a busy test machine may add to the start of WebGL in software.
STARTING = 2.0


@pytest.mark.timeout(120)
def test_at_one_megabit_something_is_seen_within_eight_seconds(
    server: OrthancServer, open_page: Callable[..., Any]
) -> None:
    url = PAGES["threejs"](stored_model(server, four_megabytes()))
    page = complete(open_page(url, viewport={"width": 500, "height": 400}))
    throttle(page, MEGABIT)
    page.reload(wait_until="commit")
    page.wait_for_selector("#viewer[data-state=coarse]")
    seconds = page.evaluate("() => performance.getEntriesByName('nexus-coarse')[0].startTime / 1000")
    print(f"seen {seconds:.2f} s after the page was asked for")
    assert seconds < 8
