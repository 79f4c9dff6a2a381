"""RT Structure Set: its ROIs as structures, their closed contours as shapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orthanc_stl.dicom.roi import Roi
from orthanc_stl.dicom.structure_set import StructureSet, read_structure_set
from orthanc_stl.dicom.study_context import Reference, StudyContext
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.model import Note, Structure
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions

_LIMITS = ("max_contour_points", "max_rois")


@dataclass(frozen=True)
class OpenStructureSet:
    """An `OpenSource` of an RT-STRUCT. Listing its structures parses their contours."""

    structure_set: StructureSet

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        return tuple(_structure(roi, self.structure_set.notes) for roi in self.structure_set.rois)

    def shape(self, number: int) -> tuple[RoiContours, tuple[Note, ...]]:
        (contours,), notes = self.structure_set.contours([number])
        return contours, tuple(notes)

    def surroundings(self, except_numbers: Iterable[int]) -> list[np.ndarray]:
        """For each of the other ROIs `(contours, 6, 3) float64`: the extreme points of each closed contour."""
        return self.structure_set.surroundings(except_numbers)

    @property
    def title(self) -> str:
        return kinds.RTSTRUCT.title

    @property
    def frame_of_reference_uid(self) -> str:
        return self.structure_set.frame_of_reference_uid

    def frame_of(self, numbers: Iterable[int]) -> tuple[str, list[Note]]:
        """The frame of reference of these ROIs, and a note if they differ in it."""
        return self.structure_set.frame_of(numbers)

    @property
    def study(self) -> StudyContext:
        return self.structure_set.source

    @property
    def references(self) -> tuple[Reference, ...]:
        return (self.study.reference,)


class RtStruct:
    """The source of RT Structure Sets."""

    def recognises(self, beginning: bytes) -> bool:
        return False

    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenStructureSet:
        limits = {name: options.limits[name] for name in _LIMITS if name in options.limits}
        return OpenStructureSet(read_structure_set(files[0], **limits))


def _structure(roi: Roi, of_the_file: Sequence[Note]) -> Structure:
    facts = roi.as_json()
    facts["Guessed"] += [note.text for note in of_the_file]
    facts["Notes"] += [note.as_json() for note in of_the_file]
    for name in ("Number", "Name", "Color", "Type", "Usable", "Reason"):
        del facts[name]
    return Structure(roi.number, roi.name, roi.color, roi.interpreted_type, reason=roi.reason, facts=facts)
