"""Contours that are written wrongly and can be read in one way only: they are read so, and it is told."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from orthanc_stl.dicom.roi import defined_kind
from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.errors import InvalidInput
from orthanc_stl.model import Rank
from testing.data import shared_file
from testing.phantoms import Contour, contour_data
from tests.dicom.edited import edited
from tests.dicom.small_sets import RING, assert_others_are_whole, with_spoiled

DATA = contour_data(RING)
COMMAS = DATA.replace(b".", b",")
BROKEN = contour_data(RING[:12]) + b"\\\\" + contour_data(RING[12:])

GUESSED = {
    "count too high": (Contour(RING, declared=25), "says another Number of Contour Points than there are"),
    "count too low": (Contour(RING, declared=3), "says another Number of Contour Points than there are"),
    "backslash at the end": (Contour(RING, data=DATA + b"\\"), "has a stray backslash: passed over"),
    "two at the end": (Contour(RING, data=DATA + b"\\ \\"), "has a stray backslash: passed over"),
    "backslash at the beginning": (Contour(RING, data=b"\\" + DATA), "has a stray backslash: passed over"),
    "backslash in the middle": (Contour(RING, data=BROKEN), "has a stray backslash: passed over"),
    "no type": (Contour(RING, kind=None), "says no type: taken for CLOSED_PLANAR"),
    "empty type": (Contour(RING, kind=""), "says no type: taken for CLOSED_PLANAR"),
    "lower case": (Contour(RING, kind="closed_planar"), 'is of type "closed_planar": taken for CLOSED_PLANAR'),
    "blank": (Contour(RING, kind="CLOSED PLANAR"), 'is of type "CLOSED PLANAR": taken for CLOSED_PLANAR'),
    "no underscore": (Contour(RING, kind="CLOSEDPLANAR"), 'is of type "CLOSEDPLANAR": taken for CLOSED_PLANAR'),
    "hyphen": (Contour(RING, kind="Closed-Planar"), 'is of type "Closed-Planar": taken for CLOSED_PLANAR'),
    "several types": (Contour(RING, kind="CLOSED_PLANAR\\CLOSED_PLANAR"), "taken for CLOSED_PLANAR"),
    "semicolon": (Contour(RING, kind="CLOSED_PLANAR;"), 'is of type "CLOSED_PLANAR;": taken for CLOSED_PLANAR'),
    "closed and no more": (Contour(RING, kind="CLOSED"), 'is of type "CLOSED": taken for CLOSED_PLANAR'),
    "decimal commas": (Contour(RING, data=COMMAS), "has commas for decimal points: read as points"),
    "commas between": (Contour(RING, data=DATA.replace(b"\\", b",")), '"," was taken for one'),
    "commas and blanks between": (Contour(RING, data=DATA.replace(b"\\", b", ")), '"," was taken for one'),
    "slashes between": (Contour(RING, data=DATA.replace(b"\\", b"/")), '"/" was taken for one'),
    "blanks between": (Contour(RING, data=DATA.replace(b"\\", b"  ")), '" " was taken for one'),
    "exponents of Fortran": (Contour(RING, data=DATA.replace(b"\\", b"D+00\\") + b"D+00"), 'exponents with a "D"'),
    "wrapped lines": (Contour(RING, data=DATA.replace(b"\\", b"\\\r\n")), "blanks or line breaks"),
    "wrapped within a number": (Contour(RING, data=DATA[:9] + b"\n" + DATA[9:]), "blanks or line breaks"),
    "tabs": (Contour(RING, data=DATA.replace(b"\\", b"\\\t")), "blanks or line breaks"),
    "NUL in the middle": (Contour(RING, data=DATA.replace(b"\\", b"\0\\")), "blanks or line breaks"),
    "exclusive or": (Contour(RING, kind="CLOSED_PLANAR_XOR"), "taken for CLOSEDPLANAR_XOR"),
}


@pytest.mark.filterwarnings("ignore:The value length", "ignore:Invalid value for VR CS")
@pytest.mark.parametrize("defect", GUESSED)
def test_what_can_be_read_in_one_way_is_read_so(defect: str) -> None:
    contour, sentence = GUESSED[defect]
    data = with_spoiled(contour)
    assert_others_are_whole(data)
    (third,), (note,) = read_structure_set(data).contours([3])
    np.testing.assert_allclose(third.contours[0].points, RING, atol=5e-5)
    assert (note.rank, note.structure) == (Rank.GUESSED, "Third")
    assert note.text.startswith('ROI 3 "Third": contour 1 ')
    assert sentence in note.text


@pytest.mark.parametrize("declared", [None, 23, 25])
def test_an_empty_value_between_others_may_be_one_that_is_lost(declared: int | None) -> None:
    structures = read_structure_set(with_spoiled(Contour(RING, declared=declared, data=BROKEN)))
    with pytest.raises(InvalidInput, match="data that are not numbers"):
        structures.contours([3])


@pytest.mark.parametrize(
    "text",
    [
        b"1\\2\\3\n4\\5\\6\n7\\8\\9\n10\\11\\12",  # nine numbers, if the line breaks were within some
        DATA.replace(b".", b",").replace(b"\\", b"."),
        DATA.replace(b"\\", b",", 3),
        DATA.replace(b".", b",", 1),
        DATA[: DATA.rindex(b"\\")].replace(b"\\", b","),
        b"NaN" + DATA[DATA.index(b"\\") :],
        b"-1.#IND" + DATA[DATA.index(b"\\") :],
    ],
)
def test_what_can_be_read_in_several_ways_is_left_out(text: bytes) -> None:
    structures = read_structure_set(with_spoiled(Contour(RING, data=text)))
    with pytest.raises(InvalidInput, match="data that are not numbers"):
        structures.contours([3])


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize(("kind", "why"), [("ELLIPSE", "which DICOM does not define"), ("POINT", "encloses no area")])
def test_why_a_type_is_left_out(kind: str, why: str) -> None:
    structures = read_structure_set(with_spoiled(Contour(RING, kind=kind)))
    assert [why in note.text for note in structures.roi(3).summary.notes] == [True]


@pytest.mark.filterwarnings("ignore:The value length", "ignore:Invalid value for VR CS")
@pytest.mark.parametrize(
    ("kind", "known"),
    [("CLOSED_PLANAR", "CLOSED_PLANAR"), ("CLOSED_PLANAR_XOR", "CLOSEDPLANAR_XOR"), (None, "CLOSED_PLANAR")],
)
def test_a_contour_carries_the_type_as_the_standard_has_it(kind: str | None, known: str) -> None:
    (third,), _ = read_structure_set(with_spoiled(Contour(RING, kind=kind))).contours([3])
    assert [contour.kind for contour in third.contours] == [known]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("point", "POINT"), ("OPENPLANAR", "OPEN_PLANAR"), ("open_nonplanar", "OPEN_NONPLANAR"), ("ELLIPSE", "ELLIPSE")],
)
def test_spellings_of_other_types(written: str, meant: str) -> None:
    assert defined_kind(written) == meant


@pytest.mark.filterwarnings("ignore:Invalid value for VR IS")
@pytest.mark.parametrize(("points", "told"), [("NaN", 1), ("2.4e1", 1), ("24\\24", 1), ("", 0), ("24.0", 0)])
def test_a_number_of_points_that_is_none(points: str, told: int) -> None:
    def edit(ds: Dataset) -> None:
        item = ds.ROIContourSequence[2].ContourSequence[0]
        item[0x30060046] = RawDataElement(Tag(0x30060046), "IS", len(points), points.encode(), 0, False, True)

    structures = read_structure_set(edited(with_spoiled(Contour(RING)), edit))
    (third,), notes = structures.contours([3])
    assert len(third.contours[0].points) == 24
    assert ["another Number of Contour Points" in note.text for note in notes] == [True] * told


@pytest.mark.parametrize("rounded_to", [0, 1])
def test_an_oblique_contour_of_whole_millimetres_is_flat(rounded_to: int) -> None:
    axes = np.linalg.qr(np.array([[1, 0.3, 0.2], [-0.4, 1, 0.5], [0.1, -0.6, 1.0]]))[0]
    points = (RING @ axes).round(rounded_to)
    assert read_structure_set(with_spoiled(Contour(points))).roi(3).usable


FILES = {
    "declared_plus1": (1, "another Number of Contour Points"),
    "data_trailing_backslash": (1, "stray backslash"),
    "type_lower": (1, 'of type "closed_planar"'),
    "type_missing": (1, "say no type"),
    "num_float": (7, ""),
    "ref_missing": (1, "name no ROI"),
    "no_sss": (1, "named by its number"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_after_public_reports(name: str) -> None:
    number, told = FILES[name]
    structures = read_structure_set(shared_file(f"faults/{name}.dcm").read_bytes())
    assert [roi.number for roi in structures.rois] == [number]
    (roi,), notes = structures.contours([number])
    assert len(roi.contours) == 10
    assert [told in note.text for note in notes] == [True] * bool(told)


def test_duplicate_numbers_by_rt_utils() -> None:
    structures = read_structure_set(shared_file("faults/rtutils137_dupnumber.dcm").read_bytes())
    assert {roi.name: roi.box for roi in structures.rois} == {
        "PTV": ((-10, -10, 0), (10, 10, 27)),
        "Bladder": ((-20, -20, 0), (20, 20, 27)),
        "Rectum": ((32, -8, 0), (48, 8, 27)),
    }


def test_a_bent_contour_is_not_usable() -> None:
    (roi,) = read_structure_set(shared_file("faults/bent-contour.dcm").read_bytes()).rois
    assert not roi.usable
    assert "contour 1 is not flat" in roi.reason


def test_a_uid_that_is_not_ascii_is_left_out() -> None:
    structures = read_structure_set(shared_file("faults/nonascii-uid.dcm").read_bytes())
    assert structures.frame_of([1])[0] == ""
    _, (note,) = structures.contours([1])
    assert "Frame of Reference UID is not ASCII" in note.text
