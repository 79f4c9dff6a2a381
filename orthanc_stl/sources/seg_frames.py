"""Which frame of a segmentation is of which segment, and where it lies: functional groups -> a lattice.

PS3.3 C.7.6.16 (Multi-frame Functional Groups), C.8.20.3 (those of segmentations).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.sources.dicom_object import DicomObject, Item
from orthanc_stl.sources.lattices import Lattice, lattice_of
from orthanc_stl.sources.pixel_frames import PixelFrames

_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_SEGMENT_IDENTIFICATION, _REFERENCED_SEGMENT = 0x0062000A, 0x0062000B
_PLANE_POSITION, _POSITION = 0x00209113, 0x00200032
_PLANE_ORIENTATION, _ORIENTATION = 0x00209116, 0x00200037
_PIXEL_MEASURES, _SPACING, _BETWEEN, _THICKNESS = 0x00289110, 0x00280030, 0x00180088, 0x00180050
_SLIDE_POSITION = 0x0048021A
_ORGANIZATION = 0x00209311

SAME_AXES = 1e-3
"""How far the orientations of two frames may differ, in each cosine."""

_TAGS = {
    "segment": (_SEGMENT_IDENTIFICATION, _REFERENCED_SEGMENT),
    "position": (_PLANE_POSITION, _POSITION),
    "orientation": (_PLANE_ORIENTATION, _ORIENTATION),
    "spacing": (_PIXEL_MEASURES, _SPACING),
}


@dataclass(frozen=True)
class FrameTable:
    """`segments`: number to its frames; for a label map all frames are those of number 0.

    `lattices`: number to where those lie, one lattice for all segments unless they have one each.
    """

    lattices: dict[int, Lattice]
    segments: dict[int, list[int]]

    def planes(self, number: int) -> dict[int, list[int]]:
        """Each plane of a segment that has frames, with these: several, if they are at one place."""
        found: dict[int, list[int]] = {}
        for frame in self.segments.get(number, ()):
            found.setdefault(int(self.lattices[number].index[frame]), []).append(frame)
        return found


class _Shared:
    """The functional groups of all frames, read once."""

    def __init__(self, item: Item) -> None:
        self.items = {group: item.first(group) for group, _ in _TAGS.values() if group in item}
        self.decimals = {
            name: self.items[group].decimals(tag) for name, (group, tag) in _TAGS.items() if group in self.items
        }


class _Groups:
    """The functional groups of one frame: its own first, then the shared ones."""

    def __init__(self, shared: _Shared, own: Item) -> None:
        self._shared = shared
        self._own = own

    def item(self, group: int, tag: int) -> Item | None:
        own, shared = self._of_its_own(group, tag), self._shared.items.get(group)
        return own or (shared if shared and tag in shared else None)

    def decimals(self, name: str) -> tuple[float, ...]:
        group, tag = _TAGS[name]
        own = self._of_its_own(group, tag)
        return own.decimals(tag) if own else self._shared.decimals.get(name, ())

    def segment(self) -> int | None:
        group, tag = _TAGS["segment"]
        item = self.item(group, tag)
        return item.unsigned(tag) if item else None

    def _of_its_own(self, group: int, tag: int) -> Item | None:
        item = self._own.first(group) if group in self._own else None
        return item if item and tag in item else None


def frame_table(source: DicomObject, frames: PixelFrames, *, by_segment: bool) -> FrameTable:
    """Raises InvalidInput with the reason for frames that lie in no common lattice of patient space."""
    shared = source.first(_SHARED)
    empty = Item(source.file, {}, source.terms)
    own = list(source.items(_PER_FRAME))
    if len(own) > frames.count or (own and len(own) < frames.count):
        raise InvalidInput(f"the object has {frames.count} frames, but functional groups of {len(own)}")
    own = own or [empty] * frames.count
    of_all = _Shared(shared)
    first = _Groups(of_all, own[0])
    _check_space(source, shared, own[0], first)
    positions = np.empty((frames.count, 3))
    segments: dict[int, list[int]] = {}
    orientation, spacing = first.decimals("orientation"), first.decimals("spacing")
    for number, item in enumerate(own):
        groups = _Groups(of_all, item)
        position = groups.decimals("position")
        if len(position) != 3:
            raise InvalidInput(f"frame {number + 1} has no plane position, so there is no place for it")
        positions[number] = position
        if number:
            _check_axes(groups, orientation, spacing, number)
        segment = groups.segment() if by_segment else 0
        if segment is None:
            raise InvalidInput(f"frame {number + 1} does not say which segment it is of")
        segments.setdefault(segment, []).append(number)
    return FrameTable(_lattices(positions, orientation, spacing, _heights(first), segments), segments)


def _lattices(
    positions: np.ndarray,
    orientation: tuple[float, ...],
    spacing: tuple[float, ...],
    heights: tuple[float | None, float | None],
    segments: dict[int, list[int]],
) -> dict[int, Lattice]:
    """One lattice of all frames; but one for each segment where the declared step fits those and not the whole."""
    step, thickness = heights

    def lattice(frames: Sequence[int]) -> Lattice:
        found = lattice_of(positions[frames], orientation, spacing, step=step, thickness=thickness)
        index = np.full(len(positions), -1)
        index[frames] = found.index
        return replace(found, index=index)

    whole = lattice(range(len(positions)))
    if whole.count == 1:
        _check_single_plane(segments)
    if step and whole.notes and len(segments) > 1:
        own = {number: lattice(frames) for number, frames in segments.items()}
        if not any(one.notes for one in own.values()):
            return own
    return dict.fromkeys(segments, whole)


def _check_single_plane(segments: dict[int, list[int]]) -> None:
    for number, frames in segments.items():
        if len(frames) > 1:
            whose = f" of segment {number}" if number else ""
            raise InvalidInput(f"all {len(frames)} frames{whose} have the same plane position: they make no volume")


def _check_space(source: DicomObject, shared: Item, own: Item, first: _Groups) -> None:
    """Slides and projections have frames, but no planes in the patient."""
    slide = any(_SLIDE_POSITION in place for place in (own, shared))
    if slide or source.text(_ORGANIZATION).startswith("TILED"):
        raise InvalidInput(
            "this segmentation is of slide microscopy: its frames are tiles of a slide, and make no volume"
        )
    if len(first.decimals("orientation")) != 6 or len(first.decimals("position")) != 3:
        raise InvalidInput(
            "this segmentation is of a projection image, or of none: its frames have no plane in the patient"
        )


def _check_axes(groups: _Groups, orientation: tuple[float, ...], spacing: tuple[float, ...], number: int) -> None:
    for name, expected, tolerance in (("orientation", orientation, SAME_AXES), ("spacing", spacing, 1e-3)):
        found = groups.decimals(name)
        if found == expected:
            continue
        apart = [abs(a - b) for a, b in zip(found, expected, strict=False)]
        if len(found) != len(expected) or max(apart, default=0) > tolerance:
            raise InvalidInput(f"frame {number + 1} has another {name} than the first one: they make no common volume")


def _heights(first: _Groups) -> tuple[float | None, float | None]:
    """Spacing Between Slices and Slice Thickness, where they are positive."""
    found = []
    for tag in (_BETWEEN, _THICKNESS):
        item = first.item(_PIXEL_MEASURES, tag)
        value = item.decimal(tag) if item else None
        found.append(abs(value) if value else None)
    return found[0], found[1]
