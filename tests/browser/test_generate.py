"""generate.html: choose, wait, look; and everything that people do in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing import phantoms
from testing.server import OrthancServer

from .generate_page import generate, result, url
from .study import MARKUP, Stored, apart, bluish, description, pixels, reddish, series_of
from .waiting import expect

Open = Callable[..., Any]
CHOSEN = "input:checked"


@pytest.fixture(scope="module")
def slow(server: OrthancServer) -> str:
    """A structure set of which a model takes a few seconds."""
    study = phantoms.Study(seed="slow")
    return server.upload(phantoms.structure_set([phantoms.cylinder("Large", 150, range(-150, 151, 2))], study))


@pytest.mark.parametrize("level", ["instance", "series", "study"])
def test_from_each_level_to_the_preview(open_page: Open, server: OrthancServer, stored: Stored, level: str) -> None:
    id = {"instance": stored.rtstruct, "series": stored.rtstruct_series, "study": stored.study}[level]
    before = series_of(server, stored.study)
    page = open_page(url(f"{level}={id}"))
    generate(page, "Ball")
    result(page)
    assert reddish(pixels(page, "iframe.preview")).sum() > 5000
    (new,) = series_of(server, stored.study) - before
    assert description(server, new) == "Contours: Ball"
    links = page.locator(".result-links a")
    expect(links).to_have_text(["Open the viewer", "Online3DViewer", "Show in Orthanc Explorer"], use_inner_text=True)
    assert links.last.get_attribute("href").endswith(f"/app/explorer.html#series?uuid={new}")


def test_shows_the_warnings_that_came_with_the_model(open_page: Open, server: OrthancServer) -> None:
    ball = phantoms.ball("Ball", 20)
    assert ball.contours is not None
    contours = [*ball.contours, phantoms.Contour(ball.contours[0].points[:2])]
    damaged = phantoms.structure_set([phantoms.Roi("Ball", contours)], phantoms.Study(seed="damaged"))
    page = open_page(url(f"instance={server.upload(damaged)}"))
    expect(page.locator(".structure")).to_contain_text("1 contour skipped", use_inner_text=True)
    generate(page)
    result(page)
    expect(page.locator(".result .notice.warning").first).to_contain_text(
        "fewer than three distinct points", use_inner_text=True
    )
    page.reload()
    expect(result(page).locator(".card .notice")).to_contain_text(
        "fewer than three distinct points", use_inner_text=True
    )
    expect(page.locator(".result .notice.warning").first).to_contain_text(
        "fewer than three distinct points", use_inner_text=True
    )


def test_markup_in_names_is_only_text(open_page: Open, stored: Stored) -> None:
    page = open_page(url(f"instance={stored.rtstruct}"))
    page.on("dialog", lambda dialog: pytest.fail("a script from a name ran"))
    page.wait_for_selector(".structure")
    expect(page.locator(".page-head .about").first).to_contain_text(MARKUP, use_inner_text=True)
    generate(page, MARKUP)
    frame = result(page)
    expect(frame.locator("h1")).to_have_text(f"Contours: {MARKUP}"[:64], use_inner_text=True)
    for one in (page, frame):
        expect(one.locator("b, img")).to_have_count(0)


def test_progress_and_cancel(open_page: Open, server: OrthancServer, slow: str) -> None:
    study = server.get(f"/instances/{slow}/study").json()["ID"]
    before = series_of(server, study)
    page = open_page(url(f"instance={slow}"))
    generate(page, resolution="512")
    page.wait_for_selector("progress[value]")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("text=Cancelled. Nothing was stored.")
    expect(page.get_by_label("Large")).to_be_checked()
    page.wait_for_timeout(1000)
    assert series_of(server, study) == before


def test_a_reload_in_the_middle_goes_on(open_page: Open, server: OrthancServer, slow: str) -> None:
    study = server.get(f"/instances/{slow}/study").json()["ID"]
    before = series_of(server, study)
    page = open_page(url(f"instance={slow}"))
    generate(page, resolution="256")
    page.wait_for_url("**#job=*")
    page.reload()
    result(page)
    assert len(series_of(server, study) - before) == 1


def test_a_reload_of_the_result_loses_nothing(open_page: Open, stored: Stored) -> None:
    page = open_page(url(f"instance={stored.rtstruct}"))
    generate(page, "Ball")
    result(page)
    before = page.inner_text(".page-head"), page.inner_text(".result-text")
    assert "triangles" in before[1]
    assert "Show in Orthanc Explorer" in before[1]
    page.reload()
    result(page)
    expect(page.locator(".page-head")).to_have_text(before[0], use_inner_text=True)
    expect(page.locator(".result-text").first).to_have_text(before[1], use_inner_text=True)


def test_the_back_button_returns_to_the_form_without_old_ticks(open_page: Open, stored: Stored) -> None:
    page = open_page(url(f"instance={stored.rtstruct}"))
    generate(page, "Left")
    result(page)
    page.go_back()
    page.wait_for_selector(".structure")
    expect(page.get_by_label("Resolution")).to_have_value("128")
    old = page.locator(f".structure:has({CHOSEN})")
    expect(old, "it would be merged into the next model").to_have_count(0)
    page.go_forward()
    result(page)
    page.get_by_role("button", name="Generate another one").click()
    page.wait_for_selector(".structure")
    generate(page, "Ball")
    result(page)


def test_two_people_at_once(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    before = series_of(server, stored.study)
    pages = [open_page(url(f"instance={stored.rtstruct}"), person=person) for person in range(2)]
    generate(pages[0], "Ball")
    generate(pages[1], "Left")
    for page in pages:
        result(page)
    assert reddish(pixels(pages[0], "iframe.preview")).sum() > 5000
    assert bluish(pixels(pages[1], "iframe.preview")).sum() > 5000
    new = series_of(server, stored.study) - before
    assert {description(server, series) for series in new} == {"Contours: Ball", "Contours: Left"}


def test_sixty_structures_can_be_searched(open_page: Open, server: OrthancServer) -> None:
    rois = [
        phantoms.ball(
            f"Node {i}", 8, (20 * (i % 8), 20 * (i // 8), 0), 4, interpreted_type="PTV" if i % 20 == 0 else "ORGAN"
        )
        for i in range(1, 61)
    ]
    id = server.upload(phantoms.structure_set(rois, phantoms.Study(seed="sixty")))
    page = open_page(url(f"instance={id}"))
    page.get_by_placeholder("Search a structure").fill("node 1")
    expect(page.locator(".structure:visible")).to_have_count(11)
    page.get_by_role("button", name="All").click()
    page.get_by_placeholder("Search a structure").fill("nothing of that name")
    expect(page.locator("text=No structure has such a name.").first).to_be_visible()
    page.get_by_placeholder("Search a structure").fill("")
    chips = page.locator(".type-chip")
    assert sorted(chips.all_inner_texts()) == ["organ 57", "ptv 3"]
    chips.get_by_text("ptv 3", exact=True).click()
    shown = page.locator(".structure:visible .structure-name").all_inner_texts()
    assert shown == ["Node 20", "Node 40", "Node 60"]
    chips.get_by_text("ptv 3", exact=True).click()
    expect(page.locator(".structure:visible")).to_have_count(60)
    expect(page.locator(".structure-head").first).to_contain_text("11 of 60 chosen", use_inner_text=True)
    page.get_by_role("button", name="All").click()
    page.get_by_text("One model of all").click()
    page.get_by_label("Name of the model").fill("All nodes")
    generate(page)
    result(page)
    instance = page.locator("iframe.preview").get_attribute("src").split("instance=")[1]
    assert server.get(f"/instances/{instance}/stl/info").json()["EulerNumber"] == 120


def test_one_model_for_each_is_stored_together_and_can_be_discarded(
    open_page: Open, server: OrthancServer, stored: Stored
) -> None:
    before = series_of(server, stored.study)
    page = open_page(url(f"instance={stored.rtstruct}"))
    page.wait_for_selector(".structure")
    heights = page.locator(".structures .structure:visible").evaluate_all("(all) => all.map((one) => one.offsetHeight)")
    assert max(heights) <= 31
    expect(page.locator(".cannot summary").first).to_have_text("1 cannot be made", use_inner_text=True)
    page.get_by_text("More options", exact=True).click()
    asked = page.locator(".field:visible")
    helped = asked.locator(".help-text:visible")
    expect(helped, "each option says what it does").to_have_count(asked.count())
    assert asked.count() >= 9
    assert all(len(text) > 20 for text in helped.all_inner_texts())
    assert page.locator("a.look").get_attribute("href").endswith(f"three.html?source={stored.rtstruct}")
    generate(page, "Ball", "Left")
    page.wait_for_selector("text=2 models are ready")
    (new,) = series_of(server, stored.study) - before
    assert len(server.get(f"/series/{new}").json()["Instances"]) == 2
    expect(page.locator(".made .structure-name")).to_have_text(["Ball", "Left"], use_inner_text=True)
    assert page.locator("iframe.preview").get_attribute("src").endswith(f"three.html?series={new}")
    page.frame_locator("iframe.preview").locator("#viewer[data-ready=true]").wait_for()
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as saved:
        page.locator(".download-row", has_text="GLB").click()
    assert Path(saved.value.path()).read_bytes() == server.get(f"/series/{new}/stl/scene.glb").body
    page.get_by_role("button", name="Discard these 2 models").click()
    page.wait_for_selector("text=Discarded. Nothing of it is stored any more.")
    assert series_of(server, stored.study) == before
    expect(page.locator(".chosen-names").first).to_have_text("Chosen: Ball, Left", use_inner_text=True)


def test_made_for_printing_and_the_print_check(open_page: Open, server: OrthancServer) -> None:
    """Of a ball of 20 mm around a hollow of 10 mm (even-odd), beside a ball of 8 mm, the solid large one remains."""
    balls = [phantoms.ball("", radius, (x, 0, 0)) for radius, x in ((20, 0), (10, 0), (8, 60))]
    contours = [contour for ball in balls for contour in ball.contours or ()]
    id = server.upload(phantoms.structure_set([phantoms.Roi("Hollow", contours)], phantoms.Study(seed="printing")))
    page = open_page(url(f"instance={id}"))
    page.get_by_text("Printing", exact=True).click()
    expect(page.get_by_label("Resolution")).to_have_value("512")
    generate(page)
    result(page)
    instance = page.locator("iframe.preview").get_attribute("src").split("instance=")[1]
    facts = server.get(f"/instances/{instance}/stl/info").json()
    assert facts["VolumeMl"] == pytest.approx(4 / 3 * np.pi * 20**3 / 1000, rel=0.02)
    told = {"KeepLargest": "true", "FillCavities": "true", "Tolerance": "0.1"}
    assert facts["Parameters"].items() >= told.items()
    page.get_by_text("Print check", exact=True).click()
    for name, told_of_it in (("Closed", "yes"), ("Pieces", "1")):
        expect(page.locator(".check-table tr", has_text=name).locator("td")).to_have_text(told_of_it)


def test_an_address_that_names_nothing(open_page: Open) -> None:
    page = open_page("/stl/app/generate.html")
    expect(page.locator(".notice").first).to_contain_text("Nothing was chosen", use_inner_text=True)
    page = open_page(url("instance=00000000-00000000-00000000-00000000-00000000"), expected=("404",))
    page.wait_for_selector(".notice.error")
    expect(page.locator(".notice.error").first).to_contain_text("deleted", use_inner_text=True)


def test_a_structure_set_that_was_deleted_meanwhile(open_page: Open, server: OrthancServer) -> None:
    id = server.upload(phantoms.structure_set([phantoms.ball()], phantoms.Study(seed="gone")))
    page = open_page(url(f"instance={id}"), expected=("404",))
    page.wait_for_selector(".structure")
    server.delete(f"/instances/{id}")
    generate(page)
    page.wait_for_selector(".notice.error")
    assert len(page.inner_text(".notice.error p")) > 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phones_width(open_page: Open, stored: Stored, scheme: str) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "color_scheme": scheme}
    page = open_page(url(f"instance={stored.rtstruct}"), **phone)
    generate(page, "Ball")
    result(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_long_names_do_not_lie_over_each_other_on_a_phone(open_page: Open, server: OrthancServer) -> None:
    rois = [
        phantoms.ball(f"Lymph node of the level {number} (left)", 6, (20.0 * number, 0, 0), 3) for number in range(20)
    ]
    source = server.upload(phantoms.structure_set(rois, phantoms.Study(seed="long names")))
    page = open_page(url(f"instance={source}"), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    names = page.locator(".structure-name")
    expect(names).to_have_count(20)
    boxes = [name.bounding_box() for name in names.all()[:6]]
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
