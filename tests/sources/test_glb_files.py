"""GLB files: triangles, colors and opacity, and what is damaged, hostile or left out."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.formats.registry import writer_of
from orthanc_stl.model import Model
from testing.scenes import part, sphere
from tests.sources.test_mesh_files import part_one
from tests.sources.test_meshes import facts, opened


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


def test_opacity_counts_in_a_glb_where_the_material_says_that_it_is_blended() -> None:
    written = writer_of("glb")
    assert written
    data = written.write(Model((part(1, "Liver", sphere(5, (0, 0, 0)), color=(9, 9, 9), opacity=0.25),)))
    assert part_one(data).opacity == pytest.approx(0.25)
    assert part_one(data.replace(b'"alphaMode":', b'"otherMode":')).opacity == 1


def test_parts_of_one_name_keep_their_colors_in_a_glb() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    balls = [part(i, "GTV", sphere(5, (40.0 * i, 0, 0)), color=c) for i, c in ((1, red), (2, blue))]
    glb = writer_of("glb")
    assert glb
    colors = [color for _, color, _ in facts(opened(glb.write(Model(tuple(balls)))))]
    assert colors == [red, blue]


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
    assert note.text.startswith("a part has several colors in the file")
    skinned = opened(tetrahedron_glb([0, 1, 2]).replace(b'"name": "tetrahedron"', b'"skin":0, "name": "a"'))
    assert any("skeleton or morph targets" in note.text for note in skinned.notes)
