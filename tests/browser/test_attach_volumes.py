"""attach.html with volumes: label maps, masks, and grey values whose threshold is seen before anything is made."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from testing.data import shared_file
from testing.server import OrthancServer

from .study import Stored
from .waiting import eventually, expect

Open = Callable[..., Any]
# How many pixels of a canvas are more red than blue, as what is inside is.
TINTED = """(canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, i) => i % 4 === 0 && value > data[i + 2] + 20).length;
}"""


@pytest.fixture
def attach_page(open_page: Open, stored: Stored) -> Any:
    return open_page(f"/stl/app/attach.html?study={stored.study}")


def test_several_masks_are_a_structure_each(attach_page: Any, server: OrthancServer, tmp_path: Path) -> None:
    for place, name in enumerate(("spleen 2", "liver", "spleen 10")):
        mask = np.zeros((20, 20, 20), np.uint8)
        mask[5:15, 5:15, 2 + place : 12] = 1
        nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), tmp_path / f"{name}.nii.gz")
    attach_page.set_input_files("input[type=file]", sorted(tmp_path.glob("*.nii.gz")))
    attach_page.wait_for_selector(".structure")
    expect(attach_page.locator(".structure-name")).to_have_text(["liver", "spleen 2", "spleen 10"], use_inner_text=True)
    expect(attach_page.locator(".drop-text strong")).to_have_text("3 files", use_inner_text=True)
    attach_page.get_by_role("button", name="Generate", exact=True).click()
    attach_page.wait_for_selector("text=3 models are ready")
    (tmp_path / "notes.txt").write_text("not a model")
    attach_page.get_by_role("button", name="Attach another one").click()
    attach_page.set_input_files("input[type=file]", [tmp_path / "liver.nii.gz", tmp_path / "notes.txt"])
    attach_page.wait_for_selector("text=“notes.txt” is nothing that can become a model here")


def test_nifti_for_printing_ends_in_the_preview(attach_page: Any, server: OrthancServer) -> None:
    attach_page.set_input_files("input[type=file]", shared_file("nifti/med-imagetools/star_mask.nii.gz"))
    attach_page.get_by_text("Printing", exact=True).click()
    attach_page.get_by_role("button", name="Generate", exact=True).click()
    attach_page.wait_for_selector("text=The model is ready")
    attach_page.frame_locator("iframe.preview").locator("#viewer[data-ready=true]").wait_for()
    instance = attach_page.locator("iframe.preview").get_attribute("src").split("instance=")[1]
    parameters = server.get(f"/instances/{instance}/stl/info").json()["Parameters"]
    printable = {"Resolution": "512", "KeepLargest": "true", "FillCavities": "true", "Tolerance": "0.1"}
    assert parameters.items() >= printable.items()
    attach_page.get_by_text("Print check", exact=True).click()
    row = attach_page.locator(".check-table tr", has_text="Closed").locator("td")
    expect(row).to_have_text("yes", use_inner_text=True)


def inside(said: str) -> float | None:
    """mL, once that was counted."""
    shown = re.fullmatch(r"Inside: about ([\d.]+) mL[.]", said)
    return float(shown[1]) if shown else None


def test_a_threshold_is_seen_before_anything_is_made(attach_page: Any, tmp_path: Path) -> None:
    """Of a volume that grows brighter towards its middle: what has 70 or more is a ball of 15 mm."""
    values = 100 - 2 * np.linalg.norm(np.mgrid[-20:21, -20:21, -20:21], axis=0)
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), np.eye(4)), tmp_path / "grey.nii.gz")
    attach_page.set_input_files("input[type=file]", tmp_path / "grey.nii.gz")
    attach_page.get_by_role("button", name="See what is inside", exact=True).click()
    said = attach_page.locator(".threshold-preview [role=status]")
    said.wait_for()
    expect(attach_page.locator(".structure-note").first).to_have_text("values 30.72 to 100", use_inner_text=True)
    expect(attach_page.locator(".threshold-views figcaption")).to_have_text(
        [
            "From below",
            "From the front",
            "From the left",
        ],
        use_inner_text=True,
    )
    threshold = attach_page.get_by_role("spinbutton", name="Threshold", exact=True)
    for value, radius in ((70, 15), (80, 10)):
        if radius == 15:
            threshold.fill(str(value))
        else:
            attach_page.get_by_role("slider", name="Threshold", exact=True).fill(str(value))
        ball = 4 / 3 * np.pi * radius**3 / 1000
        wanted = pytest.approx(ball, rel=0.05)
        eventually(attach_page, lambda: inside(said.inner_text()), wanted.__eq__)
        assert float(threshold.input_value()) == pytest.approx(value, rel=0.002)
        area = pytest.approx(np.pi * radius**2, rel=0.05)
        for canvas in attach_page.locator(".threshold-views canvas").all():
            eventually(attach_page, partial(canvas.evaluate, TINTED), area.__eq__)
    threshold.fill("101")
    expect(said).to_have_text("Nothing is inside.", use_inner_text=True)


def test_a_reload_in_the_middle_of_a_nifti_volume_goes_on(attach_page: Any, tmp_path: Path) -> None:
    grid = np.mgrid[-60:60, -60:60, -60:60]
    mask = (np.linalg.norm(grid, axis=0) < 50).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), tmp_path / "ball.nii.gz")
    attach_page.set_input_files("input[type=file]", tmp_path / "ball.nii.gz")
    attach_page.get_by_label("Resolution").select_option("512")
    attach_page.get_by_role("button", name="Generate", exact=True).click()
    attach_page.wait_for_url("**#job=*")
    attach_page.reload()
    attach_page.wait_for_selector("text=The model is ready")
    expect(attach_page.locator(".result-text").first).to_contain_text("mL", use_inner_text=True)
