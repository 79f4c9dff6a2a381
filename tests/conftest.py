"""Fixtures for all tests, and the closing words on what was skipped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

from runtime.common import SetupError
from testing.chromium import CHROMIUM, chromium_browser
from tests.beside import Beside

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from testing.server import OrthancServer

# Each run tries the same examples, so that a failure comes again; other ones with ORTHANC_STL_RANDOM=1.
hypothesis.settings.register_profile(
    "orthanc-stl",
    deadline=None,  # no test times anything
    derandomize=not os.environ.get("ORTHANC_STL_RANDOM"),
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("orthanc-stl")


@pytest.fixture(scope="session")
def orthanc() -> Iterator[OrthancServer]:
    """A real Orthanc with the plugin and its defaults, shared by all tests of a run: leave it as you found it."""
    from testing.server import OrthancServer

    try:
        server = OrthancServer()
    except SetupError as error:
        pytest.fail(f"no private Orthanc: {error}")
    with server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real Chromium, shared by all tests of a run."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with chromium_browser() as browser:
        yield browser


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.option.collectonly:
        for program in _beside(session):
            program.begin()


def pytest_sessionfinish(session: pytest.Session) -> None:
    for program in _beside(session):
        program.stop()


def _beside(session: pytest.Session) -> list[Beside]:
    """The programs that the chosen tests wait for."""
    return [mark.args[0] for item in session.items for mark in item.iter_markers("beside")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.section("skipped, and how to get it")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} x {reason}")
