"""The panel "Prepare": its preview is in sight wherever the structure lies, and the scene comes back as it was."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from testing import phantoms
from testing.server import OrthancServer

from .study import RED, Scene, bluish, opened_scene, pixels, reddish, viewer_ready
from .waiting import eventually, expect

Open = Callable[..., Any]
CANVAS = ".view-3d canvas"
LOOKS = "viewer.parts().map(({ name, visible, opacity }) => [name, visible, opacity])"
EYE = "[[0, 0, 0], [50, 0, 0], [0, 0, 50]].flatMap((at) => Object.values(viewer.project(at)))"
"""Where points of the patient are in the view."""
BEFORE = [["Stone", True, 1], ["Bladder", True, 1], ["Ring", False, 1]]


@pytest.fixture(scope="module")
def within(server: OrthancServer) -> str:
    """A small red ball within an opaque blue one, and a third one that the link of the page hides."""
    rois = [
        phantoms.ball("Stone", 5, (10, -15, 30), 1.0, colour=RED),
        phantoms.ball("Bladder", 50, (0, -15, 30), 2.0, colour=(0, 0, 255)),
        phantoms.ball("Ring", 20, (90, -15, 30), 2.0, colour=(0, 160, 0)),
    ]
    return server.upload(phantoms.structure_set(rois, phantoms.Study(seed="sight")))


@pytest.fixture
def page(open_page: Open, within: str) -> Any:
    """The scene without the ring, and the small ball chosen."""
    page = viewer_ready(open_page(f"/stl/app/three.html?source={within}", viewport={"width": 1400, "height": 900}))
    page.evaluate("viewer.loaded")
    page.get_by_role("button", name="Show Ring").click()
    page.click("#tool-prepare")
    return page


def preview(page: Any) -> None:
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_selector(".part[data-id=prepared-1][data-state=ready]", state="attached")
    page.wait_for_selector(".prepare-body[aria-busy=false]")


def image_of(view: Any) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(view.screenshot())).convert("RGB")).astype(int)


def share(page: Any, mask: Callable[[np.ndarray], np.ndarray]) -> float:
    return float(mask(pixels(page, CANVAS)).mean())


def linked(page: Any) -> dict[str, Any]:
    """What the address of the page holds, which follows a little later."""
    _, _, text = page.url.partition("#view=")
    return {"hidden": None} if not text else json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_what_lies_within_others_is_in_sight_until_the_preview_ends(page: Any) -> None:
    eye = page.evaluate(EYE)
    assert share(page, reddish) == 0
    none = page.get_by_role("button", name="None")
    left = none.bounding_box()["x"]
    preview(page)
    assert share(page, reddish) > 0.05, "the preview is too small to be judged"
    assert share(page, bluish) == 0
    expect(page.locator(".part-count")).to_have_text("Preview: 1 of 4 shown")
    assert none.bounding_box()["x"] == left, "the buttons stay beside the count"
    expect(page.locator(".part").first).to_contain_text("Stone")
    others = page.get_by_role("button", name="Show the others")
    others.click()
    around = [["Stone", False, 1], ["Bladder", True, 0.08], ["Ring", False, 1]]
    assert page.evaluate(LOOKS) == [*around, ["Stone", True, 1]]
    eventually(page, lambda: share(page, lambda image: image.std(axis=2) > 20), lambda seen: seen > 0.05)
    others.click()
    page.get_by_role("button", name="Discard").click()
    assert page.evaluate(LOOKS) == BEFORE
    assert page.evaluate(EYE) == pytest.approx(eye, abs=0.5)
    expect(others).to_be_hidden()


def test_slices_do_not_hide_it_and_go_through_it(open_page: Open, scene: Scene) -> None:
    """The planes stood before it in the scene, and lay elsewhere in the flat views."""
    page = opened_scene(open_page, scene)
    page.click("#tool-prepare")
    page.get_by_label("What Ball is").select_option("")
    page.get_by_label("What Small is").select_option("model")
    value = page.locator(".view-plane .plane-slider").last
    place = value.input_value()
    preview(page)
    eventually(page, lambda: share(page, bluish), lambda seen: seen > 0.1)
    views = page.locator(".view-plane canvas").all()
    eventually(page, lambda: [int(bluish(image_of(view)).sum()) for view in views], lambda seen: min(seen) > 50)
    slices = page.locator("#tool-slices")
    expect(slices).to_have_attribute("aria-pressed", "false")
    assert share(page, lambda image: image.max(axis=2) < 40) < 0.02, "the images are black around the body"
    slices.click()
    eventually(page, lambda: share(page, lambda image: image.max(axis=2) < 40), lambda seen: seen > 0.05)
    preview(page)
    page.get_by_role("button", name="Discard").click()
    expect(value).to_have_value(place)
    expect(slices).to_have_attribute("aria-pressed", "true")


def test_the_eye_stays_where_a_person_has_put_it(page: Any) -> None:
    preview(page)
    page.locator(CANVAS).focus()
    page.keyboard.press("ArrowLeft")
    turned = page.evaluate(EYE)
    preview(page)
    assert page.evaluate(EYE) == pytest.approx(turned, abs=0.5), "what is well in sight needs no flight"
    page.get_by_role("button", name="Discard").click()
    assert page.evaluate(EYE) == pytest.approx(turned, abs=0.5)


def test_a_link_and_undo_know_the_scene_without_the_preview(page: Any) -> None:
    preview(page)
    eventually(page, lambda: linked(page)["hidden"], lambda hidden: hidden == ["3"])
    page.get_by_role("button", name="Show Bladder").click()
    page.click("#tool-section")
    page.locator(CANVAS).focus()
    page.keyboard.press("Control+z")
    expect(page.locator("#tool-section")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(LOOKS)[-1] == ["Stone", True, 1], "undo leaves the preview"
    page.get_by_role("button", name="Discard").click()
    assert page.evaluate(LOOKS) == BEFORE


def test_the_preview_is_stored_by_its_own_panel_alone(page: Any, server: OrthancServer) -> None:
    """Its number is not that of a structure: storing "what is shown" stored the first one."""
    preview(page)
    stored = server.get("/statistics").json()["CountInstances"]
    page.click("#tool-keep")
    for name in ("Store the shown ones as models", "stl"):
        page.get_by_role("button", name=name, exact=True).last.click()
        expect(page.get_by_text("Only the preview is shown").last).to_be_visible()
    assert server.get("/statistics").json()["CountInstances"] == stored


def test_in_the_colours_of_the_print_check_it_is_still_a_part(page: Any) -> None:
    """It is counted, listed and measured on; its eye hides the colours, too."""
    preview(page)
    page.locator(".prepare-body .chip", has_text="Print check").click()
    page.wait_for_selector("button[aria-pressed=true]:has-text('Colour the model')")
    expect(page.locator(".part-count")).to_have_text("Preview: 1 of 4 shown")
    shown = share(page, lambda image: image.std(axis=2) > 30)
    assert shown > 0.001, "the overhang is orange"
    page.locator(".part[data-id=prepared-1] .part-eye").click()
    eventually(page, lambda: share(page, lambda image: image.std(axis=2) > 30), lambda seen: seen < shown / 10)
    page.locator(".part[data-id=prepared-1] .part-eye").click()
    page.get_by_role("button", name="Colour the model").click()
    eventually(page, lambda: share(page, reddish), lambda seen: seen > 0.05)


def test_the_plane_of_a_cut_goes_through_what_is_cut(page: Any) -> None:
    """Not through the middle of the scene; where a person puts it, it stays."""
    page.locator("summary", has_text="Cut and mirror").click()
    page.get_by_label("What Stone is").select_option("")
    page.get_by_label("What Ring is").select_option("model")
    page.get_by_label("Cut by the section plane").check()
    page.locator("button[data-plane=sagittal]").click()
    expect(page.locator(".section-body .value")).to_have_text("90.0 mm")
    page.get_by_label("What Ring is").select_option("")
    page.get_by_label("What Stone is").select_option("model")
    expect(page.locator(".section-body .value")).to_have_text("10.0 mm")
    page.get_by_label("Position of the section plane").focus()
    page.keyboard.press("ArrowRight")
    moved = page.locator(".section-body .value").inner_text()
    page.get_by_label("Pegs, diameter").fill("1")
    page.get_by_label("Pegs, length").fill("1")
    expect(page.locator(".section-body .value")).to_have_text(moved)


def test_the_plane_of_a_second_cut_follows_what_is_cut(page: Any) -> None:
    """The first preview ends the section, and with it the plane stayed in what was cut before."""
    page.locator("summary", has_text="Cut and mirror").click()
    page.get_by_label("Cut by the section plane").check()
    page.locator("button[data-plane=sagittal]").click()
    preview(page)
    expect(page.locator(".prepare-result li")).to_have_count(2)
    page.get_by_label("What Stone is").select_option("")
    page.get_by_label("What Ring is").select_option("model")
    preview(page)
    expect(page.locator(".prepare-result li")).to_contain_text(["Ring, part 1 of 2", "Ring, part 2 of 2"])
    expect(page.locator("#tool-section")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#tool-section")).to_have_attribute("aria-pressed", "true")


def test_that_it_is_of_before_is_told_until_the_next_one(page: Any) -> None:
    """Also of what is changed while it is made; storing took the sentence away."""
    outdated = page.get_by_text("The preview shows what was asked for before.")
    preview(page)
    page.locator("summary", has_text="Surface").click()
    page.get_by_label("Fill cavities").check()
    expect(outdated).to_be_visible()
    page.locator(".prepare-body .chip", has_text="Print check").click()
    page.wait_for_selector(".prepare-body[aria-busy=false] .check-table")
    expect(outdated).to_be_visible()
    held: list[Any] = []
    page.route("**/scene/info?*", lambda route: held.append(route))
    page.get_by_role("button", name="Preview", exact=True).click()
    eventually(page, lambda: len(held), bool)
    page.get_by_label("Fill cavities").uncheck()
    held[0].continue_()
    page.wait_for_selector(".prepare-body[aria-busy=false]")
    expect(outdated).to_be_visible()


def test_it_has_the_colour_that_is_stored(page: Any) -> None:
    """Not that of what is taken away, which is above it in the list."""
    page.get_by_label("What Stone is").select_option("subtract")
    page.get_by_label("What Bladder is").select_option("model")
    preview(page)
    assert page.evaluate("viewer.parts().at(-1).color") == [0, 0, 255]


def test_discarded_at_once_the_eye_stays(page: Any) -> None:
    """Before the first frame of its flight, which went on."""
    page.emulate_media(reduced_motion="no-preference")
    eye = page.evaluate(EYE)
    page.evaluate(
        "() => { const body = document.querySelector('.prepare-body'); new MutationObserver((_, seen) => {"
        " if (body.getAttribute('aria-busy') === 'true') return; seen.disconnect();"
        " [...body.querySelectorAll('button')].find(({ textContent }) => textContent === 'Discard').click();"
        " }).observe(body, { attributeFilter: ['aria-busy'] }); }"
    )
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_selector(".prepare-body[aria-busy=false]")
    page.wait_for_timeout(500)  # as long as a flight, at least
    assert page.evaluate(EYE) == pytest.approx(eye, abs=0.5)


def test_the_eye_goes_back_to_where_a_person_had_put_it(page: Any) -> None:
    """Not home, and not out of the projection that was chosen meanwhile, whose button said the other one."""
    page.locator(CANVAS).focus()
    page.keyboard.press("ArrowLeft")
    turned = page.evaluate(EYE)
    preview(page)
    page.get_by_text("Discard").click()
    assert page.evaluate(EYE) == pytest.approx(turned, abs=0.5)
    preview(page)
    page.click("#tool-projection")
    page.get_by_role("button", name="Discard").click()
    assert page.evaluate("viewer.state().camera.parallel") is True


def test_both_halves_are_one_file_and_what_was_stored_stays_told(page: Any) -> None:
    page.locator("summary", has_text="Cut and mirror").click()
    page.get_by_label("Cut by the section plane").check()
    preview(page)
    page.get_by_role("button", name="Store", exact=True).click()
    expect(page.get_by_text("2 models were stored.")).to_be_in_viewport()
    with page.expect_download() as download:
        page.get_by_role("button", name="3MF", exact=True).click()
    assert download.value.suggested_filename == "Stone.3mf"
    expect(page.get_by_role("link", name="Open the stored models")).to_be_visible()


def test_by_keys_alone(page: Any) -> None:
    """E goes into the panel, Tab to its fields in order; what closes gives the keyboard back to the scene."""
    keys = page.keyboard
    focused = page.locator(":focus")

    def tab_to(name: str) -> None:
        for _ in range(40):
            keys.press("Tab")
            if name in focused.evaluate("(at) => at.ariaLabel ?? at.labels?.[0]?.innerText ?? at.innerText"):
                return
        raise AssertionError(f"no {name}")

    keys.press("e")
    page.locator(CANVAS).focus()
    keys.press("e")
    expect(focused).to_have_text("Prepare")
    tab_to("What Ring")
    keys.press("ArrowDown")
    tab_to("Preview")
    keys.press("Enter")
    page.wait_for_selector(".part[data-id=prepared-1][data-state=ready]", state="attached")
    page.wait_for_selector(".prepare-body[aria-busy=false]")
    expect(page.locator(".prepare-result")).to_contain_text("Stone, Ring")
    tab_to("Discard")
    keys.press("Enter")
    expect(focused).to_have_text("Preview")
    keys.press("Escape")
    expect(page.locator(f"{CANVAS}:focus")).to_have_count(1)
    assert page.evaluate(LOOKS) == BEFORE
