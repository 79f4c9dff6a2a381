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
    """By some of the edges: exact enough for a limit. 0 where there are too few points to pass it."""
    count = sum(map(len, outlines))
    if count * (count - 1) // 2 <= MOST_CROSSINGS:
        return 0
    start, end = np.concatenate(outlines), np.concatenate([ahead(outline) for outline in outlines])
    crossing = 0
    some = np.unique(np.linspace(0, count - 1, SAMPLED_EDGES).astype(int))
    for a, b in zip(start[some], end[some], strict=True):
        sides = _side(a, b, start) * _side(a, b, end) < 0
        crossing += int(np.count_nonzero(sides & (_side(start, end, a) * _side(start, end, b) < 0)))
    return crossing * count // len(some) // 2


def _side(start: np.ndarray, end: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The sign says on which side of the lines from `start` to `end` (2,) or (n, 2) the points (2,) or (n, 2) lie."""
    along, to = end - start, points - start
    return np.asarray(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])
