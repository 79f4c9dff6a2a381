"""How far apart slices are, told by outlines that lie over each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

BLOCK = 256
AHEAD = 1024
"""Outlines that are compared at once, and how far ahead the next one over each is looked for."""

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
    found = np.full(len(position), np.inf)
    for mine, others in blocks(len(position)):
        step = position[others] - position[mine, None]
        wide, tall = (  # an axis at a time: reducing over an axis of two takes three times as long
            np.minimum(high[others, axis], high[mine, axis, None])
            - np.maximum(low[others, axis], low[mine, axis, None])
            for axis in (0, 1)
        )
        unlike = wide * tall < UNLIKE * np.maximum(area[others], area[mine, None])
        over = (wide >= 0) & (tall >= 0) & (step > np.where(unlike, 2 * least, least))
        found[mine] = np.where(over, step, np.inf).min(axis=1)
    return found


def blocks(count: int) -> Iterator[tuple[slice, slice]]:
    """Outlines, and those among which the next one over each is looked for."""
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count)), slice(start, min(start + AHEAD, count))


def _widths(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """For each outline, how wide the widest is whose box overlaps its own: of a hole that is the body's width."""
    extent = (high - low).max(axis=1)
    found = extent.copy()
    for mine, others in blocks(len(extent)):
        over = (low[others] <= high[mine, None]).all(axis=2) & (high[others] >= low[mine, None]).all(axis=2)
        found[mine] = np.where(over, extent[others], 0).max(axis=1)
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
