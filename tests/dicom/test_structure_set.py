"""Structure sets: what is read from them, and what each defect of a file does (and does not do) to the other ROIs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orthanc_stl.dicom.structure_set import read_roi_names, read_structure_set
from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.model import Rank
from testing.phantoms import SYNTAXES, Contour, Roi, Study, ball, changed, circle, ct_slices, cylinder, structure_set
from tests.dicom.listing import listing

RING = circle(10, 0, points=24)


def small() -> list[Roi]:
    """Body of 5 contours, Sphere of 3."""
    body = cylinder(planes=range(-6, 7, 3), points=24, colour=(0, 255, 0), interpreted_type="EXTERNAL")
    return [body, ball(radius=6, points=24)]


def tiny(name: str = "A", **roi: Any) -> Roi:
    return ball(name, 6, points=24, **roi)


def with_spoiled(*spoiled: Contour | Roi, **knobs: Any) -> bytes:
    """A structure set of Body and Sphere, and a third ROI (number 3) that has a defect."""
    contours = [one for one in spoiled if isinstance(one, Contour)]
    third = spoiled[0] if isinstance(spoiled[0], Roi) else Roi("Third", contours)
    return structure_set([*small(), third], **knobs)


def assert_others_are_whole(data: bytes) -> None:
    structures = read_structure_set(data)
    rois, warnings = structures.contours([1, 2])
    assert [len(roi.contours) for roi in rois] == [5, 3]
    assert warnings == []


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
            "Skipped": ['ROI 3 "Third": contour 1 is of type POINT, which encloses no area: left out'],
            "SkippedContours": 1,
            "Guessed": [],
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


# Contours that cannot be used -----------------------------------------------------------------------------------------

UNUSABLE = {
    "point": (Contour(RING[:1], kind="POINT"), "is of type POINT"),
    "open planar": (Contour(RING, kind="OPEN_PLANAR"), "is of type OPEN_PLANAR"),
    "open nonplanar": (Contour(RING, kind="OPEN_NONPLANAR"), "is of type OPEN_NONPLANAR"),
    "no data": (Contour(RING[:0], data=b""), "has no points"),
    "words": (Contour(RING, data=b"1\\2\\x"), "holds data that are not numbers"),
    "blank value": (Contour(RING, data=b"1\\\\3"), "holds data that are not numbers"),
    "only blanks": (Contour(RING, data=b"    "), "has no points"),
    "not a number": (Contour(RING, data=b"1\\2\\nan"), "holds data that are not numbers"),
    "infinite": (Contour(RING, data=b"1\\2\\1e999"), "holds data that are not numbers"),
    "underscore": (Contour(RING, data=b"1\\2\\1_0"), "holds data that are not numbers"),
    "comma": (Contour(RING, data=b"1,5\\2\\3"), "holds data that are not numbers"),
    "four coordinates": (
        Contour(RING[:1], data=b"1\\2\\3\\4"),
        "has a number of coordinates that is no multiple",
    ),
    "far away": (Contour(RING[:1], data=b"1\\2\\1e7"), "has a coordinate more than a kilometre from the origin"),
    "one point": (Contour(RING[:1]), "has fewer than three distinct points"),
    "two points": (Contour(RING[:2]), "has fewer than three distinct points"),
    "bent": (
        Contour(RING + [[0, 0, (-2, 0, 2)[k % 3]] for k in range(24)]),
        "is not flat or not parallel to the others, it strays by 4 mm",
    ),
    "two distinct": (Contour(RING[[0, 1, 0, 1, 1]]), "has fewer than three distinct points"),
}


@pytest.mark.parametrize("defect", UNUSABLE)
def test_unusable_contour_is_skipped_with_roi_number_and_reason(defect: str) -> None:
    contour, reason = UNUSABLE[defect]
    data = with_spoiled(Contour(RING), contour, Contour(RING + np.array([0, 0, 3])))
    assert_others_are_whole(data)
    (third,), (note,) = read_structure_set(data).contours([3])
    assert [contour.number for contour in third.contours] == [1, 3]
    assert note.structure == "Third"
    assert note.rank in (Rank.CHANGED_SHAPE, Rank.LEFT_OUT)
    assert note.text.startswith(f'ROI 3 "Third": contour 2 {reason}')
    assert note.text.endswith(": left out")


def test_contours_of_the_same_fault_are_told_of_in_one_sentence() -> None:
    flat, empty, short = Contour(RING), Contour(RING[:0], data=b""), Contour(RING[:2])
    data = with_spoiled(short, flat, short, short, empty, short, flat)
    (third,), notes = read_structure_set(data).contours([3])
    assert [contour.number for contour in third.contours] == [2, 7]
    assert [note.text for note in notes] == [
        'ROI 3 "Third": 4 contours have fewer than three distinct points (1, 3-4, 6): left out',
        'ROI 3 "Third": contour 5 has no points: left out',
    ]


def test_many_numbers_are_not_listed_to_the_end() -> None:
    flat, short = Contour(RING), Contour(RING[:2])
    _, (note,) = read_structure_set(with_spoiled(*[flat, short] * 14)).contours([3])
    assert note.text.startswith('ROI 3 "Third": 14 contours have fewer than three distinct points (2, 4, 6, 8, 10, ')
    assert note.text.endswith("16, ...): left out")


@pytest.mark.parametrize("defect", UNUSABLE)
def test_roi_of_unusable_contours_only_says_why(defect: str) -> None:
    contour, reason = UNUSABLE[defect]
    structures = read_structure_set(with_spoiled(contour))
    with pytest.raises(InvalidInput, match='ROI 3 "Third" has no usable contour: '):
        structures.contours([3])
    assert not structures.roi(3).usable
    assert reason in structures.roi(3).reason or reason.split()[-1] in structures.roi(3).reason


@pytest.mark.filterwarnings("ignore:The value length")
@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "INTERPOLATED_PLANAR"])
def test_closed_kinds_are_usable(kind: str) -> None:
    assert read_structure_set(with_spoiled(Contour(RING, kind=kind))).roi(3).usable


@pytest.mark.parametrize("points", [RING[[0, 0, 1, 1, 2]], RING[[0, 1, 2, 0]], np.repeat(RING, 3, axis=0)])
def test_repeated_points_and_a_closing_point_are_usable(points: np.ndarray) -> None:
    assert read_structure_set(with_spoiled(Contour(points))).roi(3).usable


@pytest.mark.parametrize(
    "text",
    [b"1 \\ 2\\3.\\4\\5\\+6\\7e0\\8E+0\\.9e1", b" 1\\2\\3\\4\\5\\6\\7\\8\\9 \0", b"1\\2\\3\\4.0\\5.00\\6\\7\\8\\9"],
)
def test_every_form_of_decimal_string_is_read(text: bytes) -> None:
    (third,), _ = read_structure_set(with_spoiled(Contour(RING[:3], data=text))).contours([3])
    assert third.contours[0].points.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_reading_keeps_the_order_and_direction_of_the_points() -> None:
    structures = read_structure_set(structure_set([changed(small()[1], lambda points: points[::-1])]))
    (sphere,), _ = structures.contours([1])
    np.testing.assert_allclose(sphere.contours[1].points, circle(6, 0, points=24)[::-1], atol=5e-5)


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


@pytest.mark.parametrize("scale", [0.01, 0.1, 1, 10, 100])
def test_contours_are_as_flat_at_any_scale(scale: float) -> None:
    """What strays by a quarter of the distance between slices is read, by twice the distance not: no matter how
    large the body is. It was 2 mm."""
    wave = np.array([[0, 0, (-1, 0, 0, 1, 0, 0)[k % 6]] for k in range(24)])
    slices = [RING + np.array([0, 0, 8.0 * k]) for k in range(4)]
    slices[1] = slices[1] + wave
    slices[2] = slices[2] + 8 * wave
    data = with_spoiled(*(Contour((points * scale).round(6)) for points in slices))
    (third,), (note,) = read_structure_set(data).contours([3])
    assert [contour.number for contour in third.contours] == [1, 2, 4]
    assert f"contour 3 is not flat or not parallel to the others, it strays by {16 * scale:.3g} mm" in note.text
