"""The scene for everybody: rules of axe-core, by keyboard alone, and links that strangers made."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from testing.server import OrthancServer
from tests.nexus_writer import box, write_nexus

from . import nexus_pages
from .study import Stored, colours_rest, store, viewer_ready

Open = Callable[..., Any]
AXE = Path(os.environ.get("ORTHANC_STL_JS_TOOLS", "none")) / "axe-core/axe.min.js"


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not among the JavaScript tools")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Open, stored: Stored, scheme: str) -> None:
    page = viewer_ready(open_page(f"/stl/app/three.html?source={stored.rtstruct}", color_scheme=scheme))
    page.evaluate("viewer.loaded")
    for keys in ("", "c", "m", "l"):
        page.keyboard.press(keys) if keys else None
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not among the JavaScript tools")
def test_axe_finds_nothing_on_the_other_pages(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    nexus = nexus_pages.stored_model(server, write_nexus([box()]))
    pages = {
        **{page(nexus): "#viewer[data-state=complete]" for page in nexus_pages.PAGES.values()},
        f"/stl/app/o3dv.html?instance={stored.model}": "#viewer[data-ready=true]",
        f"/stl/app/generate.html?instance={stored.rtstruct}": ".structures",
        f"/stl/app/attach.html?study={stored.study}": ".drop",
        "/stl/app/rules.html": ".page-body p",
    }
    for path, ready in pages.items():
        page = open_page(path)
        page.wait_for_selector(ready)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            colours_rest(page)
            page.evaluate(AXE.read_text())
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            assert [(path, each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
        page.close()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not among the JavaScript tools")
def test_axe_finds_nothing_in_a_dialog_of_orthanc_explorer(open_page: Open, stored: Stored) -> None:
    page = open_page(f"/app/explorer.html#series?uuid={stored.rtstruct_series}")
    page.click("#stl-generate-rtstruct-series")
    page.wait_for_selector(".structure-name")
    page.evaluate(AXE.read_text())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colours_rest(page)
        found = page.evaluate("axe.run('.stl-dialog', { resultTypes: ['violations'] })")
        assert [(scheme, each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


@pytest.mark.parametrize(
    "state",
    [
        "%%%",
        base64.urlsafe_b64encode(b"not JSON").decode(),
        base64.urlsafe_b64encode(json.dumps([1]).encode()).decode(),
        base64.urlsafe_b64encode(
            json.dumps(
                {"camera": {"position": ["x"], "target": 1}, "hidden": 7, "looks": {"a": "b"}, "section": {"at": "<b>"},
                 "slices": {"at": [None]}, "measures": [{"kind": 1}], "layout": "many"}
            ).encode()
        ).decode(),
    ],
    ids=["characters", "no JSON", "a list", "wrong kinds"],
)  # fmt: skip
def test_a_link_that_makes_no_sense_shows_the_scene_as_it_is(open_page: Open, stored: Stored, state: str) -> None:
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={stored.model}#view={state}"))
    assert page.evaluate("viewer.parts()[0].visible")


FRAME = """<!DOCTYPE html><title>Dashboard</title><iframe width="900" height="600" src="{viewer}"></iframe><script>
const told = [], answers = new Map();
addEventListener('message', ({{ data, origin }}) => {{
  if (origin !== '{orthanc}') return;
  if (data.event) told.push(data.event);
  else answers.get(data.id)(data);
}});
let last = 0;
const call = (name, ...args) => new Promise((resolve) => {{
  answers.set(++last, resolve);
  document.querySelector('iframe').contentWindow.postMessage({{ id: last, call: name, args }}, '{orthanc}');
  setTimeout(() => resolve(null), 3000);
}});
</script>"""


class Dashboard(ThreadingHTTPServer):
    """A page of another origin. The browser lets no page that is not of this machine frame what is on it."""

    page = ""

    def __init__(self) -> None:
        dashboard = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(dashboard.page.encode() if self.path == "/" else b"")

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
def test_a_page_of_another_origin_calls_the_viewer_if_it_is_named(chromium: Any, named: bool) -> None:
    with Dashboard() as dashboard, OrthancServer(stl={"EmbedOrigins": [dashboard.origin] if named else []}) as server:
        stored = store(server)
        viewer = f"{server.url}/stl/app/three.html?instance={stored.model}"
        dashboard.page = FRAME.format(viewer=viewer, orthanc=server.url)
        page = chromium.new_page()
        page.goto(dashboard.origin)
        if named:
            page.frame_locator("iframe").locator("#viewer[data-ready=true]").wait_for()
            (part,) = page.evaluate("call('parts')")["result"]
            assert part["id"] == stored.model
            page.evaluate("id => call('setPart', id, { opacity: 0.5 })", part["id"])
            assert page.evaluate("call('parts')")["result"][0]["opacity"] == 0.5
            assert "There is no call" in page.evaluate("call('attach')")["error"]
            assert page.evaluate("told")[0] == "ready"
        else:
            page.wait_for_timeout(1000)
            assert page.evaluate("call('parts')") is None, "the browser does not even show it there"
        page.close()
        dashboard.shutdown()
