"""What three.js draws of files in Chromium; `python -m tests.formats.draw` makes the pictures of docs/exports.md."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import ViewportSize

from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.obj import obj_and_mtl
from orthanc_stl.formats.picture import picture, png
from orthanc_stl.formats.registry import WRITERS, writer_of
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.model import Model, Part
from testing.chromium import chromium_browser
from testing.phantoms import file_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KINDS = ("glb", "3mf", "obj", "ply", "stl")
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
HOST = "http://drawing.invalid"
BACKGROUND = (0x22, 0x26, 0x2E)
SIZE: ViewportSize = {"width": 320, "height": 320}


def files_of(model: Model) -> dict[str, bytes]:
    """The model in every format, by file name."""
    files = {f"scene.{writer.suffix}": writer.write(model) for writer in WRITERS}
    glb = writer_of("glb")
    assert glb
    files["scene_compressed.glb"] = glb.write(model, WriteOptions(compress=True))
    files["model.obj"], files["model.mtl"] = obj_and_mtl(model)
    return files


@contextmanager
def drawing(browser: Browser, files: dict[str, bytes]) -> Iterator[Callable[[str], tuple[dict[str, Any], bytes]]]:
    """A function that draws one of KINDS: what three.js says of its parts, and the picture as PNG."""
    three = Path(os.environ["ORTHANC_STL_NPM"]) / "three"

    def answer(route: Any) -> None:
        _, _, path = route.request.url.removeprefix(HOST).partition("/")
        first, _, rest = path.partition("/")
        if first == "files":
            route.fulfill(body=files[rest])
        elif first == "three":
            route.fulfill(body=(three / rest).read_bytes(), content_type="text/javascript")
        else:
            page_file = Path(__file__).with_name("draw.html")
            route.fulfill(body=page_file.read_bytes(), content_type=mimetypes.types_map[".html"])

    page = browser.new_page(viewport=SIZE)
    page.route(f"{HOST}/**", answer)
    page.goto(f"{HOST}/draw.html")
    page.wait_for_function("typeof window.draw === 'function'")

    def draw(kind: str) -> tuple[dict[str, Any], bytes]:
        facts = page.evaluate("kind => window.draw(kind)", kind)
        return facts, page.screenshot()

    yield draw
    page.close()


def demo() -> Model:
    """The demo's structures, as models of their own."""
    from runtime.phantom.study import study

    structures = read_structure_set(file_of(dict(study())["structures.dcm"]))
    parts = []
    for roi in (roi for roi in structures.rois if not roi.reason):
        contours, _ = structures.contours([roi.number])
        surface = surface_from_contours(contours, resolution=128)
        outer = roi.name.upper() in ("BODY", "EXTERNAL")
        parts.append(Part(roi.number, roi.name, surface.mesh, surface.report, roi.color, 0.2 if outer else 1.0))
    return Model(tuple(parts), title="Demo")


def main() -> None:
    model = demo()
    with chromium_browser() as browser, drawing(browser, files_of(model)) as draw:
        for kind in KINDS:
            facts, image = draw(kind)
            print(kind, facts)
            (IMAGES / f"export-{kind}.png").write_bytes(image)
    (IMAGES / "export-picture.png").write_bytes(png(picture(model, 320, 320, BACKGROUND)))


if __name__ == "__main__":
    main()
