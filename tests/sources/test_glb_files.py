"""GLB files: triangles, colors and opacity, and what is damaged, hostile or left out."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
import trimesh

from orthanc_stl.conversion.nexus_surfaces import surface_of_file
from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.formats.registry import writer_of
from orthanc_stl.mesh.report import report_of
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


BOX = trimesh.creation.box((0.01, 0.02, 0.03))
"""In metres, Y up: 10 x 30 x 20 mm in LPS, 6 mL."""


def box_glb(positions: np.ndarray, normalized: bool = False, stride: int = 0, **more: Any) -> bytes:
    """The box with a node called Box; `more` goes over its JSON."""
    kinds = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "f4": 5126}
    width = stride or positions.itemsize * 3
    rows = np.zeros((8, width), np.uint8)
    rows[:, : positions.itemsize * 3] = positions.view(np.uint8).reshape(8, -1)
    binary = rows.tobytes() + BOX.faces.astype("<u2").tobytes()
    views: list[dict[str, Any]] = [
        {"buffer": 0, "byteLength": 8 * width}, {"buffer": 0, "byteOffset": 8 * width, "byteLength": 72},
    ]  # fmt: skip
    if stride:
        views[0]["byteStride"] = stride
    accessor = {"bufferView": 0, "componentType": kinds[positions.dtype.str[1:]], "count": 8, "type": "VEC3"}
    indices = {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"}
    document: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "Box"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [{"name": "m"}],
        "accessors": [accessor | ({"normalized": True} if normalized else {}), indices],
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    return glb(document | more, binary)


CORNERS = BOX.vertices.astype("<f4")


@pytest.mark.parametrize(("kind", "stride"), [("<u2", 8), ("<i2", 8), ("u1", 4), ("i1", 0)])
def test_positions_that_are_normalized_integers(kind: str, stride: int) -> None:
    """As gltf-transform and gltfpack quantize a mesh: of the largest integer, with a node that has its size."""
    most = np.iinfo(kind).max
    signed = np.dtype(kind).kind == "i"
    half = np.array([0.005, 0.01, 0.015])
    parts = CORNERS / half if signed else (CORNERS / half + 1) / 2
    node = {"mesh": 0, "name": "Box", "scale": (half if signed else 2 * half).tolist()}
    if not signed:
        node["translation"] = (-half).tolist()
    needed = {"extensionsRequired": ["KHR_mesh_quantization"]}
    data = box_glb(np.rint(parts * most).astype(kind), True, stride, nodes=[node], **needed)
    source = opened(data)
    assert facts(source) == [("Box", None, 6.0)]
    assert np.allclose(report_of(source.shape(1)[0]).box, ((-5, -15, -10), (5, 15, 10)), atol=1e-3)
    (painted, *_), (plain, _) = surface_of_file(data, 100), opened(box_glb(CORNERS)).shape(1)
    for mesh in (source.shape(1)[0], painted):
        assert np.allclose(np.sort(mesh.vertices, axis=0), np.sort(plain.vertices, axis=0), atol=1e-3)


@pytest.mark.parametrize("change", [{"byteOffset": 999}, {"byteStride": 2}, {"byteOffset": "x"}])
def test_normalized_positions_beyond_the_file_give_a_sentence(change: dict[str, Any]) -> None:
    data = box_glb(np.zeros((8, 3), "<u2"), True)
    length = int.from_bytes(data[12:16], "little")
    document = json.loads(data[20 : 20 + length])
    document["bufferViews"][0] |= change
    with pytest.raises(InvalidInput, match=r"beyond the end of its data|at no place in its data"):
        opened(glb(document, data[28 + length :]))


@pytest.mark.parametrize(
    "change", [{"componentType": [5]}, {"componentType": 5125}, {"bufferView": "x"}, {"type": "VEC2"}]
)
def test_normalized_positions_of_no_integers_give_a_sentence(change: dict[str, Any]) -> None:
    data = box_glb(np.zeros((8, 3), "<u2"), True)
    length = int.from_bytes(data[12:16], "little")
    document = json.loads(data[20 : 20 + length])
    document["accessors"][0] |= change
    document["meshes"][0]["primitives"].append({"attributes": {"POSITION": [0]}})
    for read in (opened, lambda file: surface_of_file(file, 100)):
        with pytest.raises(InvalidInput, match="no triples of integers of 8 or 16 bits"):
            read(glb(document, data[28 + length :]))


def test_what_the_scene_does_not_show_is_told() -> None:
    nodes = [{"name": "top", "children": [1]}, {"mesh": 0, "name": "in"}, {"mesh": 0, "name": "out"}, {"name": "empty"}]
    source = opened(box_glb(CORNERS, nodes=nodes))
    assert [part.name for part in source.parts] == ["in"]
    assert [note.text for note in source.notes] == [
        "a node with a mesh of the GLB file, outside the scene that it shows, is left out"
    ]
    with pytest.raises(InvalidInput, match="no node of the scene that it shows has a mesh"):
        opened(box_glb(CORNERS, scenes=[{"nodes": [3]}], nodes=nodes))


def test_a_file_without_scenes_shows_all_of_its_nodes() -> None:
    """Each once, though one is another's child."""
    nodes = [{"mesh": 0, "name": "Box", "children": [1]}, {"mesh": 0, "name": "Child", "translation": [1, 0, 0]}]
    data = box_glb(CORNERS, nodes=nodes, scenes=[])
    source = opened(data)
    assert [one.name for one in source.structures] == ["Box", "Child"]
    shapes = [source.shape(one.number) for one in source.structures]
    assert [round(report_of(shape).volume, 1) for shape, _ in shapes] == [6000.0, 6000.0]
    assert [float(shape.vertices[:, 0].mean().round(3)) for shape, _ in shapes] == [0, 1000]
    said = "the GLB file has no scene, which would say what of it is shown: all of its nodes are read"
    assert said in [note.text for note in shapes[0][1]]
    assert said not in [note.text for note in opened(box_glb(CORNERS)).shape(1)[1]]


def test_repetitions_that_are_not_read_are_told() -> None:
    node = {"mesh": 0, "name": "Box", "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 0}}}}
    (note,) = opened(box_glb(CORNERS, nodes=[node])).notes
    assert note.text.endswith("(EXT_mesh_gpu_instancing): each is there once")


def test_primitives_keep_their_order_and_colors_of_older_files_are_read() -> None:
    old = {"extensions": {"KHR_materials_pbrSpecularGlossiness": {"diffuseFactor": [0, 1, 0, 0.5]}}}
    primitives = [{"attributes": {"POSITION": 0}, "indices": 1, "material": place} for place in range(3)]
    materials = [
        {"name": "a", "pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}},
        {"name": "b", "alphaMode": "BLEND", **old},
        {"name": "c", "pbrMetallicRoughness": {"baseColorFactor": [0, 0, 1, 1]}},
    ]
    source = opened(box_glb(CORNERS, meshes=[{"primitives": primitives}], materials=materials))
    assert [(part.color, part.opacity) for part in source.parts] == [
        ((255, 0, 0), 1.0), ((0, 255, 0), 0.5), ((0, 0, 255), 1.0),
    ]  # fmt: skip
