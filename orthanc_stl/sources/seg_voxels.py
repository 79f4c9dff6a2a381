"""The voxels of one segment, cut to the box that holds them: memory and time go with the segment, not with the file."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from orthanc_stl.errors import TooLarge
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.lattices import Lattice
from orthanc_stl.sources.pixel_frames import PixelFrames
from orthanc_stl.sources.seg_frames import FrameTable


@dataclass(frozen=True)
class SegmentVoxels:
    """`values` (planes, rows, columns), the first of which is `corner` (k, j, i) of the lattice.

    `mask`: they are 0 and 1; else fractions of `maximum`.
    """

    values: np.ndarray
    corner: tuple[int, int, int]
    mask: bool = True
    maximum: int = 1

    def volume(self, lattice: Lattice, rows: int, columns: int) -> Volume:
        k, j, i = self.corner
        shift = np.eye(4)
        shift[:3, 3] = i, j, k
        sides = np.linalg.norm(lattice.affine[:3, :3], axis=0) * (columns, rows, lattice.count)
        planes = None
        if lattice.planes is not None:
            # Planes rise from the first one of this part, so that its index 0 is at the place of its corner.
            places = np.array(lattice.planes)
            shift[2, 3] = places[k]
            planes = tuple((places[k : k + len(self.values)] - places[k]).tolist())
            if len(planes) == 1:
                shift[2, 2] = float(lattice.thickness()[k])
                planes = None
        return Volume(
            self.values.T, lattice.affine @ shift, planes=planes, labels=self.mask, longest_side=float(sides.max())
        )


def voxels_of_segment(
    frames: PixelFrames, table: FrameTable, number: int, most: int, maximum: int | None
) -> SegmentVoxels | None:
    """The voxels of a BINARY or FRACTIONAL segment, None if it has none. Several frames of a plane are united.

    `maximum` is that of a FRACTIONAL one; if it holds only 0 and that, it is a mask. Raises TooLarge for a box of more
    than `most` voxels.
    """
    pieces: list[tuple[int, slice, slice, np.ndarray]] = []
    low, high = np.full(3, np.iinfo(np.int64).max), np.zeros(3, np.int64)
    mask = True
    for frame in table.segments.get(number, ()):
        pixels = frames.frame(frame)
        place = _box(pixels)
        if place is None:
            continue
        rows, columns = place
        piece = pixels[rows, columns].copy()
        mask = mask and (maximum is None or bool(((piece == 0) | (piece == maximum)).all()))
        k = table.plane(frame)
        low = np.minimum(low, (k, rows.start, columns.start))
        high = np.maximum(high, (k + 1, rows.stop, columns.stop))
        pieces.append((k, rows, columns, piece))
    if not pieces:
        return None
    if table.lattice.planes is not None:
        low[0], high[0] = 0, table.lattice.count
    if not mask:  # a margin of real zeros, through which the surface is interpolated
        limits = (table.lattice.count, frames.rows, frames.columns)
        low, high = np.maximum(low - 1, (-1, 0, 0)), np.minimum(high + 1, np.add(limits, (1, 0, 0)))
        if table.lattice.planes is not None:
            low[0], high[0] = 0, table.lattice.count
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
    return SegmentVoxels(whole, corner) if mask else SegmentVoxels(whole, corner, False, maximum or 1)


@dataclass(frozen=True)
class LabelVoxels:
    """The voxels of a label map: its frames are decoded once, and each segment is cut out of them.

    `values` (planes, rows, columns) of segment numbers; `boxes` by number.
    """

    values: np.ndarray
    boxes: dict[int, tuple[slice, slice, slice]]

    def of(self, number: int) -> SegmentVoxels | None:
        box = self.boxes.get(number)
        if box is None:
            return None
        corner = (box[0].start, box[1].start, box[2].start)
        return SegmentVoxels((self.values[box] == number).view(np.uint8), corner)


def voxels_of_labels(frames: PixelFrames, table: FrameTable) -> LabelVoxels:
    """All voxels of a label map. Where several frames lie in a plane, the first number that is not 0 counts."""
    whole = np.zeros((table.lattice.count, frames.rows, frames.columns), f"u{max(1, frames.bits // 8)}")
    for frame in range(frames.count):
        target = whole[table.plane(frame)]
        np.copyto(target, frames.frame(frame), where=target == 0)
    boxes = {}
    for number, box in enumerate(ndimage.find_objects(whole), 1):
        if box is not None:
            boxes[number] = (slice(0, len(whole)), *box[1:]) if table.lattice.planes is not None else box
    return LabelVoxels(whole, boxes)


def counts_of_labels(frames: PixelFrames, table: FrameTable) -> dict[int, tuple[int, float]]:
    """As `counts_of`, of a label map."""
    thickness = table.lattice.thickness()
    voxels: dict[int, int] = {}
    steps: dict[int, float] = {}
    for frame in range(frames.count):
        found = np.bincount(frames.frame(frame).reshape(-1))
        for number in np.flatnonzero(found).tolist():
            voxels[number] = voxels.get(number, 0) + int(found[number])
            steps[number] = steps.get(number, 0.0) + int(found[number]) * float(thickness[table.plane(frame)])
    return {number: (voxels[number], steps[number]) for number in voxels}


def counts_of(frames: PixelFrames, table: FrameTable, half: float | None) -> dict[int, tuple[int, float]]:
    """Number to its voxels, and to their sum by the thickness of planes in steps. `half`: a fraction counts from it on.

    Frames of one segment in one plane are counted together, once.
    """
    thickness = table.lattice.thickness()
    counts: dict[int, tuple[int, float]] = {}
    for number, numbers in table.segments.items():
        planes: dict[int, list[int]] = {}
        for frame in numbers:
            planes.setdefault(table.plane(frame), []).append(frame)
        voxels, steps = 0, 0.0
        for plane, together in planes.items():
            pixels = frames.frame(together[0])
            for other in together[1:]:
                pixels = np.maximum(pixels, frames.frame(other))
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
