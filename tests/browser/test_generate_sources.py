"""generate.html: what it takes besides a structure set, and what it says where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testing import phantoms
from testing.data import shared_file
from testing.nifti_phantoms import folder_of_masks
from testing.server import OrthancServer

from .generate_page import generate, result, url
from .study import Stored, series_of
from .waiting import expect

Open = Callable[..., Any]


def test_images_become_a_model_by_a_threshold(open_page: Open, server: OrthancServer) -> None:
    images = phantoms.ct_slices(phantoms.Study(seed="threshold"), planes=range(0, 30, 3))
    uploaded = [server.upload(image) for image in images]
    series = server.get(f"/instances/{uploaded[0]}").json()["ParentSeries"]
    page = open_page(url(f"series={series}"))
    page.wait_for_selector(".structure")
    expect(page.locator(".structure-name")).to_have_text(["Bone", "Skin", "Lungs"], use_inner_text=True)
    page.get_by_label("Threshold").fill("-100")
    generate(page)
    result(page)
    expect(page.locator(".result .notice").first).to_contain_text("The shape was changed", use_inner_text=True)


def test_label_maps_can_be_chosen_instead(
    open_page: Open, server: OrthancServer, stored: Stored, tmp_path: Path
) -> None:
    """The 117 files of a folder of TotalSegmentator become a structure each; "back" leads to what the study has."""
    files = folder_of_masks()
    for name, (data, _) in files.items():
        (tmp_path / name).write_bytes(data)
    before = series_of(server, stored.study)
    page = open_page(url(f"instance={stored.rtstruct}"))
    page.set_input_files("input[type=file]", [tmp_path / name for name in files])
    page.wait_for_selector("text=117 of 117 chosen")
    expect(page.locator(".structure-name").first).to_have_text("part_1", use_inner_text=True)
    page.go_back()
    page.wait_for_selector("text=Or of files")
    expect(page.locator(".structure-name").first).to_have_text("Ball", use_inner_text=True)
    page.go_forward()
    page.wait_for_selector("text=117 of 117 chosen")
    page.get_by_role("button", name="None").click()
    generate(page, "part_39", "part_117")
    page.wait_for_selector("text=2 models are ready")
    (new,) = series_of(server, stored.study) - before
    expect(page.locator(".made .structure-name")).to_have_text(["part_39", "part_117"], use_inner_text=True)
    assert len(server.get(f"/series/{new}").json()["Instances"]) == 2
    page.get_by_role("button", name="Generate another one").click()
    page.set_input_files("input[type=file]", tmp_path / "part_117.nii.gz")
    page.wait_for_selector("text=part_117.nii.gz")
    expect(page.get_by_label("Series description")).to_have_value("part_117")
    page.reload()
    page.wait_for_selector("text=Or of files")


def test_a_study_of_nothing_but_images_takes_files(open_page: Open, server: OrthancServer) -> None:
    image = server.upload(phantoms.ct_slices(phantoms.Study(seed="files"), planes=(0,))[0])
    study = server.get(f"/instances/{image}/study").json()["ID"]
    page = open_page(url(f"study={study}"))
    page.set_input_files("input[type=file]", shared_file("segnrrd/Segmentation.seg.nrrd"))
    page.wait_for_selector(".structure")
    expect(page.locator(".structure-name").first).to_have_text("ribs", use_inner_text=True)


@pytest.mark.parametrize("level", ["series", "instance"])
def test_says_kindly_what_it_needs_and_where_it_is(
    open_page: Open, server: OrthancServer, stored: Stored, level: str
) -> None:
    id = stored.ct_series if level == "series" else server.get(f"/series/{stored.ct_series}").json()["Instances"][0]
    page = open_page(url(f"{level}={id}"))
    page.wait_for_selector(".choice")
    expect(page.locator(".notice").first).to_contain_text("modality CT", use_inner_text=True)
    page.click(".choice")
    page.wait_for_selector(".structure")


def test_a_study_without_structure_set(open_page: Open, server: OrthancServer) -> None:
    image = server.upload(phantoms.ct_slices(phantoms.Study(seed="bare"), planes=(0,))[0])
    study = server.get(f"/instances/{image}/study").json()["ID"]
    page = open_page(url(f"study={study}"))
    page.wait_for_selector(".notice")
    expect(page.locator(".notice").first).to_contain_text("no structure set in this study", use_inner_text=True)
