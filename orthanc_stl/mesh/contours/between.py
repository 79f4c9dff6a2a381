"""Shape-based interpolation between two planes of signed distances.

The distance at a pixel is carried from plane to plane by a monotone cubic (smooth) or linearly, so the surface passes
through every contour and bulges nowhere beyond them. Only pixels where that can matter are worked out: those near an
outline, and those inside one plane and outside the other; all others are plainly inside or outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.contours.distance import FARTHEST, NEAREST, UNITS
from orthanc_stl.mesh.contours.islands import Island

BAND = 3 * UNITS
"""How near (units) an outline must be on either plane for a pixel to be worked out between them."""

STEEPEST = np.float32(3)
"""A slope of at most three times the smaller neighbouring difference keeps a cubic monotone (Fritsch and Carlson,
SIAM J. Numer. Anal. 17 (1980) 238)."""


@dataclass(frozen=True)
class Span:
    """Between the places `start` and `end` (mm along the normal), with the fields `(rows, columns) int16` there.

    `before` and `after`: the field of the next plane on either side and how far away it is, None beyond an end.
    `islands`: the parts of either plane that meet nothing on the other.
    """

    start: float
    end: float
    first: np.ndarray
    second: np.ndarray
    before: tuple[np.ndarray, float] | None = None
    after: tuple[np.ndarray, float] | None = None
    islands: Sequence[Island] = ()


def span_values(span: Span, heights: np.ndarray, smooth: bool, everywhere: bool = False) -> np.ndarray:
    """The fields at `heights` (mm along the normal, clipped to the span): `(heights, rows, columns) int16`.

    `everywhere`: pixels far from outlines are worked out too, for values that will be moved.
    """
    first, second = span.first, span.second
    values = np.empty((len(heights), *first.shape), np.int16)
    values[:] = np.where(first > 0, np.int16(FARTHEST), np.int16(-FARTHEST))
    differ = (first ^ second) < 0
    near = np.minimum(np.abs(first), np.abs(second)) < BAND
    active = np.arange(first.size) if everywhere else np.flatnonzero(differ | near)
    a = first.reshape(-1)[active].astype(np.float32)
    b = second.reshape(-1)[active].astype(np.float32)
    straight = _end_islands(span, active, a, b)
    t = np.clip((heights - span.start) / (span.end - span.start), 0, 1).astype(np.float32)[:, None]
    rise = b - a
    if smooth and (span.before or span.after):
        start_slope = _slope(a, rise, span.before, -1, active, span, straight)
        end_slope = _slope(b, rise, span.after, +1, active, span, straight)
        cubic = start_slope + end_slope - 2 * rise
        square = 3 * rise - 2 * start_slope - end_slope
        worked = ((cubic * t + square) * t + start_slope) * t + a
    else:
        worked = rise * t + a
    values.reshape(len(heights), -1)[:, active] = _quantised(worked)
    return values


def _slope(
    here: np.ndarray,
    rise: np.ndarray,
    neighbour: tuple[np.ndarray, float] | None,
    direction: int,
    active: np.ndarray,
    span: Span,
    straight: np.ndarray,
) -> np.ndarray:
    """The slope at a plane (units a span): of the parabola through three planes, limited to keep the cubic monotone."""
    if neighbour is None:
        return rise
    field, distance = neighbour
    ratio = np.float32((span.end - span.start) / distance)
    beyond = (field.reshape(-1)[active] - here) * (direction * ratio)
    parabola = (beyond * ratio + rise) / (1 + ratio)
    limit = STEEPEST * np.minimum(np.abs(beyond), np.abs(rise))
    slope = np.where(beyond * rise > 0, np.clip(parabola, -limit, limit), 0)
    return np.where(straight, rise, slope)


def _end_islands(span: Span, active: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Ends the parts (and holes) of one plane that meet nothing of their kind on the other as a ROI ends: halfway, or
    earlier where they taper.

    Without this their ends would depend on how far away the other parts are. Changes `a` and `b`; returns which of the
    active pixels belong to such parts.
    """
    straight = np.zeros(len(active), bool)
    for part in span.islands:
        near, far, neighbour = (a, b, span.before) if part.above else (b, a, span.after)
        sign = np.float32(1 if part.solid else -1)
        chosen = np.searchsorted(active, part.pixels)
        here = sign * near[chosen]
        end = -here
        if neighbour is not None:
            field, distance = neighbour
            ratio = np.float32((span.end - span.start) / distance)
            taper = np.minimum(here - sign * field.reshape(-1)[part.pixels], 0) * ratio
            end = np.minimum(end, here + taper)
        far[chosen] = sign * np.maximum(sign * far[chosen], end)
        straight[chosen] = True
    return straight


def _quantised(values: np.ndarray) -> np.ndarray:
    """Rounded to whole units, never nearer to the surface than NEAREST."""
    rounded = np.clip(np.rint(values), -FARTHEST, FARTHEST)
    near = np.abs(rounded) < NEAREST
    rounded[near] = np.where(values[near] >= 0, NEAREST, -NEAREST)
    return rounded.astype(np.int16)
