"""Whether coordinates may be centimetres instead of mm. Of metres the geometry tells: nothing else is so small.

A body in centimetres looks like a small animal. So only the outline of the whole patient tells, and only where the file
does not say that it is of an animal.
"""

from __future__ import annotations

from collections.abc import Iterable

from orthanc_stl.dicom.elements import DicomFile, Elements
from orthanc_stl.dicom.roi import Roi
from orthanc_stl.model import Note, Rank

_SPECIES = (0x00102201, 0x00102202)
"""Patient Species Description and its code sequence (PS3.3 C.7.1.1): of patients that are no humans."""

_OUTLINE = "EXTERNAL"
_NAMES_OF_OUTLINES = frozenset(("body", "external", "skin"))

_EXTENTS_MM = (2.0, 120.0)
"""Of the longest side of a patient's box, as the file has it: less is metres, more may be mm. Heads of newborns are
longer, and so is every body of which only a slice is drawn."""


def may_be_animal(file: DicomFile, top: Elements) -> bool:
    return any(tag in top and bool(bytes(file.value(top[tag])).strip(b"\0 ")) for tag in _SPECIES)


def notes_on_centimetres(rois: Iterable[Roi]) -> tuple[Note, ...]:
    """A note on the first of `rois` that is a patient's outline and too small for one. Its contours are parsed."""
    for roi in rois:
        if roi.interpreted_type == _OUTLINE or (
            not roi.interpreted_type and roi.name.strip().lower() in _NAMES_OF_OUTLINES
        ):
            box = roi.box
            sides = [high - low for low, high in zip(*box, strict=True)] if box else [0.0]
            if _EXTENTS_MM[0] < max(sides) <= _EXTENTS_MM[1]:
                size = " x ".join(f"{side:.3g}" for side in sides)
                text = (
                    f"{roi.title} is {size} mm: if this is no small animal or phantom, the coordinates of the file are"
                    " centimetres"
                )
                return (Note(Rank.GUESSED, roi.name, text),)
    return ()
