"""Structure sets: what is read from them, and what each defect of a file does (and does not do) to the other ROIs."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.dicom.structure_set import read_roi_names, read_structure_set
from orthanc_stl.errors import InvalidInput, TooLarge
from testing.phantoms import SYNTAXES, Contour, Roi, Study, circle, ct_slices, cylinder, structure_set
from tests.dicom.listing import listing
from tests.dicom.small_sets import RING, assert_others_are_whole, small, tiny, with_spoiled

# What is read ---------------------------------------------------------------------------------------------------------


# Nothing says that a data set without meta information is deflated.
FORMS = [(s, *how) for s in SYNTAXES for how in ((1, 1), (1, 0), (0, 0)) if s != "deflated" or how[0]]


@pytest.mark.parametrize("undefined_lengths", [False, True])
@pytest.mark.parametrize(("syntax", "meta", "preamble"), FORMS)
def test_every_encoding_gives_the_same_contours(
    syntax: str, undefined_lengths: bool, meta: bool, preamble: bool
) -> None:
    study = Study(syntax=syntax, undefined_lengths=undefined_lengths, meta=meta, preamble=preamble)
    structures = read_structure_set(structure_set(small(), study))
    (sphere,), warnings = structures.contours([2])
    assert (sphere.number, sphere.name, warnings) == (2, "Sphere", [])
    assert [contour.number for contour in sphere.contours] == [1, 2, 3]
    np.testing.assert_allclose(sphere.contours[1].points, circle(6, 0, points=24), atol=5e-5)


def test_facts_of_a_roi() -> None:
    body, sphere = read_structure_set(structure_set(small())).rois
    assert (body.number, body.name, body.color, body.interpreted_type) == (1, "Body", (0, 255, 0), "EXTERNAL")
    assert sphere.box == ((-6, -6, -3), (6, 6, 3))
    assert sphere.kinds == {"CLOSED_PLANAR": 3}
    assert sphere.usable
    assert sphere.reason == ""


def test_names_are_sorted_and_unique() -> None:
    data = structure_set([tiny("b"), tiny("a"), tiny("b"), Roi("C", None)])
    assert read_roi_names(data) == ["C", "a", "b"]


def test_surroundings_span_the_other_rois() -> None:
    (around,) = read_structure_set(structure_set(small())).surroundings([2])
    assert around.shape == (5, 6, 3)
    np.testing.assert_allclose(around.min(axis=(0, 1)), [-90, -72, -6])
    np.testing.assert_allclose(around.max(axis=(0, 1)), [90, 72, 6])


def test_listing_as_json() -> None:
    marker = 'ROI 3 "Third": contour 1 is of type POINT, which encloses no area: left out'
    assert listing(read_structure_set(with_spoiled(Contour(RING, kind="POINT"))))[1:] == [
        {
            "Number": 2,
            "Name": "Sphere",
            "Color": [255, 0, 0],
            "Type": "ORGAN",
            "Contours": {"CLOSED_PLANAR": 3},
            "Extent": [[-6, -6, -3], [6, 6, 3]],
            "Usable": True,
            "Reason": "",
            "Skipped": [],
            "SkippedContours": 0,
            "Guessed": [],
            "Notes": [],
        },
        {
            "Number": 3,
            "Name": "Third",
            "Color": [255, 0, 0],
            "Type": "ORGAN",
            "Contours": {"POINT": 1},
            "Extent": None,
            "Usable": False,
            "Reason": "it has no closed contours, only 1 POINT",
            "Skipped": [marker],
            "SkippedContours": 1,
            "Guessed": [],
            "Notes": [{"Rank": 3, "Roi": "Third", "Text": marker}],
        },
    ]


# Optional in the standard, optional for us ----------------------------------------------------------------------------


@pytest.mark.parametrize("contours", [None, []])
def test_roi_without_contours(contours: list[Contour] | None) -> None:
    data = with_spoiled(Roi("Third", contours))
    assert_others_are_whole(data)
    structures = read_structure_set(data)
    assert structures.roi(3).reason == "it has no contours"
    with pytest.raises(InvalidInput, match='ROI 3 "Third" has no usable contour: it has no contours'):
        structures.contours([3])


def test_roi_without_item_in_the_roi_contour_sequence() -> None:
    data = with_spoiled(tiny("Third", drawn=False))
    assert_others_are_whole(data)
    assert read_structure_set(data).roi(3).reason == "it has no contours"


@pytest.mark.parametrize("colour", [None, (256, 0, 0), (1, 2), (-1, 0, 0)])
def test_colour_is_optional(colour: tuple[int, ...] | None) -> None:
    data = with_spoiled(tiny("Third", colour=colour))
    assert_others_are_whole(data)
    structures = read_structure_set(data)
    assert structures.roi(3).color is None
    assert structures.roi(3).usable


@pytest.mark.parametrize("images", [None, 0, 2])
def test_contour_image_sequence_is_optional(images: int | None) -> None:
    data = with_spoiled(Contour(RING, images=images))
    assert_others_are_whole(data)
    assert read_structure_set(data).roi(3).usable


@pytest.mark.parametrize(("frames", "named"), [(None, False), (0, False), (1, True), (2, True)])
def test_referenced_frame_of_reference_is_optional(frames: int | None, named: bool) -> None:
    structures = read_structure_set(structure_set(small(), frames=frames))
    assert bool(structures.frame_of_reference_uid) == named
    assert structures.frame_of([2]) == (Study().uid("frame 0"), [])


def test_rois_in_two_frames_of_reference_warn() -> None:
    structures = read_structure_set(structure_set([tiny("A"), tiny("B", frame="1.2.3")]))
    assert structures.frame_of([2]) == ("1.2.3", [])
    frame, (note,) = structures.frame_of([1, 2])
    assert frame == Study().uid("frame 0")
    assert "2 frames of reference" in note.text


@pytest.mark.parametrize("patient_id", [None, ""])
def test_patient_id_is_optional(patient_id: str | None) -> None:
    structures = read_structure_set(structure_set(small(), Study(patient_id=patient_id)))
    assert structures.source.patient["PatientID"] == ""


def test_interpreted_type_is_optional() -> None:
    assert read_structure_set(structure_set([tiny(interpreted_type=None)])).rois[0].interpreted_type == ""


def test_declared_number_of_points_is_optional() -> None:
    assert read_structure_set(with_spoiled(Contour(RING, declared=None))).roi(3).usable


# Limits, and what is no structure set ---------------------------------------------------------------------------------


def test_limit_of_points_names_the_option() -> None:
    data = structure_set(small())  # 8 contours of 24 points
    assert len(read_structure_set(data, max_contour_points=192).rois) == 2
    with pytest.raises(TooLarge, match=r"more than 191 contour points \(MaxContourPoints\)"):
        read_structure_set(data, max_contour_points=191)


def test_limit_of_contours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_stl.dicom.roi_sequences.MAX_CONTOURS", 7)
    with pytest.raises(TooLarge, match="more than 7 contours"):
        read_structure_set(structure_set(small()))


def test_limit_of_rois_names_the_option() -> None:
    data = structure_set(small())
    with pytest.raises(TooLarge, match=r"more than 1 ROIs \(MaxRois\)"):
        read_structure_set(data, max_rois=1)
    with pytest.raises(TooLarge, match=r"\(MaxRois\)"):
        read_roi_names(data, max_rois=1)


def test_image_is_no_structure_set() -> None:
    with pytest.raises(InvalidInput, match="this is a CT Image Storage object; an RT Structure Set was expected"):
        read_structure_set(ct_slices(planes=[0])[0])


def test_planes_of_another_roi_do_not_matter() -> None:
    data = structure_set([cylinder("Tube", planes=[1.5, 4.5]), small()[1]])
    assert read_structure_set(data).roi(2).box == ((-6, -6, -3), (6, 6, 3))
