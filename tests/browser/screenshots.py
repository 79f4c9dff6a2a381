"""`python -m tests.browser.screenshots` makes the pictures of docs/images from the demo's study."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import generate_uid

from runtime.phantom.study import study
from testing.chromium import chromium_browser
from testing.server import OrthancServer

from .study import settle, viewer_ready

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WINDOW = {"width": 1280, "height": 800}
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
SIDEWAYS = {"viewport": {"width": 800, "height": 390}, "has_touch": True, "is_mobile": True}


def main() -> None:
    with OrthancServer(stl={"EnableNIfTI": True, "EnableNexus": True}) as server, opened(server) as picture:
        structures = upload(server)
        series = server.get(f"/instances/{structures}").json()["ParentSeries"]
        heart = convert(server, structures, ["Heart"])
        spine = convert(server, structures, ["Spine"])
        viewer, page = f"/stl/app/three.html?instance={heart}", f"/stl/app/generate.html?instance={structures}"
        scene = f"/stl/app/three.html?source={structures}"
        picture("scene", scene, over_slices)
        picture("scene-dark", scene, over_slices, color_scheme="dark")
        picture("scene-phone", scene, over_slices, **PHONE)
        picture("scene-phone-sideways", scene, over_slices, **SIDEWAYS)
        picture("viewer", viewer, viewer_ready)
        picture("viewer-tools", viewer, cut_open, color_scheme="dark")
        picture("viewer-measure", f"/stl/app/three.html?instance={spine}", measured)
        picture("viewer-phone", viewer, viewer_ready, **PHONE)
        picture("o3dv", f"/stl/app/o3dv.html?instance={heart}", viewer_ready)
        picture("generate", page, choose)
        picture("generate-result", page, generate, color_scheme="dark")
        picture("explorer", f"/app/explorer.html#series?uuid={series}", dialog)
        compare = f"/stl/app/compare.html?a={structures}&b={server.upload(drawn_again())}&resolution=128"
        picture("compare", compare, compared, viewport={"width": 1280, "height": 1500})
        picture("attach", f"/stl/app/attach.html?study={server.get(f'/series/{series}').json()['ParentStudy']}", ready)


def upload(server: OrthancServer) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, dataset in study():
            dataset.save_as(Path(folder) / name, enforce_file_format=True)
            stored = server.upload((Path(folder) / name).read_bytes())
    return stored  # the structure set comes last


def drawn_again() -> bytes:
    """The structure set as a colleague may have drawn it: some organs moved by 2 mm and a tenth wider."""
    ds = dict(study())["structures.dcm"]
    ds.SeriesDescription = "By a colleague"
    ds.SeriesInstanceUID, ds.SOPInstanceUID = generate_uid(), generate_uid()
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    moved = {roi.ROINumber for roi in ds.StructureSetROISequence if roi.ROIName in ("Heart", "Tumour", "SpinalCord")}
    for roi in ds.ROIContourSequence:
        for contour in roi.ContourSequence if roi.ReferencedROINumber in moved else ():
            points = np.reshape(contour.ContourData, (-1, 3)).astype(float)
            middle = points.mean(axis=0)
            points = middle + (points - middle) * 1.1 + [2, 0, 0]
            contour.ContourData = [f"{value:.2f}" for value in points.ravel()]
    ds.save_as(file := BytesIO(), enforce_file_format=True)
    return file.getvalue()


def convert(server: OrthancServer, instance: str, names: list[str]) -> str:
    return server.post("/stl/encode-rtstruct", {"Instance": instance, "RoiNames": names}).json()["ID"]


@contextmanager
def opened(server: OrthancServer) -> Iterator[Callable[..., None]]:
    with chromium_browser() as browser:

        def picture(name: str, path: str, act: Callable[[Any], Any], **options: Any) -> None:
            context = browser.new_context(**({"viewport": WINDOW, "reduced_motion": "reduce"} | options))
            page = context.new_page()
            page.goto(server.url + path)
            act(page)
            settle(page)
            page.wait_for_timeout(700)
            page.screenshot(path=IMAGES / f"{name}.png")
            context.close()

        yield picture


def over_slices(page: Any) -> None:
    """All structures over the three planes of the CT, in full resolution."""
    viewer_ready(page)
    page.evaluate("viewer.loaded")
    for _ in range(100):
        if any(image["active"] for image in page.evaluate("viewer.images()")):
            break
        page.wait_for_timeout(100)
    page.evaluate("viewer.showSlice({ plane: 'axial', at: 20 })")
    page.wait_for_timeout(6000)


def cut_open(page: Any) -> None:
    viewer_ready(page)
    page.click("#tool-section")
    page.get_by_role("button", name="Sagittal").click()


def measured(page: Any) -> None:
    viewer_ready(page)
    page.get_by_role("button", name="Left", exact=True).press("Enter")
    page.click("#tool-measure")
    page.mouse.click(760, 240)
    page.mouse.click(760, 540)


def compared(page: Any) -> None:
    page.wait_for_selector(".pairs", timeout=120_000)
    page.get_by_role("button", name="Heart", exact=True).click()
    page.frame_locator("iframe.preview").locator(".distance-scale:not([hidden])").wait_for()
    page.wait_for_timeout(2000)


def ready(page: Any) -> None:
    page.wait_for_selector(".drop")


def choose(page: Any) -> None:
    page.get_by_label("Heart").check()
    page.get_by_label("Tumour").check()


def dialog(page: Any) -> None:
    page.click("#stl-generate-rtstruct-series")
    choose(page)


def generate(page: Any) -> None:
    page.get_by_label("Lung_L").check()
    page.get_by_label("Heart").check()
    page.get_by_label("Spine", exact=False).first.check()
    page.get_by_role("button", name="Generate", exact=True).click()
    page.frame_locator("iframe.preview").locator("#viewer[data-ready=true]").wait_for()


if __name__ == "__main__":
    main()
