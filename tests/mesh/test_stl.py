"""STL bytes: written, read back, and guarded against what is not one."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.stl import read_stl, stl_bytes
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.triangles import merged
from orthanc_stl.mesh.types import Mesh
from testing.data import shared_file
from testing.solids import ball, model_of

TETRAHEDRON = Mesh(
    np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 3]], np.float32),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32),
)
DATA = stl_bytes(TETRAHEDRON, "orthanc-stl UNITS=mm SPACE=LPS")


def test_layout() -> None:
    assert len(DATA) == 84 + 4 * 50
    assert DATA[:80] == b"orthanc-stl UNITS=mm SPACE=LPS".ljust(80)
    assert DATA[80:84] == b"\4\0\0\0"
    first = np.frombuffer(DATA[84:134], "<f4", 12)
    assert first.tolist() == [0, 0, -1, 0, 0, 0, 0, 3, 0, 3, 0, 0]
    assert DATA[132:134] == b"\0\0"


@pytest.mark.parametrize("header", ["solid x", "  SOLID", "x" * 81])
def test_header_that_readers_misunderstand(header: str) -> None:
    with pytest.raises(ValueError, match="STL header"):
        stl_bytes(TETRAHEDRON, header)


def test_written_and_read_back_in_many_chunks() -> None:
    mesh = model_of(ball(30), resolution=96).mesh
    again = read_stl(stl_bytes(mesh, "x"))
    assert np.array_equal(again.vertices[again.triangles], mesh.vertices[mesh.triangles])
    assert len(again.vertices) == len(mesh.vertices)
    assert report_of(again).closed


def test_normals_are_unit_and_outward() -> None:
    mesh = model_of(ball(30), resolution=48).mesh
    records = np.frombuffer(stl_bytes(mesh, "x"), np.dtype([("f", "<f4", 12), ("a", "<u2")]), offset=84)["f"]
    assert np.linalg.norm(records[:, :3], axis=1) == pytest.approx(1, abs=1e-5)
    assert (np.einsum("ij,ij->i", records[:, :3], records[:, 3:6]) > 0).all()


@pytest.mark.parametrize("extra", [b"\0", b"\0\0"])
def test_padding_of_dicom_is_let_pass(extra: bytes) -> None:
    assert len(read_stl(DATA + extra).triangles) == 4


def test_binary_that_says_solid() -> None:
    assert len(read_stl(b"solid" + DATA[5:]).triangles) == 4


def test_ascii() -> None:
    corners = TETRAHEDRON.vertices[TETRAHEDRON.triangles]
    facets = [
        "facet normal 0 0 0 outer loop " + "".join(f" vertex {x:e} {y} {z}\n" for x, y, z in c) + "endloop endfacet"
        for c in corners
    ]
    mesh = read_stl(("solid name\n" + "\n".join(facets) + "\nendsolid name").encode())
    assert np.array_equal(mesh.vertices[mesh.triangles], corners)
    assert report_of(mesh).volume == pytest.approx(4.5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"solid",
        b"not an STL",
        DATA[:-1],
        DATA[:100],
        DATA + b"\1" * 201,
        DATA[:80] + b"\xff\xff\xff\xff" + DATA[84:],
        b"solid x\nfacet vertex 1 2 3 vertex 4 5\nendsolid",
        b"solid x\nfacet vertex 1 2 nan vertex 4 5 6 vertex 7 8 9\nendsolid",
        DATA[:96] + np.float32(np.nan).tobytes() + DATA[100:],
        b"solid x\nvertex 1e39 0 0 vertex 0 1 0 vertex 0 0 1\nendsolid",
    ],
)
def test_what_is_no_stl_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="STL"):
        read_stl(data)


TABLE = json.loads((Path(__file__).parents[1] / "stl_files.json").read_text("utf-8"))
"""Files for the browser's reader as well: tests/js/stl.test.mjs reads the same."""


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["what"])
def test_a_file_of_the_table(row: dict[str, Any]) -> None:
    data = row["text"].encode("latin-1") if "text" in row else base64.b64decode(row["base64"])
    if row.get("refused"):
        with pytest.raises(InvalidInput, match="STL"):
            read_stl(data)
        return
    mesh = read_stl(data)
    assert len(mesh.triangles) == row["triangles"]
    assert report_of(mesh).volume == pytest.approx(row["volume"])


@pytest.mark.parametrize("name", ["stl_bom", "stl_name_my_vertex_model", "stl_92_bytes_after"])
def test_files_after_public_reports(name: str) -> None:
    report = report_of(read_stl(shared_file(f"faults/{name}.stl").read_bytes()))
    assert (report.triangles, report.closed) == (12, True)


def test_text_that_dicom_padded_to_an_even_length() -> None:
    stored = read_encapsulated_stl(shared_file("faults/encapsulated_ascii_odd_no_length.dcm").read_bytes())
    assert bytes(stored.document[-1:]) == b"\0"
    report = report_of(read_stl(stored.document))
    assert (report.triangles, round(report.volume, 3)) == (12, 6000)
    short = shared_file("faults/odd.stl").read_bytes()
    assert len(read_stl(short + b"\0").triangles) == len(read_stl(short).triangles) == 1


def test_a_large_file_of_text() -> None:
    facet = b"facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1.5 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
    assert len(read_stl(b"solid vertex\n" + facet * 20_000 + b"endsolid vertex\n").triangles) == 20_000


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_give_a_mesh_or_a_reason(data: st.DataObject) -> None:
    damaged = bytearray(DATA)
    for place in data.draw(st.lists(st.integers(0, len(DATA) - 1), max_size=6)):
        damaged[place] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(DATA)))])
    try:
        mesh = read_stl(cut)
    except InvalidInput:
        return
    assert len(mesh.triangles) <= 4
    assert mesh.triangles.max(initial=0) < max(1, len(mesh.vertices))


def test_zero_and_minus_zero_are_one_place() -> None:
    corners = np.zeros((2, 3, 3), np.float32)
    corners[0, :, 0], corners[1, :, 0] = [0, 1, 2], [-0.0, 1, 2]
    assert len(merged(corners).vertices) == 3


@pytest.mark.parametrize(
    ("name", "triangles"),
    [
        ("trimesh/20mm-xyz-cube.stl", 260),
        ("trimesh/unit_cube.STL", 12),
        ("trimesh/featuretype.STL", 3476),
        ("trimesh/stl_empty_ascii.stl", 0),
        ("trimesh/stl_empty_bin.stl", 0),
        ("numpy-stl/stl_ascii_Moon.stl", None),
        ("numpy-stl/stl_ascii_Star.stl", None),
        ("numpy-stl/stl_binary_StarWithEmptyHeader.stl", 68),
        ("numpy-stl/stl_binary_CubeInvalidUnicode.stl", 12),
        ("trimesh/two_objects_mixed_case_names.stl", 24),
    ],
)
def test_files_of_others(name: str, triangles: int | None) -> None:
    mesh = read_stl(shared_file(f"mesh/{name}").read_bytes())
    assert len(mesh.triangles) == triangles if triangles is not None else len(mesh.triangles) > 0


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1e8, 1e10, 1e20, 3e38])
def test_figures_of_a_model_of_any_size_are_finite(size: float) -> None:
    mesh = read_stl(stl_bytes(Mesh(np.sign(TETRAHEDRON.vertices) * np.float32(size), TETRAHEDRON.triangles), "x"))
    report = report_of(mesh)
    assert np.isfinite([report.volume, report.area, *report.box[0], *report.box[1]]).all()
    if size >= 1e-3:
        assert report.volume == pytest.approx(size**3 / 6, rel=1e-5)
