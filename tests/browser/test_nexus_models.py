"""Each model on screen, in both viewers; and what is said when there is none."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing.data import shared_file, shared_files
from testing.server import OrthancServer
from tests.browser.nexus_pages import CANVAS, PAGES, complete, model_mask, picture, press, stored_model
from tests.nexus_writer import Node, box, cloud, levels, nexus_dicom, sphere, write_nexus

from .waiting import expect

OpenPage = Callable[..., Any]

# Triangles of the finest level.
TRIANGLES = {
    "box12": 12, "bunny": 16_301, "fuze_tex_ply": 1_000, "gargo": 50_000, "gargo_old_meco": 50_000, "mesh_vc": 50_000,
    "sphere20k": 20_480, "sphere20k_color": 20_480,
}  # fmt: skip


def shown(page: Any) -> str:
    return page.locator(".facts dd").first.inner_text()


@pytest.mark.parametrize("path", shared_files("nexus/*.nx[sz]"), ids=lambda path: path.name)
def test_a_model_made_by_others_is_seen_in_both_viewers(server: OrthancServer, open_page: OpenPage, path: Path) -> None:
    instance = stored_model(server, path.read_bytes())
    masks = []
    for url in PAGES.values():
        page = complete(open_page(url(instance), viewport={"width": 700, "height": 500}))
        assert shown(page) == f"{TRIANGLES[path.stem]:,} triangles"
        masks.append(model_mask(page))
        page.close()
    share = masks[0].mean()
    assert 0.08 < share < 0.8
    assert (masks[0] != masks[1]).mean() < 0.01
    rows, columns = np.nonzero(masks[0])
    assert 0.3 < np.median(rows) / 500 < 0.7
    assert 0.3 < np.median(columns) / 700 < 0.7


def colours(server: OrthancServer, open_page: OpenPage, name: str) -> np.ndarray:
    """(n, 3): the model's pixels, without lighting."""
    instance = stored_model(server, shared_files(f"nexus/{name}")[0].read_bytes())
    page = complete(open_page(PAGES["threejs"](instance), viewport={"width": 700, "height": 500}))
    page.locator("#tool-light").click()
    return picture(page)[model_mask(page)]


@pytest.mark.skipif(not shared_files("nexus/*"), reason="the shared models are not here")
def test_colours_and_textures_are_as_in_the_file(server: OrthancServer, open_page: OpenPage) -> None:
    rainbow = colours(server, open_page, "sphere20k_color.nxz")
    assert {tuple(hue) for hue in np.argsort(rainbow, axis=1)} >= {(0, 1, 2), (1, 0, 2), (1, 2, 0)}
    label = colours(server, open_page, "fuze_tex_ply.nxs")
    red = (label[:, 0] > 150) & (label[:, 1] < 60)
    blue = (label[:, 2] > 100) & (label[:, 0] < 70)
    assert red.mean() > 0.15
    assert blue.mean() > 0.1
    stone = np.median(colours(server, open_page, "mesh_vc.nxs"), axis=0)
    assert np.abs(stone - (125, 118, 100)).max() < 20  # the median of the file's colours


def test_one_solid_colour(server: OrthancServer, open_page: OpenPage) -> None:
    coloured = stored_model(server, shared_file("nexus/sphere20k_color.nxz").read_bytes())
    page = complete(open_page(PAGES["all tools"](coloured)))
    mask = model_mask(page)
    before = np.ptp(picture(page)[mask], axis=1).mean()
    press(page, "solid")
    after = np.ptp(picture(page)[mask], axis=1).mean()
    assert before > 80 > 60 > after


def test_a_cloud_of_points_is_seen_and_alt_wheel_makes_its_points_larger(
    server: OrthancServer, open_page: OpenPage
) -> None:
    vertices, _ = sphere(40, 60)
    page = complete(open_page(PAGES["all tools"](stored_model(server, write_nexus([cloud(vertices)])))))
    assert shown(page) == f"{len(vertices):,} points"
    before = model_mask(page).mean()
    page.locator(CANVAS).hover()
    page.keyboard.down("Alt")
    for _ in range(3):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Alt")
    assert model_mask(page).mean() > 1.5 * before > 0


def test_open_surfaces_are_seen_from_behind(server: OrthancServer, open_page: OpenPage) -> None:
    square = np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]], float)
    away = Node(square, np.array([[0, 2, 1], [0, 3, 2]]), 1.0, ((1, 2),))  # its normals point away from the eye
    page = complete(open_page(PAGES["threejs"](stored_model(server, write_nexus([away])))))
    assert model_mask(page).mean() > 0.15


NOT_SHOWN = {
    "no model named": ("/stl/nexus/threejs.html", "?model="),
    "no instance named": ("/stl/3dhop/3DHOP_all_tools.html", "?instance="),
    "another server": ("/stl/nexus/threejs.html?model=https://example.org/x.nxz", "another server"),
    "an unknown instance": (PAGES["threejs"]("-".join(["00000000"] * 5)), "This object is not stored in Orthanc."),
    "no identifier": (PAGES["all tools"]("<b>"), "404"),
}


@pytest.mark.parametrize("case", NOT_SHOWN)
def test_what_cannot_be_shown_is_said(open_page: OpenPage, case: str) -> None:
    url, words = NOT_SHOWN[case]
    page = open_page(url, expected=("status of 404",))
    page.wait_for_selector("#viewer[data-state=error]")
    expect(page.locator(".notice")).to_contain_text(words, use_inner_text=True)


def test_an_instance_of_another_kind_is_named(server: OrthancServer, open_page: OpenPage) -> None:
    instance = server.upload(nexus_dicom(write_nexus([box()]), sop_class="1.2.840.10008.5.1.4.1.1.2"))
    page = open_page(PAGES["threejs"](instance), expected=("status of 400",))
    page.wait_for_selector("#viewer[data-state=error]")
    expect(page.locator(".notice")).to_contain_text("a CT image", use_inner_text=True)


def damaged(at: int, value: int) -> bytes:
    model = bytearray(write_nexus(levels([(4, 6), (12, 18)])))
    struct.pack_into("<I", model, at, value)
    return bytes(model)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        pytest.param(damaged(4, 9), "Version 9", id="another version"),
        pytest.param(damaged(60, 0xFFFFFFFF), "does not fit", id="2^32 nodes"),
        pytest.param(damaged(256 + 20 * 18, 0xFFFFFFFF), "vertex", id="a damaged root"),
    ],
)
def test_a_hostile_file_ends_in_a_sentence(
    server: OrthancServer, open_page: OpenPage, model: bytes, words: str
) -> None:
    page = open_page(PAGES["threejs"](stored_model(server, model)))
    page.wait_for_selector("#viewer[data-state=error]")
    expect(page.locator(".notice")).to_contain_text(words, ignore_case=True, use_inner_text=True)


def test_a_damaged_part_is_told_and_the_coarser_one_stays(server: OrthancServer, open_page: OpenPage) -> None:
    coarse, fine = levels([(6, 9), (30, 45)])
    whole = write_nexus([coarse, fine])
    model = bytearray(whole)
    index_of_fine = len(whole) - 3000
    model[index_of_fine : index_of_fine + 8] = b"\xff" * 8
    page = open_page(PAGES["all tools"](stored_model(server, bytes(model))))
    page.wait_for_selector(".toast")
    expect(page.locator(".toast")).to_contain_text("A part of the model is missing", use_inner_text=True)
    assert shown(page) == f"{len(coarse.triangles)} triangles"
    assert model_mask(page).mean() > 0.1


def test_the_token_goes_along_with_every_request(server: OrthancServer, open_page: OpenPage) -> None:
    instance = stored_model(server, write_nexus(levels([(4, 6), (60, 90)])))
    page = open_page("/stl/app/three.html")
    sent: list[str | None] = []
    page.on(
        "request",
        lambda request: sent.append(request.headers.get("authorization")) if "/nexus" in request.url else None,
    )
    page.goto(server.url + PAGES["threejs"](instance).replace("?", "?token=se%20cret&"))
    complete(page)
    models = [header for header in sent if header]
    assert len(models) >= 2
    assert set(models) == {"Bearer se cret"}


def test_the_sites_style_is_the_canvas_style(open_page: OpenPage) -> None:
    model = write_nexus([box()])
    with OrthancServer(stl={"EnableNexus": True, "3DHOP": {"CanvasStyle": "background: rgb(10, 90, 30)"}}) as other:
        page = complete(open_page(PAGES["all tools"](stored_model(other, model)), base=other.url))
        assert tuple(picture(page)[5, 5]) == (10, 90, 30)


STAND_IN = """<!DOCTYPE html><html><head><script src="js/presenter.js"></script></head><body>
<canvas id="draw-canvas" style="background: white"></canvas>
<script>presenter.setScene({ meshes: { "mesh_1" : { url: "models/sample.nxz" } } });</script></body></html>"""

PRESENTER = """const presenter = { setScene: async ({ meshes }) => {
    const answer = await fetch(meshes.mesh_1.url, { headers: { Range: "bytes=0-3" } });
    document.title = new Uint8Array(await answer.arrayBuffer()).join();
} };"""


def test_a_sites_own_3dhop_finds_its_model(open_page: OpenPage, tmp_path: Path) -> None:
    """A stand-in with the file names of 3DHOP, that asks for its model as 3DHOP does."""
    (tmp_path / "js").mkdir()
    (tmp_path / "3DHOP_all_tools.html").write_text(STAND_IN)
    (tmp_path / "js/presenter.js").write_text(PRESENTER)
    hop = {"Path": str(tmp_path), "CanvasStyle": "background: rgb(10, 90, 30)"}
    with OrthancServer(stl={"EnableNexus": True, "3DHOP": hop}) as other:
        instance = stored_model(other, write_nexus([box()]))
        page = open_page(PAGES["all tools"](instance), base=other.url, expected=("favicon",))
        expect(page).to_have_title("32,115,120,78")
        assert page.locator(CANVAS).evaluate("(e) => getComputedStyle(e).backgroundColor") == "rgb(10, 90, 30)"
