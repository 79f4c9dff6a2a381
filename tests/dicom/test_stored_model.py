"""Encapsulated STL objects read back: ours, and those of other makers, byte for byte."""

from __future__ import annotations

import pytest

from orthanc_stl.dicom import provenance
from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.errors import InvalidInput
from testing.data import shared_file
from testing.phantoms import Study, ct_slices, file_of
from tests.dicom.stl_objects import TITLE_RTSTRUCT
from tests.dicom.test_encapsulated_stl import ODD_STL, STL, made, read


@pytest.mark.parametrize("stl", [STL, ODD_STL])
def test_round_trip(stl: bytes) -> None:
    model = read_encapsulated_stl(made(stl=stl, frame_of_reference_uid="1.2.3"))
    assert model.document == stl
    assert (model.title, model.description, model.units) == (TITLE_RTSTRUCT, "Heart, Lung", "mm")
    assert model.color == (255, 128, 0)
    assert model.sources == (Study().uid("rtstruct"),)
    assert model.frame_of_reference_uid == "1.2.3"
    assert model.software == "Orthanc STL plugin orthanc-stl 1.2.3"
    assert model.made == "20240229235958.123456-0330"


STORED_BY_DCMTK = {
    "dcmtk_20mm-xyz-cube.stl.dcm": "trimesh/20mm-xyz-cube.stl",
    "dcmtk_busted.STL.dcm": "trimesh/busted.STL",
    "dcmtk_soup.stl.dcm": "trimesh/soup.stl",
    "dcmtk_stl_empty_bin.stl.dcm": "trimesh/stl_empty_bin.stl",
}


@pytest.mark.parametrize("name", STORED_BY_DCMTK)
def test_objects_by_dcmtk_give_the_very_bytes(name: str) -> None:
    model = read_encapsulated_stl(shared_file(f"encapsulated/{name}").read_bytes())
    assert model.document == shared_file(f"mesh/{STORED_BY_DCMTK[name]}").read_bytes()
    assert model.units == "um"
    assert model.software.startswith("DCMTK_MANUFACTURING")


def test_document_without_length_is_given_as_it_is() -> None:
    """As core /tools/create-dicom and the original plugin store them."""
    ds = read(made(stl=ODD_STL))
    del ds.EncapsulatedDocumentLength
    assert read_encapsulated_stl(file_of(ds)).document == ODD_STL + b"\0"


@pytest.mark.parametrize("length", [0, 10, len(STL) + 2, 0xFFFFFFFF])
def test_a_length_that_contradicts_the_document_is_not_believed(length: int) -> None:
    ds = read(made())
    ds.EncapsulatedDocumentLength = length
    assert read_encapsulated_stl(file_of(ds)).document == STL


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big", "deflated"])
def test_objects_in_other_transfer_syntaxes(syntax: str) -> None:
    model = read_encapsulated_stl(file_of(read(made(stl=ODD_STL)), Study(syntax=syntax)))
    assert model.document == ODD_STL
    assert model.color == (255, 128, 0)


def test_an_object_without_document() -> None:
    with pytest.raises(InvalidInput, match='anonymization empties it, unless its field "Keep" names'):
        read_encapsulated_stl(shared_file("encapsulated/Issue137_empty_encapsulated_stl.dcm").read_bytes())


def test_another_object_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="this is a CT Image Storage object; an Encapsulated STL was expected"):
        read_encapsulated_stl(ct_slices(planes=[0])[0])


@pytest.mark.parametrize("figure", ["nan", "inf", "-Infinity", "1e999"])
def test_figures_that_are_no_finite_numbers_are_left_out(figure: str) -> None:
    """What `/stl/info` answers is JSON, which has neither NaN nor Infinity."""
    ds = read(made())
    ds.RecommendedPresentationOpacity = float(figure)
    (algorithm,) = ds.DerivationAlgorithmSequence
    algorithm.AlgorithmParameters = f"{algorithm.AlgorithmParameters}\n{provenance.CONTOURS_ML}: {figure}"
    model = read_encapsulated_stl(file_of(ds))
    assert (model.contours_ml, model.opacity) == (None, None)
    assert read_encapsulated_stl(file_of(ds).replace(figure.encode(), b"5".ljust(len(figure)))).contours_ml == 5
