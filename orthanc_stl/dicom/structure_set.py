"""RT Structure Set (1.2.840.10008.5.1.4.1.1.481.3): ROIs, and their contours in mm (LPS).

PS3.3 A.19, C.8.8.5 (Structure Set), C.8.8.6 (ROI Contour), C.8.8.8 (RT ROI Observations). An item of the ROI Contour
Sequence belongs to the ROI whose number it names, wherever it stands. Nothing that the standard calls optional is
needed, and a contour or ROI that cannot be used never spoils another: it is skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orthanc_stl.dicom.elements import Buffer, DicomFile, Element, elements, items, open_file
from orthanc_stl.dicom.roi import Color, ContourItem, Roi, quoted
from orthanc_stl.dicom.study_context import StudyContext, class_name, read_study_context, uid_of
from orthanc_stl.dicom.text import character_sets, decode
from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.mesh.contours.contour import RoiContours

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"

# Limits against files that are hostile or no structure sets for patients; a configuration may set others.
MAX_CONTOUR_POINTS = 20_000_000
MAX_ROIS = 10_000
MAX_CONTOURS = 1_000_000

_SPECIFIC_CHARACTER_SET = 0x00080005
_SOP_CLASS_UID = 0x00080016
_FRAME_OF_REFERENCE_UID = 0x00200052
_REFERENCED_FRAMES = 0x30060010
_STRUCTURE_SET_ROIS = 0x30060020
_ROI_NUMBER = 0x30060022
_ROI_FRAME = 0x30060024
_ROI_NAME = 0x30060026
_DISPLAY_COLOUR = 0x3006002A
_ROI_CONTOURS = 0x30060039
_CONTOURS = 0x30060040
_GEOMETRIC_TYPE = 0x30060042
_CONTOUR_POINTS = 0x30060046
_CONTOUR_DATA = 0x30060050
_OBSERVATIONS = 0x30060080
_REFERENCED_ROI = 0x30060084
_INTERPRETED_TYPE = 0x300600A4
_LAST = _OBSERVATIONS


@dataclass(frozen=True)
class StructureSet:
    """The ROIs of a structure set, in the file's order, each number once.

    `frame_of_reference_uid` is empty if none is named.
    """

    rois: tuple[Roi, ...]
    frame_of_reference_uid: str
    file: DicomFile

    @cached_property
    def source(self) -> StudyContext:
        """What objects made from this one copy. Raises InvalidInput if it has no UIDs."""
        return read_study_context(self.file)

    def roi(self, number: int) -> Roi:
        """Raises InvalidInput, naming the known numbers, for a number that is not in the file."""
        for roi in self.rois:
            if roi.number == number:
                return roi
        known = ", ".join(str(roi.number) for roi in self.rois) or "none"
        raise InvalidInput(f"the structure set has no ROI of number {number}; it has {known}")

    def numbers_of(self, names: Iterable[str]) -> tuple[list[int], list[str]]:
        """The numbers of the ROIs of these names, and a warning for each name that several ROIs carry (all are taken).

        Raises InvalidInput for an unknown name, with the known ones.
        """
        numbers: list[int] = []
        warnings: list[str] = []
        for name in dict.fromkeys(names):
            found = [roi.number for roi in self.rois if roi.name == name]
            if not found:
                known = ", ".join(quoted(roi.name) for roi in self.rois) or "none"
                raise InvalidInput(f"the structure set has no ROI named {quoted(name)}; it has {known}")
            if len(found) > 1:
                listed = ", ".join(map(str, found))
                warnings.append(f"{len(found)} ROIs are named {quoted(name)} (numbers {listed}): all were taken")
            numbers += found
        return numbers, warnings

    def contours(self, numbers: Iterable[int]) -> tuple[list[RoiContours], list[str]]:
        """The closed contours of the ROIs of these numbers, and a warning for each contour that is left out.

        Raises InvalidInput for an unknown number, and for a ROI without one usable contour.
        """
        chosen: list[RoiContours] = []
        warnings: list[str] = []
        for number in dict.fromkeys(numbers):
            roi = self.roi(number)
            contours, skipped = roi.read()
            if not contours:
                raise InvalidInput(f"{roi.title} has no usable contour: {roi.reason}")
            chosen.append(RoiContours(roi.number, roi.name, tuple(contours)))
            warnings += skipped
        return chosen, warnings

    def surroundings(self, except_numbers: Iterable[int]) -> np.ndarray:
        """(k, 3) float64: six extreme points of each closed contour of the other ROIs."""
        others = set(except_numbers)
        parts = [roi.summary.extremes for roi in self.rois if roi.number not in others]
        return np.concatenate(parts) if parts else np.empty((0, 3))

    def frame_of(self, numbers: Iterable[int]) -> tuple[str, list[str]]:
        """The frame of reference of these ROIs (empty if none is named), and a warning if they differ in it."""
        frames = list(dict.fromkeys(self.roi(number).frame_of_reference_uid for number in numbers))
        warnings = []
        if len(frames) > 1:
            warnings.append(f"the ROIs refer to {len(frames)} frames of reference: {frames[0]} was taken")
        return (frames[0] if frames else "") or self.frame_of_reference_uid, warnings


def read_structure_set(
    data: Buffer, *, max_contour_points: int = MAX_CONTOUR_POINTS, max_rois: int = MAX_ROIS
) -> StructureSet:
    """Read an RT-STRUCT file; contours are only located, and parsed when asked for.

    Raises InvalidInput for what is no RT Structure Set or is damaged, TooLarge beyond a limit.
    """
    file, top = _top_level(data, _LAST)
    terms = character_sets(_value(file, top, _SPECIFIC_CHARACTER_SET))
    frame = _first_frame(file, top)
    types = _interpreted_types(file, top)
    contours = _contours_by_roi(file, top, max_contour_points)
    rois = []
    for number, (name, roi_frame, namesakes) in _rois(file, top, terms, frame, max_rois).items():
        color, found = contours.get(number, (None, []))
        roi = Roi(number, name, color, types.get(number, ""), roi_frame, tuple(found), tuple(namesakes), file.data)
        rois.append(roi)
    return StructureSet(tuple(rois), frame, file)


def read_roi_names(data: Buffer, *, max_rois: int = MAX_ROIS) -> list[str]:
    """The names of the ROIs, sorted, each once. Nothing behind the names is looked at. Errors as read_structure_set."""
    file, top = _top_level(data, _STRUCTURE_SET_ROIS)
    terms = character_sets(_value(file, top, _SPECIFIC_CHARACTER_SET))
    return sorted({name for name, _, _ in _rois(file, top, terms, "", max_rois).values()})


def structures_json(structures: StructureSet) -> list[dict]:
    """What `GET /instances/{id}/stl/structures` answers: one object per ROI, in the file's order."""
    return [roi.as_json() for roi in structures.rois]


def _top_level(data: Buffer, last: int) -> tuple[DicomFile, dict[int, Element]]:
    file = open_file(data)
    top: dict[int, Element] = {}
    for element in file.elements():
        if element.tag > last:
            break
        top[element.tag] = element
        if element.tag == _SOP_CLASS_UID:
            sop_class = uid_of(file.value(element))
            if sop_class != RT_STRUCTURE_SET:
                raise InvalidInput(f"this is a {class_name(sop_class)} object; an RT Structure Set was expected")
    if _SOP_CLASS_UID not in top and _STRUCTURE_SET_ROIS not in top:
        raise InvalidInput("this DICOM file is no RT Structure Set: it has neither a SOP class nor a list of ROIs")
    return file, top


def _value(file: DicomFile, of: dict[int, Element], tag: int) -> bytes:
    element = of.get(tag)
    return file.value(element) if element else b""


def _items_of(file: DicomFile, of: dict[int, Element], tag: int) -> Iterable[dict[int, Element]]:
    """The items of a sequence, each as tag to element; none if the sequence is absent."""
    sequence = of.get(tag)
    if sequence is None:
        return
    for start, stop in items(file.data, sequence):
        yield {element.tag: element for element in elements(file.data, start, stop, sequence.inside)}


def _integer(raw: bytes) -> int | None:
    text = raw.strip(b"\0 ")
    return int(text) if text.lstrip(b"+-").isdigit() and len(text) <= 12 else None


def _first_frame(file: DicomFile, top: dict[int, Element]) -> str:
    for item in _items_of(file, top, _REFERENCED_FRAMES):
        uid = uid_of(_value(file, item, _FRAME_OF_REFERENCE_UID))
        if uid:
            return uid
    return uid_of(_value(file, top, _FRAME_OF_REFERENCE_UID))


def _rois(
    file: DicomFile, top: dict[int, Element], terms: Sequence[str], frame: str, max_rois: int
) -> dict[int, tuple[str, str, list[str]]]:
    """Number to name, frame of reference, and the names of further ROIs that claim the number.

    A ROI without a number cannot have contours, and is left out.
    """
    rois: dict[int, tuple[str, str, list[str]]] = {}
    for place, item in enumerate(_items_of(file, top, _STRUCTURE_SET_ROIS), 1):
        if place > max_rois:
            raise TooLarge(f"the structure set has more than {max_rois} ROIs (MaxRois)")
        name = decode(_value(file, item, _ROI_NAME), terms)
        number = _integer(_value(file, item, _ROI_NUMBER))
        if number in rois:
            rois[number][2].append(name)
        elif number is not None:
            rois[number] = name, uid_of(_value(file, item, _ROI_FRAME)) or frame, []
    return rois


def _interpreted_types(file: DicomFile, top: dict[int, Element]) -> dict[int, str]:
    types: dict[int, str] = {}
    for item in _items_of(file, top, _OBSERVATIONS):
        number = _integer(_value(file, item, _REFERENCED_ROI))
        kind = _value(file, item, _INTERPRETED_TYPE).decode("ascii", "replace").strip("\0 ")
        if number is not None and kind:
            types.setdefault(number, kind)
    return types


def _contours_by_roi(
    file: DicomFile, top: dict[int, Element], max_points: int
) -> dict[int, tuple[Color | None, list[ContourItem]]]:
    """Number to (color, contours) for each item of the ROI Contour Sequence; items of one ROI are joined."""
    found: dict[int, tuple[Color | None, list[ContourItem]]] = {}
    total = 0
    for item in _items_of(file, top, _ROI_CONTOURS):
        number = _integer(_value(file, item, _REFERENCED_ROI))
        if number is None:
            continue
        color, contours = found.get(number, (None, []))
        for contour in _items_of(file, item, _CONTOURS):
            contours.append(_contour_item(file, contour, len(contours) + 1))
            total += 1
            if total > MAX_CONTOURS:
                raise TooLarge(f"the structure set has more than {MAX_CONTOURS} contours")
        found[number] = color or _color(_value(file, item, _DISPLAY_COLOUR)), contours
    _check_points(file, [contour for _, contours in found.values() for contour in contours], max_points)
    return found


def _contour_item(file: DicomFile, item: dict[int, Element], number: int) -> ContourItem:
    data = item.get(_CONTOUR_DATA)
    kind = _value(file, item, _GEOMETRIC_TYPE).decode("ascii", "replace").strip("\0 ")
    declared = _integer(_value(file, item, _CONTOUR_POINTS))
    return ContourItem(number, kind, declared, data.start if data else 0, data.stop if data else 0)


def _check_points(file: DicomFile, contours: Sequence[ContourItem], most: int) -> None:
    """Points are counted only where their bytes, six a point at least, might make too many."""
    if sum(contour.stop - contour.start for contour in contours) // 6 <= most:
        return
    values = sum(bytes(file.data[item.start : item.stop]).count(b"\\") + 1 for item in contours)
    if values > 3 * most:
        raise TooLarge(f"the structure set has more than {most} contour points (MaxContourPoints)")


def _color(raw: bytes) -> Color | None:
    values = [_integer(part) for part in raw.strip(b"\0 ").split(b"\\")]
    if len(values) != 3 or any(value is None or not 0 <= value <= 255 for value in values):
        return None
    red, green, blue = (value or 0 for value in values)
    return red, green, blue
