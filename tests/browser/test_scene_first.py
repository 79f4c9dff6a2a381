"""What a scene asks for, makes and draws first, and what waits until its first part is to be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testing.server import OrthancServer

from .study import ALL_BUT_TWO, WIDE, pixels, settle, viewer_ready
from .waiting import eventually, expect

Open = Callable[..., Any]
# Keeps in `window.programs` how many of the graphics card's programs were asked for, `atFirst` when a part was drawn.
PROGRAMS = """
window.programs = 0;
const { linkProgram, drawElements } = WebGL2RenderingContext.prototype;
WebGL2RenderingContext.prototype.linkProgram = function (...what) {
  programs += 1;
  return linkProgram.apply(this, what);
};
WebGL2RenderingContext.prototype.drawElements = function (...what) {
  if (what[1] > 100) window.atFirst ??= programs; // a part has more than the quads of slices
  return drawElements.apply(this, what);
};
"""
# The half second that slices wait for the first part never ends.
NO_HALF_SECOND = """
const { setTimeout: wait } = window;
window.setTimeout = (act, ms, ...more) => (ms === 500 ? 0 : wait(act, ms, ...more));
"""


def test_list_and_images_are_asked_for_before_the_scripts_are_there(
    open_page: Open, server: OrthancServer, hundred: str
) -> None:
    page = open_page("/stl/app/settings.json")
    page.route("**/app/three.js", lambda route: None)  # it never comes
    with page.expect_request("**/series/*/stl/images"), page.expect_request(f"**/instances/{hundred}/stl/structures"):
        page.goto(f"{server.url}/stl/app/three.html?source={hundred}", wait_until="commit")


def test_what_reads_models_starts_while_the_list_is_awaited(
    open_page: Open, server: OrthancServer, hundred: str
) -> None:
    """A page that makes its 3D context has no time to start workers, and the first part would wait for that."""
    page = open_page("/stl/app/settings.json")
    page.route("**/stl/structures", lambda route: None)  # it never comes
    page.goto(f"{server.url}/stl/app/three.html?source={hundred}", wait_until="commit")
    eventually(page, lambda: load_workers(page), lambda count: count == 2)


def test_the_workers_that_were_begun_are_those_that_read(open_page: Open, hundred: str) -> None:
    page = viewer_ready(open_page(f"/stl/app/three.html?source={hundred}#view=" + ALL_BUT_TWO, **WIDE))
    page.evaluate("viewer.loaded")
    assert load_workers(page) <= 3, "as many as load at once"


def load_workers(page: Any) -> int:
    return [one.url.rsplit("/", 1)[1] for one in page.workers].count("load-worker.js")


def test_the_list_is_there_before_the_browser_makes_its_3d_context(
    open_page: Open, server: OrthancServer, hundred: str
) -> None:
    page = open_page("/stl/app/settings.json", **WIDE)
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext ="
        "function (kind, ...more) { if (/webgl/.test(kind)) "
        "window.listed ??= document.querySelectorAll('.part').length; "
        "return get.call(this, kind, ...more); }"
    )
    page.goto(f"{server.url}/stl/app/three.html?source={hundred}#view=" + ALL_BUT_TWO)
    viewer_ready(page)
    assert page.evaluate("listed") == 100


def test_the_images_are_shown_before_the_first_part_is_there(
    open_page: Open, server: OrthancServer, hundred: str
) -> None:
    page = open_page("/stl/app/settings.json", **WIDE)
    page.route("**/stl/structures/*.stl", lambda route: None)  # they never come
    page.goto(f"{server.url}/stl/app/three.html?source={hundred}")
    page.wait_for_selector(".loading", state="detached")
    assert {part["state"] for part in page.evaluate("viewer.parts()")} == {"loading", "waiting"}
    assert page.evaluate("viewer.pixelAt([0, 0, 0])") == 16
    shown = pixels(page, ".view-plane canvas >> nth=0")
    assert (shown == 112).all(axis=2).mean() > 0.2, "the disc of 16 HU in a window of 40 and 400"


def test_one_program_is_made_before_the_first_part_is_drawn(
    open_page: Open, server: OrthancServer, hundred: str
) -> None:
    """Each takes a tenth of a second without a graphics card; those of translucent parts follow."""
    page = open_page("/stl/app/settings.json", **WIDE)
    page.add_init_script(PROGRAMS)
    page.route("**/stl/images**", lambda route: None)  # they never come, and nor does their list
    page.goto(f"{server.url}/stl/app/three.html?source={hundred}#view=" + ALL_BUT_TWO)
    eventually(page, lambda: page.evaluate("window.atFirst ?? 0"), bool)
    eventually(page, lambda: page.evaluate("programs"), lambda count: count > 1)
    assert page.evaluate("atFirst") == 1


def test_slices_are_drawn_after_the_first_part(open_page: Open, server: OrthancServer, hundred: str) -> None:
    """If it comes within half a second. They are fetched meanwhile."""
    page = open_page("/stl/app/settings.json", **WIDE)
    page.add_init_script(NO_HALF_SECOND)
    held: list[Any] = []
    page.route("**/stl/structures/*.stl", lambda route: held.append(route))
    with page.expect_response("**/stl/images/0/*/*"):
        page.goto(f"{server.url}/stl/app/three.html?source={hundred}")
    settle(page)
    slices = page.locator("#tool-slices")
    expect(slices).to_have_attribute("aria-pressed", "false")
    eventually(page, lambda: held, bool)
    page.unroute("**/stl/structures/*.stl")  # which lets those go that are held
    expect(slices).to_have_attribute("aria-pressed", "true")
