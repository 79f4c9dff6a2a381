"""Along the normal: the usual spacing of a ROI's planes, where it falls into pieces, where each piece ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from orthanc_stl.mesh.contours.planes import PLANE_TOLERANCE

GAP = 2.5
"""Planes farther apart than this many usual spacings belong to separate pieces: one missing slice (2 spacings, uneven
ones included) is bridged, two missing slices (3 spacings) are a gap."""

LONE_SLICE_SPACING = 1.0
"""mm: the thickness of a slice when nothing in the structure set tells a spacing."""


@dataclass(frozen=True)
class Piece:
    """Planes `first`..`last` (inclusive) of a ROI; the body goes from `low` to `high`, mm along the normal."""

    first: int
    last: int
    low: float
    high: float


def usual_spacing(positions: np.ndarray, around: np.ndarray) -> tuple[float, str | None]:
    """The usual spacing (mm) of the planes at `positions`, and what had to be guessed.

    It is the median. `around` are positions of points of the structure set's other contours: they tell it for a single
    slice, and whether two planes far apart are two slices or a coarse spacing.
    """
    own = np.diff(positions)
    others = spacings(around)
    if len(own) >= 2:
        return float(np.median(own)), None
    if not len(others):
        if len(own):
            return float(own[0]), None
        return LONE_SLICE_SPACING, (
            f"has a single slice and nothing else tells the slice spacing: it is taken to be {LONE_SLICE_SPACING} mm"
        )
    usual = float(np.median(others))
    return (float(own[0]) if len(own) and own[0] <= GAP * usual else usual), None


def spacings(positions: np.ndarray) -> np.ndarray:
    """Steps between neighbouring planes, from the positions of points of contours (any order).

    Points of a contour on a parallel plane all have its position; where there are fewer than three, they are not of a
    parallel plane.
    """
    ordered = np.sort(positions)
    planes = np.split(ordered, np.flatnonzero(np.diff(ordered) > PLANE_TOLERANCE) + 1)
    return np.diff([plane.mean() for plane in planes if len(plane) >= 3])


def pieces_of(positions: np.ndarray, usual: float, end_caps: bool) -> list[Piece]:
    """The pieces of a ROI with planes at `positions` (ascending).

    A slice has thickness: a piece goes on for half a spacing beyond its end planes, unless `end_caps` is false; a
    piece of one slice is one slice thick in any case.
    """
    breaks = np.flatnonzero(np.diff(positions) > GAP * usual) + 1
    pieces = []
    for members in np.split(np.arange(len(positions)), breaks):
        first, last = int(members[0]), int(members[-1])
        below = above = usual / 2
        if first < last:
            below = min(usual, float(positions[first + 1] - positions[first])) / 2 if end_caps else 0.0
            above = min(usual, float(positions[last] - positions[last - 1])) / 2 if end_caps else 0.0
        pieces.append(Piece(first, last, float(positions[first]) - below, float(positions[last]) + above))
    return pieces


def layers_of(positions: np.ndarray, pieces: Sequence[Piece], step: float, brim: float) -> np.ndarray:
    """Where to take layers (mm along the normal, ascending) so that each contour plane is one of them.

    Neighbouring layers are at most `step` apart within a piece. The end of a piece lies between two layers, `brim`
    inside and outside of it: near enough for a sharp edge.
    """
    layers: list[np.ndarray] = []
    for piece in pieces:
        planes = positions[piece.first : piece.last + 1].tolist()
        stops = [planes[0] - piece.low, *np.diff(planes), piece.high - planes[-1]]
        marks = [piece.low, *planes, piece.high]
        brim = min(brim, 0.4 * min(stop for stop in stops if stop > 0))
        marks[0] += brim
        marks[-1] -= brim
        if piece.low == planes[0]:
            del marks[1]
        if piece.high == planes[-1]:
            del marks[-2]
        layers.append(np.array([piece.low - brim]))
        layers += [_from(start, end, step) for start, end in pairwise(marks)]
        layers.append(np.array([piece.high - brim, piece.high + brim]))
    return np.concatenate(layers)


def _from(start: float, end: float, step: float) -> np.ndarray:
    """Layers from `start` (included) to `end` (excluded), evenly, at most `step` apart."""
    count = max(1, int(np.ceil((end - start) / step - 1e-6)))
    return start + np.arange(count) * ((end - start) / count)
