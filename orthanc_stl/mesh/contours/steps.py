"""How far apart slices are, told by outlines that lie over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

BLOCK = 256
AHEAD = 1024
"""Outlines that are compared at once, and with how many others."""

LARGER = 75
"""A percentile: so many steps are no longer than the larger ones of a ROI. Gaps are not counted: steps longer than the
body is wide there, where there are others."""

NOISE = 0.05
"""A fraction of the larger steps of a ROI: outlines over each other that are nearer are of one plane. Slices up to
twenty times as near as others in a ROI are still slices."""

UNLIKE = 0.5
"""A fraction of the larger of two boxes: outlines that have less in common are no slices of a straight body, but may be
a hole and its outline, or two halves of a slice. These are of one plane up to twice NOISE."""

FAR_GAP = 10.0
"""So many times as long as others: no spacing changes so much."""

FINER = 25
"""A percentile: so many steps of a file are finer than those that gaps are told by."""

FLATTEST = 1e-4
"""A fraction of the extent of outlines: steps below this are rounding, whatever else is there."""


def steps_above(position: np.ndarray, low: np.ndarray, high: np.ndarray, least: float) -> np.ndarray:
    """For each outline, how far along the normal the next one lies that its box overlaps, if more than `least`, or
    than twice that if they are UNLIKE.

    `position` (n,) ascending; `low`, `high` (n, 2) are the corners of boxes. Infinite where there is none.
    """
    area = np.prod(high - low, axis=1)

    def over(mine: np.ndarray, others: slice) -> np.ndarray:
        met = boxes_meet(low, high, mine, others)
        way = position[others] - position[mine, None]
        met &= way > least
        row, column = np.nonzero(met & (way <= 2 * least))
        one, other = mine[row], column + others.start
        wide, tall = (np.minimum(high[other], high[one]) - np.maximum(low[other], low[one])).T
        met[row, column] = wide * tall >= UNLIKE * np.maximum(area[other], area[one])
        return met

    first = first_ahead(len(position), over)
    return np.append(position, np.inf)[first] - position


def boxes_meet(low: np.ndarray, high: np.ndarray, mine: np.ndarray, others: slice) -> np.ndarray:
    """`(mine, others) bool`: whose boxes overlap or touch."""
    met = np.ones((len(mine), others.stop - others.start), bool)
    for axis in (0, 1):  # an axis at a time: reducing over an axis of two takes three times as long
        met &= low[others, axis] <= high[mine, axis, None]
        met &= high[others, axis] >= low[mine, axis, None]
    return met


def first_ahead(count: int, meets: Callable[[np.ndarray, slice], np.ndarray]) -> np.ndarray:
    """For each of `count` outlines the place of the first that it meets, `count` if there is none.

    `meets` gives `(mine, others) bool` for places of some outlines and those among which others are looked for; it is
    false for an outline and itself and those before it. However many are in a plane, the next ones are found.
    """
    found = np.full(count, count)
    for start in range(0, count, BLOCK):
        mine = np.arange(start, min(start + BLOCK, count))
        for begin in range(start, count, AHEAD):
            met = meets(mine, slice(begin, min(begin + AHEAD, count)))
            there = met.any(axis=1)
            found[mine[there]] = begin + met[there].argmax(axis=1)
            mine = mine[~there]
            if not len(mine):
                break
    return found


def _widths(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """For each outline, how wide the widest near it is whose box overlaps its own: of a hole that is the body's."""
    extent = (high - low).max(axis=1)
    found = extent.copy()
    for start in range(0, len(extent), BLOCK):
        mine = np.arange(start, min(start + BLOCK, len(extent)))
        others = slice(start, min(start + AHEAD, len(extent)))
        found[mine] = np.where(boxes_meet(low, high, mine, others), extent[others], 0).max(axis=1)
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
    usual = known[known <= _widths(low, high)[np.isfinite(first)]]
    steps = np.full(len(position), np.inf)
    if len(known):
        least = max(floor, NOISE * float(np.percentile(usual if len(usual) else known, LARGER)))
        above = steps_above(position, low, high, least)
        below = steps_above(-position[::-1], low[::-1], high[::-1], least)[::-1]
        near = np.minimum(above, below)
        there = np.isfinite(near)
        steps = np.where(there, near, np.median(near[there]) if there.any() else np.inf)
    back = np.empty_like(steps)
    back[order] = steps
    return back


def usual_step(steps: Sequence[float]) -> float | None:
    """The median of steps (mm) that are no gaps, None if there is none."""
    if not len(steps):
        return None
    longest = FAR_GAP * float(np.percentile(steps, FINER, method="lower"))
    return float(np.median([step for step in steps if step <= longest]))
