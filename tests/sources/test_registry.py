"""Files find their source, and what is none is named; the table for Orthanc's process says the same as the readers."""

from __future__ import annotations

import gzip
import subprocess
import sys

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.registry import SOURCES, open_files, recognise, source_by_key, source_for
from orthanc_stl.sources.rtstruct import OpenStructureSet
from testing import phantoms
from testing.data import shared_file
from testing.nifti_phantoms import nifti_file
from testing.source_phantoms import a_dataset, file_of, plan_dataset
from tests.mesh.test_stl import TETRAHEDRON
from tests.sources.test_rtdose_grids import made


def test_each_kind_has_its_source() -> None:
    assert [source.kind for source in SOURCES] == list(kinds.KINDS)
    for kind in kinds.KINDS:
        source = source_by_key(kind.key)
        assert (source.kind.name, source.kind.sop_classes, source.kind.suffixes) == (
            kind.name,
            kind.sop_classes,
            kind.suffixes,
        )
        for sop_class in kind.sop_classes:
            assert source_for(sop_class) is source
            assert kinds.kind_of(sop_class) is kind
    assert kinds.kind_of("1.2.840.10008.5.1.4.1.1.2") is None
    with pytest.raises(KeyError):
        source_by_key("sound")


def test_the_kind_may_be_said() -> None:
    data = nifti_file(np.ones((3, 3, 3), np.uint8))
    assert open_files([data], ReadOptions(), kind="nifti").structures
    with pytest.raises(InvalidInput, match="Not an NRRD file"):
        open_files([data], ReadOptions(), kind="nrrd")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([phantoms.structure_set()] * 2, "got 2 files, and the first is an RT-STRUCT, which is read alone"),
        ([stl_bytes(TETRAHEDRON, "a")] * 2, "got two files, STL and another: two are read if they are an OBJ and its"),
        ([b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"] * 2, "got two files, OBJ and another"),
        ([stl_bytes(TETRAHEDRON, "a")] * 3, "got 3 files, and the first is a mesh file"),
        ([nifti_file(np.ones((3, 3, 3), np.uint8)), b"v 0 0 0\n"], "^file 2: Not a NIfTI file"),
    ],
)
def test_no_file_of_several_is_passed_over(files: list[bytes], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        open_files(files, ReadOptions())


def test_no_sop_class_has_two_sources() -> None:
    classes = [sop_class for kind in kinds.KINDS for sop_class in kind.sop_classes]
    assert len(set(classes)) == len(classes)


def test_the_table_loads_nothing_heavy() -> None:
    code = (
        "import sys, orthanc_stl.sources.kinds\n"
        "heavy = {'numpy', 'pydicom', 'vtkmodules', 'scipy', 'nibabel', 'trimesh', 'lxml'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


NRRD = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 1 1 1\nencoding: raw\n\n\1"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (nifti_file(np.ones((3, 3, 3), np.uint8)), "nifti"),
        (nifti_file(np.ones((3, 3, 3), np.uint8), version=2, order=">"), "nifti"),
        (NRRD, "nrrd"),
        (stl_bytes(TETRAHEDRON, "made"), "mesh"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "mesh"),
    ],
)
def test_files_are_known_by_their_first_bytes(data: bytes, key: str) -> None:
    source = recognise(data)
    assert source is not None
    assert source.kind.key == key
    opened = open_files([data], ReadOptions())
    assert opened.structures
    assert opened.title == source.kind.title
    assert (opened.study, list(opened.references), opened.frame_of_reference_uid) == (None, [], "")


def test_the_name_of_a_file_counts_where_its_bytes_say_nothing() -> None:
    assert recognise(b"\0" * 400) is None
    for name, key in (("a.NII.GZ", "nifti"), ("b.seg.nrrd", "nrrd"), ("c.3mf", "mesh")):
        source = recognise(b"\0" * 400, name)
        assert source is not None
        assert source.kind.key == key


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty"),
        (b"PK\3\4" + bytes(100), "this is a zip archive: unpack it first"),
        (b"%PDF-1.7\n", "this is a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "this is a PNG image"),
        (b"II*\0" + bytes(40), "this is a TIFF image"),
        (bytes(300), "300 bytes of an unknown kind"),
        (gzip.compress(bytes(300), mtime=0), "packed by gzip: unpack it first"),
        (b"hello world", "11 bytes of an unknown kind"),
        (file_of(a_dataset("1.2.840.10008.5.1.4.1.1.2", "CT")), "file 1 of the images .* it holds no images"),
        (file_of(a_dataset("1.2.840.10008.5.1.4.1.1.104.1", "DOC")), "Encapsulated PDF Storage"),
        (file_of(a_dataset("1.2.840.10008.5.1.4.1.1.67", "REG")), "Real World Value Mapping Storage"),
    ],
)
def test_what_has_no_source_is_named(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        open_files([data], ReadOptions())


def test_a_file_of_another_kind_than_its_name_says() -> None:
    with pytest.raises(InvalidInput, match="this is a PNG image"):
        open_files([b"\x89PNG\r\n\x1a\n" + bytes(400)], ReadOptions(), name="heart.nii")


def test_a_packed_file_with_a_name_is_judged_by_its_reader() -> None:
    with pytest.raises(InvalidInput, match="NIfTI"):
        open_files([gzip.compress(bytes(400))], ReadOptions(), name="heart.nii.gz")


def test_structure_sets_list_what_they_always_did() -> None:
    source = open_files([phantoms.structure_set(phantoms.rt60())], ReadOptions())
    assert isinstance(source, OpenStructureSet)
    assert [s.as_json() for s in source.structures] == [roi.as_json() for roi in source.structure_set.rois]
    usable = next(s for s in source.structures if s.usable)
    contours, _ = source.shape(usable.number)
    assert (contours.number, contours.name) == (usable.number, usable.name)
    assert source.title == "Model generated from DICOM RT-STRUCT"
    assert len(source.references) == 1
    assert len(source.surroundings([usable.number])) > 0


def test_structure_sets_without_preamble_are_found() -> None:
    data = shared_file("rtstruct/monaco/example_structures.dcm").read_bytes()
    assert data[128:132] != b"DICM"
    assert isinstance(open_files([data], ReadOptions()), OpenStructureSet)


@pytest.mark.parametrize(
    ("sop_class", "name"),
    [
        ("1.2.840.10008.5.1.4.1.1.66.8", "Height Map Segmentation Storage"),
        ("1.2.840.10008.5.1.4.1.1.68.1", "Surface Scan Mesh Storage"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "Encapsulated PDF Storage"),
    ],
)
def test_objects_of_other_classes_are_called_by_their_names(sop_class: str, name: str) -> None:
    with pytest.raises(InvalidInput, match=f"an object of the class {name}; one of these is expected"):
        open_files([file_of(a_dataset(sop_class, "OT"))], ReadOptions())


def test_what_a_source_needs_may_be_named_first() -> None:
    corners = "v 0 0 0\nv 9 0 0\nv 0 9 0\nv 0 0 9\n"
    obj = f"mtllib a.mtl\n{corners}usemtl red\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n".encode()
    mtl = b"# materials\nnewmtl red\nKd 1 0 0\n"
    dose, plan = file_of(made()), file_of(plan_dataset(50.0))
    for files in ([obj, mtl], [mtl, obj]):
        assert open_files(files, ReadOptions()).structures[0].color == (255, 0, 0)
    for files in ([dose, plan], [plan, dose]):
        source = open_files(files, ReadOptions({"Levels": ["50%"]}))
        assert source.structures[0].facts["LevelGy"] == 25
    with pytest.raises(InvalidInput, match="this is an MTL file, which needs its OBJ"):
        open_files([mtl], ReadOptions())
