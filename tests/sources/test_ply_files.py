"""PLY files: every form, polygons of several sizes, labels and colors of faces, and damaged ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import trimesh

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.mesh.report import report_of
from tests.sources.test_meshes import CUBE_QUADS, CUBE_VERTICES, facts, opened

ELL = [(0, 0), (30, 0), (30, 10), (10, 10), (10, 30), (0, 30)]
PRISM = [(x, y, z) for z in (0, 10) for x, y in ELL]
"""5 mL, 22 cm²: two L-shaped polygons and six sides."""
PRISM_FACES = [(5, 4, 3, 2, 1, 0), tuple(range(6, 12)), *((n, (n + 1) % 6, (n + 1) % 6 + 6, n + 6) for n in range(6))]
CUBE_FACES = [tuple(n - 1 for n in quad) for quad in CUBE_QUADS]
FORMATS = ["ascii", "binary_little_endian", "binary_big_endian"]
RED_GREEN_BLUE = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))


def ply(
    points: Sequence[Sequence[float]] | np.ndarray,
    faces: Sequence[Sequence[int]],
    *,
    form: str = "ascii",
    of_vertices: tuple[str, Sequence[Sequence[float]], str] = ("", (), ""),
    of_faces: tuple[str, Sequence[Sequence[float]], str] = ("", (), ""),
    comments: str = "",
) -> bytes:
    """`of_vertices`, `of_faces`: the header of more properties, their values, and the type of these for numpy."""
    head = (
        f"ply\nformat {form} 1.0\n{comments}element vertex {len(points)}\nproperty float x\nproperty float y\n"
        f"property float z\n{of_vertices[0]}element face {len(faces)}\n"
        f"property list uchar int vertex_indices\n{of_faces[0]}end_header\n"
    ).encode()
    order = ">" if "big" in form else "<"
    rows: list[bytes] = []
    for listed, more, first in ((points, of_vertices, "f4"), (faces, of_faces, "i4")):
        for number, row in enumerate(listed):
            extra = more[1][number] if more[1] else ()
            if form == "ascii":
                length = [] if first == "f4" else [len(row)]
                rows.append((" ".join(map(str, [*length, *row, *extra])) + "\n").encode())
            else:
                length_byte = b"" if first == "f4" else bytes([len(row)])
                extras = np.array(extra, order + (more[2] or "u1")).tobytes()
                rows.append(length_byte + np.array(row, order + first).tobytes() + extras)
    return head + b"".join(rows)


@pytest.mark.parametrize("form", FORMATS)
def test_polygons_of_several_sizes_in_every_form(form: str) -> None:
    report = report_of(opened(ply(PRISM, PRISM_FACES, form=form)).shape(1)[0])
    assert (report.closed, report.triangles, report.euler_number) == (True, 20, 2)
    assert [report.volume, report.area] == pytest.approx([5000, 2200])


@pytest.mark.parametrize("form", FORMATS)
def test_labels_and_colors_of_faces_with_four_corners(form: str) -> None:
    points = np.concatenate((CUBE_VERTICES, CUBE_VERTICES + 50))
    faces = [*CUBE_FACES, *(tuple(n + 8 for n in face) for face in CUBE_FACES)]
    values = [(5, 255, 0, 0)] * 6 + [(9, 0, 0, 255)] * 5 + [(9, 0, 0, 0)]
    header = "property uchar label\n" + RED_GREEN_BLUE
    data = ply(points, faces, form=form, of_faces=(header, values, "u1"), comments="comment label 5 liver\n")
    source = opened(data)
    assert facts(source) == [("liver", (255, 0, 0), 1.0), ("label 9", (0, 0, 255), 1.0)]
    assert [note.text for note in source.shape(1)[1]] == [
        "a part has several colors in the file; a part has one here, that of most of it"
    ]


@pytest.mark.parametrize(("label", "name"), [(5.0, "label 5"), (5.5, "part"), (np.nan, "part"), (np.inf, "part")])
@pytest.mark.parametrize("form", FORMATS)
def test_labels_that_are_no_whole_numbers_are_none(form: str, label: float, name: str) -> None:
    data = ply(CUBE_VERTICES, CUBE_FACES, form=form, of_faces=("property float label\n", [(label,)] * 6, "f4"))
    assert facts(opened(data)) == [(name, None, 1.0)]


@pytest.mark.parametrize(
    ("header", "kind", "value"),
    [
        (RED_GREEN_BLUE, "u1", (0, 128, 255)),
        (RED_GREEN_BLUE.replace("uchar", "float"), "f4", (0, 0.5, 1)),
        (RED_GREEN_BLUE.replace("uchar", "int"), "i4", (0, 128, 255)),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_colors_of_vertices(form: str, header: str, kind: str, value: tuple[float, ...]) -> None:
    data = ply(CUBE_VERTICES, CUBE_FACES, form=form, of_vertices=(header, [value] * 8, kind))
    source = opened(data)
    assert facts(source) == [("part", (0, 128, 255), 1.0)]
    assert source.shape(1)[1] == ()


def test_what_trimesh_writes_has_the_same_triangles() -> None:
    ball = trimesh.creation.icosphere(3, 10)
    for encoding in ("ascii", "binary"):
        report = report_of(opened(ball.export(file_type="ply", encoding=encoding)).shape(1)[0])
        assert (report.triangles, report.closed) == (1280, True)
        assert report.volume == pytest.approx(ball.volume, rel=1e-5)


def test_elements_before_the_faces_and_line_ends_of_other_systems() -> None:
    data = ply(CUBE_VERTICES, CUBE_FACES)
    other = data.replace(b"element face", b"element material 2\nproperty list uchar float knots\nelement face")
    other = other.replace(b"\n4 ", b"\n2 0.5 1\n3 1 2 3\n4 ", 1)
    head, _, rows = data.partition(b"end_header\n")
    lines = rows.splitlines(keepends=True)
    first, vertices, faces = (
        head[a:b] for a, b in pairwise((0, head.index(b"element v"), head.index(b"element f"), None))
    )
    turned = first + faces + vertices + b"end_header\n" + b"".join(lines[8:] + lines[:8])
    for form in (other, turned, data.replace(b"\n", b"\r\n"), data.replace(b"vertex_indices", b"vertex_index")):
        assert facts(opened(form)) == [("part", None, 1.0)]


CUBE = ply(CUBE_VERTICES, CUBE_FACES)
BINARY = ply(CUBE_VERTICES, CUBE_FACES, form="binary_little_endian")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (CUBE[:-30], "ends in the middle of its 6 elements 'face'"),
        (BINARY[:-3], "ends in the middle of its 6 elements 'face'"),
        (
            BINARY[: BINARY.index(b"end_header") + 40],
            "the middle of its 8 elements 'vertex'",
        ),
        (CUBE.replace(b"end_header", b"end_head"), "no end of its header"),
        (CUBE.replace(b"ascii", b"utf8"), "the format 'utf8'"),
        (CUBE.replace(b"float x", b"complex x"), "a property that is not read: 'property complex x'"),
        (CUBE.replace(b"element face 6", b"element face six"), "a line that is not read: 'element face six'"),
        (CUBE.replace(b"property float z", b"property float w"), "have no x, y and z"),
        (CUBE.replace(b"face 6", b"face 999999999"), "claims 1000000007 elements"),
        (CUBE.replace(b"\n4 0", b"\n4 8", 1), "names vertex 8 of 8"),
        (CUBE.replace(b"\n4 0", b"\n4 -1", 1), "names vertex -1 of 8"),
        (CUBE.replace(b"\n4 0", b"\n4 0.5", 1), "names a vertex by no whole number"),
        (CUBE.replace(b"\n4 0", b"\n4 zero", 1), "values that are no numbers"),
        (CUBE.replace(b"element face", b"element tristrips"), "no face but strips of triangles"),
        (CUBE.replace(b"vertex_indices", b"indices"), "has no face"),
    ],
)
def test_damaged_files_give_sentences(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(data)


def test_a_limit_of_triangles() -> None:
    for most, counted in ((11, 12), (5, 6)):  # a face has a triangle at least
        with pytest.raises(TooLarge, match=f'{counted} triangles, over the {most} of the option "MaxTriangles"'):
            opened(CUBE, max_triangles=most)


def test_random_damage_gives_sentences_alone() -> None:
    random = np.random.default_rng(3)
    read, refused = 0, []
    for data in (CUBE, BINARY, ply(PRISM, PRISM_FACES, form="binary_big_endian")):
        for _ in range(150):
            damaged = bytearray(data)
            damaged[random.integers(4, len(data))] = random.integers(0, 256)
            try:
                read += len(opened(bytes(damaged)).parts)
            except InvalidInput as error:
                refused.append(str(error))
    assert read > 40
    assert not [sentence for sentence in refused if "damaged:" in sentence]  # as of what a library raised
