"""Which contours belong to which ROI, in files that number them wrongly: the one sensible reading, and what is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from orthanc_stl.dicom.roi_pairing import Drawn, Listed, assigned
from orthanc_stl.dicom.roi_sequences import whole_number
from orthanc_stl.dicom.structure_set import StructureSet, read_roi_names, read_structure_set
from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.model import Rank
from testing.phantoms import Roi, structure_set
from tests.dicom.edited import edited
from tests.dicom.small_sets import small, tiny


def test_contours_belong_to_a_roi_by_number_not_by_place() -> None:
    structures = read_structure_set(structure_set(small(), reverse_contour_sequence=True))
    assert structures.roi(2).name == "Sphere"
    assert structures.roi(2).box == ((-6, -6, -3), (6, 6, 3))


def test_numbers_may_be_any() -> None:
    rois = [replace(roi, number=number) for roi, number in zip(small(), (4711, -3), strict=True)]
    assert [roi.number for roi in read_structure_set(structure_set(rois)).rois] == [4711, -3]


def test_unknown_number_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="no ROI of number 7; it has 1, 2"):
        read_structure_set(structure_set(small())).contours([7])


def notes_of(structures: StructureSet, number: int) -> list[str]:
    (_,), notes = structures.contours([number])
    assert {note.rank for note in notes} <= {Rank.GUESSED}
    return [note.text for note in notes]


def boxes(structures: StructureSet) -> dict[str, float]:
    """Name to the least x: it tells contours apart."""
    return {roi.name: roi.box[0][0] if roi.box else float("nan") for roi in structures.rois}


def test_rois_of_one_number_with_as_many_contour_items_are_paired_in_order() -> None:
    rois = [tiny("A"), tiny("B", number=3, centre=(40, 0, 0)), tiny("C", number=3, centre=(80, 0, 0))]
    structures = read_structure_set(structure_set([replace(roi, interpreted_type=roi.name) for roi in rois]))
    assert [(roi.number, roi.name, roi.interpreted_type) for roi in structures.rois] == [
        (1, "A", "A"), (3, "B", "B"), (4, "C", "C"),
    ]  # fmt: skip
    assert boxes(structures) == {"A": -6, "B": 34, "C": 74}
    assert notes_of(structures, 4) == [
        'ROI 4 "C": its number 3 is also that of "B": their contours were taken in order'
    ]
    assert notes_of(structures, 1) == []


def test_rois_of_one_number_with_fewer_contour_items_cannot_be_told_apart() -> None:
    structures = read_structure_set(structure_set([tiny("A", number=1), tiny("B", number=1, drawn=False)]))
    assert [(roi.number, roi.name) for roi in structures.rois] == [(1, "A"), (2, "B")]
    assert notes_of(structures, 1) == ['ROI 1 "A": it has its number in common with "B": all its contours were taken']
    with pytest.raises(InvalidInput, match='ROI 2 "B" has no usable contour: its number 1 is also that of "A"'):
        structures.contours([2])


def test_two_contour_items_of_one_roi_are_joined_and_numbered_on() -> None:
    data = edited(structure_set(small()), lambda ds: set_reference(ds.ROIContourSequence[1], "1"))
    structures = read_structure_set(data)
    (body,), _ = structures.contours([1])
    assert [contour.number for contour in body.contours] == [1, 2, 3, 4, 5, 6, 7, 8]


def set_reference(item: Dataset, number: str | None) -> None:
    set_number(item, 0x30060084, number)


def set_number(item: Dataset, tag: int, number: str | None) -> None:
    """Whatever it is: pydicom would refuse some."""
    if number is None:
        del item[tag]
    else:
        raw = number.encode()
        item[tag] = RawDataElement(Tag(tag), "IS", len(raw), raw, 0, False, True)


@pytest.mark.parametrize(
    ("references", "told"),
    [
        ((None, None), "name no ROI"),
        (("1", None), "name no ROI"),
        (("abc", ""), "name no ROI"),
        ((None, "abc"), 'name the ROI "abc", which is not listed'),
        (("1", "7"), "name ROI 7, which is not listed"),
        (("11", "12"), "name ROI 12, which is not listed"),
    ],
)
def test_contour_items_that_name_no_roi_are_paired_where_as_many_rois_have_none(
    references: tuple[str | None, ...], told: str
) -> None:
    def edit(ds: Dataset) -> None:
        for item, number in zip(ds.ROIContourSequence, references, strict=True):
            set_reference(item, number)

    data = edited(structure_set([tiny("A"), tiny("B", centre=(40, 0, 0))]), edit)
    structures = read_structure_set(data)
    assert boxes(structures) == {"A": -6, "B": 34}
    assert notes_of(structures, 2) == [f'ROI 2 "B": its contours {told}: they were assigned in the order of the file']


def test_contour_items_that_may_belong_to_several_rois_are_rois_of_their_own() -> None:
    data = edited(
        structure_set([tiny("A"), tiny("B", drawn=False), tiny("C", centre=(40, 0, 0))]),
        lambda ds: set_reference(ds.ROIContourSequence[1], None),
    )
    structures = read_structure_set(data)
    assert [(roi.number, roi.name, roi.usable) for roi in structures.rois] == [
        (1, "A", True), (2, "B", False), (3, "C", False), (4, "ROI 4", True),
    ]  # fmt: skip
    assert notes_of(structures, 4) == ['ROI 4 "ROI 4": the structure set does not list it: it was named by its number']


def test_contours_of_a_roi_that_is_not_listed_have_their_number_for_a_name() -> None:
    data = structure_set([tiny("A"), tiny("B", number=9, listed=False)])
    structures = read_structure_set(data)
    assert [(roi.number, roi.name) for roi in structures.rois] == [(1, "A"), (9, "ROI 9")]
    assert notes_of(structures, 1) == []


@pytest.mark.parametrize("empty", [False, True])
def test_a_structure_set_without_a_list_of_rois(empty: bool) -> None:
    def edit(ds: Dataset) -> None:
        del ds.StructureSetROISequence
        if empty:
            ds.StructureSetROISequence = []

    data = edited(structure_set([tiny("A", number=5), tiny("B", number=2)]), edit)
    structures = read_structure_set(data)
    assert [(roi.number, roi.name, roi.interpreted_type) for roi in structures.rois] == [
        (5, "ROI 5", "ORGAN"), (2, "ROI 2", "ORGAN"),
    ]  # fmt: skip
    assert read_roi_names(data) == ["ROI 2", "ROI 5"]


@pytest.mark.parametrize("number", ["7.0", "7.", "+7", " 7 ", "07", "7\t", "7\r\n"])
def test_a_number_that_is_written_as_a_float(number: str) -> None:
    def edit(ds: Dataset) -> None:
        set_number(ds.StructureSetROISequence[0], 0x30060022, number)
        set_reference(ds.ROIContourSequence[0], "7")

    structures = read_structure_set(edited(structure_set([tiny("A")]), edit))
    assert [(roi.number, roi.usable) for roi in structures.rois] == [(7, True)]


@pytest.mark.parametrize("number", [None, "", "seven", "7.5", "1e1", "+-7", "9" * 12 + "9"])
def test_a_roi_without_a_number_gets_one(number: str | None) -> None:
    data = edited(structure_set([tiny("A")]), lambda ds: set_number(ds.StructureSetROISequence[0], 0x30060022, number))
    structures = read_structure_set(data)
    assert [(roi.name, roi.usable) for roi in structures.rois] == [("A", True)]
    told = f'has "{number}" for its number' if number else "gives it no number"
    assert any(told in sentence for sentence in notes_of(structures, structures.rois[0].number))


def renumbered(numbers: Sequence[str], references: Sequence[str]) -> StructureSet:
    """Three ROIs, A at x = 0, B at 40, C at 80, with these numbers, and contour items that name those."""

    def edit(ds: Dataset) -> None:
        for item, number in zip(ds.StructureSetROISequence, numbers, strict=True):
            set_number(item, 0x30060022, number)
        for item, number in zip(ds.ROIContourSequence, references, strict=True):
            set_reference(item, number)

    rois = [tiny("A"), tiny("B", centre=(40, 0, 0)), tiny("C", centre=(80, 0, 0))]
    return read_structure_set(edited(structure_set(rois), edit))


@pytest.mark.parametrize(
    ("numbers", "references"),
    [
        (("ROI-1", "ROI-2", "ROI-3"), ("ROI-3", "ROI-1", "ROI-2")),
        (("a", "2", "b"), ("b", "a", "2")),
        (("9" * 13, "8" * 13, "7" * 13), ("7" * 13, "9" * 13, "8" * 13)),
    ],
)
def test_numbers_that_are_none_still_say_whose_contours_they_are(
    numbers: tuple[str, ...], references: tuple[str, ...]
) -> None:
    structures = renumbered(numbers, references)
    assert boxes(structures) == {"A": 34, "B": 74, "C": -6}
    first = structures.rois[0]
    assert notes_of(structures, first.number) == [f'ROI {first.number} "A": the file has "{numbers[0]}" for its number']


@pytest.mark.parametrize(("first", "off"), [(0, "1 too low"), (2, "1 too high"), (3, "2 too high")])
def test_contours_that_count_from_another_number_are_taken_in_order(first: int, off: str) -> None:
    """By number each but one would be another ROI's."""
    structures = renumbered(("1", "2", "3"), tuple(str(first + place) for place in range(3)))
    assert boxes(structures) == {"A": -6, "B": 34, "C": 74}
    for roi in structures.rois:
        (note,) = notes_of(structures, roi.number)
        assert f"and in this file all contours are numbered {off}: they were assigned in the order of the file" in note


@pytest.mark.parametrize(("numbers", "own"), [(("1", "2", "2"), [1, 2, 4]), (("1", "1", "2"), [1, 4, 2])])
def test_rois_of_one_number_have_one_each_where_contours_count_from_another(
    numbers: tuple[str, ...], own: list[int]
) -> None:
    structures = renumbered(numbers, tuple(str(int(number) + 1) for number in numbers))
    assert [roi.number for roi in structures.rois] == own
    assert boxes(structures) == {"A": -6, "B": 34, "C": 74}
    assert any("all contours are numbered 1 too high" in note for note in notes_of(structures, 4))


def test_contours_of_two_items_are_told_where_another_roi_has_none() -> None:
    structures = renumbered(("1", "2", "3"), ("1", "1", "3"))
    assert boxes(structures)["A"] == -6
    assert notes_of(structures, 1) == [
        'ROI 1 "A": 2 sets of contours name this ROI and none names "B": all of them were assigned to this one'
    ]
    assert notes_of(structures, 3) == []


@pytest.mark.parametrize(("references", "off", "first"), [(("0", "1"), "low", 0), (("3", "4"), "high", 4)])
def test_fewer_contours_that_may_count_from_another_number_are_told(
    references: tuple[str, ...], off: str, first: int
) -> None:
    """Of three ROIs: by number one of them has its contours, by a shifted number two."""

    def edit(ds: Dataset) -> None:
        for item, number in zip(ds.ROIContourSequence, references, strict=True):
            set_reference(item, number)

    rois = [tiny("A"), tiny("B", centre=(40, 0, 0)), tiny("C", drawn=False)]
    structures = read_structure_set(edited(structure_set(rois), edit))
    (usable,) = [roi.number for roi in structures.rois if roi.usable and roi.number != first]
    (note,) = notes_of(structures, usable)
    assert f"but others name ROI {first}, which is not listed: all contours may be numbered 1 too {off}" in note


def test_contours_of_one_unlisted_roi_say_nothing_of_the_others() -> None:
    structures = renumbered(("1", "2", "3"), ("1", "2", "9"))
    assert notes_of(structures, 1) == notes_of(structures, 2) == []


def test_numbers_that_are_none_and_stand_twice_are_told_as_such() -> None:
    structures = renumbered(("R-1", "R-1", "2"), ("R-1", "R-1", "2"))
    assert boxes(structures) == {"A": -6, "B": 34, "C": 74}
    told = 'its contours name the ROI "R-1", which is the number of several: they were assigned in the order'
    assert all(any(told in note for note in notes_of(structures, roi.number)) for roi in structures.rois[:2])


@pytest.mark.parametrize(("raw", "number"), [(b"7\0", 7), (b"-3", -3), (b"7.00 ", 7), (b"7.10", None), (b".", None)])
def test_whole_numbers(raw: bytes, number: int | None) -> None:
    assert whole_number(raw) == number


def test_unlisted_rois_count_as_rois() -> None:
    data = structure_set([tiny(str(k), listed=False) for k in range(3)])
    with pytest.raises(TooLarge, match="MaxRois"):
        read_structure_set(data, max_rois=2)


@pytest.mark.timeout(60)  # work that grows with the square of the size would take hours
@pytest.mark.parametrize("drawn", [True, False])
def test_hundreds_of_rois_of_one_number_are_told_apart(drawn: bool) -> None:
    rois = [Roi("x" * 64, None, number=1, drawn=drawn or not k) for k in range(800)]
    data = structure_set(rois)
    structures = read_structure_set(data)
    assert [roi.number for roi in structures.rois] == list(range(1, 801))
    assert sum(len(note.text) for roi in structures.rois for note in roi.guesses) < 800 * 400


def test_types_that_are_numbered_like_their_contours_go_with_them() -> None:
    rois = [Listed(number, name, "1.2") for number, name in enumerate(("PTV", "Lung", "Body"), 1)]
    items = [Drawn(number, "", None, ()) for number in (2, 3, 4)]
    found = assigned(rois, items, {2: ["PTV"], 3: ["ORGAN"], 4: ["EXTERNAL"]}, "1.2")
    assert [roi.kind for roi in found] == ["PTV", "ORGAN", "EXTERNAL"]
