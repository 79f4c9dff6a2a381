"""How far apart slices are, told by outlines that lie over each other."""

from __future__ import annotations

import numpy as np

BLOCK = 256
AHEAD = 1024
"""Outlines that are compared at once, and how far ahead the next one over each is looked for."""

NOISE = 0.05
"""Of the larger steps of a ROI: outlines over each other that are nearer are of one plane (a hole whose coordinates
are rounded otherwise). Slices up to twenty times as near as others in a ROI are still slices."""

FLATTEST = 1e-4
"""Of the extent of outlines: steps below this are rounding, whatever else is there."""


def steps_above(position: np.ndarray, low: np.ndarray, high: np.ndarray, least: float) -> np.ndarray:
    """For each outline, how far along the normal the next one lies that its box overlaps, if more than `least`.

    `position` (n,) ascending; `low`, `high` (n, 2) are the corners of boxes. Infinite where there is none.
    """
    found = np.full(len(position), np.inf)
    for start in range(0, len(position), BLOCK):
        mine = slice(start, min(start + BLOCK, len(position)))
        others = slice(start, min(start + AHEAD, len(position)))
        step = position[others] - position[mine, None]
        over = (step > least) & (low[others] <= high[mine, None]).all(axis=2) & (high[others] >= low[mine, None]).all(2)
        found[mine] = np.where(over, step, np.inf).min(axis=1)
    return found


def local_steps(position: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """For each outline (any order), how far apart slices are there: to the nearer of the outlines above and below it.

    The median of the others for one that has none; infinite if there is no step at all.
    """
    order = np.argsort(position, kind="stable")
    position, low, high = position[order], low[order], high[order]
    floor = FLATTEST * float(np.median((high - low).max(axis=1))) if len(position) else 0.0
    first = steps_above(position, low, high, floor)
    known = first[np.isfinite(first)]
    steps = np.full(len(position), np.inf)
    if len(known):
        least = max(floor, NOISE * float(np.percentile(known, 90)))
        above = steps_above(position, low, high, least)
        below = steps_above(-position[::-1], low[::-1], high[::-1], least)[::-1]
        near = np.minimum(above, below)
        there = np.isfinite(near)
        steps = np.where(there, near, np.median(near[there]) if there.any() else np.inf)
    back = np.empty_like(steps)
    back[order] = steps
    return back


def usual_step(points: np.ndarray) -> float | None:
    """The usual distance between planes (mm) of points (n,), positions along the normal of points of contours.

    Points of a contour on a parallel plane all have its position; where there are fewer than three, they are not of a
    parallel plane. None if they tell nothing.
    """
    ordered = np.sort(points)
    if len(ordered) < 2 or ordered[-1] <= ordered[0]:
        return None
    rises = np.diff(ordered)
    large = rises[rises > 1e-6 * (ordered[-1] - ordered[0])]
    planes = np.split(ordered, np.flatnonzero(rises > NOISE * np.median(large)) + 1)
    steps = np.diff([plane.mean() for plane in planes if len(plane) >= 3])
    if not len(steps):
        return None
    return float(np.median(steps[steps > NOISE * np.percentile(steps, 90)]))
