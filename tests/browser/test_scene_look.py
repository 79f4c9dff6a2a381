"""How the viewer looks to a person: colors, icons, words on touch screens; nothing is covered and nothing moves."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from testing.server import OrthancServer
from tests.nexus_writer import box as nexus_box
from tests.nexus_writer import write_nexus

from . import nexus_pages
from .study import Scene, Stored, apart, attach, box, hiding, opened_scene, settle, stl_of, viewer_ready
from .waiting import expect

Open = Callable[..., Any]
PHONES = pytest.mark.parametrize(("width", "height"), [(390, 780), (780, 390)], ids=["upright", "sideways"])


def test_61_long_warnings_are_shown_and_stay_after_a_reload(
    open_page: Open, server: OrthancServer, stored: Stored
) -> None:
    """Orthanc leaves values as long as these out of the tags that it lists."""
    warnings = [
        f"contour {number} of Nodes is skipped: {'its points lie on a line, ' * 3}as it does" for number in range(61)
    ]
    lines = "\r\n".join(f"Warning: {text}" for text in warnings)
    algorithm = {"AlgorithmName": "made", "AlgorithmVersion": "1", "AlgorithmParameters": lines}
    model = attach(server, stored.study, stl_of(box(20.0)), DerivationAlgorithmSequence=[algorithm])
    listed = server.get(f"/instances/{model}/simplified-tags").json()
    assert listed["DerivationAlgorithmSequence"][0]["AlgorithmParameters"] is None
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={model}"))
    for _ in range(2):
        page.click(".card .notice summary")
        expect(page.locator(".card .notice strong").first).to_have_text("Left out: 61", use_inner_text=True)
        expect(page.locator(".card .notice li"), "sentences").to_have_text(
            [f"C{text[1:]}." for text in warnings], use_inner_text=True
        )
        assert page.locator(".card").bounding_box()["height"] < 300, "they scroll"
        page.reload()
        viewer_ready(page)


def colors_in_files(server: OrthancServer, path: str) -> list[list[int]]:
    """0 to 255, of the materials of an OBJ."""
    with zipfile.ZipFile(io.BytesIO(server.get(path).body)) as files:
        (material,) = [files.read(name).decode() for name in files.namelist() if name.endswith(".mtl")]
    return [[round(255 * float(value)) for value in line.split()] for line in re.findall(r"^Kd (.+)$", material, re.M)]


def test_parts_without_a_color_have_the_same_ones_in_files(
    open_page: Open, server: OrthancServer, stored: Stored
) -> None:
    first, second = (attach(server, stored.study, stl_of(box(side)), SeriesDescription="x") for side in (10.0, 20.0))
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={first},{second}"))
    shown = page.evaluate("viewer.parts().map(part => part.color)")
    assert sorted(shown) == sorted(colors_in_files(server, f"/instances/{first}/stl/scene.obj.zip?with={second}"))
    assert shown[0] != shown[1]
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={second}"))
    alone = page.evaluate("viewer.parts().map(part => part.color)")
    assert alone == colors_in_files(server, f"/instances/{second}/stl/scene.obj.zip")


def test_a_union_has_the_color_of_none_of_its_structures(
    open_page: Open, server: OrthancServer, stored: Stored
) -> None:
    """That of one of several would pass the whole off as that one."""
    body = {"Instance": stored.rtstruct, "RoiNames": ["Ball", "Left"], "Resolution": 64}
    made = server.post("/stl/encode-rtstruct", body).json()
    page = viewer_ready(open_page(f"/stl/app/three.html?instance={made['ID']}"))
    (shown,) = page.evaluate("viewer.parts().map(part => part.color)")
    (written,) = colors_in_files(server, f"/instances/{made['ID']}/stl/scene.obj.zip")
    assert np.abs(np.subtract(shown, written)).max() <= 1
    for other in ((200, 60, 60), (0, 0, 255)):
        assert np.abs(np.subtract(shown, other)).max() > 50
    server.delete(f"/series/{made['ParentSeries']}")


def test_stored_models_have_the_colors_that_were_seen(open_page: Open, scene: Scene, server: OrthancServer) -> None:
    page = opened_scene(open_page, scene, "#view=" + hiding(["3"]))
    page.evaluate("viewer.setPart('1', { color: [10, 200, 30] })")
    page.click("#tool-keep")
    page.get_by_role("button", name="Store the shown ones as models").click()
    page.get_by_role("link", name="Open the stored models").click()
    page.wait_for_url("**series=*")
    viewer_ready(page).evaluate("viewer.loaded")
    parts = page.evaluate("viewer.parts()")
    assert [part["name"] for part in parts] == ["Ball", "Small"]
    assert np.abs(np.array([part["color"] for part in parts]) - [[10, 200, 30], [0, 0, 255]]).max() <= 2
    server.delete(f"/series/{server.get('/instances/' + parts[0]['id']).json()['ParentSeries']}")


def test_icons_differ(open_page: Open, scene: Scene) -> None:
    """Of any two of the bar, less than 0.6 of the ink is common; that of a cube and of the parallel view was 0.61."""
    page = opened_scene(open_page, scene)
    page.wait_for_selector("#tool-slices:visible")
    inks = {
        tool.get_attribute("id"): ink(tool.locator(".icon")) for tool in page.locator(".main-tools .tool:visible").all()
    }
    assert len(inks) == 9
    common = {(a, b): (inks[a] & inks[b]).sum() / (inks[a] | inks[b]).sum() for a in inks for b in inks if a < b}
    assert max(common.values()) < 0.6
    assert common["tool-section", "tool-wireframe"] < 0.5


def ink(icon: Any) -> np.ndarray:
    """(24, 24) bool: where it differs from what is behind it."""
    image = Image.open(io.BytesIO(icon.screenshot())).convert("RGB").resize((24, 24))
    pixels = np.asarray(image).astype(int)
    return np.abs(pixels - np.median(pixels.reshape(-1, 3), axis=0)).sum(axis=2) > 60


@PHONES
def test_each_tool_says_its_name_on_a_touch_screen(open_page: Open, scene: Scene, width: int, height: int) -> None:
    phone = {"viewport": {"width": width, "height": height}, "has_touch": True, "is_mobile": True}
    for language in ("fr", "de", "en"):
        page = opened_scene(open_page, scene, f"&lang={language}#view=" + hiding(["1", "3"]), **phone)
        page.wait_for_selector("#tool-slices:visible")
        tools = page.locator(".tool:visible")
        names = page.locator(".tool:visible .tool-name:visible")
        expect(names).to_have_count(tools.count())
        assert tools.count() >= 15
        assert len(set(names.all_inner_texts())) == names.count()
        cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"
        assert names.evaluate_all(cut) == []


@pytest.mark.parametrize(("width", "height"), [(960, 600), (390, 780), (780, 390)])
def test_nothing_covers_the_letters_of_the_sides(open_page: Open, stored: Stored, width: int, height: int) -> None:
    """Also where a model has a long name."""
    address = f"/stl/app/three.html?instance={stored.model}"
    page = viewer_ready(open_page(address, viewport={"width": width, "height": height}))
    page.evaluate("document.querySelector('.card h1').textContent = 'A long name of a model '.repeat(20)")
    settle(page)
    letters = page.locator(".view-3d .edge-letter").all()
    assert letters[2].inner_text().startswith("S")
    for other in page.locator(".card:visible, .toolbar:visible, .sheet-panel:visible, .cube-frame:visible").all():
        for letter in letters:
            assert apart(letter.bounding_box(), other.bounding_box()), other.get_attribute("class")


LOOK = """all => all.filter(each => each.checkVisibility()).slice(0, 2).map(each => {
  const { accentColor, appearance, height, color, backgroundColor, fontSize, borderRadius } = getComputedStyle(each);
  return [each.type, each.innerText, accentColor, appearance, height, color, backgroundColor, fontSize, borderRadius];
})"""


def test_the_section_tools_of_both_viewers_look_alike(open_page: Open, stored: Stored, server: OrthancServer) -> None:
    scene = viewer_ready(open_page(f"/stl/app/three.html?instance={stored.model}"))
    scene.keyboard.press("c")
    address = nexus_pages.PAGES["all tools"](nexus_pages.stored_model(server, write_nexus([nexus_box()])))
    nexus = nexus_pages.complete(open_page(address))
    nexus.click("#tool-sections")
    tool = "input[type=range], button:has-text('Flip')"
    looks = [
        page.locator(panel).locator(tool).evaluate_all(LOOK)
        for page, panel in ((scene, ".section-body"), (nexus, ".section-panel"))
    ]
    assert sorted(looks[0]) == sorted(looks[1])
    assert len(looks[0]) == 2


# Where the things on the page are, and those in an open dialog.
BOXES = """(dialog) => [...document.querySelectorAll('h1, h2, a, canvas, button')]
  .filter(each => each.checkVisibility() && !each.closest('dialog'))
  .map(each => { const { x, y, width, height } = each.getBoundingClientRect(); return [x, y, width, height]; })"""
DIALOG = """() => new Promise(done => requestAnimationFrame(() => {
  const boxes = () => [...document.querySelectorAll('dialog[open], .stl-dialog')].flatMap(each => (
    [...(each.shadowRoot?.querySelectorAll('dialog, h2, button, a') ?? each.querySelectorAll('h2, button, th'))]
      .map(one => { const { x, y, width, height } = one.getBoundingClientRect(); return [x, y, width, height]; })));
  const first = boxes();
  setTimeout(() => done([first, boxes()]), 400);
}))"""


def test_nothing_moves_when_a_dialog_opens(open_page: Open, scene: Scene, stored: Stored) -> None:
    """Neither what lies below it nor, once it is there, the dialog."""
    page = opened_scene(open_page, scene)
    pages = [(page, "dialog[open]", "#tool-help")]
    explorer = open_page(f"/app/explorer.html#instance?uuid={stored.model}")
    explorer.wait_for_selector("#stl-viewer-instance")
    pages.append((explorer, ".stl-dialog dialog[open]", "#stl-viewer-instance"))
    for page, dialog, button in pages:
        page.evaluate("scrollTo(0, 40)")
        settle(page)
        before = page.evaluate(BOXES), page.evaluate("[scrollX, scrollY, document.documentElement.clientWidth]")
        page.locator(button).evaluate("button => button.click()")
        page.wait_for_selector(dialog)
        first, later = page.evaluate(DIALOG)
        assert len(first) >= 2
        assert first == later
        after = page.evaluate(BOXES), page.evaluate("[scrollX, scrollY, document.documentElement.clientWidth]")
        assert after == before
