"""RT Structure Set (1.2.840.10008.5.1.4.1.1.481.3): ROIs, and their contours in mm (LPS).

PS3.3 A.19, C.8.8.5 (Structure Set), C.8.8.6 (ROI Contour), C.8.8.8 (RT ROI Observations). Which contours belong to
which ROI: roi_pairing.py. Nothing that the standard calls optional is needed, and a contour or ROI that cannot be
used never spoils another: it is left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.dicom.elements import Buffer, DicomFile, Elements, open_file
from orthanc_stl.dicom.roi import Roi
from orthanc_stl.dicom.roi_sequences import (
    MAX_CONTOUR_POINTS,
    MAX_ROIS,
    OBSERVATIONS,
    STRUCTURE_SET_ROIS,
    listed_rois,
    rois_of,
)
from orthanc_stl.dicom.sop_classes import RT_STRUCTURE_SET
from orthanc_stl.dicom.study_context import StudyContext, ascii_uid, class_name, read_study_context
from orthanc_stl.dicom.text import character_sets
from orthanc_stl.dicom.units import may_be_animal, notes_on_centimetres
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.model import Note, Rank

_SPECIFIC_CHARACTER_SET = 0x00080005
_SOP_CLASS_UID = 0x00080016
_FRAME_OF_REFERENCE_UID = 0x00200052
_REFERENCED_FRAMES = 0x30060010

_THIS = "the RT Structure Set"


@dataclass(frozen=True)
class StructureSet:
    """The ROIs of a structure set, in the file's order, each number once.

    `frame_of_reference_uid` is empty if none is named; `animal`: the file says of which species the patient is.
    """

    rois: tuple[Roi, ...]
    frame_of_reference_uid: str
    file: DicomFile
    animal: bool = False

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

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What is to be told of the whole file, with each of its ROIs. Parses the patient's outline."""
        return () if self.animal else notes_on_centimetres(self.rois)

    @reading(_THIS)
    def contours(self, numbers: Iterable[int]) -> tuple[list[RoiContours], list[Note]]:
        """The closed contours of the ROIs of these numbers, and a note for each kind of thing guessed or left out.

        Raises InvalidInput for an unknown number, and for a ROI without one usable contour.
        """
        chosen: list[RoiContours] = []
        notes: list[Note] = []
        for number in dict.fromkeys(numbers):
            roi = self.roi(number)
            contours, told = roi.read()
            if not contours:
                raise InvalidInput(f"{roi.title} has no usable contour: {roi.reason}")
            chosen.append(RoiContours(roi.number, roi.name, tuple(contours)))
            notes += told
        return chosen, [*notes, *self.notes]

    @reading(_THIS)
    def surroundings(self, except_numbers: Iterable[int]) -> list[np.ndarray]:
        """For each of the other ROIs `(contours, 6, 3) float64`: the extreme points of each closed contour."""
        others = set(except_numbers)
        return [roi.summary.extremes for roi in self.rois if roi.number not in others]

    def frame_of(self, numbers: Iterable[int]) -> tuple[str, list[Note]]:
        """The frame of reference of these ROIs (empty if none is named), and a note if they differ in it."""
        frames = list(dict.fromkeys(self.roi(number).frame_of_reference_uid for number in numbers))
        notes = []
        if len(frames) > 1:
            sentence = f"the ROIs refer to {len(frames)} frames of reference: {frames[0] or 'that of none'} was taken"
            notes.append(Note(Rank.GUESSED, "", sentence))
        return (frames[0] if frames else "") or self.frame_of_reference_uid, notes


@reading(_THIS)
def read_structure_set(
    data: Buffer, *, max_contour_points: int = MAX_CONTOUR_POINTS, max_rois: int = MAX_ROIS
) -> StructureSet:
    """Read an RT-STRUCT file; contours are only located, and parsed when asked for.

    Raises InvalidInput for what is no RT Structure Set or is damaged, TooLarge beyond a limit.
    """
    file, top = _top_level(data, OBSERVATIONS)
    terms = character_sets(file.value_of(top, _SPECIFIC_CHARACTER_SET))
    frame = _first_frame(file, top)
    rois = rois_of(file, top, terms, frame, max_rois, max_contour_points)
    return StructureSet(rois, frame, file, may_be_animal(file, top))


@reading(_THIS)
def read_roi_names(data: Buffer, *, max_rois: int = MAX_ROIS) -> list[str]:
    """The names of the ROIs, sorted, each once. Nothing behind the names is looked at. Errors as read_structure_set."""
    file, top = _top_level(data, STRUCTURE_SET_ROIS)
    terms = character_sets(file.value_of(top, _SPECIFIC_CHARACTER_SET))
    names = {roi.name for roi in listed_rois(file, top, terms, "", max_rois)}
    if not names:  # then it has those of its contours
        names = {roi.name for roi in read_structure_set(data, max_rois=max_rois).rois}
    return sorted(names)


def _top_level(data: Buffer, last: int) -> tuple[DicomFile, Elements]:
    file = open_file(data)
    top: Elements = {}
    for element in file.elements():
        if element.tag > last:
            break
        top[element.tag] = element
        if element.tag == _SOP_CLASS_UID:
            sop_class = ascii_value(file.value(element))
            if sop_class != RT_STRUCTURE_SET:
                raise InvalidInput(f"this is a {class_name(sop_class)} object; an RT Structure Set was expected")
    if _SOP_CLASS_UID not in top and STRUCTURE_SET_ROIS not in top:
        raise InvalidInput("this DICOM file is no RT Structure Set: it has neither a SOP class nor a list of ROIs")
    return file, top


def _first_frame(file: DicomFile, top: Elements) -> str:
    for item in file.items_of(top, _REFERENCED_FRAMES):
        uid = ascii_uid(file.value_of(item, _FRAME_OF_REFERENCE_UID))
        if uid:
            return uid
    return ascii_uid(file.value_of(top, _FRAME_OF_REFERENCE_UID))
