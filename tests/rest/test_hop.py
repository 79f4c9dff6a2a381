"""A site's own 3DHOP under /stl/3dhop, on a small stand-in with its file names."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.routes.hop import PAGE, POLICY, adapt, hop_file
from orthanc_stl.rest.static_files import Pages
from orthanc_stl.settings import Settings

INSTANCE = "84b0b8f9-d600f10c-cea3c236-e7ee9540-92d289fd"
HTML = b"""<!DOCTYPE html><html><head><script src="js/presenter.js"></script></head>
<body><div id="3dhop">
<canvas id="draw-canvas" style="background-image: url(skins/backgrounds/light.jpg)"></canvas></div>
<script>function setup3dhop() { presenter.setScene({ meshes: { "mesh_1" : { url: "models/sample.nxz" } } }); }</script>
</body></html>"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    (tmp_path / "js").mkdir()
    (tmp_path / "skins/backgrounds").mkdir(parents=True)
    (tmp_path / PAGE).write_bytes(HTML)
    (tmp_path / "js/presenter.js").write_text("// presenter")
    (tmp_path / "skins/backgrounds/light.jpg").write_bytes(b"\xff\xd8")
    return tmp_path


def get(
    path: str, *, query: dict[str, str] | None = None, headers: dict[str, str] | None = None, **settings: Any
) -> Answer:
    app = SimpleNamespace(settings=Settings(enable_nexus=True, **settings), pages=Pages())
    request = Request("GET", f"/stl/3dhop/{path}", (path,), headers or {}, query or {})
    return hop_file(cast(App, app), request)


def test_the_model_and_the_canvas_are_the_two_changes() -> None:
    page = adapt(HTML, INSTANCE, "background: black")
    expected = HTML.replace(b"models/sample.nxz", b"../3dhop-instances/%s.nxz" % INSTANCE.encode())
    assert page == expected.replace(b"background-image: url(skins/backgrounds/light.jpg)", b"background: black")


def test_a_canvas_without_a_style_gets_one_and_no_style_changes_nothing() -> None:
    assert adapt(b'<canvas id="draw-canvas">', "", "color: red") == b'<canvas style="color: red" id="draw-canvas">'
    assert adapt(HTML, "", "") == HTML


@pytest.mark.parametrize("instance", ['"});alert(1)//', "</script>", "../../x", "a" * 65, "Ä", ""])
def test_what_is_no_identifier_is_not_put_into_the_page(instance: str) -> None:
    assert adapt(HTML, instance, "") == HTML


def test_a_style_cannot_leave_its_attribute() -> None:
    page = adapt(HTML, "", '"><script>alert(1)</script>')
    assert b"<script>alert" not in page
    assert b"&quot;&gt;&lt;script&gt;" in page


def test_the_sites_own_files_are_served_with_the_policy_that_they_need(installed: Path) -> None:
    page = get(PAGE, query={"instance": INSTANCE}, hop_path=str(installed))
    assert INSTANCE.encode() in bytes(page.body)
    assert page.headers["Content-Security-Policy"] == POLICY
    assert bytes(get("js/presenter.js", hop_path=str(installed)).body) == b"// presenter"
    assert get("skins/backgrounds/light.jpg", hop_path=str(installed)).content_type == "image/jpeg"


def test_the_etag_is_of_what_is_sent(installed: Path) -> None:
    pages = [get(PAGE, query={"instance": one}, hop_path=str(installed)) for one in (INSTANCE, INSTANCE[::-1])]
    assert pages[0].headers["ETag"] != pages[1].headers["ETag"]
    again = get(
        PAGE, query={"instance": INSTANCE}, headers={"if-none-match": pages[0].headers["ETag"]}, hop_path=str(installed)
    )
    assert again.status == 304


@pytest.mark.parametrize("path", ["../secret.js", "models/sample.nxz", "js", ".git/config.txt"])
def test_nothing_else_is(installed: Path, path: str) -> None:
    with pytest.raises(errors.NotFound):
        get(path, hop_path=str(installed))


def test_a_folder_without_3dhop_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.NotFound, match=r"3DHOP\.Path"):
        get(PAGE, hop_path=str(tmp_path))


def test_without_the_option_the_page_is_ours_with_our_policy() -> None:
    page = get(PAGE)
    assert b"all_tools.js" in bytes(page.body)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
