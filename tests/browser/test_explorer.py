"""Orthanc Explorer: each button of ours, clicked through to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from testing import phantoms
from testing.data import shared_file
from testing.server import OrthancServer

from .study import MARKUP, Stored, box, description, pixels, reddish, series_of, stl_of, viewer_ready
from .waiting import expect

sync_api = pytest.importorskip("playwright.sync_api")

Open = Callable[..., Any]


def explorer(page: str, id: str) -> str:
    return f"/app/explorer.html#{page}?uuid={id}"


def opened_series(page: Any, before: set[str], server: OrthancServer, study: str) -> str:
    """The new series, once Orthanc Explorer shows it."""
    page.wait_for_url(lambda url: "#series" in url and not any(id in url for id in before))
    (new,) = series_of(server, study) - before
    assert page.url.endswith(f"#series?uuid={new}")
    return new


@pytest.mark.parametrize("page_name", ["series", "instance"])
def test_generate_ends_in_the_new_series(
    open_page: Open, server: OrthancServer, stored: Stored, page_name: str
) -> None:
    before = series_of(server, stored.study)
    page = open_page(explorer(page_name, stored.rtstruct_series if page_name == "series" else stored.rtstruct))
    page.click(f"#stl-generate-rtstruct-{page_name}")
    page.get_by_label("Ball").check()
    page.get_by_label("Left").check()
    page.get_by_text("One model of all").click()
    page.get_by_text("Printing", exact=True).click()
    expect(page.get_by_label("Main piece only")).to_be_checked()
    page.get_by_label("Main piece only").uncheck()  # two structures are two pieces
    page.get_by_label("Resolution").select_option("128")
    page.get_by_label("Smooth volume").uncheck()
    page.get_by_role("button", name="Generate", exact=True).click()
    new = opened_series(page, before, server, stored.study)
    assert description(server, new) == "Contours: Ball, Left"
    instance = server.get(f"/series/{new}").json()["Instances"][0]
    parameters = server.get(f"/instances/{instance}/stl/info").json()["Parameters"]
    chosen = {"Resolution": "128", "Smooth": "false", "EndCaps": "true", "FillCavities": "true", "Tolerance": "0.1"}
    assert parameters.items() >= chosen.items()
    assert "KeepLargest" not in parameters
    page.wait_for_selector("#stl-viewer-series")


def test_a_dialog_that_is_closed_stops_its_work_and_leads_nowhere(open_page: Open, server: OrthancServer) -> None:
    study = phantoms.Study(seed="closed dialog")
    large = phantoms.cylinder("Large", 150, range(-150, 151, 2))
    instance = server.upload(phantoms.structure_set([large], study))
    page = open_page(explorer("instance", instance))
    page.click("#stl-generate-rtstruct-instance")
    page.get_by_label("Resolution").select_option("512")
    page.get_by_role("button", name="Generate", exact=True).click()
    page.wait_for_selector("progress[value]")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".stl-dialog")).to_have_count(0)
    page.wait_for_timeout(3000)
    assert page.url.endswith(f"#instance?uuid={instance}")
    assert len(series_of(server, server.get(f"/instances/{instance}/study").json()["ID"])) == 1


def test_the_back_button_closes_the_dialog(open_page: Open, stored: Stored) -> None:
    """Its cross has not the focus."""
    page = open_page(explorer("series", stored.rtstruct_series))
    page.wait_for_selector("#stl-generate-rtstruct-series")
    page.evaluate(f"location.hash = '#instance?uuid={stored.rtstruct}'")
    page.click("#stl-generate-rtstruct-instance")
    page.wait_for_selector(".structure")
    focused = page.evaluate("document.querySelector('.stl-dialog').shadowRoot.activeElement.className")
    assert focused != "dialog-close", "Return would close what was just opened"
    page.go_back()
    page.wait_for_selector("#stl-generate-rtstruct-series")
    expect(page.locator(".stl-dialog")).to_have_count(0)


def test_structures_have_their_colours_and_the_unusable_one_its_reason(open_page: Open, stored: Stored) -> None:
    page = open_page(explorer("instance", stored.rtstruct))
    page.click("#stl-generate-rtstruct-instance")
    page.wait_for_selector(".structure")
    expect(page.locator(".structure-name")).to_have_text(["Ball", "Left", MARKUP, "Marker"])
    swatch = page.locator(".swatch").first
    assert swatch.evaluate("(element) => getComputedStyle(element).backgroundColor") == "rgb(200, 60, 60)"
    page.get_by_text("1 cannot be made").click()
    marker = page.locator(".structure", has_text="Marker")
    expect(marker.get_by_role("checkbox")).to_be_disabled()
    expect(marker).to_contain_text("no closed contours, only 1 POINT", use_inner_text=True)
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_disabled()
    page.get_by_role("button", name="All").click()
    expect(page.locator(".structure-head").first).to_contain_text("3 of 3 chosen", use_inner_text=True)


@pytest.mark.parametrize("choice", ["Basic viewer built using Three.js", "Online3DViewer"])
def test_stl_viewer_opens_the_chosen_viewer(open_page: Open, stored: Stored, choice: str) -> None:
    page = open_page(explorer("series", stored.model_series))
    page.click("#stl-viewer-series")
    with page.expect_popup() as popup:
        page.get_by_role("link", name=choice).click()
    viewer = viewer_ready(popup.value)
    assert ("o3dv.html" if choice == "Online3DViewer" else "three.html") in viewer.url
    assert reddish(pixels(viewer)).sum() > 5000


def test_the_instance_page_has_the_viewer_too(open_page: Open, stored: Stored) -> None:
    page = open_page(explorer("instance", stored.model))
    expect(page.locator("#stl-viewer-instance")).to_have_text("STL viewer")


def test_a_series_of_images_has_no_button_of_ours(open_page: Open, stored: Stored) -> None:
    page = open_page(explorer("series", stored.rtstruct_series))
    page.wait_for_selector("#stl-generate-rtstruct-series")
    page.goto(page.url.split("#")[0] + f"#study?uuid={stored.study}")
    page.wait_for_selector("#stl-attach-instance")
    page.goto(page.url.split("#")[0] + f"#series?uuid={stored.ct_series}")
    page.wait_for_selector("#stl-generate-rtstruct-series", state="detached")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#series [id^=stl-]")).to_have_count(0)


def test_attach_stl_ends_in_the_new_series(
    open_page: Open, server: OrthancServer, stored: Stored, tmp_path: Path
) -> None:
    before = series_of(server, stored.study)
    data = stl_of(box(20.0))
    (tmp_path / "cube.stl").write_bytes(data)
    page = open_page(explorer("study", stored.study))
    page.click("#stl-attach-instance")
    page.set_input_files("dialog input[type=file]", tmp_path / "cube.stl")
    expect(page.get_by_label("Series description")).to_have_value("cube")
    page.get_by_role("button", name="Import").click()
    new = opened_series(page, before, server, stored.study)
    assert description(server, new) == "cube"
    instance = server.get(f"/series/{new}").json()["Instances"][0]
    assert server.get(f"/instances/{instance}/stl").body == data


def test_attach_nifti_ends_in_the_new_series(
    open_page: Open, server: OrthancServer, stored: Stored, tmp_path: Path
) -> None:
    before = series_of(server, stored.study)
    mask = np.zeros((24, 24, 24), np.uint8)
    mask[6:18, 6:18, 6:18] = 1
    mask[2:4, 2:4, 2:4] = 2
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), tmp_path / "mask.nii.gz")
    page = open_page(explorer("study", stored.study))
    page.click("#stl-attach-nifti")
    page.set_input_files("dialog input[type=file]", tmp_path / "mask.nii.gz")
    page.get_by_label("Resolution").select_option("128")
    expect(page.locator(".structure-name")).to_have_text(["label 1", "label 2"], use_inner_text=True)
    expect(page.get_by_label("Threshold")).to_have_value("")
    expect(page.get_by_label("Name of the model"), "of each its own").to_be_hidden()
    page.get_by_label("label 2").uncheck()
    page.get_by_label("Name of the model").fill("Left kidney")
    page.get_by_label("Colour").fill("#20a040")
    page.get_by_role("button", name="Generate", exact=True).click()
    new = opened_series(page, before, server, stored.study)
    instance = server.get(f"/series/{new}").json()["Instances"][0]
    info = server.get(f"/instances/{instance}/stl/info").json()
    assert info["VolumeMl"] == pytest.approx(12**3 / 1000, rel=0.15)
    assert info["Description"] == "Left kidney"
    assert info["Color"] == pytest.approx([0x20, 0xA0, 0x40], abs=1)
    assert description(server, new) == "mask"


def test_attach_nexus_ends_in_the_new_series(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    before = series_of(server, stored.study)
    model = shared_file("nexus/box12.nxz")
    page = open_page(explorer("study", stored.study))
    page.click("#stl-attach-nexus")
    page.set_input_files("dialog input[type=file]", model)
    expect(page.get_by_label("Series description")).to_have_value("box12")
    page.get_by_role("button", name="Import").click()
    new = opened_series(page, before, server, stored.study)
    instance = server.get(f"/series/{new}").json()["Instances"][0]
    assert server.get(f"/instances/{instance}/nexus").body == model.read_bytes()
    page.click("#stl-nexus-series")
    links = [link.get_attribute("href").removeprefix(server.url) for link in page.locator(".choice").all()]
    viewer = f"/stl/nexus/threejs.html?model=../../instances/{instance}/nexus"
    assert links == [viewer, f"/stl/3dhop/3DHOP_all_tools.html?instance={instance}"]


@pytest.mark.parametrize(
    ("button", "name", "data", "words"),
    [
        pytest.param("stl-attach-instance", "photo.png", b"\x89PNG" * 200, "not an STL file", id="png as stl"),
        pytest.param("stl-attach-instance", "cut.stl", stl_of(box())[:500], "is damaged", id="cut stl"),
        pytest.param("stl-attach-instance", "none.stl", stl_of(np.zeros((0, 3, 3))), "no triangle", id="empty stl"),
        pytest.param("stl-attach-nifti", "photo.png", b"\x89PNG" * 200, "NIfTI", id="png as nifti"),
        pytest.param("stl-attach-nexus", "photo.png", b"\x89PNG" * 200, "not a Nexus model", id="png as nexus"),
    ],
)
def test_a_wrong_file_is_refused_before_any_upload(
    open_page: Open, stored: Stored, tmp_path: Path, button: str, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    page = open_page(explorer("study", stored.study))
    page.click(f"#{button}")
    page.set_input_files("dialog input[type=file]", tmp_path / name)
    page.wait_for_selector(".notice.error")
    expect(page.locator(".notice.error").first).to_contain_text(words, use_inner_text=True)
    expect(page.locator("dialog button[type=submit]")).to_be_disabled()


def test_the_servers_own_sentence_is_shown(open_page: Open, stored: Stored, tmp_path: Path) -> None:
    """A truncated gzip stream begins like a NIfTI file may, so only the server finds out."""
    (tmp_path / "broken.nii.gz").write_bytes(b"\x1f\x8b\x08" + bytes(50))
    refused = "status of 400"  # the browser's own line about the answer
    page = open_page(explorer("study", stored.study), expected=(refused,))
    page.click("#stl-attach-nifti")
    page.set_input_files("dialog input[type=file]", tmp_path / "broken.nii.gz")
    page.wait_for_selector(".notice.error")
    expect(page.locator(".notice.error").first).to_contain_text("This file cannot be used", use_inner_text=True)
    words = page.inner_text(".notice.error p")
    assert words[0].isupper()
    assert words.endswith(".")
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_disabled()
