"""The table of numbers for each kind of source, against volumes that are known; and as a spreadsheet opens it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pydicom
import pytest

from orthanc_stl.cli import main
from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.conversion.statistics import COLUMNS, as_csv, statistics
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.registry import open_files
from orthanc_stl.spreadsheet import spreadsheet_text
from testing import phantoms
from testing.data import FOLDER, shared_file
from tests.mesh.shapes import box
from tests.sources.test_images import ball_series

TEXTS = Path(__file__).parents[1] / "spreadsheet_texts.json"


def rows_of(content: bytes, *structures: int | str, name: str = "") -> list[dict[str, object]]:
    source = open_files([content], ReadOptions(), name=name)
    request = ConversionRequest(structures=structures, all=not structures, separate=True, resolution=64)
    result = build_model(source, request)
    return statistics(result.model, source, result.skipped)


@pytest.mark.parametrize(
    ("file", "volumes"),
    [
        ("seg/made/seg_binary_overlap_axial.dcm", (33.510, 7.238)),
        ("seg/made/seg_binary_overlap_sagittal.dcm", (33.510, 7.238)),
        ("surfaces/surface_segmentation_balls.dcm", (33.2219, 7.1759)),
        ("surfaces/encapsulated_obj.dcm", (33.2219, 7.1759)),
        ("surfaces/balls.obj", (33.2219, 7.1759)),
    ],
)
def test_volumes_of_the_made_balls(file: str, volumes: tuple[float, ...]) -> None:
    rows = rows_of(shared_file(file).read_bytes(), name=Path(file).name)
    assert [row["VolumeMl"] for row in rows] == pytest.approx(volumes, rel=0.02)
    assert [(row["Pieces"], row["Closed"]) for row in rows] == [(1, True)] * 2


def test_volumes_that_totalsegmentator_wrote() -> None:
    """All 40 structures by their voxels, three of them also by their meshes."""
    folder = "nifti/totalsegmentator-fast"
    truth = json.loads(shared_file(f"{folder}/statistics.json").read_text())
    content = shared_file(f"{folder}/example_seg_fast.nii.gz").read_bytes()
    present = {name: facts["volume"] / 1000 for name, facts in truth.items() if facts["volume"]}
    structures = open_files([content], ReadOptions(), name="seg.nii.gz").structures
    assert {one.name: one.facts["VolumeMl"] for one in structures} == pytest.approx(present)
    assert len(present) == 40
    names = ("spleen", "liver", "aorta")
    rows = rows_of(content, *names, name="seg.nii.gz")
    for row, name in zip(rows, names, strict=True):
        assert row["Name"] == name
        assert row["ContoursMl"] == pytest.approx(truth[name]["volume"] / 1000, rel=1e-3)
        assert row["VolumeMl"] == pytest.approx(truth[name]["volume"] / 1000, rel=2e-3)


@pytest.mark.parametrize("planes", [np.arange(6.0, 55.0, 2.0), np.cumsum(np.tile([1.0, 2.0, 1.5, 2.5], 8)) + 3])
def test_images_have_the_volume_of_their_voxels_each_plane_as_thick_as_it_is(planes: np.ndarray) -> None:
    fields = {"Threshold": 500}
    source = open_files(ball_series(planes, seed="table"), ReadOptions(fields))
    result = build_model(source, ConversionRequest(all=True, separate=True, resolution=64, fields=fields))
    (row,) = statistics(result.model, source, result.skipped)
    region = source.shape(1)[0]
    assert isinstance(region, Region)
    edges = np.concatenate(([1.5 * planes[0] - planes[1] / 2], (planes[1:] + planes[:-1]) / 2))
    thick = np.diff(np.concatenate((edges, [1.5 * planes[-1] - planes[-2] / 2])))
    inside = region.volume.stored >= 500
    assert row["ContoursMl"] == pytest.approx(inside.sum(axis=(0, 1)) @ thick * 0.9 / 1000, abs=1e-3)
    assert row["VolumeMl"] == pytest.approx(row["ContoursMl"], rel=0.005)
    assert row["Slices"] == np.count_nonzero(inside.any(axis=(0, 1)))


def test_isodose_of_a_gaussian() -> None:
    """60 Gy, sigma 20 mm: 50 % is a ball of 54.697 mL, 10 % one of 331.17 mL."""
    rows = rows_of(shared_file("rtdose/made/rtdose_absolute16.dcm").read_bytes(), 5, 7)
    assert [float(str(row["Name"]).split()[0]) for row in rows] == [50, 10]
    assert [row["VolumeMl"] for row in rows] == pytest.approx([54.697, 331.17], rel=0.01)
    dose = pydicom.dcmread(shared_file("rtdose/made/rtdose_absolute16.dcm"), stop_before_pixels=True)
    planes = np.array(dose.GridFrameOffsetVector, float)  # of this file these are places, not steps
    radii = [20 * math.sqrt(2 * math.log(60 / dose)) for dose in (30, 6)]
    assert [row["Slices"] for row in rows] == [np.count_nonzero(abs(planes - 30) <= radius) for radius in radii]


@pytest.mark.parametrize("file", ["seg_binary_all_frames", "seg_binary_overlap_axial", "seg_binary_overlap_sagittal"])
def test_slices_of_segments_are_those_that_have_voxels(file: str) -> None:
    """The empty frames of a file do not count, nor do the planes of the other segment."""
    path = shared_file(f"seg/made/{file}.dcm")
    ds = pydicom.dcmread(path)
    used = {1: 0, 2: 0}
    for frame, groups in zip(ds.pixel_array, ds.PerFrameFunctionalGroupsSequence, strict=True):
        used[groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber] += bool(frame.any())
    assert {row["Number"]: row["Slices"] for row in rows_of(path.read_bytes())} == used


@pytest.mark.slow
def test_a_segment_of_slicer_has_the_volume_of_its_voxels() -> None:
    rows = rows_of(shared_file("segnrrd/Segmentation.seg.nrrd").read_bytes(), 1, name="Segmentation.seg.nrrd")
    assert len(rows) == 1
    assert [row["VolumeMl"] for row in rows] == pytest.approx([row["ContoursMl"] for row in rows], rel=0.02)


def test_slices_of_a_sparse_label_map() -> None:
    """Of three frames the middle one is missing."""
    (row,) = rows_of(shared_file("seg/dcmqi/sparse-labelmap-noppv.dcm").read_bytes())
    assert (row["Slices"], row["Pieces"]) == (2, 2)


def test_slices_of_a_structure_with_a_gap() -> None:
    """24 planes of 2 mm, 72 mm without any, 24 more; two contours on each plane."""
    planes = [2.0 * i for i in range(24)] + [118 + 2.0 * i for i in range(24)]
    discs = [phantoms.Contour(phantoms.circle(10, z, (x, 0))) for z in planes for x in (0, 40)]
    (row,) = rows_of(phantoms.structure_set([phantoms.Roi("Two parts", discs)]))
    assert (row["Slices"], row["SpacingMm"]) == (48, 2.0)


def test_what_cannot_be_meshed_has_a_row_with_the_reason() -> None:
    marker = phantoms.Roi("Marker", [phantoms.Contour(np.array([[1.0, 2.0, 3.0]]), kind="POINT")])
    first, second, third = rows = rows_of(
        phantoms.structure_set([phantoms.ball("A", 5), marker, phantoms.ball("B", 5)])
    )
    assert [row["Name"] for row in rows] == ["A", "Marker", "B"]
    assert (second["VolumeMl"], second["Closed"]) == (None, None)
    assert "POINT" in str(second["Warnings"])
    assert first["Warnings"] == third["Warnings"] == []
    header, *lines = csv.reader(io.StringIO(as_csv(rows).decode("utf-8-sig")))
    assert dict(zip(header, lines[1], strict=True)) == dict.fromkeys(header, "") | {
        "Number": "2",
        "Name": "Marker",
        "Warnings": "; ".join(second["Warnings"]),  # type: ignore[arg-type]
    }


@pytest.mark.parametrize(
    ("mesh", "volume", "told"),
    [
        (box(10, 10, 10), 1, []),
        (Mesh(box(10, 10, 10).vertices, box(10, 10, 10).triangles[:-1]), None, ["the surface is not closed"]),
        (Mesh(box(10, 10, 10).vertices, box(10, 10, 10).triangles[:, ::-1]), -1, ["the surface is inside out"]),
        (Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), 0, ["there are no triangles"]),
    ],
)
def test_figures_that_are_none_to_rely_on_are_told(mesh: Mesh, volume: float | None, told: list[str]) -> None:
    (row,) = statistics(Model((Part(1, "A", mesh, report_of(mesh)),)))
    assert [text.partition(":")[0] for text in row["Warnings"]] == told
    assert volume in (None, row["VolumeMl"])


def test_what_a_part_says_of_its_surface_is_not_said_again() -> None:
    cube = box(10, 10, 10)
    for triangles in (cube.triangles[:-1], cube.triangles[:, ::-1]):
        mesh = Mesh(cube.vertices, triangles)
        surface = mesh_shape(mesh)
        (row,) = statistics(Model((Part(1, "A", mesh, surface.report, notes=surface.report.notes),)))
        assert row["Warnings"] == [note.text for note in surface.report.notes]
        assert len(surface.report.notes) == 1


def test_tables_and_comparison_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    balls = {"Ball": (20, (10, -15, 30)), "=Small": (12, (28, -15, 30))}
    a, b = tmp_path / "a.dcm", tmp_path / "b.dcm"
    a.write_bytes(phantoms.structure_set([phantoms.ball(name, *ball, 1) for name, ball in balls.items()]))
    b.write_bytes(phantoms.structure_set([phantoms.ball("ball", *balls["=Small"], 1)]))
    assert main(["statistics", str(a), "--resolution", "128"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("\ufeff")  # a spreadsheet takes it for UTF-8
    _, *lines = csv.reader(io.StringIO(table))
    assert [line[1] for line in lines] == ["Ball", "'=Small"]
    assert [float(line[5]) for line in lines] == pytest.approx([33.510, 7.238], rel=0.02)
    assert main(["compare", str(a), str(b), "--resolution", "128"]) == 0
    told = capsys.readouterr()
    (pair,) = json.loads(told.out)["Pairs"]
    assert (pair["Dice"], pair["HausdorffMm"]) == (pytest.approx(0.17965, abs=0.004), pytest.approx(26, abs=0.4))
    assert json.loads(told.out)["OnlyInA"] == ["=Small"]


def test_names_are_harmless_in_a_spreadsheet() -> None:
    names = ["=SUM(A1)", "+A1", "-cmd|' /C calc'!A0", "@x", 'Lung, "left"', "Größe"]
    balls = [phantoms.ball(name, 5, (12 * place, 0, 0)) for place, name in enumerate(names)]
    content = as_csv(rows_of(phantoms.structure_set(balls)))
    assert content.startswith(b"\xef\xbb\xbf")
    header, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert header[4] == "Volume of contours or voxels (mL)"
    assert [line[1] for line in lines] == ["'=SUM(A1)", "'+A1", "'-cmd|' /C calc'!A0", "'@x", 'Lung, "left"', "Größe"]
    assert all(len(line) == len(header) for line in lines)


@pytest.mark.parametrize(("text", "written"), json.loads(TEXTS.read_text("utf-8")))
def test_texts_are_written_as_the_pages_write_them(text: str, written: str) -> None:
    """`tests/js/csv.test.mjs` holds the pages to the same."""
    assert spreadsheet_text(text) == written


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quotes", [True, False])
def test_no_cell_is_a_formula_at_whichever_sign_a_spreadsheet_splits(delimiter: str, quotes: bool) -> None:
    """A German Excel splits at `;`, where quotes in the middle of a cell are letters."""
    signs = "=+-@\uff1d\uff0b\uff0d\uff20"
    names = [f"{before}{sign}1+1" for sign in signs for before in ("", " ", "\t", "\r", "Lung;", "Lung; ", 'a";')]
    row = dict.fromkeys(COLUMNS, None) | {"Number": 1}
    content = as_csv([row | {"Name": name, "Warnings": [name, name]} for name in names]).decode("utf-8-sig")
    file = io.StringIO(content, newline="")
    if quotes:
        lines = list(csv.reader(file, delimiter=delimiter))
    else:
        lines = list(csv.reader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    assert len(lines) == len(names) + 1
    cells = [cell.lstrip(' "') for line in lines for cell in line]
    assert [cell for cell in cells if cell.startswith(tuple(signs)) or (cell[:1] in "\t\r" and cell)] == []


def printed_volumes(folder: Path) -> dict[str, float]:
    """The mL that a planning system printed for its structures: the first bins of its dose-volume histograms."""
    dose = pydicom.dcmread(io.BytesIO(gzip.decompress((folder / "rtdose/dicompyler/rtdose.dcm.gz").read_bytes())))
    rois = pydicom.dcmread(folder / "rtstruct/eclipse-dicompyler/rtss.dcm").StructureSetROISequence
    names = {roi.ROINumber: roi.ROIName for roi in rois}
    return {
        names[dvh.DVHReferencedROISequence[0].ReferencedROINumber]: float(dvh.DVHData[1]) for dvh in dose.DVHSequence
    }


@pytest.mark.slow
def test_the_document_has_the_volumes_that_a_planning_system_printed() -> None:
    """All nine of the table in docs/accuracy.md, at 256, with `EndCaps` false and true. With a `Tolerance` of 0 they
    are made in a third of the time, and the volumes differ by 0.01 % at most."""
    source = open_files([shared_file("rtstruct/eclipse-dicompyler/rtss.dcm").read_bytes()], ReadOptions())
    shared_file("rtdose/dicompyler/rtdose.dcm.gz")
    printed = printed_volumes(FOLDER)
    assert len(printed) == 9
    document = (Path(__file__).parents[2] / "docs/accuracy.md").read_text()
    for place, end_caps in ((1, False), (3, True)):
        request = ConversionRequest(
            structures=tuple(printed), separate=True, resolution=256, end_caps=end_caps, tolerance=0.0
        )
        ours = {row["Name"]: row["VolumeMl"] for row in statistics(build_model(source, request).model, source)}
        for name, volume in printed.items():
            (row,) = re.findall(rf"^\| {name} \|(.*)\|$", document, re.MULTILINE)
            cells = row.split("|")
            assert float(cells[0]) == pytest.approx(volume, abs=5.1e-4), name
            assert ours[name] == pytest.approx(float(cells[place]), rel=1e-4, abs=0.002), name
            error = 100 * (ours[name] / volume - 1)
            assert error == pytest.approx(float(cells[place + 1].strip(" %")), abs=0.6 if abs(error) > 10 else 0.06), (
                name
            )
