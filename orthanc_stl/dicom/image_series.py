"""The frames of a series as stacks: parallel slices behind each other, in the order of their places.

A series may hold several: a scout in another plane, the phases of a dynamic series, the echoes of one. The standard
library only, since Orthanc's own process reads it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orthanc_stl.dicom.image_frames import Frame, Vector, cross, dot

SAME_DIRECTION = 1e-3
"""How far the components of a unit vector may differ: files have four to six decimals."""

SAME_PLACE = 1e-2
"""A fraction of a pixel's side, along the normal: frames that are nearer lie at one place."""

SHIFTED_PIXELS = 0.5
"""How far a slice may lie beside the line through the first and the last one."""

EVEN = 1e-2
"""A fraction of a step: how far a slice may be from its place in an evenly spaced lattice, or SAME_PLACE where that is
more."""

INT16 = 1 << 15


@dataclass(frozen=True)
class Encoding:
    """How values are kept as int16: value = number * slope + intercept."""

    slope: float
    intercept: float


@dataclass(frozen=True)
class Stack:
    """Parallel slices of one size, ascending along `normal`. `positions` (mm along it) are those of `frames`."""

    frames: tuple[Frame, ...]
    normal: Vector
    positions: tuple[float, ...]

    @property
    def size(self) -> tuple[int, int, int]:
        """Columns, rows, slices."""
        return self.frames[0].columns, self.frames[0].rows, len(self.frames)

    @property
    def step(self) -> Vector:
        """From slice to slice of the evenly spaced lattice through the first and the last slice, LPS mm."""
        first, last, count = self.frames[0], self.frames[-1], len(self.frames)
        if count == 1:
            x, y, z = self.normal
            thickness = first.thickness or 1.0
            return x * thickness, y * thickness, z * thickness
        x, y, z = ((b - a) / (count - 1) for a, b in zip(first.position, last.position, strict=True))
        return x, y, z

    @property
    def affine(self) -> list[list[float]]:
        """Index (column, row, slice) of that lattice to LPS mm, 4 x 4 by rows. Sheared where the gantry was tilted."""
        first, step = self.frames[0], self.step
        axes = [
            (first.row[axis] * first.spacing[0], first.column[axis] * first.spacing[1], step[axis]) for axis in range(3)
        ]
        return [[*axes[axis], first.position[axis]] for axis in range(3)] + [[0.0, 0.0, 0.0, 1.0]]

    @property
    def places(self) -> list[float]:
        """Of the slices in that lattice: 0, 1, 2, ... if they are evenly spaced."""
        first, last = self.positions[0], self.positions[-1]
        if len(self.positions) == 1:
            return [0.0]
        return [(position - first) / (last - first) * (len(self.positions) - 1) for position in self.positions]

    @property
    def even(self) -> bool:
        step = math.hypot(*self.step)
        tolerance = max(EVEN, SAME_PLACE * min(self.frames[0].spacing) / step)
        return all(abs(place - index) <= tolerance for index, place in enumerate(self.places))

    @property
    def shift(self) -> float:
        """mm that a slice lies beside its place on the line through the first and the last one, at most."""
        first, step = self.frames[0].position, self.step
        expected = ([p + s * place for p, s in zip(first, step, strict=True)] for place in self.places)
        return max(math.dist(one, frame.position) for one, frame in zip(expected, self.frames, strict=True))

    @property
    def tilt(self) -> float:
        """Degrees between the way from slice to slice and the slices' normal."""
        step = self.step
        return math.degrees(math.acos(min(1.0, max(-1.0, dot(step, self.normal) / math.hypot(*step)))))


def stacks_of(frames: Iterable[Frame]) -> list[Stack]:
    """The stacks of a series, the one with the most pixels first. Frames that lie beside the others are in none."""
    groups: list[list[Frame]] = []
    for frame in frames:
        # The latest first: nearly always it is the same one. A radial series has a group for each frame.
        group = next((group for group in groups[:-9:-1] if _parallel(group[0], frame)), None)
        if group is None:
            groups.append([frame])
        else:
            group.append(frame)
    stacks = [stack for group in groups for stack in _stacks(group)]
    return sorted(stacks, key=lambda stack: -math.prod(stack.size))


def encoding_of(stack: Stack, hounsfield: bool) -> Encoding:
    """How all values of a stack fit into int16: exactly, wherever the slices agree on their slope and intercept.

    Hounsfield units are kept as they are, and cut at -32768 and 32767. Slices of their own slopes (PET) share the
    finest one that holds the largest value that any of them can have.
    """
    frames = stack.frames
    slopes, intercepts = {frame.slope for frame in frames}, {frame.intercept for frame in frames}
    bits = max(frame.bits_stored for frame in frames)
    signed = any(frame.signed for frame in frames)
    if hounsfield and slopes == {1.0} and all(value.is_integer() for value in intercepts):
        return Encoding(1.0, 0.0)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if len(slopes) == len(intercepts) == 1 and bits <= 16:
        (slope,), (intercept,) = slopes, intercepts
        return Encoding(slope, intercept if high < INT16 else intercept + slope * INT16)
    ends = [raw * frame.slope + frame.intercept for frame in frames for raw in (low, high)]
    least, most = min(ends), max(ends)
    reach = max(abs(least), abs(most))
    if most - least < reach:
        return Encoding((most - least) / (2 * INT16 - 2) or 1.0, (most + least) / 2)
    return Encoding(reach / (INT16 - 1), 0.0)


def _parallel(one: Frame, other: Frame) -> bool:
    kind = [(f.columns, f.rows, f.bits_allocated, f.signed, f.inverted, f.frame_of_reference_uid) for f in (one, other)]
    return (
        kind[0] == kind[1]
        and _close(one.row, other.row, SAME_DIRECTION)
        and _close(one.column, other.column, SAME_DIRECTION)
        and _close(one.spacing, other.spacing, SAME_DIRECTION * min(one.spacing))
    )


def _close(one: Sequence[float], other: Sequence[float], tolerance: float) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def _stacks(group: list[Frame]) -> list[Stack]:
    """Of parallel frames: the first of each place, the second of each place, and so on."""
    normal, same = cross(group[0].row, group[0].column), SAME_PLACE * min(group[0].spacing)
    places: list[list[tuple[float, Frame]]] = []
    for at, frame in sorted(((dot(f.position, normal), f) for f in group), key=lambda pair: pair[0]):
        if places and at - places[-1][0][0] <= same:
            places[-1].append((at, frame))
        else:
            places.append([(at, frame)])
    for place in places:
        place.sort(key=lambda pair: pair[1].order)
    found = []
    for number in range(max(map(len, places))):
        chosen = [place[number] for place in places if len(place) > number]
        stack = Stack(tuple(frame for _, frame in chosen), normal, tuple(at for at, _ in chosen))
        if _behind_each_other(stack):
            found.append(stack)
    return found


def _behind_each_other(stack: Stack) -> bool:
    return stack.shift <= SHIFTED_PIXELS * min(stack.frames[0].spacing)
