"""What outlines enclose, by Clipper (manifold3d), if they do not cross at too many points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from manifold3d import CrossSection, FillRule

from orthanc_stl.mesh.contours.polygon import ahead
from orthanc_stl.mesh.errors import TooManyAreas, TooManyCrossings

MOST_CROSSINGS = 1_000_000
"""Of outlines with themselves and each other. Clipper takes a second and 200 MB for each four million."""

MOST_AREAS = 20_000
"""Areas and holes that outlines enclose which cross. 47,000, of 1,200 triangles, took 25 s to become a surface, and
`decompose` of 180,000 ends the process."""

SAMPLED_EDGES = 256
"""Edges, drawn at random, by which the crossings of all are estimated."""


def section_of(outlines: Sequence[np.ndarray], rule: FillRule = FillRule.EvenOdd) -> CrossSection:
    """What the outlines, each (n, 2), enclose.

    Raises TooManyCrossings before it is worked out, and TooManyAreas before what encloses so many is looked at further.
    """
    crossings = _about_how_many_crossings(outlines)
    if crossings > MOST_CROSSINGS:
        raise TooManyCrossings(crossings, MOST_CROSSINGS)
    section = CrossSection([np.ascontiguousarray(outline) for outline in outlines], rule)
    if section.num_contour() > MOST_AREAS + len(outlines):
        raise TooManyAreas(section.num_contour(), MOST_AREAS)
    return section


def _about_how_many_crossings(outlines: Sequence[np.ndarray]) -> int:
    """0 where it cannot be more than MOST_CROSSINGS.

    Half of the edges are drawn by their length, so that a few long ones that cross the others are among them, and half
    evenly. An edge counts the more the less likely it was to be drawn: one that crosses all others says no more than it
    should.
    """
    count = sum(map(len, outlines))
    if count * (count - 1) // 2 <= MOST_CROSSINGS:
        return 0
    start, end = np.concatenate(outlines), np.concatenate([ahead(outline) for outline in outlines])
    low, high = np.minimum(start, end), np.maximum(start, end)
    if min(_overlapping(low[:, axis], high[:, axis]) for axis in (0, 1)) <= MOST_CROSSINGS:
        return 0
    length = np.hypot(*(end - start).T)
    likely = (1 / count + length / length.sum()) / 2
    some = np.random.default_rng(0).choice(count, SAMPLED_EDGES, p=likely)
    crossed = 0.0
    for edge in some:
        near = (low <= high[edge]).all(axis=1) & (high >= low[edge]).all(axis=1)
        crossed += _crossed(start[edge], end[edge], start[near], end[near]) / likely[edge]
    return int(crossed / SAMPLED_EDGES / 2)


def _overlapping(low: np.ndarray, high: np.ndarray) -> int:
    """How many pairs of the stretches from `low` to `high` (n,) overlap or touch."""
    begun = np.searchsorted(np.sort(low), high, side="right")
    over = np.searchsorted(np.sort(high), low, side="left")
    return (int((begun - over).sum()) - len(low)) // 2


def _crossed(a: np.ndarray, b: np.ndarray, start: np.ndarray, end: np.ndarray) -> int:
    """How many of the edges `start`, `end` (n, 2) the edge from `a` to `b` (2,) crosses."""
    apart = _side(a, b, start) * _side(a, b, end) < 0
    return int(np.count_nonzero(apart & (_side(start, end, a) * _side(start, end, b) < 0)))


def _side(start: np.ndarray, end: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The sign says on which side of the lines from `start` to `end` (2,) or (n, 2) the points (2,) or (n, 2) lie."""
    along, to = end - start, points - start
    return np.asarray(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])
