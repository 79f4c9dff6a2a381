"""Surfaces that are there already: Surface Segmentation, stored models, and files of STL, OBJ, PLY, GLB and 3MF."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.encapsulated import Encapsulated
from orthanc_stl.sources.mesh_files import MeshFiles, format_of
from orthanc_stl.sources.mesh_parts import OpenMeshes
from orthanc_stl.sources.registry import recognise
from orthanc_stl.sources.surface_segmentation import OpenSurfaces, SurfaceSegmentation
from testing.data import shared_file, shared_files
from tests.mesh.test_stl import TETRAHEDRON
from tests.sources.dicom_files import a_dataset, file_of, item, segment

CUBE_VERTICES = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32) * 10
CUBE_QUADS = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
SURFACE_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.5"


def opened(data: bytes, *more: bytes, **limits: int) -> OpenMeshes:
    return MeshFiles().open([data, *more], ReadOptions(limits=limits))


def facts(source: Any) -> list[tuple[str, Any, Any]]:
    return [(s.name, s.color, s.facts["VolumeMl"]) for s in source.structures]


# Surface Segmentation


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("balls", [("Ball 20", (220, 20, 60), 33.2219), ("Ball 12", (0, 128, 255), 7.1759)]),
        ("tetrahedron", [("Tetrahedron", (255, 255, 255), 0.2434)]),
    ],
)
def test_surface_segmentations_of_the_shared_data(name: str, expected: list[Any]) -> None:
    data = shared_file(f"surfaces/surface_segmentation_{name}.dcm").read_bytes()
    source = SurfaceSegmentation().open([data], ReadOptions())
    assert facts(source) == expected
    assert all(s.facts["Closed"] and s.anatomy for s in source.structures)


def surfaces(primitives: Dataset, points: np.ndarray = CUBE_VERTICES) -> Dataset:
    ds = a_dataset(SURFACE_SEGMENTATION, "SEG")
    ds.SegmentSequence = [segment(1, "cube", ReferencedSurfaceSequence=[item(ReferencedSurfaceNumber=4)])]
    coordinates = item(NumberOfSurfacePoints=len(points), PointCoordinatesData=points.astype("<f4").tobytes())
    ds.SurfaceSequence = [
        item(SurfaceNumber=4, SurfacePointsSequence=[coordinates], SurfaceMeshPrimitivesSequence=[primitives])
    ]
    return ds


def facets(attribute: str, kind: str) -> list[Dataset]:
    return [item(**{attribute: np.array(quad, kind).tobytes()}) for quad in CUBE_QUADS]


def triangles_of_cube() -> np.ndarray:
    return np.array([t for a, b, c, d in CUBE_QUADS for t in ((a, b, c), (a, c, d))])


def strips() -> list[Dataset]:
    """A quad (a, b, c, d) as the strip a, b, d, c."""
    return [item(LongPrimitivePointIndexList=np.array((a, b, d, c), "<u4").tobytes()) for a, b, c, d in CUBE_QUADS]


@pytest.mark.parametrize(
    "primitives",
    [
        item(LongTrianglePointIndexList=triangles_of_cube().astype("<u4").tobytes()),
        item(TrianglePointIndexList=triangles_of_cube().astype("<u2").tobytes()),
        item(FacetSequence=facets("LongPrimitivePointIndexList", "<u4")),
        item(TriangleFanSequence=facets("PrimitivePointIndexList", "<u2")),
        item(TriangleStripSequence=strips()),
    ],
    ids=["triangles", "triangles of 16 bits", "facets", "fans of 16 bits", "strips"],
)
def test_every_primitive_makes_the_same_cube(primitives: Dataset) -> None:
    source = SurfaceSegmentation().open([file_of(surfaces(primitives))], ReadOptions())
    report = report_of(source.shape(1)[0])
    assert (report.triangles, report.closed, report.euler_number) == (12, True, 2)
    assert report.volume == pytest.approx(1000)


@pytest.mark.parametrize(
    ("ds", "reason"),
    [
        (surfaces(item()), "it has no surface with triangles"),
        (surfaces(item(LongTrianglePointIndexList=np.array((1, 2, 99), "<u4").tobytes())), "names vertex 98 of 8"),
        (surfaces(item(LongTrianglePointIndexList=np.array((0, 1, 2), "<u4").tobytes())), "names vertex"),
        (surfaces(item(), CUBE_VERTICES.reshape(-1)[:7]), "7 coordinates, which is no multiple of three"),
    ],
)
def test_a_segment_without_a_usable_surface_says_why(ds: Dataset, reason: str) -> None:
    source: OpenSurfaces = SurfaceSegmentation().open([file_of(ds)], ReadOptions())
    assert reason in source.structures[0].reason
    with pytest.raises(InvalidInput, match=reason):
        source.shape(1)


# Stored models


def test_an_encapsulated_obj_with_its_mtl() -> None:
    files = [shared_file(f"surfaces/encapsulated_{n}.dcm").read_bytes() for n in ("obj", "mtl")]
    source = Encapsulated().open(files, ReadOptions())
    assert facts(source) == [("Ball_20", (220, 20, 60), 33.2219), ("Ball_12", (0, 128, 255), 7.1759)]
    assert source.structures[1].facts["Opacity"] == 0.5
    assert source.frame_of_reference_uid == "2.25.1000.9"
    alone = Encapsulated().open(files[:1], ReadOptions())
    assert [s.color for s in alone.structures] == [None, None]
    assert ["an MTL, which did not come" in note.text for note in alone.shape(1)[1]] == [True]
    bare = Encapsulated().open([files[0], shared_file("surfaces/balls.mtl").read_bytes()], ReadOptions())
    assert facts(bare) == facts(source)


def encapsulated_stl(**more: Any) -> Dataset:
    ds = a_dataset("1.2.840.10008.5.1.4.1.1.104.3", "M3D")
    ds.EncapsulatedDocument = stl_bytes(TETRAHEDRON, "made")
    ds.ContentDescription, ds.RecommendedDisplayCIELabValue = "Tetrahedron", [31378, 51216, 42015]
    for name, value in more.items():
        setattr(ds, name, value)
    return ds


@pytest.mark.parametrize(
    ("unit", "factor", "note"), [("mm", 1, ""), ("cm", 10, ""), ("um", 0.001, ""), ("furlong", 1, "mm was taken")]
)
def test_units_of_a_stored_model(unit: str, factor: float, note: str) -> None:
    units = [item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit)]
    source = Encapsulated().open([file_of(encapsulated_stl(MeasurementUnitsCodeSequence=units))], ReadOptions())
    mesh, notes = source.shape(1)
    assert report_of(mesh).volume == pytest.approx(4.5 * factor**3, rel=1e-5)
    assert [note in n.text for n in notes] == [True] * bool(note)
    assert (source.structures[0].name, source.structures[0].color) == ("Tetrahedron", (220, 20, 60))


@pytest.mark.parametrize("name", ["Issue137_empty_encapsulated_stl", "dcmtk_stl_empty_bin.stl"])
def test_an_empty_document_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"no document in it|no triangle"):
        Encapsulated().open([shared_file(f"encapsulated/{name}.dcm").read_bytes()], ReadOptions())


# Files


def cube(shift: float = 0.0) -> Mesh:
    return Mesh(CUBE_VERTICES + np.float32(shift), (triangles_of_cube() - 1).astype(np.int32))


def two_parts() -> Model:
    parts = [
        Part(3, "left kidney", cube(), report_of(cube()), color=(220, 20, 60)),
        Part(7, "Größe 2", cube(30), report_of(cube(30)), color=(0, 128, 255), opacity=0.5),
    ]
    return Model(tuple(parts), title="two")


@pytest.mark.parametrize("name", ["glb", "ply", "threemf", "obj"])
def test_what_is_written_is_read_back(name: str) -> None:
    writer = pytest.importorskip(f"orthanc_stl.formats.{name}")
    files = writer.obj_and_mtl(two_parts()) if name == "obj" else [writer.write(two_parts(), WriteOptions())]
    source = opened(*files)
    found = {s.name: (source.shape(s.number)[0], s) for s in source.structures}
    assert list(found) == ["left kidney", "Größe 2"]
    for part in two_parts().parts:
        mesh, structure = found[part.name]
        assert report_of(mesh).box == pytest.approx(np.array(part.report.box), abs=1e-4)
        assert report_of(mesh).volume == pytest.approx(1000, rel=1e-5)
        assert structure.facts["Closed"]
        assert structure.color == pytest.approx(part.color, abs=1)
        assert structure.facts.get("Opacity", 1.0) == pytest.approx(part.opacity, abs=0.01)


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
        ({"nodes": [{"children": [1]}, {"children": [0]}]}, "round in a circle"),
        ({"nodes": [{"children": [1, 1]}, {}]}, "two parents"),
        ({"accessors": [{"count": 1 << 40, "type": "VEC3"}]}, "claims"),
        ({"accessors": [{"count": "x"}]}, "accessor without a count"),
        ([], "no object"),
    ],
)
def test_hostile_glb_files_give_sentences(document: Any, sentence: str) -> None:
    with pytest.raises((InvalidInput, TooLarge), match=sentence):
        opened(glb(document))


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
    "empty.stl", "stl_empty_ascii.stl", "stl_empty_bin.stl", "empty_nodes.glb",  # nothing in them
    "multiprop-translucent.3mf",  # not well-formed XML: a prefix is not declared
}  # fmt: skip


@pytest.mark.parametrize("file", shared_files("mesh/**/*"), ids=lambda file: file.name)
def test_files_of_others_are_read_or_refused_with_a_sentence(file: Path) -> None:
    data = file.read_bytes()
    if file.name in REFUSED or not format_of(data[: 1 << 16]):
        with pytest.raises(InvalidInput):
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
