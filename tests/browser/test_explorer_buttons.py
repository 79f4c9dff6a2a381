"""Orthanc Explorer: which buttons a study and a series have, and where they lead."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from testing import phantoms
from testing.image_phantoms import enhanced, nuclear, single_frame
from testing.server import OrthancServer
from tests.sources import test_mutants as mutants
from tests.sources.test_places import IN_EXPLORER

from .study import Stored
from .waiting import expect

sync_api = pytest.importorskip("playwright.sync_api")

Open = Callable[..., Any]


def explorer(page: str, id: str) -> str:
    return f"/app/explorer.html#{page}?uuid={id}"


def test_without_the_options_only_stl(open_page: Open, stored: Stored, server: OrthancServer) -> None:
    page = open_page(explorer("study", stored.study))
    page.wait_for_selector("#stl-attach-instance")
    shown = [
        page.inner_text(f"#{id}").strip() for id in ("stl-attach-instance", "stl-attach-nifti", "stl-attach-nexus")
    ]
    assert shown == ["Attach STL model", "Attach NIfTI 3D model", "Attach Nexus model"]
    page.route(
        "**/plugins/explorer.js",
        lambda route: route.fulfill(
            body=route.fetch()
            .text()
            .replace('"EnableNIfTI": true', '"EnableNIfTI": false')
            .replace('"EnableNexus": true', '"EnableNexus": false')
        ),
    )
    page.reload()
    page.wait_for_selector("#stl-attach-instance")
    expect(page.locator("#stl-attach-nifti, #stl-attach-nexus")).to_have_count(0)


def test_the_study_leads_to_viewer_and_generator(open_page: Open, stored: Stored) -> None:
    page = open_page(explorer("study", stored.study))
    study, source = f"study={stored.study}", f"instance={stored.rtstruct}"
    for button, addresses in (
        ("viewer", (f"three.html?{study}",)),
        ("generate", (f"generate.html?{study}", f"generate.html?{source}")),  # it goes on to the only source
    ):
        with page.context.expect_page() as opened:
            page.click(f"#stl-{button}-study")
        assert opened.value.url.endswith(tuple(f"/stl/app/{address}" for address in addresses))
        opened.value.close()


def test_the_models_of_a_study_are_downloaded_together(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    model = pydicom.dcmread(BytesIO(server.get(f"/instances/{stored.model}/file").body))
    model.StudyInstanceUID = model.SeriesInstanceUID = pydicom.uid.generate_uid()
    model.SOPInstanceUID = model.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    model.save_as(buffer := BytesIO())
    study = server.get(f"/instances/{server.upload(buffer.getvalue())}/study").json()["ID"]
    page = open_page(explorer("study", study))
    page.click("#stl-download-study")
    with page.expect_download() as saved:
        page.locator(".download-row", has_text="GLB").click()
    assert saved.value.suggested_filename == "models.glb"
    assert saved.value.path().read_bytes() == server.get(f"/studies/{study}/stl/scene.glb").body
    server.delete(f"/studies/{study}")


def test_two_sources_of_a_study_lead_to_the_comparison(open_page: Open, server: OrthancServer) -> None:
    """With one source there is nothing to compare, and no button."""
    study = phantoms.Study(seed="compared from the study")
    file = phantoms.structure_set([phantoms.ball("Ball", 10)], study)
    id = server.get(f"/instances/{server.upload(file)}/study").json()["ID"]
    page = open_page(explorer("study", id))
    page.wait_for_selector("#stl-generate-study")
    expect(page.locator("#stl-compare-study")).to_have_count(0)
    other = pydicom.dcmread(BytesIO(file))
    other.SeriesInstanceUID = pydicom.uid.generate_uid()
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    other.save_as(buffer := BytesIO())
    server.upload(buffer.getvalue())
    page.reload()
    with page.context.expect_page() as opened:
        page.click("#stl-compare-study")
    assert opened.value.url.endswith(f"/stl/app/compare.html?study={id}")
    opened.value.wait_for_selector("select")
    expect(opened.value.locator("select").first.locator("option")).to_have_count(2)
    opened.value.close()
    server.delete(f"/studies/{id}")


def test_a_series_of_several_models_has_its_viewer(open_page: Open, server: OrthancServer, stored: Stored) -> None:
    order = {"Instance": stored.rtstruct, "All": True, "Separate": True, "Resolution": 64}
    series = server.post("/stl/encode", order).json()["ParentSeries"]
    page = open_page(explorer("series", series))
    with page.context.expect_page() as opened:
        page.click("#stl-viewer-series")
    assert opened.value.url.endswith(f"/stl/app/three.html?series={series}")
    opened.value.close()
    models = server.get(f"/series/{series}").json()["Instances"]
    rows = page.locator("#series a", has=page.locator("img.stl-picture"))
    rows.nth(len(models) - 1).wait_for()
    for row in rows.all():
        instance = str(row.get_attribute("href")).split("uuid=")[1]
        name = server.get(f"/instances/{instance}/content/0070-0081").body.decode().strip()
        expect(row.locator(".stl-name")).to_have_text(f": {name}", use_inner_text=True)
        assert row.locator("img").evaluate("image => image.naturalWidth") == 128
    page.click("#stl-download-series")
    with page.expect_download() as saved:
        page.locator(".download-row", has_text="3MF").click()
    assert saved.value.suggested_filename.endswith(".3mf")
    assert Path(saved.value.path()).read_bytes() == server.get(f"/series/{series}/stl/scene.3mf").body
    server.delete(f"/series/{series}")


@pytest.mark.slow
def test_every_source_has_its_button_that_leads_to_its_structures(open_page: Open, server: OrthancServer) -> None:
    for name in IN_EXPLORER:
        instance = server.upload(mutants.FILES[name][1]())
        series = server.get(f"/instances/{instance}").json()["ParentSeries"]
        page = open_page(explorer("series", series))
        if name.startswith("encapsulated"):  # has a page of its own
            with page.context.expect_page() as opened:
                page.click("#stl-generate-rtstruct-series")
            opened.value.wait_for_selector(".structure-name")
            opened.value.close()
        else:
            page.click("#stl-generate-rtstruct-series")
            page.wait_for_selector(".structure-name")
        server.delete(f"/series/{series}")
        page.close()


@pytest.mark.slow
def test_images_of_every_kind_have_the_button(open_page: Open, server: OrthancServer) -> None:
    """Several instances, or one of several frames."""
    ramp = np.arange(3 * 8 * 8, dtype=np.uint16).reshape(3, 8, 8)
    places = [(0, 0, 2 * z) for z in range(3)]
    kinds = {
        modality: [single_frame(one, at, n, seed=modality, Modality=modality)
                   for n, (one, at) in enumerate(zip(ramp, places, strict=True))]
        for modality in ("CT", "MR", "PT")
    }  # fmt: skip
    kinds["NM of several frames"] = [nuclear(ramp, (0, 0, 0), 3.0, seed="button")]
    kinds["CT of several frames"] = [enhanced(ramp.astype(np.int16), places, seed="button", slopes=[1.0] * 3)]
    for files in kinds.values():
        first, *_ = [server.upload(file) for file in files]
        series = server.get(f"/instances/{first}/series").json()["ID"]
        page = open_page(explorer("series", series))
        page.click("#stl-generate-rtstruct-series")
        page.get_by_label("Threshold").wait_for()
        page.close()
        server.delete(f"/series/{series}")
