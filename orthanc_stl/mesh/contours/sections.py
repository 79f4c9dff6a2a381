"""What outlines enclose, by Clipper (manifold3d), if they do not cross at too many points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from manifold3d import CrossSection, FillRule

from orthanc_stl.mesh.contours.polygon import ahead
from orthanc_stl.mesh.errors import TooManyCrossings

MOST_CROSSINGS = 1_000_000
"""Of outlines with themselves and each other. Clipper takes a second and 200 MB for each four million."""

SAMPLED_EDGES = 64
"""Edges that are looked at to know about how many cross."""


def section_of(outlines: Sequence[np.ndarray], rule: FillRule = FillRule.EvenOdd) -> CrossSection:
    """What the outlines, each (n, 2), enclose. Raises TooManyCrossings before it is worked out."""
    crossings = _about_how_many_crossings(outlines)
    if crossings > MOST_CROSSINGS:
        raise TooManyCrossings(crossings, MOST_CROSSINGS)
    return CrossSection([np.ascontiguousarray(outline) for outline in outlines], rule)


def _about_how_many_crossings(outlines: Sequence[np.ndarray]) -> int:
    """By the median of some edges: good enough for a limit, and a few that cross many others say nothing of the rest.

    0 where there are too few points to pass the limit.
    """
    count = sum(map(len, outlines))
    if count * (count - 1) // 2 <= MOST_CROSSINGS:
        return 0
    start, end = np.concatenate(outlines), np.concatenate([ahead(outline) for outline in outlines])
    some = np.arange(count // SAMPLED_EDGES // 2, count, count // SAMPLED_EDGES)
    crossed = [_crossed(start[edge], end[edge], start, end) for edge in some]
    return int(np.median(crossed)) * count // 2


def _crossed(a: np.ndarray, b: np.ndarray, start: np.ndarray, end: np.ndarray) -> int:
    """How many of the edges `start`, `end` (n, 2) the edge from `a` to `b` (2,) crosses."""
    apart = _side(a, b, start) * _side(a, b, end) < 0
    return int(np.count_nonzero(apart & (_side(start, end, a) * _side(start, end, b) < 0)))


def _side(start: np.ndarray, end: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The sign says on which side of the lines from `start` to `end` (2,) or (n, 2) the points (2,) or (n, 2) lie."""
    along, to = end - start, points - start
    return np.asarray(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])
