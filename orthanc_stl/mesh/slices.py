"""Along the normal: the usual spacing of a ROI's planes, where it falls into pieces, where each piece ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from orthanc_stl.mesh.planes import PLANE_TOLERANCE

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

    It is the median. `around` are positions of the structure set's other contours: they tell it for a single slice,
    and whether two planes far apart are two slices or a coarse spacing.
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
    """Steps between neighbouring planes of contours at `positions` (any order, repeated)."""
    steps = np.diff(np.sort(positions))
    return steps[steps > PLANE_TOLERANCE]


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


def layers_of(positions: np.ndarray, pieces: Sequence[Piece], step: float) -> np.ndarray:
    """Where to take layers (mm along the normal, ascending) so that each contour plane is one of them.

    Neighbouring layers are at most `step` apart within a piece. A piece's end lies midway between two layers, the
    inner of which is inside and the outer outside.
    """
    layers: list[np.ndarray] = []
    for piece in pieces:
        planes = positions[piece.first : piece.last + 1]
        below, above = planes[0] - piece.low, piece.high - planes[-1]
        layers.append(planes[0] - _beyond(below, step)[::-1])
        for k, (start, end) in enumerate(pairwise(planes)):
            open_start = below == 0 and k == 0
            open_end = above == 0 and k == len(planes) - 2
            layers.append(_between(start, end, step, open_start, open_end))
        if above > 0:
            layers.append(planes[-1:])
        layers.append(planes[-1] + _beyond(above, step))
    return np.concatenate(layers)


def _beyond(thickness: float, step: float) -> np.ndarray:
    """Distances from an end plane to the layers beyond it, the last one outside the body."""
    if thickness == 0:
        return np.zeros(0)
    inner = max(1, round(thickness / step - 0.5))
    return np.arange(1, inner + 2) * (thickness / (inner + 0.5))


def _between(start: float, end: float, step: float, open_start: bool, open_end: bool) -> np.ndarray:
    """Layers from `start` (included) to `end` (excluded); at an open end the body ends midway between two layers."""
    count = max(1, int(np.ceil((end - start) / step - 1e-6)))
    parts = count + (0.5 if open_start != open_end else 0.0)
    first = -0.5 if open_start else 0.0
    last = parts + 0.5 if open_end else parts - 1.0
    return start + np.arange(first, last + 0.25) * ((end - start) / parts)
