"""What a painted file loses on its way into a Nexus model is told."""

from __future__ import annotations

import json

import pytest
import trimesh
from PIL import Image

from orthanc_stl.conversion.nexus_surfaces import surface_of_file
from testing.scenes import sphere
from tests.conversion.painted import MOST, MTL, QUARTERS, png, square, zipped
from tests.sources.test_glb_files import glb

LOST: dict[str, tuple[dict[str, bytes | str], str]] = {
    "its MTL": ({"s.obj": square()}, 'the MTL "s.mtl" is not in the zip'),
    "its picture": ({"s.obj": square(), "s.mtl": MTL}, 'the picture "pictures/s.png" is not in the zip'),
    "a picture that is none": (
        {"s.obj": square(), "s.mtl": MTL, "pictures/s.png": b"no picture"},
        'the picture "pictures/s.png" cannot be read',
    ),
    "a name of an MTL": ({"s.obj": square().replace("mtllib s.mtl", ""), "s.mtl": MTL}, "names no MTL"),
    "a material": (
        {"s.obj": square().replace("usemtl paint", "usemtl other"), "s.mtl": MTL, "pictures/s.png": png()},
        "1 of the materials of the OBJ file are not in its MTL",
    ),
    "materials, in an MTL without any": (
        {"s.obj": square(), "s.mtl": ""},
        "1 of the materials of the OBJ file are not",
    ),
    "a picture for ambient light": (
        {"s.obj": square(), "s.mtl": MTL.replace("map_Kd", "map_Ka"), "pictures/s.png": png()},
        "1 of the materials have a picture for ambient light alone",
    ),
    "colors of vertices": (
        {"s.obj": square().replace(" 0\nv", " 0 0 0 1\nv"), "s.mtl": "newmtl paint\nKd 1 0 0\n"},
        "colors of vertices, which are left out where faces have a material",
    ),
    "one of two MTL files": (
        {"s.obj": square().replace("s.mtl", "s.mtl t.mtl"), "s.mtl": "newmtl paint\nKd 1 0 0\n"},
        'the MTL "t.mtl" is not in the zip',
    ),
    "a picture after options": (
        {"s.obj": square(), "s.mtl": MTL.replace("pictures/", "-clamp on -s 1 1 1 ")},
        'the picture "s.png" is not in the zip',
    ),
    "its lines": ({"s.obj": f"{square()}l 1 2 3\n", "s.mtl": "newmtl paint\nKd 1 0 0\n"}, "points, lines"),
}


@pytest.mark.parametrize("case", LOST)
def test_what_an_obj_lost_is_told(case: str) -> None:
    files, sentence = LOST[case]
    mesh, _, notes = surface_of_file(zipped(files), MOST)
    assert len(mesh.triangles) == 2
    (note,) = notes
    assert sentence in note


@pytest.mark.parametrize(
    ("options", "moved"), [("-s 1 1 1", False), ("-clamp on -o 0.0 0 -bm 2", False), ("-s 10 1 1", True)]
)
def test_options_before_the_name_of_a_picture(options: str, moved: bool) -> None:
    files: dict[str, bytes | str] = {
        "s.obj": square(),
        "s.mtl": f"newmtl paint\nmap_Kd {options} my s.png\n",
        "my s.png": png(),
    }
    _, colors, notes = surface_of_file(zipped(files), MOST)
    assert {tuple(c) for c in colors.tolist()} == {(*c, 255) for c in QUARTERS[::32, ::32].reshape(-1, 3).tolist()}
    assert ["moved or scaled by options" in note for note in notes] == [True, False][not moved :]


def test_several_mtl_files_of_one_line() -> None:
    files = {
        "s.obj": square().replace("s.mtl", "a.mtl b.mtl"),
        "a.mtl": "newmtl x\n",
        "b.mtl": "newmtl paint\nKd 1 0 0",
    }
    _, colors, notes = surface_of_file(zipped(files), MOST)
    assert ({tuple(c) for c in colors.tolist()}, notes) == ({(255, 0, 0, 255)}, ())


def test_a_megabyte_of_blanks_in_a_line() -> None:
    blanks = " " * (1 << 20)
    obj = square().replace("s.mtl", f"a{blanks}b").replace("usemtl paint", f"usemtl a{blanks}b")
    _, _, notes = surface_of_file(zipped({"s.obj": obj, "s.mtl": MTL}), MOST)
    assert ["is not in the zip" in note for note in notes] == [True]


def test_capitals_in_the_names_of_a_zip_do_not_count() -> None:
    mtl = MTL.replace("s.png", "S.PNG")
    archive = zipped({"s.obj": square(), "S.MTL": mtl, "Pictures/s.png": png()})
    assert len(surface_of_file(archive, MOST)[0].vertices) > 64 * 64


def test_what_a_glb_lost_is_told() -> None:
    ball = sphere(0.1, (0, 0, 0), 12)
    painted = trimesh.visual.TextureVisuals(uv=ball.vertices[:, :2] / 0.2 + 0.5, image=Image.fromarray(QUARTERS))
    textured = trimesh.Trimesh(ball.vertices, ball.triangles, process=False, visual=painted)
    data = trimesh.Scene([textured]).export(file_type="glb")
    (damaged,) = surface_of_file(data.replace(b"\x89PNG", b"\x00PNG"), MOST)[2]
    assert damaged.startswith("the pictures of 1 of the meshes of the GLB file cannot be read")
    length = int.from_bytes(data[12:16], "little")
    document = json.loads(data[20 : 20 + length])
    document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["texCoord"] = 1
    notes = surface_of_file(glb(document, data[28 + length :]), MOST)[2]
    assert "their colors are at wrong places" in notes[0]
