"""Keyholes: an outline that runs along a bridge to a hole, around it, and back beside the bridge.

The slit between the two ways of the bridge is no part of the body that anybody meant: it is how a hole is written in
one outline. Where it is wider than nothing, it would cut the wall open in this slice only.
"""

from __future__ import annotations

import numpy as np

WIDEST = 0.1
"""Of the bridge's length: wider slits are taken for what they are."""

WIDEST_OF_ALL = 0.03
"""The same of the outline's extent."""

LONG = 3.0
"""Edges this many times as long as the outline's median edge may be bridges."""


def opened(points: np.ndarray) -> list[np.ndarray]:
    """The outline (m, 2) itself, or the outlines that its bridges join: first the outer one."""
    loops = [points]
    for _ in range(len(points) // 4):
        cut = next(((k, pair) for k, loop in enumerate(loops) if (pair := _bridge(loop))), None)
        if cut is None:
            break
        k, (there, back) = cut
        loop = loops.pop(k)
        inner = loop[there + 1 : back + 1]
        outer = np.concatenate([loop[back + 1 :], loop[: there + 1]])
        loops += [outer, inner]
    return sorted(loops, key=lambda loop: -float(np.prod(np.ptp(loop, axis=0))))


def _bridge(loop: np.ndarray) -> tuple[int, int] | None:
    """The edges `there` < `back` that are the two ways of a bridge, if there is one."""
    if len(loop) < 8:
        return None
    ahead = np.roll(loop, -1, axis=0)
    length = np.hypot(*(ahead - loop).T)
    long = np.flatnonzero(length > LONG * np.median(length))
    if len(long) < 2 or len(long) > len(loop) // 4:
        return None
    start, end = loop[long], ahead[long]
    width = np.maximum(
        np.linalg.norm(start[:, None] - end[None], axis=2), np.linalg.norm(end[:, None] - start[None], axis=2)
    )
    widest = np.minimum(WIDEST * length[long], WIDEST_OF_ALL * np.ptp(loop, axis=0).max())
    near = width <= np.minimum(widest[:, None], widest[None])
    first, second = np.nonzero(np.triu(near & _outside_between(loop, start, end), 1))
    for i, j in zip(long[first].tolist(), long[second].tolist(), strict=True):
        if j - i >= 4 and len(loop) - (j - i) >= 4:
            return i, j
    return None


def _outside_between(loop: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """For each two edges, whether the strip between them is outside: the body is on the other side of both."""
    x, y = (loop - loop[0]).T
    turn = np.sign(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    along = end - start
    across = (end[None] + start[None] - end[:, None] - start[:, None]) / 2
    return np.asarray(turn * (along[:, None, 0] * across[..., 1] - along[:, None, 1] * across[..., 0]) < 0)
