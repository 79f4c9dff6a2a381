"""Coordinates in centimetres: the outline of a patient is as small as a mouse."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.model import Rank
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.rtstruct import RtStruct
from testing.phantoms import Contour, Roi, ball, circle, structure_set
from tests.dicom.edited import edited

HEART = ball("Heart", 5, points=24)
SENTENCE = (
    'ROI 1 "{}" is 41 x 25 x 60 mm: if this is no small animal or phantom, the coordinates of the file are centimetres'
)


def body(name: str = "BODY", kind: str | None = "EXTERNAL", scale: float = 1.0) -> Roi:
    rings = [circle(12.5 * scale, z * scale, points=80, wide=41 / 25) for z in range(0, 61, 5)]
    return Roi(name, [Contour(ring) for ring in rings], interpreted_type=kind)


@pytest.mark.parametrize(
    ("name", "kind"), [("BODY", "EXTERNAL"), ("Patient", "EXTERNAL"), ("Skin", None), ("external", "")]
)
def test_a_patient_of_60_mm_is_told_of_with_every_roi(name: str, kind: str | None) -> None:
    structures = read_structure_set(structure_set([body(name, kind), HEART]))
    for numbers in ([1], [2], [1, 2]):
        _, (note,) = structures.contours(numbers)
        assert (note.rank, note.structure, note.text) == (Rank.GUESSED, name, SENTENCE.format(name))


def test_the_listing_tells_it() -> None:
    listed = RtStruct().open([structure_set([body(), HEART])], ReadOptions()).structures
    assert [structure.facts["Guessed"] for structure in listed] == [[SENTENCE.format("BODY")]] * 2
    assert listed[1].facts["Notes"] == [{"Rank": int(Rank.GUESSED), "Roi": "BODY", "Text": SENTENCE.format("BODY")}]


@pytest.mark.parametrize(
    "outline",
    [
        body(scale=10),
        body("Body", "ORGAN"),
        body("BODY_PTV", None),
        body(scale=0.01),
        Roi("BODY", None, interpreted_type="EXTERNAL"),
    ],
    ids=["in mm", "an organ", "another name", "in metres", "without contours"],
)
def test_what_is_no_patient_in_centimetres(outline: Roi) -> None:
    assert read_structure_set(structure_set([outline, HEART])).contours([2])[1] == []


def test_an_animal_is_as_small_as_it_is() -> None:
    def mouse(ds: Dataset) -> None:
        ds.PatientSpeciesDescription = "Mus musculus"

    assert read_structure_set(edited(structure_set([body(), HEART]), mouse)).contours([2])[1] == []
