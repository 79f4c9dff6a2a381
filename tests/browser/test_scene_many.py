"""Scenes of many structures: how they come, what may be hidden, and the room that they have on a phone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from testing import phantoms
from testing.data import shared_file
from testing.scenes import sphere
from testing.server import OrthancServer
from testing.trace import tasks_while

from .study import ALL_BUT_TWO, WIDE, apart, attach, hiding, stl_of, viewer_ready
from .waiting import eventually, expect

Open = Callable[..., Any]
# Keeps in `window.arrivals` the names of the parts in the order in which they came; `together`: the most at one look.
ARRIVALS = """
window.arrivals = [];
window.together = 0;
setInterval(() => {
  const before = arrivals.length;
  document.querySelectorAll('.part[data-state=ready] .part-text').forEach(({ textContent: name }) => {
    if (!arrivals.includes(name)) arrivals.push(name);
  });
  together = Math.max(together, arrivals.length - before);
}, 50);
"""
# Counts in `window.frames` how often the scene is drawn.
FRAMES = """
window.frames = 0;
const { clear } = WebGL2RenderingContext.prototype;
WebGL2RenderingContext.prototype.clear = function (...what) { window.frames += 1; return clear.apply(this, what); };
0"""


@pytest.mark.slow
def test_46_structures_come_without_freezing_the_page(open_page: Open, server: OrthancServer, chromium: Any) -> None:
    """31 of them can be shown. What people look at comes first, the couch last."""
    source = server.upload(shared_file("rtstruct/pinnacle96-prostate/rtss.dcm").read_bytes())
    page = open_page("/stl/app/settings.json", **WIDE)
    page.add_init_script(ARRIVALS)
    page.set_default_timeout(200_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))

    def load() -> None:
        page.goto(f"{server.url}/stl/app/three.html?source={source}")
        page.evaluate("viewer.ready")
        expect(page.locator(".part")).to_have_count(31)
        viewer_ready(page)
        page.evaluate("viewer.loaded")
        page.wait_for_timeout(200)

    work = max(task.work for task in tasks_while(chromium, page, load))
    assert work < 100, "ms of processor time: meshes are read in workers"
    assert all(part["state"] == "ready" for part in page.evaluate("viewer.parts()"))
    last = page.evaluate("arrivals.slice(-6)")  # several are on their way at once
    assert sum("couch" in name for name in last) == 3
    assert page.evaluate("arrivals.length") == 31
    assert page.evaluate("together") < 31, "they come one by one"
    meshes = [name for name in asked if name.endswith(".stl")]
    assert meshes[0] == "25.stl", "the smallest of the organs: something is soon to be seen"
    assert asked.count("structures") == 1
    said = page.inner_text(".warnings-button")  # by what it was, not just how many
    assert re.fullmatch(r"(\w[\w ]*: \d+( · )?)+", said)
    assert sum(map(int, re.findall(r"\d+", said))) == sum(len(p["warnings"]) for p in page.evaluate("viewer.parts()"))


@pytest.fixture(scope="module")
def hundred_models(server: OrthancServer) -> str:
    """The series of a hundred stored balls over a CT."""
    study = phantoms.Study(seed="a hundred models")
    for data in phantoms.ct_slices(study, planes=range(-30, 31, 3), size=512):
        image = server.upload(data)
    ball = sphere(6, (0, 0, 0))
    corners = ball.vertices[ball.triangles]
    first = attach(server, server.get(f"/instances/{image}/study").json()["ID"], stl_of(corners))
    file = pydicom.dcmread(io.BytesIO(server.get(f"/instances/{first}/file").body))
    file.FrameOfReferenceUID = study.uid("frame 0")
    for number in range(100):
        place = [14.0 * (number % 10) - 63, 14.0 * (number // 10) - 63, 0]
        file.EncapsulatedDocument = stl_of(corners + place)
        file.InstanceNumber, file.ContentDescription = number + 1, f"Node {number}"
        uid = pydicom.uid.UID(study.uid(f"model {number}"))
        file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = uid
        file.SeriesInstanceUID = study.uid("series of models")
        file.save_as(buffer := io.BytesIO())
        stored = server.upload(buffer.getvalue())
    return str(server.get(f"/instances/{stored}").json()["ParentSeries"])


def test_hiding_one_of_100_is_little_work(open_page: Open, hundred_models: str, chromium: Any) -> None:
    """Over the images, with all outlines: no task of the page takes more than 100 ms of processor time.

    What it waits for the drawing depends on the machine: `python -m benchmarks.viewer 100`.
    """
    page = viewer_ready(open_page(f"/stl/app/three.html?series={hundred_models}", **WIDE))
    page.set_default_timeout(120_000)
    page.evaluate("viewer.loaded")
    page.evaluate("viewer.showSlice({ index: 10 })")
    page.wait_for_selector("#tool-layout:visible")
    page.keyboard.press("4")
    eventually(page, lambda: len(page.evaluate("viewer.outlines()")), lambda number: number == 100)

    def hide() -> None:
        for number in (0, 33, 66):
            page.get_by_role("button", name=f"Show Node {number}", exact=True).click()
            page.wait_for_timeout(300)

    work = max(task.work for task in tasks_while(chromium, page, hide))
    eventually(page, lambda: len(page.evaluate("viewer.outlines()")), lambda number: number == 97)
    assert work < 100


def test_100_structures_are_listed_at_once_and_come_one_after_the_other(open_page: Open, hundred: str) -> None:
    """Whoever hides all but two waits for two only."""
    page = open_page(f"/stl/app/three.html?source={hundred}#view=" + ALL_BUT_TWO, **WIDE)
    page.evaluate("viewer.loaded")
    expect(page.locator(".part")).to_have_count(100)
    assert [part["state"] for part in page.evaluate("viewer.parts()")] == ["ready"] * 2 + ["waiting"] * 98
    page.get_by_role("searchbox").fill("node 9")
    expect(page.locator(".part")).to_have_count(11)
    page.get_by_role("button", name="Show Node 99").click()
    page.wait_for_selector(".part[data-id='100'][data-state=ready]")


def test_coarse_images_come_before_those_in_full(open_page: Open, server: OrthancServer, hundred_models: str) -> None:
    page = open_page("/stl/app/settings.json", **WIDE)
    asked: list[int] = []
    steps = re.compile(r"/stl/images/0/(\d+)/")
    page.on("request", lambda request: asked.extend(int(step) for step in steps.findall(request.url)))
    model = server.get(f"/series/{hundred_models}").json()["Instances"][0]
    page.goto(f"{server.url}/stl/app/three.html?instance={model}")
    viewer_ready(page)
    page.wait_for_selector("#tool-slices:visible")
    page.evaluate("viewer.showSlice({ plane: 'coronal', at: 0 })")  # when all are there in full
    assert len(set(asked)) > 1
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] == 1


def test_a_press_on_an_eye_draws_the_scene_once(open_page: Open, hundred: str) -> None:
    """Also over the images, where the outlines follow."""
    page = open_page(f"/stl/app/three.html?source={hundred}#view=" + ALL_BUT_TWO, **WIDE)
    page.evaluate("viewer.loaded")
    page.evaluate("viewer.showSlice({ index: 3 })")
    eventually(page, lambda: list(page.evaluate("viewer.outlines()")), lambda shown: shown == ["1", "2"])
    page.evaluate(FRAMES)
    eventually(page, lambda: new_frames(page), lambda count: count == 0)  # what came last has been drawn
    page.evaluate("frames = 0")
    page.get_by_role("button", name="Show Node 0", exact=True).click()
    eventually(page, lambda: list(page.evaluate("viewer.outlines()")), lambda shown: shown == ["2"])
    eventually(page, lambda: page.evaluate("frames"), bool)
    assert new_frames(page) == 0
    assert page.evaluate("frames") == 1


def new_frames(page: Any) -> int:
    """How many are drawn within some time."""
    before = page.evaluate("frames")
    page.wait_for_timeout(300)
    return int(page.evaluate("frames")) - int(before)


@pytest.mark.parametrize(("width", "height"), [(360, 740), (740, 360)], ids=["upright", "sideways"])
def test_nothing_covers_anything_on_a_phone(open_page: Open, hundred: str, width: int, height: int) -> None:
    phone: dict[str, Any] = {"viewport": {"width": width, "height": height}, "has_touch": True, "is_mobile": True}
    page = viewer_ready(open_page(f"/stl/app/three.html?source={hundred}#view=" + ALL_BUT_TWO, **phone))
    page.wait_for_selector("#tool-slices:visible")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for tool in ("parts", "slices", "section", "measure", "keep"):
        page.tap(f"#tool-{tool}")
        assert page.locator(".sheet-panel:visible").count() <= 1
        shown = [
            *page.locator(".tool:visible").all(),
            page.locator(".view-3d"),
            *page.locator(".sheet-panel:visible").all(),
        ]
        boxes = [each.bounding_box() for each in shown]
        assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i]), tool


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)], ids=["upright", "sideways"])
def test_lists_cut_no_name_off_and_that_of_prepare_is_filtered(
    open_page: Open, server: OrthancServer, width: int, height: int
) -> None:
    """What has a part in the model stays in sight."""
    rois = [phantoms.ball(f"Lymph node of the level {number}", 6, (20.0 * number, 0, 0), 3) for number in range(12)]
    source = server.upload(phantoms.structure_set(rois, phantoms.Study(seed="twelve")))
    phone: dict[str, Any] = {"viewport": {"width": width, "height": height}, "has_touch": True, "is_mobile": True}
    hidden = hiding([str(number) for number in range(2, 13)])
    page = viewer_ready(open_page(f"/stl/app/three.html?source={source}#view={hidden}", **phone))
    page.tap("#tool-help")
    title = page.locator("dialog[open] h2").bounding_box()
    assert title["y"] >= 0, "a long dialog is seen from its beginning"
    page.keyboard.press("Escape")
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"
    page.tap("#tool-parts")
    expect(page.locator(".part-text:visible")).to_have_count(12)
    assert page.locator(".part-text:visible").evaluate_all(cut) == []
    page.tap("#tool-prepare")
    names = page.locator(".prepare-parts .part-text:visible")
    expect(names).to_have_count(12)
    assert names.evaluate_all(cut) == []
    page.locator(".prepare-form input[type=search]").fill("LEVEL 1")
    shown = [f"Lymph node of the level {number}" for number in (0, 1, 10, 11)]
    expect(names).to_have_text(shown, use_inner_text=True)
    page.get_by_label("What Lymph node of the level 10 is", exact=True).select_option("subtract")
    page.locator(".prepare-form input[type=search]").fill("nothing of that name")
    expect(names).to_have_text([shown[0], shown[2]], use_inner_text=True)


def test_letters_stand_beside_what_is_shown_in_the_smallest_view(open_page: Open, hundred: str) -> None:
    """Of four on a phone that is held upright."""
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = viewer_ready(open_page(f"/stl/app/three.html?source={hundred}", **phone))
    page.wait_for_selector("#tool-layout:visible")
    page.evaluate("viewer.loaded")
    page.tap("#tool-layout")
    letters = page.locator(".view-3d").locator(".edge-letter.left, .edge-letter.right")
    expect(letters).to_have_count(2)
    letters.evaluate_all("all => all.forEach(({ style }) => { style.color = 'transparent'; })")

    def behind() -> int:
        """The darkest pixel."""
        images = [Image.open(io.BytesIO(page.screenshot(clip=letter.bounding_box()))) for letter in letters.all()]
        return min(int(np.asarray(image.convert("RGB")).min()) for image in images)

    eventually(page, behind, lambda darkest: darkest > 180)


def test_the_list_has_room_beside_two_other_panels(open_page: Open, hundred: str) -> None:
    """Eight rows and more of it are in sight, and in a low window all that stands below it."""
    page = viewer_ready(open_page(f"/stl/app/three.html?source={hundred}#view={ALL_BUT_TWO}", **WIDE))
    page.click("#tool-section")
    page.click("#tool-prepare")
    page.locator(".panels").evaluate("(panels) => { panels.scrollTop = 0; }")
    room, row = page.locator(".part-list").bounding_box(), page.locator(".part-line").first.bounding_box()
    assert room["height"] >= 8 * row["height"]
    page.click("#tool-section")
    page.click("#tool-prepare")
    page.click("#tool-slices")
    page.set_viewport_size({"width": 1400, "height": 600})
    foot, side = page.locator(".looks").bounding_box(), page.locator(".panels").bounding_box()
    assert foot["y"] + foot["height"] <= side["y"] + side["height"]
