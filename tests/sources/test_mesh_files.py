"""Files of meshes that are no DICOM: STL, OBJ, GLB and 3MF, good, damaged and hostile."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.formats.obj import obj_and_mtl
from orthanc_stl.formats.registry import writer_of
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
from tests.sources.test_meshes import CUBE_QUADS, CUBE_VERTICES, cube, facts, opened, triangles_of_cube


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


def test_space_ras_is_turned_to_lps() -> None:
    data = bytearray(stl_bytes(cube(), "SPACE=RAS"))
    assert report_of(opened(bytes(data)).shape(1)[0]).box == ((-10, -10, 0), (0, 0, 10))


def test_obj_polygons_negative_indices_and_groups() -> None:
    vertices = "".join(f"v {x} {y} {z}\n" for x, y, z in CUBE_VERTICES)
    quads = "".join("f " + " ".join(f"{n - 9}/1/1" for n in quad) + "\n" for quad in CUBE_QUADS)
    source = opened(f"# a\n{vertices}g box one\n{quads}".encode())
    assert facts(source) == [("box one", None, 1.0)]


def test_our_own_obj_keeps_structures_of_one_name_and_any_name_apart() -> None:
    names = ("dup", "dup", "B\\", "A .", "dup 2")
    balls = [part(i, name, sphere(5 + i, (40.0 * i, 0, 0)), color=(i, 0, 0)) for i, name in enumerate(names, 1)]
    found = read_obj(*obj_and_mtl(Model(tuple(balls))), 100_000)
    assert [(one.name, one.color) for one in found] == [(ball.name, ball.color) for ball in balls]
    assert [len(one.mesh.triangles) for one in found] == [len(ball.mesh.triangles) for ball in balls]


def test_an_opacity_of_nothing_is_full() -> None:
    """MeshLab writes `Tr 1` for what is opaque."""
    materials = read_mtl(b"newmtl a\nTr 1.000000\nnewmtl b\nTr 0.7\nnewmtl c\nd 0.5\n")
    assert [round(one.opacity, 4) for one in materials.values()] == [1, 0.3, 0.5]


def test_comments_of_others_are_no_names() -> None:
    data = "\n".join(f"# 4 vertices\no {name}\nv 0 0 0\nv 1 0 0\nv 0 1 {i}\nf -1 -2 -3" for i, name in enumerate("ab"))
    assert [one.name for one in read_obj(data.encode(), None, 100)] == ["a", "b"]


def test_parts_of_one_name_keep_their_colors_in_a_glb() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    balls = [part(i, "GTV", sphere(5, (40.0 * i, 0, 0)), color=c) for i, c in ((1, red), (2, blue))]
    glb = writer_of("glb")
    assert glb
    colors = [color for _, color, _ in facts(opened(glb.write(Model(tuple(balls)))))]
    assert colors == [red, blue]


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


def glb(document: dict[str, Any], binary: bytes = b"") -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if binary:
        chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"buffers": [{"uri": "/etc/passwd", "byteLength": 9}]}, "data in other files"),
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "compressed by Draco"),
        ({"extensionsRequired": ["EXT_meshopt_compression"]}, "needs the extension EXT_meshopt_compression"),
        ({"accessors": [{"count": 3, "type": "VEC3", "sparse": {"count": 1}}]}, "sparse accessors"),
        ({"nodes": [{"children": [1]}, {"children": [0]}]}, "round in a circle"),
        ({"nodes": [{"children": [1, 1]}, {}]}, "two parents"),
        ({"accessors": [{"count": 1 << 40, "type": "VEC3"}]}, "claims"),
        ({"accessors": [{"count": "x"}]}, "accessor without a count"),
        ({"meshes": [{"primitives": [{}, {"mode": 6}]}]}, "fans of triangles, which are not read"),
        ({"meshes": [{"primitives": [{"mode": 7}]}]}, "mode 7, which glTF does not have"),
        ([], "no object"),
    ],
)
def test_hostile_glb_files_give_sentences(document: Any, sentence: str) -> None:
    with pytest.raises((InvalidInput, TooLarge), match=sentence):
        opened(glb(document))


def tetrahedron_glb(indices: list[int], mode: int = 4, **more: Any) -> bytes:
    """A tetrahedron with edges of 300 mm from its corner, 4.5 mL * 1000; `more` goes into its primitive."""
    places = np.array([[0, 0, 0], [0.3, 0, 0], [0, 0.3, 0], [0, 0, 0.3]], "<f4")
    red = np.full((4, 4), [0.5, 0, 0, 1], "<f4")
    named = np.array(indices, "<u2").tobytes()
    pieces = [places.tobytes(), red.tobytes(), named + bytes(-len(named) % 4)]
    starts = np.cumsum([0, *map(len, pieces)]).tolist()
    kinds = [(5126, 4, "VEC3"), (5126, 4, "VEC4"), (5123, len(indices), "SCALAR")]
    primitive = {"attributes": {"POSITION": 0, "COLOR_0": 1}, "indices": 2, "mode": mode} | more
    line = {"attributes": {"POSITION": 0}, "mode": 1}
    return glb(
        {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "name": "tetrahedron"}],
            "meshes": [{"primitives": [primitive, line]}],
            "materials": [{"name": "half", "pbrMetallicRoughness": {"baseColorFactor": [0.5, 1, 1, 1]}}],
            "buffers": [{"byteLength": starts[-1]}],
            "bufferViews": [
                {
                    "buffer": 0,
                    "byteOffset": start,
                    "byteLength": kind[1] * {"VEC3": 12, "VEC4": 16, "SCALAR": 2}[kind[2]],
                }
                for start, kind in zip(starts[:-1], kinds, strict=True)
            ],
            "accessors": [
                {"bufferView": place, "componentType": component, "count": count, "type": kind}
                for place, (component, count, kind) in enumerate(kinds)
            ],
        },
        b"".join(pieces),
    )


@pytest.mark.parametrize(("indices", "mode"), [([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3], 4), ([0, 1, 3, 2, 0, 1], 5)])
def test_triangles_and_strips_of_a_glb_and_the_lines_beside_them(indices: list[int], mode: int) -> None:
    source = opened(tetrahedron_glb(indices, mode))
    # COLOR_0 is linear light: half of it is 188 of sRGB
    assert facts(source) == [("tetrahedron", (188, 0, 0), 4500.0)]
    assert [note.text for note in source.notes] == [
        "1 of the 2 primitives of the GLB file are points or lines, which have no surface"
    ]


def test_colors_of_vertices_count_times_that_of_the_material() -> None:
    (found,) = facts(opened(tetrahedron_glb([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3], material=0)))
    assert found[1] == pytest.approx((137, 0, 0), abs=1)  # a quarter of the light


def test_colors_belong_to_the_materials_of_the_primitives() -> None:
    """Beside an unnamed material, one is without; of two with one name, one has no color."""
    red, white = {"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}, {"name": "x"}
    for materials, second in (([red], {}), ([{**red, "name": "x"}, white], {"material": 1})):
        data = tetrahedron_glb([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3], attributes={"POSITION": 0}, material=0)
        length = int.from_bytes(data[12:16], "little")
        document = json.loads(data[20 : 20 + length])
        (primitive, _) = document["meshes"][0]["primitives"]
        plain = {key: value for key, value in primitive.items() if key != "material"}
        document |= {"materials": materials, "meshes": [{"primitives": [primitive, plain | second]}]}
        found = opened(glb(document, data[28 + length :]))
        assert {color for _, color, _ in facts(found)} == {(255, 0, 0), None}


def test_long_runs_in_an_obj_and_an_stl() -> None:
    """A megabyte of lines that go on in the next, and one of digits."""
    corners = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
    obj = corners + "\\\n" * 500_000 + "f 1 \\\n2 3\n"
    (found,) = read_obj(obj.encode(), None, 10)
    assert len(found.mesh.triangles) == 1
    (found,) = read_obj(f"{corners}f 1 2 \\\n3\\".encode(), None, 10)
    assert len(found.mesh.triangles) == 1
    with pytest.raises(InvalidInput):
        opened(b"solid a\nfacet normal 0 0 0\nouter loop\nvertex " + b"1" * 1_000_000 + b"x\n")


def test_a_megabyte_of_blanks_in_the_comment_of_a_ply() -> None:
    head = f"ply\nformat ascii 1.0\ncomment label 1 a{' ' * 1_000_000}b\nelement vertex 3\nproperty float x\n"
    head += "property float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    assert len(opened(f"{head}0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n".encode()).structures) == 1


def test_what_mesh_files_have_besides_is_told() -> None:
    corners = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
    cases = {
        f"{corners}f 1 2 3\nl 1 2\n": "points, lines or curved surfaces",
        "v 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 0 1 0 1 0 0\nf 1 2 3\n": "colors of vertices",
    }
    for text, sentence in cases.items():
        (note,) = opened(text.encode()).notes
        assert sentence in note.text
    (note,) = opened(f"{corners}usemtl a\nf 1 2 3\n".encode(), b"newmtl a\nKd 1 0 0\nmap_Kd a.png\n").notes
    assert "pictures on it, which are left out" in note.text
    head = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    head += "property uchar red\nproperty uchar green\nproperty uchar blue\nelement face 1\n"
    head += "property list uchar int vertex_indices\nend_header\n"
    (note,) = opened(f"{head}0 0 0 9 0 0\n1 0 0 9 0 0\n0 1 0 0 9 0\n3 0 1 2\n".encode()).notes
    assert note.text.startswith("the vertices of a part have several colors")
    skinned = opened(tetrahedron_glb([0, 1, 2]).replace(b'"name": "tetrahedron"', b'"skin":0, "name": "a"'))
    assert any("skeleton or morph targets" in note.text for note in skinned.notes)


def test_opacity_counts_in_a_glb_where_the_material_says_that_it_is_blended() -> None:
    written = writer_of("glb")
    assert written
    data = written.write(Model((part(1, "Liver", sphere(5, (0, 0, 0)), color=(9, 9, 9), opacity=0.25),)))
    assert part_one(data).opacity == pytest.approx(0.25)
    assert part_one(data.replace(b'"alphaMode":', b'"otherMode":')).opacity == 1


def part_one(data: bytes) -> Part:
    source = opened(data)
    return build_model(source, ConversionRequest(structures=(1,))).model.parts[0]


def threemf(model: str, unit: str = "millimeter") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("3D/3dmodel.model", f'<?xml version="1.0"?><model unit="{unit}">{model}</model>')
    return out.getvalue()


def object_of(number: int, extra: str = "") -> str:
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in CUBE_VERTICES)
    triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in triangles_of_cube() - 1)
    mesh = f"<mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh>"
    return f'<object id="{number}" {extra}>{mesh}</object>'


def test_units_components_and_transforms_of_3mf() -> None:
    group = '<colorgroup id="9"><color color="#FF8000"/><color color="#00FF0080"/></colorgroup>'
    assembly = (
        '<object id="2"><components><component objectid="1" transform="1 0 0 0 1 0 0 0 1 5 0 0"/>'
        '<component objectid="1" transform="-1 0 0 0 1 0 0 0 1 0 0 0"/></components></object>'
    )
    build = '<build><item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 7 0"/></build>'
    named = object_of(1, 'name="box" pid="9" pindex="1"')
    source = opened(threemf(f"<resources>{group}{named}{assembly}</resources>{build}", "centimeter"))
    assert facts(source) == [("box", (0, 255, 0), 1000.0), ("box", (0, 255, 0), 1000.0)]  # a mirrored one as well
    assert report_of(source.shape(1)[0]).box == ((50, 70, 0), (150, 170, 100))
    assert report_of(source.shape(2)[0]).box == ((-100, 70, 0), (0, 170, 100))


def test_components_do_not_multiply_without_end() -> None:
    layers = "".join(
        f'<object id="{n}"><components>' + f'<component objectid="{n - 1}"/>' * 10 + "</components></object>"
        for n in range(2, 30)
    )
    for first in (object_of(1), '<object id="1"/>'):
        data = threemf(f'<resources>{first}{layers}</resources><build><item objectid="29"/></build>')
        with pytest.raises(TooLarge):
            opened(data)
    circle = '<object id="1"><components><component objectid="1"/></components></object>'
    with pytest.raises(InvalidInput, match="nested more than 32 deep, or in a circle"):
        opened(threemf(f'<resources>{circle}</resources><build><item objectid="1"/></build>'))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (threemf("<resources/>", "parsec"), "the unit of the 3MF model is 'parsec'"),
        (threemf("<resources/>"), "builds no object with triangles"),
        (threemf('<build><item objectid="5"/></build>'), "has no object '5'"),
        (threemf('<object id="1"><vertex x="1" y="a" z="0"/></object>'), "a vertex without its three numbers"),
        (threemf("<resources>"), "no XML"),
    ],
)
def test_wrong_3mf_files_give_sentences(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(data)


def test_a_limit_of_triangles() -> None:
    for data in (ascii_solid("a", cube()), stl_bytes(cube(), "x"), threemf(object_of(1))):
        with pytest.raises(TooLarge, match="triangles, over the 5"):
            opened(data, max_triangles=5)


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
    assert known.key == "mesh"
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
