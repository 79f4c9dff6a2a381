"""compare.html: two sets of structures side by side, as a table and in colors."""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from testing import phantoms
from testing.server import OrthancServer

from .study import bluish, pixels, reddish
from .waiting import eventually, expect

Open = Callable[..., Any]
AXE = Path(os.environ.get("ORTHANC_STL_JS_TOOLS", "none")) / "axe-core/axe.min.js"
LARGE, SMALL, FAR = (10.0, -15.0, 30.0), (28.0, -15.0, 30.0), (10.0, 80.0, 30.0)


@dataclass(frozen=True)
class Two:
    """Orthanc's ids of two structure sets of one study, of a series of models of the second one, and of the study."""

    a: str
    b: str
    models: str
    study: str


def another(structure_set: bytes) -> bytes:
    """The same with UIDs of its own: phantoms.structure_set gives one for each study."""
    ds = dcmread(io.BytesIO(structure_set))
    ds.SeriesInstanceUID, ds.SOPInstanceUID = generate_uid(), generate_uid()
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.fixture(scope="module")
def two(server: OrthancServer) -> Two:
    study = phantoms.Study(seed="compare", patient_name="Doe^Jane")
    one = [phantoms.ball("Ball", 20, LARGE), phantoms.ball("Other", 15, FAR), phantoms.ball("=Only", 6, SMALL)]
    marker = phantoms.Roi("Marker", [phantoms.Contour(np.array([[1.0, 2.0, 3.0]]), kind="POINT")])
    a = server.upload(phantoms.structure_set([*one, marker], study, series_description="First"))
    balls = [phantoms.ball("Ball", 12, SMALL), phantoms.ball("OTHER", 15, FAR)]
    b = server.upload(another(phantoms.structure_set(balls, study, series_description="Second")))
    made = server.post("/stl/encode", {"Instance": b, "All": True, "Separate": True, "Resolution": 64}).json()
    return Two(a, b, made["ParentSeries"], made["ParentStudy"])


def compared(page: Any) -> Any:
    page.wait_for_selector(".pairs")
    return page


def rows(page: Any) -> list[list[str]]:
    return [row.locator("th, td").all_inner_texts() for row in page.locator(".pairs tbody tr").all()]


def test_from_the_study_to_the_table(open_page: Open, two: Two) -> None:
    page = open_page(f"/stl/app/compare.html?study={two.study}")
    page.wait_for_selector("select")
    expect(page.locator(".page-head .about").first).to_contain_text("Doe, Jane", use_inner_text=True)
    labels = [option.split(" · ")[0] for option in page.locator("select").first.locator("option").all_inner_texts()]
    assert len(labels) == 3
    assert {"First", "Second"} < set(labels)
    page.locator("select").nth(0).select_option(two.a)
    page.locator("select").nth(1).select_option(two.b)
    page.get_by_label("Resolution").select_option("128")
    page.get_by_role("button", name="Compare").click()
    compared(page)
    (ball, other) = rows(page)
    assert (ball[0].strip(), other[0].strip()) == ("Ball", "Other – OTHER")
    assert float(ball[1]) == pytest.approx(0.17965, abs=0.004)
    assert float(ball[2]) == pytest.approx(33.51, rel=0.01)
    assert float(ball[7]) == pytest.approx(26, abs=0.4)
    assert float(other[1]) == pytest.approx(1, abs=0.01)
    assert float(other[6]) < 0.6
    said = page.inner_text(".comparison")
    assert "=Only" in said.split("Only in A")[1]
    assert "Marker" in said.split("Cannot be meshed in A")[1]
    assert "was compared with" in said.split("Things to know")[1]
    page.get_by_role("button", name="Dice").click()
    assert [row[0].strip() for row in rows(page)] == ["Ball", "Other – OTHER"]
    page.get_by_role("button", name="Volume of A").click()
    page.get_by_role("button", name="Volume of A").click()
    expect(page.locator("[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    assert [row[0].strip() for row in rows(page)] == ["Other – OTHER", "Ball"]
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    header, *lines = csv.reader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig")))
    assert header[:3] == ["A", "B", "Dice"]
    names = ["Other", "OTHER"], ["Ball", "Ball"], ["'=Only", ""], ["Marker", ""], ["", ""]
    assert tuple(line[:2] for line in lines) == names
    assert "was compared with" in lines[-1][-1]
    page.reload()
    compared(page)
    assert rows(page)[0] == ball
    expect(page.get_by_label("Resolution")).to_have_value("128")


def test_a_row_shows_where_the_two_differ_in_color_and_on_a_scale(open_page: Open, two: Two) -> None:
    """The large ball: what the small one takes of it lies inside (blue), its far side is 26 mm from it (red)."""
    page = compared(open_page(f"/stl/app/compare.html?a={two.a}&b={two.b}"))
    page.get_by_role("button", name="Ball", exact=True).click()
    frame = page.frame_locator("iframe.preview")
    frame.locator(".distance-scale:not([hidden])").wait_for()
    expect(frame.locator(".scale-title")).to_contain_text("Distance to Ball", use_inner_text=True)
    end = float(frame.locator(".distance-scale input").input_value())
    assert end == pytest.approx(26, abs=0.4)
    src = page.locator("iframe.preview").get_attribute("src")
    viewer = open_page(src.split(src.split("/stl/")[0])[1])
    viewer.wait_for_selector(".distance-scale:not([hidden])")
    viewer.evaluate("viewer.loaded")
    viewer.evaluate("viewer.setPart('b', { visible: false })")
    # The scale has the colors, too.
    viewer.evaluate("document.querySelector('.distance-scale').style.opacity = 0")
    seen = pixels(viewer, ".view-3d canvas")
    red, blue = reddish(seen), bluish(seen)
    assert red.sum() > 2000
    # The patient's left is on the right of the picture, and there lies the small ball.
    assert np.nonzero(red)[1].mean() < seen.shape[1] / 2
    assert (np.nonzero(blue)[1] > seen.shape[1] / 2).all()
    assert blue.sum() < red.sum() / 10
    viewer.locator(".distance-scale input").fill("4")
    viewer.locator(".distance-scale input").press("Enter")
    stronger = pixels(viewer, ".view-3d canvas")
    assert bluish(stronger).sum() > 1000
    expect(viewer.locator(".scale-marks span")).to_have_text(
        [
            "+4.00 mm",
            "+2.00 mm",
            "0.00 mm",
            "−2.00 mm",
            "−4.00 mm",
        ],
        use_inner_text=True,
    )
    viewer.click("#tool-keep")
    chips = viewer.locator(".keep-body .chip")
    eventually(viewer, lambda: sorted(chips.all_inner_texts()), lambda shown: shown == ["glb", "ply"])
    with viewer.expect_download() as saved:
        viewer.locator(".keep-body .chip", has_text="glb").click()
    assert b"_DISTANCE" in Path(saved.value.path()).read_bytes()[:4000]
    at = viewer.evaluate("viewer.project([10, -35, 30])")  # the front of the large ball
    box = viewer.locator(".view-3d canvas").bounding_box()
    steps = itertools.cycle((0, 1))

    def under_the_pointer() -> str:
        viewer.mouse.move(box["x"] + at["x"] + next(steps), box["y"] + at["y"])
        return str(viewer.inner_text(".scale-value"))

    told = eventually(viewer, under_the_pointer, bool)  # the search tree comes after the surface
    assert float(told.split()[0]) == pytest.approx((18**2 + 20**2) ** 0.5 - 12, abs=0.7)


def test_models_of_a_series_are_compared_and_shown(open_page: Open, two: Two) -> None:
    page = compared(open_page(f"/stl/app/compare.html?a=series/{two.models}&b={two.a}"))
    assert [row[0].strip() for row in rows(page)] == ["Ball", "OTHER – Other"]
    page.get_by_role("button", name="OTHER").click()
    frame = page.frame_locator("iframe.preview")
    frame.locator(".distance-scale:not([hidden])").wait_for()
    assert float(frame.locator(".distance-scale input").input_value()) < 1.5
    expect(frame.locator(".part-text")).to_have_text(["OTHER", "Other"], use_inner_text=True)


def test_cancel(open_page: Open, server: OrthancServer) -> None:
    large = phantoms.structure_set([phantoms.cylinder("Large", 150, range(-150, 151, 2))], phantoms.Study(seed="long"))
    a, b = server.upload(large), server.upload(another(large))
    page = open_page(f"/stl/app/compare.html?a={a}&b={b}")
    page.wait_for_selector("progress[value]")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("text=Cancelled.")
    expect(page.get_by_role("button", name="Compare")).to_be_visible()


def test_what_cannot_be_compared_is_said(open_page: Open, server: OrthancServer, two: Two) -> None:
    elsewhere = server.upload(phantoms.structure_set([phantoms.ball("Ball", 20)], phantoms.Study(seed="elsewhere")))
    page = open_page(f"/stl/app/compare.html?a={two.a}&b={elsewhere}")
    page.wait_for_selector("text=A and B lie in different frames of reference")
    ball = [phantoms.ball("Ball", 20, frame="")]
    nowhere = server.upload(phantoms.structure_set(ball, phantoms.Study("nowhere"), frames=None))
    unsure = compared(open_page(f"/stl/app/compare.html?a={nowhere}&b={elsewhere}"))
    sentence = "A names no frame of reference: it was assumed that A and B lie in the same one"
    assert sentence in unsure.inner_text(".comparison").split("Things to know")[1]
    unsure.get_by_role("button", name="Ball", exact=True).click()
    src = unsure.locator("iframe.preview").get_attribute("src")
    viewer = open_page(src.split(src.split("/stl/")[0])[1])
    viewer.locator(".warnings-button").click()
    expect(viewer.locator("dialog.warnings")).to_contain_text(sentence, use_inner_text=True)
    alone = open_page(f"/stl/app/compare.html?a={elsewhere}")
    alone.wait_for_selector("text=There is nothing to compare with")
    nothing = open_page("/stl/app/compare.html")
    nothing.wait_for_selector("text=Nothing was chosen")
    unknown = open_page(f"/stl/app/compare.html?a={'0' * 8}-{'0' * 8}-{'0' * 8}-{'0' * 8}-{'0' * 8}", expected=("404",))
    unknown.wait_for_selector("text=These cannot be compared")


def test_in_german_and_on_a_phone(open_page: Open, two: Two) -> None:
    page = compared(
        open_page(f"/stl/app/compare.html?a={two.a}&b={two.b}&lang=de", viewport={"width": 390, "height": 800})
    )
    expect(page.locator("h1").first).to_have_text("Strukturen vergleichen", use_inner_text=True)
    expect(page.locator(".comparison h2").first).to_have_text("2 Strukturen verglichen", use_inner_text=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Ball", exact=True).click()
    frame = page.frame_locator("iframe.preview")
    frame.locator(".distance-scale:not([hidden])").wait_for()
    expect(frame.locator(".scale-title")).to_have_text("Abstand zu Ball", use_inner_text=True)


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not among the JavaScript tools")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Open, two: Two, scheme: str) -> None:
    page = compared(open_page(f"/stl/app/compare.html?a={two.a}&b={two.b}", color_scheme=scheme))
    page.get_by_role("button", name="Ball", exact=True).click()
    page.frame_locator("iframe.preview").locator(".distance-scale:not([hidden])").wait_for()
    for frame in page.frames:
        frame.evaluate(AXE.read_text())
        found = frame.evaluate("axe.run(document, { iframes: false, resultTypes: ['violations'] })")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
