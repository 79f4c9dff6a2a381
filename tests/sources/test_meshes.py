"""Surfaces that are there already: Surface Segmentation, stored models, and files of STL, OBJ, PLY, GLB and 3MF."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.obj import obj_and_mtl
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.encapsulated import Encapsulated
from orthanc_stl.sources.mesh_files import MeshFiles
from orthanc_stl.sources.mesh_parts import OpenMeshes
from orthanc_stl.sources.surface_segmentation import OpenSurfaces, SurfaceSegmentation
from testing.data import shared_file
from testing.source_phantoms import a_dataset, file_of, item, segment
from tests.mesh.test_stl import TETRAHEDRON

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


def test_a_facet_that_is_not_convex_has_its_area_and_one_of_points_that_are_not_there_is_refused() -> None:
    """An L-shaped prism: 5 mL, 22 cm²; a fan from the corner (30, 10) has 26 cm²."""
    ell = [(30, 10), (10, 10), (10, 30), (0, 30), (0, 0), (30, 0)]
    corners = np.array([(x, y, z) for z in (0, 10) for x, y in ell], np.float32)
    sides = [(n + 1, (n + 1) % 6 + 1, (n + 1) % 6 + 7, n + 7) for n in range(6)]
    facets = [(6, 5, 4, 3, 2, 1), (7, 8, 9, 10, 11, 12), *sides]
    listed = [item(LongPrimitivePointIndexList=np.array(facet, "<u4").tobytes()) for facet in facets]
    ds = surfaces(item(FacetSequence=listed), corners)
    report = report_of(SurfaceSegmentation().open([file_of(ds)], ReadOptions()).shape(1)[0])
    assert report.closed
    assert [report.volume, report.area] == pytest.approx([5000, 2200])
    listed[0].LongPrimitivePointIndexList = np.array((1, 2, 13), "<u4").tobytes()
    source = SurfaceSegmentation().open([file_of(ds)], ReadOptions())
    assert source.structures[0].reason == "a facet names point 13 of 12"


def test_a_strip_turns_every_other_triangle() -> None:
    """A tetrahedron in one strip: 1 2 3, 3 2 4 turned round, 3 4 1, 1 4 2 turned round."""
    corners = np.array([(0, 0, 0), (0, 10, 0), (10, 0, 0), (0, 0, 10)], np.float32)
    strip = item(LongPrimitivePointIndexList=np.array((1, 2, 3, 4, 1, 2), "<u4").tobytes())
    data = file_of(surfaces(item(TriangleStripSequence=[strip]), corners))
    report = report_of(SurfaceSegmentation().open([data], ReadOptions()).shape(1)[0])
    assert (report.triangles, report.closed) == (4, True)
    assert report.volume == pytest.approx(1000 / 6)


def a_cube(**more: Any) -> Dataset:
    ds = surfaces(item(LongTrianglePointIndexList=triangles_of_cube().astype("<u4").tobytes()))
    ds.SurfaceSequence[0].update(item(**more))
    return ds


def test_a_surface_that_is_named_twice_counts_once_and_numbers_that_are_there_twice_are_told() -> None:
    ds = a_cube()
    ds.SegmentSequence[0].ReferencedSurfaceSequence.append(item(ReferencedSurfaceNumber=4))
    ds.SegmentSequence.append(segment(1, "another"))
    ds.SurfaceSequence.append(a_cube().SurfaceSequence[0])
    mesh, notes = SurfaceSegmentation().open([file_of(ds)], ReadOptions()).shape(1)
    assert report_of(mesh).volume == pytest.approx(1000)
    assert [note.text for note in notes] == [
        "the Segment Sequence has 2 entries of the number 1: the first counts",
        "the Surface Sequence has 2 entries of the number 4: the first counts",
    ]


def test_a_segment_has_all_its_surfaces_and_says_which_have_no_triangles() -> None:
    ds = a_cube()
    other, lines = a_cube().SurfaceSequence[0], a_cube().SurfaceSequence[0]
    other.SurfaceNumber, lines.SurfaceNumber = 2, 9
    other.SurfacePointsSequence[0].PointCoordinatesData = (CUBE_VERTICES + 50).astype("<f4").tobytes()
    lines.SurfaceMeshPrimitivesSequence = [item(LineSequence=[])]
    ds.SurfaceSequence = [other, *ds.SurfaceSequence, lines]
    ds.SegmentSequence[0].ReferencedSurfaceSequence += [item(ReferencedSurfaceNumber=number) for number in (2, 9)]
    mesh, notes = SurfaceSegmentation().open([file_of(ds)], ReadOptions()).shape(1)
    assert report_of(mesh).volume == pytest.approx(2000)
    assert report_of(mesh).box == ((0, 0, 0), (60, 60, 60))
    assert [note.text for note in notes] == ["surface 9 has points or lines only, no triangles"]


def test_color_and_opacity_are_the_surfaces_own() -> None:
    """By D50, unlike those of segments of voxels: (41661, 41167, 40792) is the liver of 3D Slicer over D65."""
    ds = a_cube(RecommendedDisplayCIELabValue=[41661, 41167, 40792], RecommendedPresentationOpacity=0.25)
    ds.SegmentSequence[0].RecommendedDisplayCIELabValue = [0, 32896, 32896]
    source = SurfaceSegmentation().open([file_of(ds)], ReadOptions())
    part = build_model(source, ConversionRequest(all=True)).model.parts[0]
    assert (part.color, part.opacity) == ((217, 130, 101), 0.25)


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, ImplicitVRLittleEndian])
def test_surfaces_in_other_transfer_syntaxes(syntax: str) -> None:
    ds, order = a_cube(), ">" if syntax == ExplicitVRBigEndian else "<"
    surface = ds.SurfaceSequence[0]
    surface.SurfacePointsSequence[0].PointCoordinatesData = CUBE_VERTICES.astype(f"{order}f4").tobytes()
    listed = triangles_of_cube().astype(f"{order}u4").tobytes()
    surface.SurfaceMeshPrimitivesSequence[0].LongTrianglePointIndexList = listed
    mesh, _ = SurfaceSegmentation().open([file_of(ds, syntax)], ReadOptions()).shape(1)
    assert report_of(mesh).volume == pytest.approx(1000)


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
    assert ["an MTL, which was not given" in note.text for note in alone.shape(1)[1]] == [True]
    bare = Encapsulated().open([files[0], shared_file("surfaces/balls.mtl").read_bytes()], ReadOptions())
    assert facts(bare) == facts(source)


def encapsulated_stl(**more: Any) -> Dataset:
    ds = a_dataset("1.2.840.10008.5.1.4.1.1.104.3", "M3D")
    ds.EncapsulatedDocument = stl_bytes(TETRAHEDRON, "made")
    ds.ContentDescription, ds.RecommendedDisplayCIELabValue = "Tetrahedron", [31378, 51216, 42015]
    for name, value in more.items():
        setattr(ds, name, value)
    return ds


def encapsulated_obj() -> Dataset:
    ds = a_dataset("1.2.840.10008.5.1.4.1.1.104.4", "M3D")
    ds.EncapsulatedDocument = obj_and_mtl(two_parts(), "model.mtl")[0]
    ds.EncapsulatedDocumentLength = len(ds.EncapsulatedDocument)
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
