"""attach.html, and what is stored: conformant objects in millimetres, from text files and from other units too."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import trimesh

from testing import phantoms
from testing.data import shared_file
from testing.server import OrthancServer

from .study import HEARTBEAT, Stored, box, pixels, stl_of
from .waiting import expect

Open = Callable[..., Any]


def import_file(page: Any, path: Path, **fields: str) -> Any:
    """Attaches an STL file and returns the frame with the preview."""
    page.set_input_files("input[type=file]", path)
    page.wait_for_selector(".found-line")
    if "unit" in fields:
        page.get_by_label("Coordinates are in").select_option(fields["unit"])
    if "color" in fields:
        page.get_by_label("Colour").fill(fields["color"])
    if "description" in fields:
        page.get_by_label("Series description").fill(fields["description"])
    page.get_by_role("button", name="Import").click()
    page.wait_for_selector("text=The model was stored")
    page.frame_locator("iframe.preview").locator("#viewer[data-ready=true]").wait_for()
    return page.frame_locator("iframe.preview")


def stored_by(page: Any, server: OrthancServer) -> tuple[str, bytes]:
    """The instance that the page shows, and its DICOM file."""
    instance = page.locator("iframe.preview").get_attribute("src").split("instance=")[1]
    return instance, server.get(f"/instances/{instance}/file").body


def ascii_stl(triangles: np.ndarray) -> str:
    lines = ["solid text"]
    for triangle in triangles:
        lines += [
            "facet normal 0 0 0",
            "outer loop",
            *(f"vertex {x} {y} {z}" for x, y, z in triangle),
            "endloop",
            "endfacet",
        ]
    return "\n".join([*lines, "endsolid text", ""])


def corners(stl: bytes) -> np.ndarray:
    records = np.frombuffer(stl, dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")], offset=84)
    return records["corners"]


def export(mesh: trimesh.Trimesh, suffix: str) -> bytes:
    written: Any = mesh.export(file_type=suffix)
    return written.encode() if isinstance(written, str) else bytes(written)


@pytest.fixture
def attach_page(open_page: Open, stored: Stored) -> Any:
    return open_page(f"/stl/app/attach.html?study={stored.study}")


def test_a_text_stl_becomes_binary_with_a_word_about_it(
    attach_page: Any, server: OrthancServer, tmp_path: Path
) -> None:
    triangles = box(20.0) + np.array([1.5, -2.25, 1000])
    (tmp_path / "text.stl").write_text(ascii_stl(triangles))
    attach_page.set_input_files("input[type=file]", tmp_path / "text.stl")
    attach_page.wait_for_selector("text=text (ASCII) STL")
    import_file(attach_page, tmp_path / "text.stl", description="")
    instance, file = stored_by(attach_page, server)
    assert pydicom.dcmread(io.BytesIO(file)).SeriesDescription == "text", "the file's name, where nothing else was said"
    stl = server.get(f"/instances/{instance}/stl").body
    assert not stl.startswith(b"solid")
    assert len(stl) == 84 + 50 * 12
    np.testing.assert_array_equal(corners(stl), triangles.astype("<f4"))


def test_other_units_are_scaled_to_millimetres(attach_page: Any, server: OrthancServer, tmp_path: Path) -> None:
    (tmp_path / "small.stl").write_bytes(stl_of(box(0.02)))
    attach_page.set_input_files("input[type=file]", tmp_path / "small.stl")
    attach_page.wait_for_selector("text=Is the unit right?")
    attach_page.get_by_label("Coordinates are in").select_option("m")
    expect(attach_page.locator(".found-line").first).to_contain_text("20 × 20 × 20 mm", use_inner_text=True)
    expect(attach_page.locator("text=Is the unit right?")).to_have_count(0)
    import_file(attach_page, tmp_path / "small.stl", unit="m")
    instance, file = stored_by(attach_page, server)
    assert corners(server.get(f"/instances/{instance}/stl").body).max() == pytest.approx(20.0)
    assert pydicom.dcmread(io.BytesIO(file)).MeasurementUnitsCodeSequence[0].CodeValue == "mm"


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed: apt-get install dicom3tools")
@pytest.mark.parametrize("left_out", [(), ("PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber")])
def test_the_object_conforms_to_the_standard(
    open_page: Open, server: OrthancServer, tmp_path: Path, left_out: tuple[str, ...]
) -> None:
    """Also in a study that lacks what DICOM wants."""
    image = pydicom.dcmread(io.BytesIO(phantoms.ct_slices(phantoms.Study(seed=f"conform{left_out}"), planes=(0,))[0]))
    for keyword in left_out:
        delattr(image, keyword)
    buffer = io.BytesIO()
    image.save_as(buffer)
    study = server.get(f"/instances/{server.upload(buffer.getvalue())}/study").json()["ID"]
    (tmp_path / "cube.stl").write_bytes(stl_of(box()))
    page = open_page(f"/stl/app/attach.html?study={study}")
    import_file(page, tmp_path / "cube.stl", description="Würfel, 20 mm", color="#3060c0")
    _, file = stored_by(page, server)
    (tmp_path / "stored.dcm").write_bytes(file)
    said = subprocess.run(["dciodvfy", tmp_path / "stored.dcm"], capture_output=True, text=True, check=False).stderr
    assert [line for line in said.splitlines() if line.startswith("Error")] == []
    assert "EncapsulatedSTL" in said
    stored_object = pydicom.dcmread(io.BytesIO(file))
    assert stored_object.SeriesDescription == "Würfel, 20 mm"
    assert stored_object.EncapsulatedDocumentLength == 84 + 50 * 12
    assert stored_object.FrameOfReferenceUID.startswith("2.25.")


def test_the_chosen_color_is_stored_and_shown(attach_page: Any, server: OrthancServer, tmp_path: Path) -> None:
    (tmp_path / "cube.stl").write_bytes(stl_of(box()))
    import_file(attach_page, tmp_path / "cube.stl", color="#20a040")
    instance, _ = stored_by(attach_page, server)
    assert server.get(f"/instances/{instance}/stl/info").json()["Color"] == pytest.approx([0x20, 0xA0, 0x40], abs=1)
    red, green, blue = np.moveaxis(pixels(attach_page, "iframe.preview"), -1, 0)
    assert ((green > 1.5 * red) & (green > 1.3 * blue)).sum() > 5000


def test_a_file_can_be_dropped(attach_page: Any) -> None:
    attach_page.wait_for_selector(".drop")
    data = attach_page.evaluate_handle(
        "(text) => { const data = new DataTransfer();data.items.add(new File([text], 'dropped.stl')); return data; }",
        ascii_stl(box()),
    )
    attach_page.dispatch_event(".drop", "drop", {"dataTransfer": data})
    attach_page.wait_for_selector("text=12 triangles")
    expect(attach_page.locator(".drop").first).to_contain_text("dropped.stl", use_inner_text=True)


def test_what_a_file_is_is_found_out(attach_page: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a model")
    attach_page.set_input_files("input[type=file]", tmp_path / "notes.txt")
    attach_page.wait_for_selector(".notice.error")
    expect(attach_page.locator(".notice.error").first).to_contain_text("notes.txt", use_inner_text=True)
    (tmp_path / "cube.stl").write_bytes(stl_of(box()))
    attach_page.set_input_files("input[type=file]", tmp_path / "cube.stl")
    attach_page.wait_for_selector("text=12 triangles")
    expect(attach_page.get_by_label("Series description")).to_have_value("cube")
    attach_page.set_input_files("input[type=file]", shared_file("nexus/box12.nxz"))
    attach_page.wait_for_selector("text=box12.nxz")
    expect(attach_page.get_by_role("button", name="Import")).to_be_enabled()
    attach_page.set_input_files("input[type=file]", shared_file("segnrrd/Segmentation.seg.nrrd"))
    attach_page.wait_for_selector(".structure")
    expect(attach_page.locator(".structure-name").first).to_have_text("ribs", use_inner_text=True)
    for suffix in ("obj", "ply", "glb"):
        (tmp_path / f"plate {suffix}.{suffix}").write_bytes(export(trimesh.creation.box((30, 20, 4)), suffix))
        attach_page.set_input_files("input[type=file]", tmp_path / f"plate {suffix}.{suffix}")
        attach_page.get_by_text(f"plate {suffix}.{suffix}", exact=True).wait_for()
        attach_page.wait_for_selector(".structure :checked")
        expect(attach_page.get_by_label("Series description")).to_have_value(f"plate {suffix}")


def test_a_model_can_join_the_images_of_the_study(
    attach_page: Any, server: OrthancServer, stored: Stored, tmp_path: Path
) -> None:
    """Its series has a number of its own."""
    (tmp_path / "cube.stl").write_bytes(stl_of(box()))
    series = [one["MainDicomTags"] for one in server.get(f"/studies/{stored.study}/series").json()]
    numbers = [int(one["SeriesNumber"]) for one in series if one["Modality"] == "M3D"]
    attach_page.set_input_files("input[type=file]", tmp_path / "cube.stl")
    attach_page.wait_for_selector(".found-line")
    attach_page.get_by_label("The model lies").select_option(index=1)
    attach_page.get_by_role("button", name="Import").click()
    attach_page.wait_for_selector("text=The model was stored")
    _, file = stored_by(attach_page, server)
    image = server.get(f"/series/{stored.ct_series}").json()["Instances"][0]
    frame = server.get(f"/instances/{image}/simplified-tags").json()["FrameOfReferenceUID"]
    model = pydicom.dcmread(io.BytesIO(file))
    assert (model.FrameOfReferenceUID, model.SeriesNumber) == (frame, max(numbers) + 1)


def test_back_from_the_result_to_the_forms_and_a_reload(attach_page: Any, tmp_path: Path) -> None:
    (tmp_path / "box.stl").write_bytes(stl_of(box()))
    import_file(attach_page, tmp_path / "box.stl")
    before = attach_page.inner_text(".result-text")
    attach_page.reload()
    attach_page.wait_for_selector("text=The model was stored")
    expect(attach_page.locator(".result-text").first).to_have_text(before, use_inner_text=True)
    attach_page.go_back()
    attach_page.wait_for_selector(".drop")
    attach_page.go_forward()
    attach_page.wait_for_selector("text=The model was stored")
    attach_page.get_by_role("button", name="Attach another one").click()
    attach_page.wait_for_selector(".drop")


def test_an_address_that_names_nothing(open_page: Open) -> None:
    notice = open_page("/stl/app/attach.html").locator(".notice").first
    expect(notice).to_contain_text("No study was chosen", use_inner_text=True)
    page = open_page("/stl/app/attach.html?study=00000000-00000000-00000000-00000000-00000000", expected=("404",))
    page.wait_for_selector(".notice.error")


def test_large_files_are_encoded_without_freezing_the_page(
    attach_page: Any, tmp_path: Path, server: OrthancServer
) -> None:
    """60 MB: 1.2 million triangles, checked, encoded and uploaded while the page goes on answering."""
    (tmp_path / "large.stl").write_bytes(stl_of(np.tile(box(), (100_000, 1, 1))))
    attach_page.evaluate(HEARTBEAT)
    attach_page.set_input_files("input[type=file]", tmp_path / "large.stl")
    attach_page.wait_for_selector("text=1,200,000 triangles")
    attach_page.get_by_role("button", name="Import").click()
    attach_page.wait_for_selector("text=The model was stored")
    assert attach_page.evaluate("window.gap") < 2000
    instance, _ = stored_by(attach_page, server)
    assert server.get(f"/instances/{instance}/stl").body == (tmp_path / "large.stl").read_bytes()
