"""DICOM segmentations: BINARY, FRACTIONAL and LABELMAP.

PS3.3 A.51 and C.8.20 (Segmentation), A.51 with SOP class 66.7 (Label Map, Supplement 243). Functional groups are looked
up per frame first, then in the shared ones; frames come in any order. A plane that a segment has no frame for is empty:
its neighbours are not bridged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from orthanc_stl.dicom import sop_classes
from orthanc_stl.dicom.study_context import class_name
from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.model import Note, Rank, Structure
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.dicom_object import DicomObject, Item, OfDicomObject, numbering_notes, read_object
from orthanc_stl.sources.lattices import MOST_PLANES, Lattice
from orthanc_stl.sources.pixel_frames import PixelFrames, pixel_frames
from orthanc_stl.sources.seg_frames import FrameTable, frame_table
from orthanc_stl.sources.seg_voxels import (
    LabelVoxels,
    SegmentVoxels,
    counts_of,
    counts_of_labels,
    voxels_of_labels,
    voxels_of_segment,
)

_TYPE = 0x00620001
_SEGMENTS = 0x00620002
_CATEGORY, _ANATOMY = 0x00620003, 0x0062000F
_NUMBER, _LABEL, _DESCRIPTION = 0x00620004, 0x00620005, 0x00620006
_MAXIMUM_FRACTIONAL = 0x0062000E
_TRACKING_ID = 0x00620020
_PADDING = 0x00280120
_CONCATENATION, _PART, _PARTS = 0x00209161, 0x00209162, 0x00209163
_PHOTOMETRIC = 0x00280004

LABELMAP_CLASS = sop_classes.LABEL_MAP_SEGMENTATION

MOST_COUNTED = 1 << 29
"""Pixels of all frames: up to here a listing counts the voxels of each segment (1 second for native ones)."""

MOST_COUNTED_COMPRESSED = 1 << 27

HALF = 0.5
"""A fraction of the maximum: where the surface of a FRACTIONAL segment lies, of a probability and of an occupancy
alike."""

AROUND_HALF = (0.4, 0.6)
UNSURE = 0.25
"""A fraction of its voxels from half on: with more between the two fractions around half, the volume of a segment is
unsure."""


NO_VOXEL = "it has no voxel"
NOT_HALF = "none of its fractions is half of the maximum or more"


@dataclass(frozen=True)
class OpenSegmentation(OfDicomObject):
    """An `OpenSource` of a DICOM SEG: a segment's frames are decoded when its shape is asked for."""

    source: DicomObject
    kind: str
    frames: PixelFrames
    table: FrameTable
    max_voxels: int

    @cached_property
    @reading("the DICOM SEG")
    def structures(self) -> tuple[Structure, ...]:
        counts = self._counts()
        return tuple(self._structure(item, number, counts) for number, item in self._segments.items())

    @reading("the DICOM SEG")
    def shape(self, number: int) -> tuple[Region, tuple[Note, ...]]:
        item = self._segments.get(number)
        if item is None:
            known = ", ".join(map(str, self._segments))
            raise InvalidInput(f"the segmentation has no segment {number}; it has {known}")
        voxels, lattice = self._voxels(number), self._lattice(number)
        if voxels is None or lattice is None or not (voxels.mask or voxels.values.max() >= HALF * voxels.maximum):
            reason = NO_VOXEL if voxels is None else NOT_HALF
            raise InvalidInput(f'segment {number} "{_name(item, number)}" cannot be used: {reason}')
        notes = (
            *lattice.notes, *_apart_note(lattice), *self.frames.notes, *voxels.notes, *self._palette_note(),
            *self._unlisted_note(self._labels.boxes if self.kind == "LABELMAP" else self.table.segments),
            *_concatenation_note(self.source), *self._numbering_notes,
        )  # fmt: skip
        volume = voxels.volume(lattice, self.frames.rows, self.frames.columns)
        if voxels.mask:
            return Region(volume, labels=(1,)), notes
        return Region(volume, threshold=HALF * voxels.maximum), (*notes, *_unsure_note(voxels, _name(item, number)))

    @property
    def title(self) -> str:
        return kinds.SEG.title

    @property
    def numbers(self) -> list[int]:
        """Of the segments."""
        return list(self._segments)

    @property
    def padding(self) -> int | None:
        """The pixel value that says "not looked at"; it is no segment."""
        return self.source.unsigned(_PADDING) if self.kind == "LABELMAP" else None

    @cached_property
    def maximum(self) -> int:
        """Of a FRACTIONAL one: `Seg` opens none without."""
        return self.source.unsigned(_MAXIMUM_FRACTIONAL) or 0

    @cached_property
    def _segments(self) -> dict[int, Item]:
        """By number, each once. Number 0 and the padding are no segments."""
        found: dict[int, Item] = {}
        for item in self.source.items(_SEGMENTS):
            number = item.unsigned(_NUMBER)
            if number and number != self.padding:
                found.setdefault(number, item)
        return found

    def _lattice(self, number: int) -> Lattice | None:
        """That of a segment, None if it has no frame."""
        return self.table.lattices.get(0 if self.kind == "LABELMAP" else number)

    def _voxels(self, number: int) -> SegmentVoxels | None:
        if self.kind == "LABELMAP":
            return self._labels.of(number)
        maximum = self.maximum if self.kind == "FRACTIONAL" else None
        return voxels_of_segment(self.frames, self.table, number, self.max_voxels, maximum)

    @cached_property
    def _labels(self) -> LabelVoxels:
        count = self.table.lattices[0].count
        if self.frames.pixels * count > self.max_voxels:
            raise TooLarge(
                f"the segmentation has {count} planes of {self.frames.rows} x {self.frames.columns} "
                f'pixels, over the {self.max_voxels:,} voxels of the option "MaxVoxels"'
            )
        return voxels_of_labels(self.frames, self.table)

    def _counts(self) -> dict[int, tuple[int, float]] | None:
        """Voxels, and steps-weighted voxels, of each segment; None if counting them takes too long for a listing."""
        most = MOST_COUNTED if self.frames.native else MOST_COUNTED_COMPRESSED
        if self.frames.pixels * self.frames.count > most:
            return None
        if self.kind == "LABELMAP":
            return counts_of_labels(self.frames, self.table)
        half = HALF * self.maximum if self.kind == "FRACTIONAL" else None
        return counts_of(self.frames, self.table, half)

    def _structure(self, item: Item, number: int, counts: dict[int, tuple[int, float]] | None) -> Structure:
        reason = ""
        facts: dict[str, Any] = {}
        if counts is not None:
            voxels, steps = counts.get(number, (0, 0.0))
            empty = NOT_HALF if self.kind == "FRACTIONAL" and number in self.table.segments else NO_VOXEL
            reason = "" if voxels else empty
            lattice = self._lattice(number)
            volume = steps * lattice.voxel_volume if lattice else 0.0
            facts = {"Voxels": voxels, "VolumeMl": round(volume / 1000, 4)}
        elif self.kind != "LABELMAP" and number not in self.table.segments:
            reason = "it has no frame"
        if reason:
            there = self.table.segments if counts is None or self.kind != "LABELMAP" else counts
            reason = "; ".join((reason, *(note.text for note in self._unlisted_note(there))))
        return Structure(
            number, _name(item, number), item.color(), category=item.code(_CATEGORY), anatomy=item.code(_ANATOMY),
            reason=reason, facts=facts,
        )  # fmt: skip

    @cached_property
    def _numbering_notes(self) -> tuple[Note, ...]:
        return numbering_notes(self.source.items(_SEGMENTS), _NUMBER, "the Segment Sequence")

    def _palette_note(self) -> tuple[Note, ...]:
        if self.source.text(_PHOTOMETRIC) != "PALETTE COLOR":
            return ()
        text = "the palette of the label map was left out: its pixels were taken as segment numbers"
        return (Note(Rank.LEFT_OUT, "", text),)

    def _unlisted_note(self, there: Iterable[int]) -> tuple[Note, ...]:
        """Of the numbers `there`, which frames or pixels have, those that the Segment Sequence has not."""
        numbers = sorted(set(there) - set(self._segments) - {0, self.padding})
        if not numbers:
            return ()
        shown = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
        what = "voxels" if self.kind == "LABELMAP" else "frames"
        text = f"{what} of segments that the Segment Sequence does not list were left out: {shown}"
        return (Note(Rank.LEFT_OUT, "", text),)


class Seg:
    """The source of DICOM segmentations of voxels."""

    def recognises(self, beginning: bytes) -> bool:
        return False

    @reading("the DICOM SEG")
    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenSegmentation:
        source = read_object(files[0], kinds.SEG.sop_classes, "a DICOM SEG")
        kind = source.text(_TYPE)
        if source.sop_class == LABELMAP_CLASS:
            kind = kind or "LABELMAP"
        frames = pixel_frames(source)
        _check_type(kind, frames.bits, source)
        if kind == "FRACTIONAL" and not source.unsigned(_MAXIMUM_FRACTIONAL):
            unknown = "which value means half, where a surface lies, is not known"
            raise InvalidInput(f"this FRACTIONAL segmentation has no Maximum Fractional Value: {unknown}")
        if _SEGMENTS not in source:
            raise InvalidInput("this segmentation has no Segment Sequence: it names no segment")
        table = frame_table(source, frames, by_segment=kind != "LABELMAP")
        found = OpenSegmentation(source, kind, frames, table, options.limits.get("max_voxels", 200_000_000))
        if not found.numbers:
            raise InvalidInput("the Segment Sequence lists background (number 0) or padding only, or gives no numbers")
        return found


def _name(item: Item, number: int) -> str:
    return item.text(_LABEL) or item.text(_DESCRIPTION) or item.text(_TRACKING_ID) or f"segment {number}"


def _concatenation_note(source: DicomObject) -> tuple[Note, ...]:
    """Of an object that was divided into several instances (PS3.3 C.7.6.16.1.1)."""
    part, parts = source.unsigned(_PART), source.unsigned(_PARTS)
    if not source.uid(_CONCATENATION) or parts == 1:
        return ()
    which = f"part {part}" if part else "a part"
    of = f" of {parts} of a concatenation" if parts else " of a concatenation"
    text = f"this instance is {which}{of}: the frames of the other parts are missing"
    return (Note(Rank.CHANGED_SHAPE, "", text),)


def _apart_note(lattice: Lattice) -> tuple[Note, ...]:
    """Of a declared step that no two planes keep: what lies between them is empty, or the step is wrong."""
    planes = np.unique(lattice.index[lattice.index >= 0])
    steps = int(np.diff(planes).min(initial=MOST_PLANES))
    if len(planes) < 2 or steps < 2 or lattice.planes is not None:
        return ()
    step = float(np.linalg.norm(lattice.affine[:3, 2]))
    text = (
        f"Spacing Between Slices says {step:.4g} mm, but no two planes are nearer than {steps * step:.4g} mm: "
        "the planes between them were taken as empty"
    )
    return (Note(Rank.GUESSED, "", text),)


def _unsure_note(voxels: SegmentVoxels, name: str) -> tuple[Note, ...]:
    """Of a FRACTIONAL segment of which much lies near half of the maximum."""
    low, half, high = (
        int(np.count_nonzero(voxels.values >= part * voxels.maximum)) for part in (AROUND_HALF[0], HALF, AROUND_HALF[1])
    )
    if low - high <= UNSURE * half:
        return ()
    more, fewer = low / half - 1, 1 - high / half
    text = (
        "many of its fractions are near half of the maximum, where its surface was put: "
        f"at {AROUND_HALF[0]:.0%} it would have {more:.0%} more voxels, at {AROUND_HALF[1]:.0%} {fewer:.0%} fewer"
    )
    return (Note(Rank.GUESSED, name, text),)


def _check_type(kind: str, bits: int, source: DicomObject) -> None:
    allowed = {"BINARY": (1, 8), "FRACTIONAL": (8, 16), "LABELMAP": (8, 16)}
    if kind not in allowed:
        raise InvalidInput(
            f"this {class_name(source.sop_class)} object is of the type {kind or 'none'}; "
            "BINARY, FRACTIONAL or LABELMAP is expected"
        )
    if bits not in allowed[kind]:
        expected = " or ".join(map(str, allowed[kind]))
        raise InvalidInput(f"a {kind} segmentation has {expected} bits a pixel, this one has {bits}")
