"""Label maps of files: NIfTI with names in its extension or in the request, folders of masks."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidField, InvalidInput
from orthanc_stl.model import Structure
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.masks import OpenMasks
from orthanc_stl.sources.nifti import Nifti, caret_naming
from orthanc_stl.sources.nrrd import Nrrd
from orthanc_stl.sources.volume_files import OpenVolume
from testing.data import shared_file
from testing.nifti_phantoms import nifti_file


def labels() -> np.ndarray:
    data = np.zeros((30, 20, 10), np.uint8)
    data[2:8, 2:8, 2:8] = 1
    data[10:20, 2:8, 2:8] = 5
    data[22:26, 10:14, 3:6] = 200
    return data


def opened(data: bytes, *more: bytes, **fields: Any) -> Any:
    source = Nifti() if data[:4] != b"NRRD" else Nrrd()
    return source.open([data, *more], ReadOptions(fields=fields))


def facts(structures: tuple[Structure, ...]) -> list[tuple[int, str, int]]:
    return [(s.number, s.name, s.facts["Voxels"]) for s in structures]


def test_totalsegmentators_names_colors_and_volumes() -> None:
    folder = "nifti/totalsegmentator-fast"
    data = shared_file(f"{folder}/example_seg_fast.nii.gz").read_bytes()
    source = opened(data)
    assert len(caret_naming(data).names) == 117
    truth = json.loads(shared_file(f"{folder}/statistics.json").read_text())
    assert len(source.structures) == 40
    assert all(s.color for s in source.structures)
    assert (source.structures[0].name, source.structures[0].color) == ("spleen", (0, 255, 0))
    for structure in source.structures:
        expected = truth[structure.name]["volume"]
        assert structure.facts["VolumeMl"] * 1000 == pytest.approx(expected, rel=1e-3)
        assert mesh_shape(source.shape(structure.number)[0]).report.volume == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32, np.float64, np.uint16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_labels_of_every_type(kind: type, order: str) -> None:
    source = opened(nifti_file(labels().astype(kind), order=order))
    assert facts(source.structures) == [(1, "label 1", 216), (5, "label 5", 360), (200, "label 200", 48)]
    region, notes = source.shape(5)
    assert region.volume.stored.shape == (10, 6, 6)  # cut to its box
    assert notes == ()
    assert mesh_shape(region).report.volume == pytest.approx(360, rel=1e-3)


def test_labels_far_apart_are_counted_without_a_table_of_all() -> None:
    data = labels().astype(np.int64)
    data[data == 200] = 2**40
    assert facts(opened(nifti_file(data)).structures)[-1] == (2**40, f"label {2**40}", 48)


def test_a_label_lies_where_it_is_in_the_whole() -> None:
    affine = np.array([[1.2, -0.5, 0.1, -30], [0.6, 1.1, -0.3, 12.5], [0.2, 0.3, 2.5, -7], [0, 0, 0, 1]])
    source = opened(nifti_file(labels(), affine))
    region, _ = source.shape(5)
    whole = mesh_shape(source.whole([5]))
    assert np.abs(mesh_shape(region).mesh.vertices.mean(axis=0) - whole.mesh.vertices.mean(axis=0)).max() < 1e-4


CARET = (
    '<?xml version="1.0"?><CaretExtension><VolumeInformation Index="0"><LabelTable>'
    '<Label Key="1" Red="1" Green="0.5" Blue="0" Alpha="1"><![CDATA[liver & co]]></Label>'
    '<Label Key="5" Red="2" Green="0" Blue="0"><![CDATA[spleen]]></Label><Label Key="x">bad</Label>'
    "</LabelTable></VolumeInformation></CaretExtension>"
)


def extension(content: str, code: int, order: str = "<", encoding: str = "utf-8") -> bytes:
    text = content.encode(encoding)
    size = (len(text) + 8 + 15) // 16 * 16
    kind = "little" if order == "<" else "big"
    return size.to_bytes(4, kind) + code.to_bytes(4, kind) + text.ljust(size - 8, b"\0")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [0, 30])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_names_in_an_extension(code: int, version: int, order: str, packed: bool) -> None:
    other = extension("AFNI", 4, order)
    data = nifti_file(labels(), version=version, order=order, extension=other + extension(CARET, code, order))
    structures = opened(gzip.compress(data) if packed else data).structures
    assert [(s.name, s.color) for s in structures[:2]] == [("liver & co", (255, 128, 0)), ("spleen", None)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
@pytest.mark.parametrize("blanks", range(4))
def test_names_in_an_extension_that_begins_with_a_byte_order_mark(encoding: str, blanks: int) -> None:
    """However many zeros fill it up."""
    declared = CARET.replace('"1.0"', f'"1.0" encoding="{encoding.removesuffix("-le").removesuffix("-be")}"')
    text = "\ufeff" + declared + " " * blanks
    structures = opened(nifti_file(labels(), extension=extension(text, 0, encoding=encoding))).structures
    assert [(s.name, s.color) for s in structures[:2]] == [("liver & co", (255, 128, 0)), ("spleen", None)]


@pytest.mark.parametrize(
    "hostile",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><r><Label Key="1">&e;</Label></r>',
        "<!DOCTYPE x [" + '<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + ']><r><Label Key="1">&i;</Label></r>',
        "<r>" * 5000,
        "<r><Label Key='1'>" + "\x01" + "</Label></r>",
        "<r",
        "",
    ],
)  # fmt: skip
def test_hostile_xml_is_harmless(hostile: str) -> None:
    naming = caret_naming(nifti_file(labels(), extension=extension(hostile, 0)))
    assert "root:" not in str(naming)
    assert all(len(name) < 100 for name in naming.names.values())


@pytest.mark.parametrize(
    "names",
    [
        {"labels": {"background": 0, "liver": 1, "spleen": 5}},  # nnU-Net 2
        {"labels": {"0": "background", "1": "liver", "5": "spleen"}},  # nnU-Net 1
        {"1": "liver", "5": "spleen"},
        {"liver": 1, "spleen": 5},
    ],
)
def test_names_and_colors_of_the_request(names: dict[str, Any]) -> None:
    given = {"LabelNames": names, "LabelColors": {"1": [1, 2, 3], "spleen": "#ff8000"}}
    structures = opened(nifti_file(labels(), extension=extension(CARET, 0)), **given).structures
    assert [(s.name, s.color) for s in structures] == [
        ("liver", (1, 2, 3)), ("spleen", (255, 128, 0)), ("label 200", None),
    ]  # fmt: skip


def test_a_name_for_several_labels_is_told() -> None:
    source = opened(nifti_file(labels()), LabelNames={"labels": {"whole": [1, 5], "spleen": 5}})
    assert [s.name for s in source.structures] == ["label 1", "spleen", "label 200"]
    assert "each keeps its own name" in source.shape(1)[1][0].text


@pytest.mark.parametrize(
    "fields",
    [
        {"LabelNames": 5}, {"LabelNames": {"liver": None}}, {"LabelNames": {"liver": "1.5"}}, {"LabelColors": []},
        {"LabelColors": {"1": [1, 2]}}, {"LabelColors": {"1": [1, 2, 256]}}, {"LabelColors": {"liver": [1, 2, 3]}},
        {"Threshold": "high"},
    ],
)  # fmt: skip
def test_wrong_names_and_colors_give_sentences(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidField, match=f'^"{next(iter(fields))}"'):
        opened(nifti_file(labels()), **fields)


def test_an_unknown_label_names_the_known() -> None:
    with pytest.raises(InvalidInput, match="no label 7; it has 1, 5, 200"):
        opened(nifti_file(labels())).shape(7)


def test_grey_values_are_one_structure() -> None:
    grey = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
    grey[5:15, 5:15, 5:15] += 100
    source = opened(nifti_file(grey), Threshold=50)
    assert isinstance(source, OpenVolume)
    (structure,) = source.structures
    assert structure.name == "values from 50 on"
    assert mesh_shape(source.shape(1)[0]).report.volume == pytest.approx(1000, rel=0.15)
    with pytest.raises(InvalidInput, match="grey values, which are structure 1"):
        source.shape(2)


def test_a_threshold_alone_chooses_nothing_in_a_file() -> None:
    """Of a series of images it does: there it is what is asked for."""
    grey = np.arange(1000, dtype=np.float32).reshape(10, 10, 10)
    source = opened(nifti_file(grey), Threshold=500)
    request = ConversionRequest.from_json({"Threshold": 500})
    with pytest.raises(InvalidInput, match="no structure was chosen: Structures names at least one, or All is true"):
        build_model(source, request)
    part = build_model(source, replace(request, all=True)).model.parts[0]
    assert part.name == "values from 500 on"


def test_a_folder_of_masks_is_a_structure_a_file() -> None:
    masks = [nifti_file((labels() == n).astype(np.uint8)) for n in (1, 5, 77)]
    source = opened(*masks, FileNames=["segmentations/liver.nii.gz", "C:\\x\\spleen.nii"])
    assert isinstance(source, OpenMasks)
    assert facts(source.structures) == [(1, "liver", 216), (2, "spleen", 360), (3, "file 3", 0)]
    assert source.structures[2].reason == "its mask is empty"
    assert mesh_shape(source.shape(2)[0]).report.volume == pytest.approx(360, rel=1e-3)
    assert source.lattice is not None
    assert source.lattice.size == labels().shape
    with pytest.raises(InvalidInput, match="got 3 files"):
        source.shape(4)


def test_of_several_files_each_is_a_mask_or_says_why_not() -> None:
    grey = np.random.default_rng(0).normal(size=labels().shape).astype(np.float32)
    mask = (labels() == 1).astype(np.uint8)
    shifted = nib.Nifti1Image(mask, np.diag([1.0, 1, 2, 1])).to_bytes()
    names = ["all.nii.gz", "ct.nii.gz", "liver.nii.gz"]
    source = opened(nifti_file(labels()), nifti_file(grey), shifted, FileNames=names)
    assert isinstance(source, OpenMasks)
    assert [s.reason for s in source.structures] == ["", "it has grey values; of several files each must be a mask", ""]
    text = "the 3 labels of all.nii.gz were taken together: of several files each is one structure"
    assert text in [note.text for note in source.shape(1)[1]]
    assert source.structures[0].facts["Voxels"] == np.count_nonzero(labels())
    assert source.lattice is None
    with pytest.raises(InvalidInput, match="ct cannot be used: it has grey values"):
        source.shape(2)
    with pytest.raises(InvalidInput, match=r"^b\.nii: Not a NIfTI file"):
        opened(nifti_file(mask), b"solid x", FileNames=["a.nii", "b.nii"])


def test_masks_are_kept_cut_to_what_is_inside() -> None:
    whole = np.zeros((200, 200, 200), np.uint8)
    whole[5:9, 50:60, 150:160] = 1
    source = opened(*[nifti_file(whole)] * 3)
    assert isinstance(source, OpenMasks)
    assert [mask.volume.stored.base for mask in source.masks if mask.volume] == [None] * 3
    assert [mask.volume.stored.size for mask in source.masks if mask.volume] == [400] * 3


@pytest.mark.parametrize(
    ("slope", "reason"),
    [(1e38, "scaled to 0 to 1e+38"), (1e-40, "scaled to 0 to 9.99995e-41"), (0, "no voxel that is not zero")],
)
def test_why_a_mask_is_empty_is_true(slope: float, reason: str) -> None:
    values = np.zeros((5, 5, 5), np.uint8)
    values[2, 2, 2] = 1 if slope else 0
    source = Nifti().open([nifti_file(values, scl_slope=slope)], ReadOptions())
    (structure,) = source.structures
    assert reason in structure.reason
