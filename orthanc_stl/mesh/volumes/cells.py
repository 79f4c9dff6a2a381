"""From the voxels of a volume to the field that a surface is made from.

The field covers what is inside and a margin, nothing else. Its cells are whole multiples or fractions of the voxels:

- where the file is finer than `resolution` asks for, voxels are taken together and a cell holds how many of them are
  inside, so that its surface lies where theirs does;
- where slices are thick, cells between them come from the distances to the outline in both slices (shape-based
  interpolation: Raya and Udupa, IEEE Trans. Med. Imaging 9 (1990) 32), so that there are no steps;
- a mask of few voxels has each of them divided, since a surface through their middles would lose much of it;
- else a cell is a voxel.

The cells of a grey volume hold the mean of the values less the threshold. Those of an exact one (a dose) are halved
while they are longer than `resolution` asks for, by lines and curves through the values (curved.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from orthanc_stl.mesh.errors import TooManyVoxels
from orthanc_stl.mesh.volumes.curved import halved
from orthanc_stl.mesh.volumes.inside import BLOCK, Box, Inside, Level, values
from orthanc_stl.mesh.volumes.shape_based import interpolated
from orthanc_stl.mesh.volumes.volume import Volume

LONGEST_CELL = 2.0
"""The longest side of a cell in shortest sides, before cells are put between slices."""

MOST_BETWEEN = 16
"""Cells a slice: slices thicker than 32 pixels keep longer cells."""

MOST_HALVED = {2: 32_000_000, 4: 4_000_000}
"""Cells of an exact volume that there may be with its voxels divided into so many along each axis."""

BESIDE_THE_MIDDLE = 0.51
"""Between two counts: a vertex then has a nearest cell, one that is inside, and those of a cell can be merged."""

LARGEST = 1e30
"""Values of a grey volume are cut here, so that a sum of float32 stays finite."""

FAINTEST = 2e-4
"""A fraction of the reach of a grey volume: a value nearer to the threshold is put so far from it on its own side (one
outside must not become the end of the inside), since a vertex that falls on a cell belongs to several edges, and
triangles without area come of it."""

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Field:
    """What a surface is made from: `cells` is (nz, ny, nx) of any type; the inside is where it is above `level`.

    No cell is at `level`, and the outermost ones are outside.
    `affine` is (4, 4): index (i, j, k) of a cell's centre to LPS millimetres. `divided`: several cells make a voxel.
    """

    cells: np.ndarray
    level: float
    affine: np.ndarray
    divided: bool = False

    @property
    def voxel(self) -> tuple[float, float, float]:
        """The sides of a cell in mm."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return i, j, k

    def volume(self) -> float:
        """That of the cells inside, in mm³."""
        return float(np.count_nonzero(self.cells > self.level) * abs(np.linalg.det(self.affine[:3, :3])))


@dataclass(frozen=True)
class Plan:
    """Along k, j, i: how many voxels a cell takes, and how many cells a slice becomes. `divided`: into how many along
    each axis a voxel is divided."""

    together: Triple
    between: Triple
    divided: int = 1

    def cells(self, box: Box) -> int:
        sizes = (math.ceil((b.stop - b.start) / n) + 2 for b, n in zip(box, self.together, strict=True))
        return math.prod(size * m * self.divided for size, m in zip(sizes, self.between, strict=True))

    def coarser_than_voxels(self) -> bool:
        return max(self.together) > 1

    def finer(self) -> Plan:
        """The plan with the next smaller cells."""
        if not self.coarser_than_voxels():
            return replace(self, divided=self.divided + 1)
        k, j, i = (max(1, n - max(1, n // 4)) for n in self.together)
        return replace(self, together=(k, j, i))


def plan_of(volume: Volume, inside: Inside, resolution: int, *, exact: bool = False) -> Plan:
    """The cells for a resolution.

    Their side is the longest side of the volume divided by `resolution`, but at most the longest side of what is inside
    divided by half of it (a small organ gets cells to match), and at least a voxel's: a mask holds no more.
    """
    sides = np.linalg.norm(volume.affine[:3, :3], axis=0)[::-1]
    whole = volume.extent()
    used = max((part.stop - part.start) * side for part, side in zip(inside.box, sides, strict=True))
    side = min(whole / resolution, 2 * used / resolution)
    k, j, i = (max(1, math.floor(side / s + 1e-6)) for s in sides)
    if inside.level is not None:
        plan = Plan((k, j, i), (1, 1, 1))
        return _halved(plan, inside, float(sides.max()), side) if exact and not plan.coarser_than_voxels() else plan
    cells = sides * (k, j, i)
    longest = LONGEST_CELL * max(side, float(cells.min())) * (1 + 1e-6)
    between = (min(math.ceil(cell / longest), MOST_BETWEEN) for cell in cells)
    k_between, j_between, i_between = (m if n == 1 else 1 for m, n in zip(between, (k, j, i), strict=True))
    return Plan((k, j, i), (k_between, j_between, i_between))


def _halved(plan: Plan, inside: Inside, voxel: float, side: float) -> Plan:
    """`voxel`: its longest side; `side`: that of the cells asked for."""
    for divided, most in MOST_HALVED.items():
        finer = replace(plan, divided=divided)
        if voxel / plan.divided <= side or finer.cells(inside.box) > most:
            break
        plan = finer
    return plan


def field_of(volume: Volume, inside: Inside, plan: Plan, *, max_voxels: int) -> Field:
    """Raises `TooManyVoxels` before a field of more than `max_voxels` cells is made."""
    cells = plan.cells(inside.box)
    if cells > max_voxels:
        raise TooManyVoxels(cells, max_voxels)
    return _mask_field(volume, inside, plan) if inside.level is None else _grey_field(volume, inside, plan)


def _mask_field(volume: Volume, inside: Inside, plan: Plan) -> Field:
    most = math.prod(plan.together)
    kind = np.dtype(np.uint8 if most < 256 else np.uint16 if most < 65536 else np.uint32)
    cells = np.pad(_gathered(volume, inside, inside.box, plan.together, kind), 1)
    affine = _affine(volume, inside.box, plan.together)
    level = (most - 1) // 2 + BESIDE_THE_MIDDLE  # between two counts
    for axis, count in enumerate(plan.between):
        if count > 1:
            cells, affine = interpolated(cells / np.float32(most) - np.float32(level / most), axis, count, affine)
            most, level = 1, 0.0
    return _divided(Field(cells, level, affine), plan.divided)


def _divided(field: Field, count: int) -> Field:
    if count == 1:
        return field
    cells = field.cells
    for axis in range(3):
        cells = np.repeat(cells, count, axis)
    step = np.diag([1 / count, 1 / count, 1 / count, 1.0])
    step[:3, 3] = (1 / count - 1) / 2
    return Field(cells, field.level, field.affine @ step, divided=True)


def _grey_field(volume: Volume, inside: Inside, plan: Plan) -> Field:
    """The margin is real where the volume goes on; where it ends, the surface closes it half a voxel beyond."""
    assert inside.level is not None
    shape = volume.stored.shape[::-1]
    margin = 1 if plan.divided == 1 else 2  # curves go through two values on either side
    k, j, i = (
        slice(max(part.start - margin * n, 0), min(part.stop + margin * n, size))
        for part, n, size in zip(inside.box, plan.together, shape, strict=True)
    )
    cells = _gathered(volume, inside, (k, j, i), plan.together, np.dtype(np.float32))
    for axis in range(3):
        first, last = np.split(-np.abs(np.take(cells, [0, -1], axis)), 2, axis)
        cells = np.concatenate((first, cells, last), axis)
    for _ in range(plan.divided.bit_length() - 1):
        cells = halved(cells)
        _move_faint(cells, inside.level)
    finer = np.diag([1 / plan.divided, 1 / plan.divided, 1 / plan.divided, 1.0])
    return Field(cells, 0.0, _affine(volume, (k, j, i), plan.together) @ finer, divided=plan.divided > 1)


def _gathered(volume: Volume, inside: Inside, box: Box, together: Triple, kind: np.dtype) -> np.ndarray:
    """The cells of `box`: the number of voxels inside in each, or for a grey volume the mean above the threshold."""
    sizes = tuple(math.ceil((b.stop - b.start) / n) for b, n in zip(box, together, strict=True))
    cells = np.empty(sizes, kind)
    for first, last, part in _layers(box, together[0]):
        found = values(volume, part)
        content = inside.test(found).view(np.uint8) if inside.level is None else _above(found, inside.level)
        for axis, n in enumerate(together):
            content = _summed(content, axis, n, kind)
        cells[first:last] = content
    if inside.level is not None:
        cells /= math.prod(together)
        _move_faint(cells, inside.level)
    return cells


def _move_faint(cells: np.ndarray, level: Level) -> None:
    """No value nearer to the level than `FAINTEST`."""
    faintest = np.float32(FAINTEST * min(level.reach, LARGEST))
    faint = np.abs(cells) < faintest
    cells[faint] = np.where(cells[faint] >= 0, faintest, -faintest)


def _layers(box: Box, together: int) -> Iterator[tuple[int, int, Box]]:
    """Whole layers of cells with about `BLOCK` voxels: first cell, last cell + 1, the voxels."""
    k, j, i = box
    step = max(1, BLOCK // ((j.stop - j.start) * (i.stop - i.start) * together))
    count = math.ceil((k.stop - k.start) / together)
    for first in range(0, count, step):
        last = min(first + step, count)
        yield first, last, (slice(k.start + first * together, min(k.start + last * together, k.stop)), j, i)


def _above(found: np.ndarray, level: Level) -> np.ndarray:
    """How far the values are above the level; what is not finite is as far below it as any value is from it."""
    above = np.subtract(found, level.value, dtype=np.float64)
    if level.upper < math.inf:
        above = np.minimum(above, np.subtract(level.upper, found, dtype=np.float64))
    above[~np.isfinite(found)] = -level.reach
    return np.clip(above, -LARGEST, LARGEST).astype(np.float32)


def _summed(content: np.ndarray, axis: int, n: int, kind: np.dtype) -> np.ndarray:
    """Sums of `n` neighbours along `axis`; what is missing at the end counts as outside."""
    if n == 1:
        return content
    missing = -content.shape[axis] % n
    if missing:
        end = np.take(content, [-1] * missing, axis)
        content = np.concatenate((content, np.zeros_like(end) if kind.kind == "u" else -np.abs(end)), axis)
    every = [slice(None)] * 3
    every[axis] = slice(0, None, n)
    total = content[tuple(every)].astype(kind)
    for start in range(1, n):
        every[axis] = slice(start, None, n)
        total += content[tuple(every)]
    return total


def _affine(volume: Volume, box: Box, together: Triple) -> np.ndarray:
    """Index of a cell, from that of the margin on, to LPS: a cell's centre is the middle of its voxels."""
    index = np.eye(4)
    for axis, (part, n) in enumerate(zip(box[::-1], together[::-1], strict=True)):
        index[axis, axis] = n
        index[axis, 3] = part.start + (n - 1) / 2 - n
    return volume.affine @ index
