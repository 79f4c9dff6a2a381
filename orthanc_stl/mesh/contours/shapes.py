"""Outlines of a plane and what they enclose, each area once.

An area that is outlined twice counts once, an outline that goes round twice counts once, outlines of the kind
CLOSED_PLANAR that cross each other are united; those of the kind CLOSEDPLANAR_XOR take out what they have in common.
Boolean operations are Clipper's, by manifold3d.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from manifold3d import CrossSection, FillRule

from orthanc_stl.mesh.contours.findings import Findings
from orthanc_stl.mesh.contours.keyholes import opened, slit_of_crossing
from orthanc_stl.mesh.contours.planes import Outline
from orthanc_stl.mesh.contours.polygon import ahead, length_of, signed_area
from orthanc_stl.mesh.contours.sections import section_of
from orthanc_stl.mesh.errors import TooManyOverlaps
from orthanc_stl.mesh.types import Rank

APART = 1e-3
"""A fraction of the smaller of two areas: what they have in common if they only touch."""

WITHIN = 0.95
"""A fraction of the smaller area: as much of a hole lies within its outline at least, and of what crosses it less."""

TWICE = 0.5
"""Of what a contour winds around, even-odd leaves less of one that goes round twice."""

WIDE_SLIT = 0.015
"""A fraction of an outline's extent: closing a wider one is told of."""

ALIKE = 0.85
"""A fraction of the larger of two areas: what they have in common if they are one area, outlined twice."""

BEYOND = 0.02
"""A fraction of the smaller of two areas of about one size: with more of it beside the other, they cross, and are
neither one area, outlined twice, nor a hole."""

THINNEST_WALL = 1e-3
"""A fraction of an outline's extent: what is thinner is no wall but the same area, outlined twice."""

MOST_OVERLAPPING = 50_000_000
"""Points of all pairs of outlines of a plane whose boxes overlap. A million takes half a second."""

TRIED = 200
"""Points of an outline that are asked whether they reach another one, at least; about so many of a longer one."""

ASKED = 256
"""Points, by height, that are asked at once whether they lie inside outlines: most edges pass at another height."""

TOUCHING = 0.3
"""A fraction of the points of the inner outline: as many reach or cross the outer one if they are one area outlined
twice. A wall between them is as thick nearly everywhere."""


def inside(points: np.ndarray, outlines: Sequence[np.ndarray]) -> np.ndarray:
    """Which of points (n, 2) lie inside the outlines, by the even-odd rule."""
    if not outlines:
        return np.zeros(len(points), bool)
    start = np.concatenate(outlines)
    end = np.concatenate([ahead(outline) for outline in outlines])
    lowest, highest = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    found = np.zeros(len(points), bool)
    upwards = np.argsort(points[:, 1])
    for first in range(0, len(points), ASKED):
        some = upwards[first : first + ASKED]
        y = points[some, 1]
        near = (lowest <= y[-1]) & (highest >= y[0])
        found[some] = _left_of_odd(points[some], start[near], end[near])
    return found


def _left_of_odd(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Which of points (n, 2) have an odd number of the edges `start`, `end` (m, 2) to their right."""
    x, y = points[:, :1], points[:, 1:]
    passed = (start[:, 1] > y) != (end[:, 1] > y)
    rise = end[:, 1] - start[:, 1]
    along = start[:, 0] + (y - start[:, 1]) / np.where(rise, rise, 1) * (end[:, 0] - start[:, 0])
    return np.asarray(np.count_nonzero(passed & (along > x), axis=1) % 2 == 1)


@dataclass(frozen=True)
class Shape:
    """One outline and what it encloses."""

    points: np.ndarray
    position: float
    number: int
    xor: bool
    step: float
    section: CrossSection
    area: float
    low: np.ndarray
    high: np.ndarray

    @staticmethod
    def of(outline: Outline, points: np.ndarray | None = None) -> Shape:
        points = outline.points if points is None else points
        section = section_of([points])
        low, high = points.min(axis=0), points.max(axis=0)
        return Shape(
            points, outline.position, outline.number, outline.xor, outline.step, section, section.area(), low, high
        )

    def drawn(self, points: np.ndarray) -> Shape:
        """The same contour, drawn otherwise."""
        return Shape.of(Outline(self.points, self.position, self.number, self.xor, self.step), points)


def simple(name: str, shape: Shape, findings: Findings) -> list[Shape]:
    """The outline as such that do not go round twice, and whose keyholes are an outline and a hole."""
    if abs(abs(signed_area(shape.points)) - shape.area) <= APART * shape.area:
        loops, width = opened(shape.points, shape.area)
        if len(loops) == 1:
            _tell_of_slit(name, shape, width, findings)
        elif width > WIDE_SLIT * float((shape.high - shape.low).max()):
            one = "runs to a hole and back, {figure} mm beside itself: the slit between is closed"
            several = "run to a hole and back, up to {figure} mm beside themselves: the slits between are closed"
            findings.contour(Rank.GUESSED, name, shape.number, one, several, width)
        return [shape] if len(loops) == 1 else [shape.drawn(loop) for loop in loops]
    wound = section_of([shape.points], FillRule.NonZero)
    whole = wound.area()
    if shape.area >= (1 - APART) * whole or not (shape.area < TWICE * whole or _along_the_rim(shape, wound)):
        _tell_of_slit(name, shape, slit_of_crossing(shape.points, shape.section), findings)
        return [shape]
    one, several = "goes round twice: its area is counted once", "go round twice: their areas are counted once"
    findings.contour(Rank.GUESSED, name, shape.number, one, several)
    return [shape.drawn(np.asarray(loop)) for loop in wound.to_polygons()]


def _tell_of_slit(name: str, shape: Shape, width: float, findings: Findings) -> None:
    """`width` in mm, 0 if there is none."""
    if width:
        one = "has a slit of about {figure} mm to a hole: it is kept open, as it is drawn"
        several = "have slits of up to {figure} mm to holes: they are kept open, as they are drawn"
        findings.contour(Rank.GUESSED, name, shape.number, one, several, width)


def _along_the_rim(shape: Shape, wound: CrossSection) -> bool:
    """Whether what is wound around twice reaches the outer outline: a hole does not."""
    twice = wound - shape.section
    width = 1e-3 * float(np.sqrt(wound.area()))
    around = (twice.offset(width) - twice).area()
    beyond = (twice.offset(width) - wound).area()
    return bool(around > 0 and beyond > 0.2 * around)


def once(name: str, shapes: list[Shape], findings: Findings) -> list[Shape]:
    """Without what is outlined twice, and with outlines that cross each other united."""
    unite: list[tuple[int, int]] = []
    trimmed: dict[int, CrossSection] = {}
    dropped: set[int] = set()
    for i, j in overlapping(shapes):
        if i in dropped or j in dropped:
            continue
        one, other = shapes[i], shapes[j]
        common = (one.section ^ other.section).area()
        small, large = sorted((one, other), key=lambda shape: shape.area)
        if common <= APART * small.area:
            continue
        crossing = common < WITHIN * small.area or ALIKE * large.area < common < (1 - BEYOND) * small.area
        united = crossing and not (one.xor or other.xor)
        if common > ALIKE * large.area and not united and _touch(small, large):
            twin, kept = (j, i) if other.number >= one.number else (i, j)
            findings.contour(
                Rank.GUESSED,
                name,
                shapes[twin].number,
                f"is skipped: it repeats contour {shapes[kept].number}",
                "are skipped: they repeat others",
            )
            dropped.add(twin)
        elif united:
            unite.append((i, j))
            findings.contour(
                Rank.CHANGED_SHAPE,
                name,
                max(one.number, other.number),
                f"crosses contour {min(one.number, other.number)}: they are united",
                "cross others of their planes: they are united",
            )
        elif common < (1 - APART) * small.area and not (one.xor or other.xor):
            hole, around = (i, j) if small is one else (j, i)
            trimmed[around] = trimmed.get(around, large.section) - small.section
            dropped.add(hole)
            findings.contour(
                Rank.GUESSED,
                name,
                small.number,
                f"crosses contour {large.number} a little: it is taken for a hole in it",
                "cross others a little: they are taken for holes in them",
            )
    for k, section in trimmed.items():
        if k not in dropped:
            dropped.add(k)
            shapes = [*shapes, *(shapes[k].drawn(np.asarray(loop)) for loop in section.to_polygons())]
    unite = [(i, j) for i, j in unite if i not in dropped and j not in dropped]
    return _united(shapes, unite, dropped)


def overlapping(shapes: Sequence[Shape]) -> list[tuple[int, int]]:
    """The pairs (smaller number first) whose boxes overlap. Raises TooManyOverlaps."""
    low, high = np.array([shape.low for shape in shapes]), np.array([shape.high for shape in shapes])
    order = np.argsort(low[:, 0], kind="stable")
    low, high = low[order], high[order]
    ends = np.searchsorted(low[:, 0], high[:, 0], side="right")
    points = np.array([len(shape.points) for shape in shapes])[order]
    pairs, compared = [], 0
    for k, end in enumerate(ends.tolist()):
        later = slice(k + 1, end)
        met = np.flatnonzero((low[later, 1] <= high[k, 1]) & (high[later, 1] >= low[k, 1])) + k + 1
        compared += int(points[met].sum()) + len(met) * int(points[k])
        if compared > MOST_OVERLAPPING:
            raise TooManyOverlaps(compared, MOST_OVERLAPPING)
        pairs += [(min(order[k], j), max(order[k], j)) for j in order[met]]
    return sorted((int(i), int(j)) for i, j in pairs)


BOXES_AT_ONCE = 4_000_000
"""Pairs of boxes that are compared at once: a byte or two each."""


def boxes_of(outlines: Sequence[np.ndarray]) -> np.ndarray:
    """`(n, 4)`: the box (low u, low v, high u, high v) of each outline (m, 2)."""
    return np.array([(*outline.min(axis=0), *outline.max(axis=0)) for outline in outlines]).reshape(-1, 4)


def meeting_boxes(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The pairs `(k, 2) int64` (place in `one`, place in `other`) of boxes that overlap or touch.

    A box is (low u, low v, high u, high v); `one` is (n, 4), `other` (m, 4).
    """
    rows = max(1, BOXES_AT_ONCE // max(1, len(other)))
    found = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(one), rows):
        mine = one[start : start + rows, None]
        met = (mine[..., :2] <= other[:, 2:]).all(axis=2) & (mine[..., 2:] >= other[:, :2]).all(axis=2)
        found.append(np.argwhere(met) + np.array([start, 0]))
    return np.concatenate(found)


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The number of the connected group that each of `count` things belongs to, from 0, in order."""
    group = list(range(count))

    def root(k: int) -> int:
        while group[k] != k:
            group[k] = group[group[k]]
            k = group[k]
        return k

    for i, j in pairs:
        a, b = root(i), root(j)
        group[max(a, b)] = min(a, b)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(k), len(numbers)) for k in range(count)]


def _touch(small: Shape, large: Shape) -> bool:
    """Whether the smaller one reaches or crosses the larger one all around: no wall lies between them."""
    width = abs(large.area - small.area) / length_of(large.points)
    if width < THINNEST_WALL * float((large.high - large.low).max()):
        return True
    shrunk = large.section.offset(-max(0.1 * width, 1e-9))
    inner = [np.asarray(loop) for loop in shrunk.to_polygons()]
    some = small.points[:: max(1, len(small.points) // TRIED)]
    return float(np.mean(~inside(some, inner))) > TOUCHING


def _united(shapes: list[Shape], pairs: Sequence[tuple[int, int]], dropped: set[int]) -> list[Shape]:
    """The shapes, with those of `pairs` as outlines of their unions."""
    group = joined(len(shapes), pairs)
    crossing = {i for pair in pairs for i in pair}
    together: dict[int, list[int]] = {}
    for k in sorted(crossing - dropped):
        together.setdefault(group[k], []).append(k)
    result = [shape for k, shape in enumerate(shapes) if k not in crossing and k not in dropped]
    for found in together.values():
        members = [shapes[k] for k in found]
        union = members[0].section
        for member in members[1:]:
            union = union + member.section
        result += [members[0].drawn(np.asarray(loop)) for loop in union.to_polygons()]
    return result
