"""The sequences of a structure set that are about its ROIs: what is in their items, PS3.3 C.8.8.5, C.8.8.6, C.8.8.8.

Which contours belong to which ROI: roi_pairing.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.dicom.elements import DicomFile, Elements
from orthanc_stl.dicom.roi import ContourItem, Roi, title_of
from orthanc_stl.dicom.roi_pairing import Drawn, Listed, assigned
from orthanc_stl.dicom.study_context import ascii_uid
from orthanc_stl.dicom.text import decode
from orthanc_stl.errors import TooLarge
from orthanc_stl.model import Color, Note, Rank

# Limits against files that are hostile or no structure sets for patients; a configuration may set others.
MAX_CONTOUR_POINTS = 20_000_000
MAX_ROIS = 10_000
MAX_CONTOURS = 1_000_000

UNREADABLE_COUNT = -1
"""The points of a contour that declares something else than a number of them."""

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


def rois_of(
    file: DicomFile, top: Elements, terms: Sequence[str], frame: str, max_rois: int, max_points: int
) -> tuple[Roi, ...]:
    """The ROIs of a structure set in the file's order, each number once. `frame`: that of ROIs that name none.

    Raises TooLarge over a limit.
    """
    listed = [*listed_rois(file, top, terms, frame, max_rois)]
    drawn = drawn_items(file, top, max_points)
    whole = assigned(listed, drawn, _types(file, top), frame)
    if len(whole) > max_rois:
        raise TooLarge(f"the structure set has more than {max_rois} ROIs (MaxRois)")
    return tuple(_roi(roi, file.data) for roi in whole)


def listed_rois(file: DicomFile, top: Elements, terms: Sequence[str], frame: str, max_rois: int) -> Iterator[Listed]:
    """The items of the Structure Set ROI Sequence."""
    for place, item in enumerate(file.items_of(top, STRUCTURE_SET_ROIS), 1):
        if place > max_rois:
            raise TooLarge(f"the structure set has more than {max_rois} ROIs (MaxRois)")
        name = decode(file.value_of(item, _ROI_NAME), terms)
        number, unread = _number(file.value_of(item, _ROI_NUMBER))
        raw_frame = file.value_of(item, _ROI_FRAME)
        own_frame = ascii_uid(raw_frame)
        unreadable = bool(raw_frame.strip(b"\0 ")) and not own_frame
        guesses = ["its Frame of Reference UID is not ASCII or not one value: it was left out"] if unreadable else []
        yield Listed(number, name, own_frame or frame, unread, guesses=guesses)


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
        number, unread = _number(file.value_of(item, _REFERENCED_ROI))
        found.append(Drawn(number, unread, _color(file.value_of(item, _DISPLAY_COLOR)), tuple(contours)))
    _check_points(file, [contour for drawn in found for contour in drawn.contours], max_points)
    return found


def whole_number(raw: bytes) -> int | None:
    """A number of VR IS; also `7.0` and `7.`, as programs write that keep it as a float."""
    text, _, fraction = raw.strip(b"\0 \t\r\n").partition(b".")
    if fraction.strip(b"0") or len(text) > 12 or not text.lstrip(b"+-").isdigit():
        return None
    try:
        return int(text)
    except ValueError:  # "+-7"
        return None


def _number(raw: bytes) -> tuple[int | None, str]:
    """A whole number, else None and what there is instead."""
    number = whole_number(raw)
    return number, "" if number is not None else ascii_value(raw)


def _contour_item(file: DicomFile, item: Elements, number: int) -> ContourItem:
    data = item.get(_CONTOUR_DATA)
    kind = ascii_value(file.value_of(item, _GEOMETRIC_TYPE))
    points = file.value_of(item, _CONTOUR_POINTS)
    declared = whole_number(points)
    if declared is None and points.strip(b"\0 "):
        declared = UNREADABLE_COUNT
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


def _roi(roi: Listed, data: memoryview) -> Roi:
    color = next((item.color for item in roi.drawn if item.color), None)
    contours = [contour for item in roi.drawn for contour in item.contours]
    if len(roi.drawn) > 1:
        contours = [contour._replace(number=place) for place, contour in enumerate(contours, 1)]
    number = roi.number or 0
    title = title_of(number, roi.name)
    guesses = tuple(Note(Rank.GUESSED, roi.name, f"{title}: {guess}") for guess in roi.guesses)
    return Roi(number, roi.name, color, roi.kind, roi.frame, tuple(contours), data, guesses, roi.why_none)
