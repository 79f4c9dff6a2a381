"""The voxels of one segment, cut to the box that holds them: memory and time go with the segment, not with the file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.model import Note, Rank
from orthanc_stl.sources.lattices import Lattice
from orthanc_stl.sources.pixel_frames import PixelFrames
from orthanc_stl.sources.seg_frames import FrameTable


@dataclass(frozen=True)
class SegmentVoxels:
    """`values` (planes, rows, columns), the first of which is `corner` (k, j, i) of the lattice: of one with uneven
    planes all are there, with k = 0.

    `mask`: they are 0 and 1; else fractions of `maximum`. `notes`: what was guessed.
    """

    values: np.ndarray
    corner: tuple[int, int, int]
    mask: bool = True
    maximum: int = 1
    notes: tuple[Note, ...] = ()

    def volume(self, lattice: Lattice, rows: int, columns: int) -> Volume:
        k, j, i = self.corner
        shift = np.eye(4)
        shift[:3, 3] = i, j, k
        sides = np.linalg.norm(lattice.affine[:3, :3], axis=0) * (columns, rows, lattice.count)
        affine, longest = lattice.affine @ shift, float(sides.max())
        return Volume(self.values.T, affine, planes=lattice.planes, labels=self.mask, longest_side=longest)


def voxels_of_segment(
    frames: PixelFrames, table: FrameTable, number: int, most: int, maximum: int | None
) -> SegmentVoxels | None:
    """The voxels of a BINARY or FRACTIONAL segment, None if it has none. Several frames of a plane are united, with a
    note if they differ.

    `maximum` is that of a FRACTIONAL one; if it holds only 0 and that, it is a mask. Raises TooLarge for a box of more
    than `most` voxels.
    """
    lattice, planes = table.lattices.get(number), table.planes(number)
    if lattice is None:
        return None
    pieces: list[tuple[int, slice, slice, np.ndarray]] = []
    low, high = np.full(3, np.iinfo(np.int64).max), np.zeros(3, np.int64)
    mask, beyond, several = True, False, 0
    for k, together in planes.items():
        pixels, differ = _united(frames, together)
        several += differ
        if maximum is not None and pixels.max() > maximum:
            pixels, beyond = np.minimum(pixels, maximum), True
        place = _box(pixels)
        if place is None:
            continue
        rows, columns = place
        piece = pixels[rows, columns].copy()
        mask = mask and (maximum is None or bool(((piece == 0) | (piece == maximum)).all()))
        low = np.minimum(low, (k, rows.start, columns.start))
        high = np.maximum(high, (k + 1, rows.stop, columns.stop))
        pieces.append((k, rows, columns, piece))
    if not pieces:
        return None
    if not mask:  # a margin of real zeros, through which the surface is interpolated
        limits = (lattice.count, frames.rows, frames.columns)
        low, high = np.maximum(low - 1, (-1, 0, 0)), np.minimum(high + 1, np.add(limits, (1, 0, 0)))
    if lattice.planes is not None:
        low[0], high[0] = 0, lattice.count
    size = (high - low).tolist()
    if math.prod(size) > most:
        shown = " x ".join(map(str, size[::-1]))
        raise TooLarge(f'segment {number} takes {shown} voxels, over the {most:,} of the option "MaxVoxels"')
    whole = np.zeros(size, np.uint8 if mask else pieces[0][3].dtype.newbyteorder("="))
    for k, rows, columns, piece in pieces:
        j, i = (
            slice(side.start - start, side.stop - start) for side, start in zip((rows, columns), low[1:], strict=True)
        )
        target = whole[k - low[0], j, i]
        np.maximum(target, (piece != 0) if mask else piece, out=target, casting="unsafe")
    corner = (int(low[0]), int(low[1]), int(low[2]))
    notes = _several_note(several, "were united") + (_beyond_note(maximum) if beyond else ())
    return SegmentVoxels(whole, corner, mask, 1 if mask else maximum or 1, notes)


def _united(frames: PixelFrames, numbers: Sequence[int]) -> tuple[np.ndarray, bool]:
    """The pixels of frames that lie at one place, of each the highest; and whether the frames differ."""
    pixels, differ = frames.frame(numbers[0]), False
    for number in numbers[1:]:
        other = frames.frame(number)
        differ = differ or not np.array_equal(pixels, other)
        pixels = np.maximum(pixels, other)
    return pixels, differ


def _several_note(planes: int, done: str) -> tuple[Note, ...]:
    if not planes:
        return ()
    where = "a plane has" if planes == 1 else f"{planes} planes have"
    return (Note(Rank.GUESSED, "", f"{where} several frames, which differ: they {done}"),)


def _beyond_note(maximum: int | None) -> tuple[Note, ...]:
    text = f"fractions above Maximum Fractional Value were taken for that value, {maximum}"
    return (Note(Rank.GUESSED, "", text),)


@dataclass(frozen=True)
class LabelVoxels:
    """The voxels of a label map: its frames are decoded once, and each segment is cut out of them.

    `values` (planes, rows, columns) of segment numbers; `boxes` by number. `notes`: what was guessed.
    """

    values: np.ndarray
    boxes: dict[int, tuple[slice, slice, slice]]
    notes: tuple[Note, ...] = ()

    def of(self, number: int) -> SegmentVoxels | None:
        box = self.boxes.get(number)
        if box is None:
            return None
        corner = (box[0].start, box[1].start, box[2].start)
        return SegmentVoxels((self.values[box] == number).view(np.uint8), corner, notes=self.notes)


def voxels_of_labels(frames: PixelFrames, table: FrameTable) -> LabelVoxels:
    """All voxels of a label map."""
    lattice = table.lattices[0]
    whole = np.zeros((lattice.count, frames.rows, frames.columns), f"u{max(1, frames.bits // 8)}")
    several = 0
    for plane, together in table.planes(0).items():
        whole[plane], differ = _labelled(frames, together)
        several += differ
    boxes = {}
    for number, box in enumerate(ndimage.find_objects(whole), 1):
        if box is not None:
            boxes[number] = (slice(0, len(whole)), *box[1:]) if lattice.planes is not None else box
    return LabelVoxels(whole, boxes, _several_note(several, "count in their order, where a number is not 0"))


def _labelled(frames: PixelFrames, numbers: Sequence[int]) -> tuple[np.ndarray, bool]:
    """The segment numbers of frames that lie at one place, the first that is not 0; and whether the frames differ."""
    pixels, differ = frames.frame(numbers[0]), False
    for number in numbers[1:]:
        other = frames.frame(number)
        differ = differ or not np.array_equal(pixels, other)
        pixels = np.where(pixels == 0, other, pixels)
    return pixels, differ


def counts_of_labels(frames: PixelFrames, table: FrameTable) -> dict[int, tuple[int, float]]:
    """As `counts_of`, of a label map."""
    thickness = table.lattices[0].thickness()
    voxels: dict[int, int] = {}
    steps: dict[int, float] = {}
    for plane, together in table.planes(0).items():
        found = np.bincount(_labelled(frames, together)[0].reshape(-1))
        for number in np.flatnonzero(found).tolist():
            voxels[number] = voxels.get(number, 0) + int(found[number])
            steps[number] = steps.get(number, 0.0) + int(found[number]) * float(thickness[plane])
    return {number: (voxels[number], steps[number]) for number in voxels}


def counts_of(frames: PixelFrames, table: FrameTable, half: float | None) -> dict[int, tuple[int, float]]:
    """Number to its voxels, and to their sum by the thickness of planes in steps. `half`: a fraction counts from it on.

    Frames of one segment in one plane are counted together, once.
    """
    counts: dict[int, tuple[int, float]] = {}
    for number in table.segments:
        thickness = table.lattices[number].thickness()
        voxels, steps = 0, 0.0
        for plane, together in table.planes(number).items():
            pixels, _ = _united(frames, together)
            inside = int(np.count_nonzero(pixels if half is None else pixels >= half))
            voxels += inside
            steps += inside * float(thickness[plane])
        counts[number] = voxels, steps
    return counts


def _box(pixels: np.ndarray) -> tuple[slice, slice] | None:
    rows = np.flatnonzero(pixels.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(pixels[rows[0] : rows[-1] + 1].any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
