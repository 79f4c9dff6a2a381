"""Label maps in NRRD files: those of 3D Slicer with layers, of dcmqi, in every space and encoding, and wrong ones."""

from __future__ import annotations

import gzip
from typing import Any

import nrrd
import numpy as np
import pytest

from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.errors import InvalidInput, TooLarge
from testing.data import shared_file
from tests.sources.test_label_maps import facts, labels, opened


def nrrd_file(tmp_path: Any, data: np.ndarray, **header: Any) -> bytes:
    path = tmp_path / "x.nrrd"
    nrrd.write(str(path), data, {str(key).replace("__", " "): value for key, value in header.items()})
    return path.read_bytes()


def test_slicers_own_file() -> None:
    source = opened(shared_file("segnrrd/Segmentation.seg.nrrd").read_bytes())
    assert [s.name for s in source.structures] == [
        "ribs", "cervical vertebral column", "thoracic vertebral column", "lumbar vertebral column", "right lung",
        "left lung", "tissue",
    ]  # fmt: skip
    ribs = source.structures[0]
    assert (ribs.color, ribs.facts["Voxels"]) == ((253, 232, 158), 8487)
    assert ribs.anatomy is not None
    assert ribs.anatomy.meaning == "Rib"
    low, high = np.array(mesh_shape(source.shape(5)[0]).report.box)
    assert (np.abs([low, high]) < 250 + 340).all()


@pytest.mark.parametrize(
    ("name", "voxels"),
    [("partial_overlaps-1", {1: 9602, 4: 6693, 5: 4713}), ("partial_overlaps-2", {2: 11888})],
)
def test_files_of_dcmqi(name: str, voxels: dict[int, int]) -> None:
    source = opened(shared_file(f"seg/dcmqi/{name}.nrrd").read_bytes())
    assert {s.number: s.facts["Voxels"] for s in source.structures} == voxels


LPS = {"space": "left-posterior-superior", "space__origin": [1.0, 2.0, 3.0]}
AXES = [[2.0, 0, 0], [0, 2.0, 0], [0, 0, 3.0]]


def test_layers_that_overlap(tmp_path: Any) -> None:
    one = labels() == 1
    layers = np.stack((one, one | (labels() == 5))).astype(np.uint8)
    data = nrrd_file(
        tmp_path, layers, **LPS, space__directions=[[np.nan] * 3, *AXES], kinds=["list", *["domain"] * 3],
        Segment0_Name="first", Segment0_LabelValue="1", Segment0_Layer="0", Segment0_Color="1 0.5 0",
        Segment1_Name="both", Segment1_LabelValue="1", Segment1_Layer="1",
        Segment1_Terminology="x~SCT^123037004^Anatomical Structure~SCT^10200004^Liver~^^~y~^^~^^",
    )  # fmt: skip
    source = opened(data)
    assert facts(source.structures) == [(1, "first", 216), (2, "both", 576)]
    assert source.structures[0].color == (255, 128, 0)
    assert source.structures[1].anatomy.meaning == "Liver"
    assert mesh_shape(source.shape(2)[0]).report.volume == pytest.approx(576 * 12, rel=1e-3)


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)), ("right-anterior-superior", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)), ("RAS", (-1, -1, 1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
def test_spaces_and_encodings(tmp_path: Any, space: str, signs: tuple[int, ...], encoding: str) -> None:
    data = nrrd_file(
        tmp_path, labels().astype(np.int16), space="left-posterior-superior", space__origin=[1.0, 2.0, 3.0],
        space__directions=AXES, encoding=encoding,
    )  # fmt: skip
    data = data.replace(b"left-posterior-superior", space.encode())
    source = opened(data)
    assert facts(source.structures)[1] == (5, "label 5", 360)
    assert source.volume.affine[:3, 3] == pytest.approx(np.array([1.0, 2.0, 3.0]) * signs)


RAW = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (RAW, "truncated: its header claims 8 bytes of voxels, got 0"),
        (RAW.replace(b"\n\n", b"\ndata file: /etc/passwd\n\n"), "has its voxels in another file"),
        (RAW[:-1], "no empty line after its header"),
        (RAW.replace(b"raw", b"zrle"), "has the encoding 'zrle'"),
        (RAW.replace(b"uint8", b"block"), "type"),
        (RAW.replace(b"3\n", b"2\n").replace(b"2 2 2", b"2 2"), "three dimensions, or four"),
        (RAW.replace(b"raw", b"gzip") + b"x" * 20, "gzip data of the NRRD file is damaged"),
        (RAW.replace(b"2 2 2", b"2 2 -2"), "NRRD"),
        (
            RAW.replace(b"\n\n", b"\nspace: scanner-xyz\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n\n") + bytes(8),
            "in the space",
        ),
        (
            RAW.replace(b"\n\n", b"\nspace: LPS\nspace directions: (1,0,0) (1,0,0) (0,0,1)\n\n") + bytes(8),
            "singular",
        ),
    ],
)
def test_wrong_nrrd_files_give_sentences(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(data)


def test_what_a_header_claims_is_not_believed() -> None:
    with pytest.raises(TooLarge, match="50000 x 50000 x 50000 voxels"):
        opened(RAW.replace(b"2 2 2", b"50000 50000 50000"))
    bomb = RAW.replace(b"raw", b"gzip") + gzip.compress(bytes(1 << 24))
    assert not any(s.usable for s in opened(bomb).structures)  # eight zeros are unpacked, no more


def test_the_number_of_a_segment_in_the_header_promises_no_order(tmp_path: Any) -> None:
    data = nrrd_file(
        tmp_path, labels().astype(np.uint8), **LPS, space__directions=AXES, Segment12_Name="twelve",
        Segment12_LabelValue="1", Segment3_Name="three", Segment3_LabelValue="5", Segment3_Color="0 0 1",
    )  # fmt: skip
    structures = opened(data).structures
    assert facts(structures) == [(5, "three", 360), (1, "twelve", 216)]
    assert [s.color for s in structures] == [(0, 0, 255), None]


def test_labels_that_no_segment_of_the_header_has_are_told(tmp_path: Any) -> None:
    data = nrrd_file(
        tmp_path, labels().astype(np.uint8), **LPS, space__directions=AXES, Segment0_Name="one", Segment0_LabelValue="1"
    )
    assert [note.text for note in opened(data).shape(1)[1]] == [
        "voxels of labels that no segment of the header has were left out: 5, 200"
    ]


def test_names_and_colors_of_the_request_go_before_those_of_the_header(tmp_path: Any) -> None:
    data = nrrd_file(
        tmp_path, labels().astype(np.uint8), **LPS, space__directions=AXES, Segment0_Name="one",
        Segment0_LabelValue="1", Segment1_Name="five", Segment1_LabelValue="5", Segment1_Color="0 0 1",
    )  # fmt: skip
    structures = opened(data, LabelNames={"1": "Leber"}, LabelColors={"5": "#ff0000"}).structures
    assert [(s.name, s.color) for s in structures] == [("Leber", None), ("five", (255, 0, 0))]


@pytest.mark.parametrize("version", ["Master", "Source"])
def test_segments_stored_as_fractions_are_refused_with_what_to_do(tmp_path: Any, version: str) -> None:
    """Their label stands in no voxel: they were listed as empty."""
    data = nrrd_file(
        tmp_path, np.full((4, 4, 4), 90, np.uint8), **LPS, space__directions=AXES, Segment0_Name="one",
        Segment0_LabelValue="1", **{f"Segmentation_{version}Representation": "Fractional labelmap"},
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="export the segmentation as a binary label map"):
        opened(data)


def test_fields_that_segments_or_several_files_have_no_use_for_are_told(tmp_path: Any) -> None:
    plain = nrrd_file(tmp_path, labels().astype(np.uint8), **LPS, space__directions=AXES)
    named = {f"Segment{label}_LabelValue": str(label) for label in (1, 5, 200)}
    segments = nrrd_file(tmp_path, labels().astype(np.uint8), **LPS, space__directions=AXES, **named)
    for files, why in (
        ((segments,), "the header of the file says what its segments are"),
        ((plain, plain), "of several files each is a mask"),
    ):
        texts = [note.text for note in opened(*files, Threshold=0, Labels=[5]).shape(1)[1]]
        assert texts[-2:] == [f"Labels was left out: {why}", f"Threshold was left out: {why}"]


@pytest.mark.parametrize(
    ("unit", "millimetres", "said"),
    [
        ("mm", 1, []),
        ("cm", 10, []),
        ("Millimeters", 1, []),
        ("m", 1000, []),
        ("um", 0.001, []),
        ("parsec", 1, ["The NRRD file has the unknown unit of length 'parsec': millimetres were taken"]),
    ],
)
def test_units_of_length(tmp_path: Any, unit: str, millimetres: float, said: list[str]) -> None:
    place = {
        "space": "left-posterior-superior", "space__origin": (np.array([1.0, 2, 3]) / millimetres).tolist(),
        "space__directions": (np.array(AXES) / millimetres).tolist(), "space__units": [unit] * 3,
    }  # fmt: skip
    source = opened(nrrd_file(tmp_path, labels().astype(np.uint8), **place))
    assert [note.text for note in source.shape(1)[1]] == said
    expected = np.column_stack((np.array(AXES).T, [1, 2, 3]))
    assert np.allclose(source.lattice.affine[:3], expected)
    for micro in ("\u00b5", "\u03bc") if unit == "um" else ():  # of Latin-1 and of Greek, which pynrrd does not write
        in_words = nrrd_file(tmp_path, labels().astype(np.uint8), **place).replace(b'"um"', f'"{micro}m"'.encode())
        assert np.allclose(opened(in_words).lattice.affine[:3], expected)
    sides = nrrd_file(
        tmp_path, labels().astype(np.uint8), spacings=[2 / millimetres] * 3, units=[unit] * 3, kinds=["domain"] * 3
    )
    assert np.allclose(np.diag(opened(sides).lattice.affine)[:3], 2)
