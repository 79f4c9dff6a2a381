"""Whole sets by name: what goes together, what has no partner, what could not be meshed; and colors by distance."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pydicom
import pytest

from orthanc_stl.conversion.comparison import Side, colored_by_distance, compared, namesakes, only_parts
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Note, Part, Rank
from orthanc_stl.sources.base import OpenSource, ReadOptions
from orthanc_stl.sources.registry import open_files
from testing import phantoms
from tests.mesh.shapes import box, sphere

LARGE, SMALL = sphere(20, (10, -15, 30)), sphere(12, (28, -15, 30))


def model(*named: tuple[str, Mesh], frame: str = "1.2") -> Model:
    parts = (Part(number, name, mesh, report_of(mesh)) for number, (name, mesh) in enumerate(named, 1))
    return Model(tuple(parts), frame_of_reference_uid=frame)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (["Heart"], ["heart"], [(0, 0)]),
        (["heart", "Heart"], ["Heart", "HEART"], [(0, 1), (1, 0)]),  # what is equal goes together first
        (["Node", "Node"], ["Node", "Node", "Node"], [(0, 0), (1, 1)]),  # each once
        (["Lung L"], [" lungl"], [(0, 0)]),
        (["GTV+5"], ["GTV-5"], []),  # only case and blanks are folded
        (["GTV+5"], ["gtv +5"], [(0, 0)]),
        (["Lung L", "PTV-1"], ["Lung_L", "PTV1"], []),
        (["Größe"], ["GRÖSSE"], [(0, 0)]),
        (["a"], ["b"], []),
    ],
)
def test_namesakes(a: list[str], b: list[str], expected: list[tuple[int, int]]) -> None:
    assert namesakes(a, b) == expected


def test_each_structure_is_in_the_answer_once() -> None:
    a = model(("Ball", LARGE), ("Left Node", SMALL), ("Alone", SMALL))
    b = model(("LEFT NODE ", SMALL), ("Ball", SMALL), ("Ball", LARGE))
    found = compared(Side(a), Side(b))
    assert [(row["A"], row["B"], row["NumberB"]) for row in found["Pairs"]] == [
        ("Ball", "Ball", 2),
        ("Left Node", "LEFT NODE ", 1),
    ]
    assert [row["Dice"] for row in found["Pairs"]] == pytest.approx([0.17965, 1], abs=3e-4)
    assert (found["OnlyInA"], found["OnlyInB"]) == (["Alone"], ["Ball"])
    assert found["Warnings"] == ['"Left Node" of A was compared with "LEFT NODE " of B']


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ("1.2", "1.2", []),
        ("1.2", "", ["B names no frame of reference: it was assumed that A and B lie in the same one"]),
        ("", "1.2", ["A names no frame of reference: it was assumed that A and B lie in the same one"]),
        ("", "", ["A and B name no frame of reference: it was assumed that A and B lie in the same one"]),
    ],
)
def test_a_frame_of_reference_that_is_not_known_is_told(a: str, b: str, told: list[str]) -> None:
    cube = box(10, 10, 10)
    assert compared(Side(model(("Cube", cube), frame=a)), Side(model(("Cube", cube), frame=b)))["Warnings"] == told


def test_only_what_has_a_partner_is_meshed_and_what_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    marker = phantoms.Roi("Marker", [phantoms.Contour(np.array([[1.0, 2.0, 3.0]]), kind="POINT")])
    rois = [phantoms.ball("Ball", 20), phantoms.ball("Other", 30), marker]
    source = open_files([phantoms.structure_set(rois)], ReadOptions())
    meshed: list[int] = []
    shape = type(source).shape

    def watched(self: OpenSource, number: int) -> object:
        meshed.append(number)
        return shape(self, number)

    monkeypatch.setattr(type(source), "shape", watched)
    request = ConversionRequest(all=True, separate=True, resolution=48)
    found = compared(Side(source, request), Side(model(("ball", sphere(20)), ("Marker", SMALL), frame="")))
    assert set(meshed) == {1}
    assert found["Pairs"][0]["Dice"] == pytest.approx(1, abs=0.02)
    assert found["OnlyInA"] == ["Other"]
    assert found["OnlyInB"] == ["Marker"]
    (skipped,) = found["SkippedA"]
    assert (skipped["Number"], skipped["Name"]) == (3, "Marker")
    assert "POINT" in skipped["Reason"]


def test_other_frames_and_other_names_are_refused_before_anything_is_meshed() -> None:
    with pytest.raises(InvalidInput, match="frames of reference"):
        compared(Side(model(("a", LARGE), frame="1.2")), Side(model(("a", LARGE), frame="1.3")))
    with pytest.raises(InvalidInput, match="frames of reference"):
        only_parts(Side(model(("a", LARGE), frame="1.2")), Side(model(("a", LARGE), frame="1.3")))
    with pytest.raises(InvalidInput, match='A has "a", "b", B has "c"'):
        compared(Side(model(("a", LARGE), ("b", LARGE))), Side(model(("c", LARGE))))
    with pytest.raises(InvalidInput, match="two single structures"):
        only_parts(Side(model(("a", LARGE), ("b", LARGE))), Side(model(("c", LARGE))))


def test_structures_of_one_set_may_lie_in_several_frames_of_reference() -> None:
    """The second one lies elsewhere: it goes with itself, and with nothing of the frame of the first."""
    ds = pydicom.dcmread(io.BytesIO(phantoms.structure_set([phantoms.ball("Ball", 10), phantoms.ball("PET", 10)])))
    ds.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = "1.2.3"
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    source = open_files([file.getvalue()], ReadOptions())

    def side(*numbers: int) -> Side:
        return Side(source, ConversionRequest(structures=numbers, separate=True, resolution=32))

    assert [row["Dice"] for row in compared(side(1, 2), side(1, 2))["Pairs"]] == pytest.approx([1, 1], abs=1e-4)
    with pytest.raises(InvalidInput, match="different frames of reference"):
        compared(side(1), side(2))


def test_glb_has_colors_and_distances_of_each_vertex() -> None:
    a, b, told = only_parts(Side(model(("Small", SMALL))), Side(model(("Large", LARGE))))
    assert told == []
    content, scale = colored_by_distance(a, b, "glb")
    assert scale == pytest.approx(14, abs=0.02)  # the far side of the small ball lies deepest in the large one
    length = struct.unpack_from("<I", content, 12)[0]
    document, binary = json.loads(content[20 : 20 + length]), content[28 + length :]

    def values(name: str, width: int) -> np.ndarray:
        accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"][name]]
        view = document["bufferViews"][accessor["bufferView"]]
        assert (accessor["componentType"], accessor["count"]) == (5126, len(SMALL.vertices))
        return np.frombuffer(binary, "<f4", accessor["count"] * width, view["byteOffset"]).reshape(-1, width)

    far, colors = values("_DISTANCE", 1)[:, 0], values("COLOR_0", 4)
    true = np.linalg.norm(SMALL.vertices - np.array([10, -15, 30]), axis=1) - 20
    assert far == pytest.approx(true, abs=0.02)
    deepest, farthest = colors[np.argmin(far)], colors[np.argmax(far)]
    assert deepest == pytest.approx([0.0437, 0.0723, 0.5271, 1], abs=2e-3)  # (59, 76, 192) in linear light
    assert farthest[0] > 2 * farthest[2]
    assert document["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] == [1, 1, 1, 1]


def test_a_colored_file_says_that_a_frame_of_reference_is_not_known() -> None:
    sentence = "B names no frame of reference: it was assumed that A and B lie in the same one"
    a, b, told = only_parts(Side(model(("A", box(10, 10, 10)))), Side(model(("B", box(12, 10, 10)), frame="")))
    assert told == [Note(Rank.GUESSED, "", sentence)]
    ply, _ = colored_by_distance(a, b, "ply", told)
    assert f"comment warning: {sentence}" in ply.split(b"end_header")[0].decode().splitlines()
    glb, _ = colored_by_distance(a, b, "glb", told)
    document = json.loads(glb[20 : 20 + struct.unpack_from("<I", glb, 12)[0]])
    assert document["nodes"][0]["extras"]["notes"] == [{"Rank": 2, "Roi": "", "Text": sentence}]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (Mesh(LARGE.vertices[:0], LARGE.triangles[:0]), LARGE, "without triangles"),
        (LARGE, Mesh(LARGE.vertices[:0], LARGE.triangles[:0]), "without triangles"),
        (LARGE, Mesh(LARGE.vertices, LARGE.triangles[:-1]), "not closed"),
        (LARGE, Mesh(LARGE.vertices, LARGE.triangles[:, ::-1]), "inside out"),
    ],
)
def test_nothing_is_colored_by_its_distance_to_what_has_no_inside(a: Mesh, b: Mesh, message: str) -> None:
    one, other = model(("A", a), ("B", b)).parts
    with pytest.raises(InvalidInput, match=message):
        colored_by_distance(one, other)
