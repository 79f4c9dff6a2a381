"""Contours that cannot be used: each is skipped with its reason, and the others stay; and which are usable still."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.dicom.structure_set import read_structure_set
from orthanc_stl.errors import InvalidInput
from orthanc_stl.model import Rank
from testing.phantoms import Contour, changed, circle, structure_set
from tests.dicom.small_sets import RING, assert_others_are_whole, small, with_spoiled

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
    "comma": (Contour(RING, data=b"1.0,5\\2\\3"), "holds data that are not numbers"),
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
