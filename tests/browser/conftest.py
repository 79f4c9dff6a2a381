"""A real Chromium in front of a real Orthanc. Every page is watched: no error, no policy violation goes unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from runtime.common import SetupError
from testing import phantoms
from testing.server import OrthancServer

from .study import Scene, Stored, store, store_scene

WINDOW = {"width": 960, "height": 600}


@pytest.fixture(scope="session")
def server() -> Iterator[OrthancServer]:
    """Orthanc with all buttons switched on."""
    try:
        started = OrthancServer(stl={"EnableNIfTI": True, "EnableNexus": True})
    except SetupError as error:
        pytest.fail(f"no private Orthanc: {error}")
    with started:
        yield started


@pytest.fixture(scope="session")
def stored(server: OrthancServer) -> Stored:
    """A study with a structure set and a model of it."""
    return store(server)


@pytest.fixture(scope="session")
def scene(server: OrthancServer) -> Scene:
    return store_scene(server)


@pytest.fixture(scope="session")
def hundred(server: OrthancServer) -> str:
    """Orthanc's id of a structure set of a hundred balls, over a CT."""
    study = phantoms.Study(seed="a hundred")
    for data in phantoms.ct_slices(study, planes=range(-9, 10, 3)):
        server.upload(data)
    rois = [
        phantoms.ball(f"Node {number}", 6, (15.0 * (number % 10), 15.0 * (number // 10), 0), points=24)
        for number in range(100)
    ]
    return server.upload(phantoms.structure_set(rois, study))


class Watched:
    """A page, and what went wrong in it. `expected`: parts of complaints that a test brings about on purpose."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.expected: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("popup", lambda popup: popup.on("console", self._console))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and "GPU stall" not in message.text:
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not any(part in text for part in self.expected)]


@pytest.fixture(scope="session")
def profiles(chromium: Any) -> Callable[..., Any]:
    """Browser profiles by their options, kept for the whole run: their caches spare the scripts of each page."""
    known: dict[str, Any] = {}

    def profile(**options: Any) -> Any:
        key = repr(sorted(options.items()))
        if key not in known:
            known[key] = chromium.new_context(**options)
            known[key].set_default_timeout(45_000)
        return known[key]

    return profile  # the end of the browser is theirs, too: to close one has once taken longer than five minutes


@pytest.fixture
def open_page(profiles: Callable[..., Any], server: OrthancServer) -> Iterator[Callable[..., Any]]:
    """`open_page("/stl/app/three.html?instance=...")`: a page of a browser.

    Options are those of a playwright context; `expected` as above; `base` is another address than Orthanc's own;
    `person` keeps cookies and caches apart. Animations are off unless `reduced_motion` says otherwise.
    """
    watched: list[Watched] = []
    with ExitStack() as stack:

        def open_one(
            path: str, *, base: str | None = None, expected: tuple[str, ...] = (), person: int = 0, **options: Any
        ) -> Any:
            options = {"viewport": WINDOW, "reduced_motion": "reduce", "locale": ("en-US", "en-GB")[person]} | options
            page = profiles(**options).new_page()
            stack.callback(page.close)
            one = Watched(page)
            one.expected.extend(expected)
            watched.append(one)
            page.goto((base or server.url) + path)
            return page

        yield open_one
        complaints = [text for one in watched for text in one.unexpected()]
    assert complaints == []
