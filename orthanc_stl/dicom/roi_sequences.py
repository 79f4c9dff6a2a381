"""Which contours belong to which ROI: the Structure Set ROI Sequence, the ROI Contour Sequence, the Observations.

PS3.3 C.8.8.5, C.8.8.6, C.8.8.8. An item of the ROI Contour Sequence belongs to the ROI whose number it names, wherever
it stands. Files break this in ways that have one sensible reading nevertheless, which is taken and told of:

- Several ROIs have one number (rt-utils numbered so), and as many contour items name it: they are paired in order.
- Contour items name no ROI, or one that is not listed, and as many ROIs have no contours: they are paired in order.
- What then is left, or a structure set without a list of ROIs: a contour item is a ROI of its own, named by its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.dicom.elements import DicomFile, Elements
from orthanc_stl.dicom.roi import ContourItem, Roi, quoted, title_of
from orthanc_stl.dicom.study_context import ascii_uid
from orthanc_stl.dicom.text import decode
from orthanc_stl.errors import TooLarge
from orthanc_stl.model import Color, Note, Rank

# Limits against files that are hostile or no structure sets for patients; a configuration may set others.
MAX_CONTOUR_POINTS = 20_000_000
MAX_ROIS = 10_000
MAX_CONTOURS = 1_000_000
_MOST_NAMED = 3

STRUCTURE_SET_ROIS = 0x30060020
OBSERVATIONS = 0x30060080
_ROI_NUMBER = 0x30060022
_ROI_FRAME = 0x30060024
_ROI_NAME = 0x30060026
_DISPLAY_COLOR = 0x3006002A
ROI_CONTOURS = 0x30060039
_CONTOURS = 0x30060040
_GEOMETRIC_TYPE = 0x30060042
_CONTOUR_POINTS = 0x30060046
_CONTOUR_DATA = 0x30060050
_REFERENCED_ROI = 0x30060084
_INTERPRETED_TYPE = 0x300600A4


@dataclass
class Listed:
    """An item of the Structure Set ROI Sequence; then the contour items that are its own, and how they were found."""

    number: int | None
    name: str
    frame: str
    kind: str = ""
    drawn: list[Drawn] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    without: str = ""


@dataclass(frozen=True)
class Drawn:
    """An item of the ROI Contour Sequence: the ROI that it names, its color, its contours."""

    number: int | None
    color: Color | None
    contours: tuple[ContourItem, ...]


def rois_of(
    file: DicomFile, top: Elements, terms: Sequence[str], frame: str, max_rois: int, max_points: int
) -> tuple[Roi, ...]:
    """The ROIs of a structure set in the file's order, each number once. `frame`: that of ROIs that name none.

    Raises TooLarge over a limit.
    """
    listed = [*listed_rois(file, top, terms, frame, max_rois)]
    drawn = drawn_items(file, top, max_points)
    whole = _assigned(listed, drawn, _types(file, top), frame)
    if len(whole) > max_rois:
        raise TooLarge(f"the structure set has more than {max_rois} ROIs (MaxRois)")
    return tuple(_roi(roi, file.data) for roi in whole)


def listed_rois(file: DicomFile, top: Elements, terms: Sequence[str], frame: str, max_rois: int) -> Iterator[Listed]:
    """The items of the Structure Set ROI Sequence."""
    for place, item in enumerate(file.items_of(top, STRUCTURE_SET_ROIS), 1):
        if place > max_rois:
            raise TooLarge(f"the structure set has more than {max_rois} ROIs (MaxRois)")
        name = decode(file.value_of(item, _ROI_NAME), terms)
        number = whole_number(file.value_of(item, _ROI_NUMBER))
        raw_frame = file.value_of(item, _ROI_FRAME)
        own_frame = ascii_uid(raw_frame)
        unreadable = bool(raw_frame.strip(b"\0 ")) and not own_frame
        guesses = ["its Frame of Reference UID is not ASCII or not one value: it was left out"] if unreadable else []
        yield Listed(number, name, own_frame or frame, guesses=guesses)


def drawn_items(file: DicomFile, top: Elements, max_points: int) -> list[Drawn]:
    """The items of the ROI Contour Sequence; contours are only located."""
    found: list[Drawn] = []
    total = 0
    for item in file.items_of(top, ROI_CONTOURS):
        contours: list[ContourItem] = []
        for contour in file.items_of(item, _CONTOURS):
            contours.append(_contour_item(file, contour, len(contours) + 1))
            total += 1
            if total > MAX_CONTOURS:
                raise TooLarge(f"the structure set has more than {MAX_CONTOURS} contours")
        number = whole_number(file.value_of(item, _REFERENCED_ROI))
        found.append(Drawn(number, _color(file.value_of(item, _DISPLAY_COLOR)), tuple(contours)))
    _check_points(file, [contour for drawn in found for contour in drawn.contours], max_points)
    return found


def whole_number(raw: bytes) -> int | None:
    """A number of VR IS; also `7.0` and `7.`, as programs write that keep it as a float."""
    text, _, fraction = raw.strip(b"\0 ").partition(b".")
    if fraction.strip(b"0") or len(text) > 12 or not text.lstrip(b"+-").isdigit():
        return None
    try:
        return int(text)
    except ValueError:  # "+-7"
        return None


def _contour_item(file: DicomFile, item: Elements, number: int) -> ContourItem:
    data = item.get(_CONTOUR_DATA)
    kind = ascii_value(file.value_of(item, _GEOMETRIC_TYPE))
    declared = whole_number(file.value_of(item, _CONTOUR_POINTS))
    return ContourItem(number, kind, declared, data.start if data else 0, data.stop if data else 0)


def _check_points(file: DicomFile, contours: Sequence[ContourItem], most: int) -> None:
    """Points are counted only where their bytes, six a point at least, might make too many."""
    if sum(contour.stop - contour.start for contour in contours) // 6 <= most:
        return
    values = sum(bytes(file.data[item.start : item.stop]).count(b"\\") + 1 for item in contours)
    if values > 3 * most:
        raise TooLarge(f"the structure set has more than {most} contour points (MaxContourPoints)")


def _color(raw: bytes) -> Color | None:
    """Three values of 0..255; a fourth, an opacity as OHIF wrote it, is passed over."""
    values = [whole_number(part) for part in raw.strip(b"\0 ").split(b"\\")[:3]]
    if len(values) != 3 or any(value is None or not 0 <= value <= 255 for value in values):
        return None
    red, green, blue = (value or 0 for value in values)
    return red, green, blue


def _types(file: DicomFile, top: Elements) -> dict[int, list[str]]:
    """The RT ROI Interpreted Types of each number, in order."""
    types: dict[int, list[str]] = {}
    for item in file.items_of(top, OBSERVATIONS):
        number = whole_number(file.value_of(item, _REFERENCED_ROI))
        kind = ascii_value(file.value_of(item, _INTERPRETED_TYPE))
        if number is not None:
            types.setdefault(number, []).append(kind)
    return types


def _assigned(
    listed: Sequence[Listed], drawn: Sequence[Drawn], types: dict[int, list[str]], frame: str
) -> list[Listed]:
    """All ROIs, each with a number of its own, its type and its contour items."""
    by_number: dict[int, list[Drawn]] = {}
    for item in drawn:
        if item.number is not None:
            by_number.setdefault(item.number, []).append(item)
    namesakes: dict[int, list[Listed]] = {}
    for roi in listed:
        if roi.number is not None:
            namesakes.setdefault(roi.number, []).append(roi)
    free = count(max([0, *by_number, *namesakes]) + 1)
    for number, rois in namesakes.items():
        _give(rois, by_number.get(number, []), types.get(number, []), free)
    left = [item for item in drawn if item.number not in namesakes]
    bare = [roi for roi in listed if not (roi.drawn or roi.without)]
    if left and len(left) == len(bare) and (len(drawn) == len(listed) or all(i.number is None for i in left)):
        for roi, item in zip(bare, left, strict=True):
            roi.drawn = [item]
            names = "no ROI" if item.number is None else f"ROI {item.number}, which is not listed"
            roi.guesses.append(f"its contours name {names}: they were taken by their place in the file")
        left = []
    for roi in bare:
        if roi.number is None:
            roi.number = next(free)
            roi.guesses.append("the file gives it no number")
    return [*listed, *_unlisted(left, frame, types, free)]


def _give(rois: Sequence[Listed], items: Sequence[Drawn], types: Sequence[str], free: Iterator[int]) -> None:
    """To ROIs of one number its contour items and types; all but the first ROI get a number that is free."""
    rois[0].kind = next((kind for kind in types if kind), "")
    if len(rois) == 1:
        rois[0].drawn = list(items)
        return
    first, number = rois[0], rois[0].number
    for roi in rois[1:]:
        roi.number = next(free)
    if len(types) == len(rois):
        for roi, kind in zip(rois, types, strict=True):
            roi.kind = kind
    if len(items) == len(rois):
        for roi, item in zip(rois, items, strict=True):
            others = _others(rois, roi)
            roi.drawn = [item]
            roi.guesses.append(f"its number {number} is also that of {others}: their contours were taken in order")
        return
    first.drawn = list(items)
    if items:
        first.guesses.append(f"it has its number in common with {_others(rois, first)}: all its contours were taken")
    for roi in rois[1:]:
        roi.without = f"its number {number} is also that of {quoted(first.name)}, and the contours cannot be told apart"


def _others(rois: Sequence[Listed], one: Listed) -> str:
    """The names of the other ROIs, a few of them."""
    names = [quoted(roi.name) for roi in rois[: _MOST_NAMED + 1] if roi is not one][:_MOST_NAMED]
    more = len(rois) - 1 - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _unlisted(items: Sequence[Drawn], frame: str, types: dict[int, list[str]], free: Iterator[int]) -> list[Listed]:
    """ROIs of contour items that no ROI of the list has."""
    found: dict[int, Listed] = {}
    for item in items:
        if item.contours:
            number = next(free) if item.number is None else item.number
            kind = next((kind for kind in types.get(number, []) if kind), "")
            roi = found.setdefault(number, Listed(number, f"ROI {number}", frame, kind))
            roi.guesses = ["the structure set does not list it: it was named by its number"]
            roi.drawn.append(item)
    return list(found.values())


def _roi(roi: Listed, data: memoryview) -> Roi:
    color = next((item.color for item in roi.drawn if item.color), None)
    contours = [contour for item in roi.drawn for contour in item.contours]
    if len(roi.drawn) > 1:
        contours = [contour._replace(number=place) for place, contour in enumerate(contours, 1)]
    number = roi.number or 0
    title = title_of(number, roi.name)
    guesses = tuple(Note(Rank.GUESSED, roi.name, f"{title}: {guess}") for guess in roi.guesses)
    return Roi(number, roi.name, color, roi.kind, roi.frame, tuple(contours), data, guesses, roi.without)
