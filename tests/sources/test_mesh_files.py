"""Files of meshes that are no DICOM: STL, OBJ, GLB and 3MF, good, damaged and hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.obj import obj_and_mtl
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part
from orthanc_stl.sources.mesh_files import format_of
from orthanc_stl.sources.obj_file import read_mtl, read_obj
from orthanc_stl.sources.registry import recognise
from testing.data import shared_file, shared_files
from testing.scenes import part, sphere
from tests.mesh.test_stl import TETRAHEDRON
from tests.sources.test_meshes import CUBE_QUADS, CUBE_VERTICES, cube, facts, opened


def ascii_solid(name: str, mesh: Mesh = TETRAHEDRON) -> bytes:
    corners = mesh.vertices[mesh.triangles]
    facets = "".join(
        "facet normal 0 0 0\nouter loop\n" + "".join(f"vertex {x} {y} {z}\n" for x, y, z in t) + "endloop\nendfacet\n"
        for t in corners
    )
    return f"solid {name}\n{facets}endsolid {name}\n".encode()


def test_each_solid_of_an_stl_is_a_part() -> None:
    source = opened(ascii_solid("femur") + ascii_solid("tibia", cube(50)) + ascii_solid("", cube(90)))
    assert [(n, v) for n, _, v in facts(source)] == [("femur", 0.0045), ("tibia", 1.0), ("part 3", 1.0)]


def test_a_binary_stl_that_begins_with_solid_is_one_part() -> None:
    data = bytearray(stl_bytes(cube(), "made"))
    data[:80] = b"solid a\nsolid b\n".ljust(80, b" ")
    assert [(n, v) for n, _, v in facts(opened(bytes(data)))] == [("part 1", 1.0)]


def test_what_an_stl_has_besides_its_triangles_is_told() -> None:
    plain = stl_bytes(cube(), "made")
    colored = bytearray(plain)
    colored[84 + 48 : 84 + 50] = (0x8000 | 31 << 10).to_bytes(2, "little")
    colors = "the STL file has colors of triangles, which are left out: programs differ in what they mean"
    for data, said in (
        (plain, []),
        (plain + bytes(400), []),
        (bytes(colored), [colors]),
        (stl_bytes(cube(), "COLOR=x"), [colors]),
        (
            plain + stl_bytes(TETRAHEDRON, "another"),
            ["the STL file has 284 bytes after its last triangle, which are left out"],
        ),
    ):
        source = opened(data)
        assert ([note.text for note in source.notes], facts(source)) == (said, [("part 1", None, 1.0)])


def test_materials_of_an_obj_that_are_lost_are_told() -> None:
    vertices = "".join(f"v {x} {y} {z}\n" for x, y, z in CUBE_VERTICES)
    quads = ["f " + " ".join(map(str, quad)) + "\n" for quad in CUBE_QUADS]
    mtl = b"newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 1\nnewmtl rouge\nKd 1 0 0\n"
    several = "a part has faces of several materials in the OBJ file; a part has one here, that of its first face"
    missing = 'the MTL has no material "gone": what the OBJ file gives it to has no color'
    for second, said in (("red", []), ("rouge", []), ("blue", [several]), ("gone", [missing, several])):
        text = f"mtllib a.mtl\no box\n{vertices}usemtl red\n{quads[0]}usemtl {second}\n{''.join(quads[1:])}"
        source = opened(text.encode(), mtl)
        assert ([note.text for note in source.notes], facts(source)) == (said, [("box", (255, 0, 0), 1.0)])


def test_space_ras_is_turned_to_lps() -> None:
    data = bytearray(stl_bytes(cube(), "SPACE=RAS"))
    assert report_of(opened(bytes(data)).shape(1)[0]).box == ((-10, -10, 0), (0, 0, 10))


def test_obj_polygons_negative_indices_and_groups() -> None:
    vertices = "".join(f"v {x} {y} {z}\n" for x, y, z in CUBE_VERTICES)
    quads = "".join("f " + " ".join(f"{n - 9}/1/1" for n in quad) + "\n" for quad in CUBE_QUADS)
    source = opened(f"# a\n{vertices}g box one\n{quads}".encode())
    assert facts(source) == [("box one", None, 1.0)]


@pytest.mark.parametrize("first", range(6))
def test_obj_polygons_that_are_not_convex_have_their_area(first: int) -> None:
    """The same L-shaped prism as in test_meshes.py."""
    ell = [(0, 0), (30, 0), (30, 10), (10, 10), (10, 30), (0, 30)]
    ell = ell[first:] + ell[:first]
    vertices = "".join(f"v {x} {y} {z}\n" for z in (0, 10) for x, y in ell)
    sides = "".join(f"f {n + 1} {(n + 1) % 6 + 1} {(n + 1) % 6 + 7} {n + 7}\n" for n in range(6))
    report = report_of(opened(f"{vertices}f 6 5 4 3 2 1\nf 7 8 9 10 11 12\n{sides}".encode()).shape(1)[0])
    assert (report.closed, report.triangles) == (True, 20)
    assert [report.volume, report.area] == pytest.approx([5000, 2200])


def test_our_own_obj_keeps_structures_of_one_name_and_any_name_apart() -> None:
    names = ("dup", "dup", "B\\", "A .", "dup 2")
    balls = [part(i, name, sphere(5 + i, (40.0 * i, 0, 0)), color=(i, 0, 0)) for i, name in enumerate(names, 1)]
    found, _ = read_obj(*obj_and_mtl(Model(tuple(balls))), 100_000)
    assert [(one.name, one.color) for one in found] == [(ball.name, ball.color) for ball in balls]
    assert [len(one.mesh.triangles) for one in found] == [len(ball.mesh.triangles) for ball in balls]


def test_an_opacity_of_nothing_is_full() -> None:
    """MeshLab writes `Tr 1` for what is opaque."""
    materials = read_mtl(b"newmtl a\nTr 1.000000\nnewmtl b\nTr 0.7\nnewmtl c\nd 0.5\n")
    assert [round(one.opacity, 4) for one in materials.values()] == [1, 0.3, 0.5]


def test_comments_of_others_are_no_names() -> None:
    data = "\n".join(f"# 4 vertices\no {name}\nv 0 0 0\nv 1 0 0\nv 0 1 {i}\nf -1 -2 -3" for i, name in enumerate("ab"))
    assert [one.name for one in read_obj(data.encode(), None, 100)[0]] == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "line 4 of the OBJ file names vertex 9; there are 3 so far"),
        (b"v 0 0 0\nv 1 0 x\n", "line 2 of the OBJ file is no vertex"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2\n", "face of 2 corners"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "the OBJ file has no face"),
        (b"v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "no finite place"),
        (b"ply\nformat ascii 1.0\nelement vertex 99999999\nend_header\n", "claims 99999999 elements"),
        (b"ply\nformat ascii 1.0\nelement vertex 0\nend_header\n", "PLY"),
        (b"glTF" + bytes(30), "not of glTF 2.0"),
        (b"PK\3\4[Content_Types].xml", "cannot be unpacked"),
        (b"%PDF-1.7", "this is a PDF document"),
        (bytes(200), "no triangle|unknown kind"),
    ],
)
def test_wrong_files_give_sentences(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(data)


def test_long_runs_in_an_obj_and_an_stl() -> None:
    """A megabyte of lines that go on in the next, and one of digits."""
    corners = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
    obj = corners + "\\\n" * 500_000 + "f 1 \\\n2 3\n"
    (found,), _ = read_obj(obj.encode(), None, 10)
    assert len(found.mesh.triangles) == 1
    (found,), _ = read_obj(f"{corners}f 1 2 \\\n3\\".encode(), None, 10)
    assert len(found.mesh.triangles) == 1
    with pytest.raises(InvalidInput):
        opened(b"solid a\nfacet normal 0 0 0\nouter loop\nvertex " + b"1" * 1_000_000 + b"x\n")


def test_a_megabyte_of_blanks_in_the_comment_of_a_ply() -> None:
    head = f"ply\nformat ascii 1.0\ncomment label 1 a{' ' * 1_000_000}b\nelement vertex 3\nproperty float x\n"
    head += "property float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    assert len(opened(f"{head}0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n".encode()).structures) == 1


def part_one(data: bytes) -> Part:
    source = opened(data)
    return build_model(source, ConversionRequest(structures=(1,))).model.parts[0]


REFUSED = {
    "empty.stl": "the STL file has no triangle",
    "stl_empty_ascii.stl": "the STL file has no triangle",
    "stl_empty_bin.stl": "the STL file has no triangle",
    "empty_nodes.glb": "the GLB file has no mesh",
    "multiprop-translucent.3mf": "prefix",  # which is not declared: no well-formed XML
}


@pytest.mark.parametrize("file", shared_files("mesh/**/*"), ids=lambda file: file.name)
def test_files_of_others_are_read_or_refused_with_a_sentence(file: Path) -> None:
    data = file.read_bytes()
    if file.name in REFUSED or not format_of(data[: 1 << 16]):
        assert file.name in REFUSED or file.suffix not in (".3mf", ".glb", ".obj", ".ply", ".stl")
        with pytest.raises(InvalidInput, match=REFUSED.get(file.name, "was expected; this is")):
            opened(data)
        return
    source = opened(data)
    assert source.structures
    known = recognise(data[: 1 << 16])
    assert known is not None
    assert known.kind.key == "mesh"
    for structure in source.structures:
        mesh, _ = source.shape(structure.number)
        assert len(mesh.triangles) == structure.facts["Triangles"]


@pytest.mark.parametrize(
    ("name", "parts", "millilitres"),
    [
        ("3mf/3mf-samples/MUSTPASS_Chapter3.2c_MultipleItemsTransform.3mf", 2, 7.0),
        ("3mf/3mf-samples/MUSTPASS_Chapter4.2_Components.3mf", 2, 7.0),
        ("3mf/3mf-samples/multiple_cylinders.3mf", 6, 6.1981),
        ("obj/trimesh/negative_indices.obj", 1, 0.008),
        ("trimesh/two_objects_mixed_case_names.stl", 2, 0.001),
        ("glb/trimesh/boolean.glb", 28, 76023.6),
    ],
)
def test_parts_of_files_of_others(name: str, parts: int, millilitres: float) -> None:
    source = opened(shared_file(f"mesh/{name}").read_bytes())
    assert len(source.structures) == parts
    assert source.structures[0].facts["VolumeMl"] == pytest.approx(millilitres, rel=1e-4)
