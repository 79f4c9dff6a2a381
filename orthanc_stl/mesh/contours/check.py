"""The volume of contours, worked out without any voxel: what a surface made of them is compared with.

Each region counts its area times the thickness of its slice: from halfway to the plane below to halfway to the plane
above, and beyond an end plane as far as the body goes on there. That is what planning systems count. Contours do not
say how a body narrows between slices: the difference between a step and a cone is the bound within which a surface
may differ from it, a large one where there are few slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.contours.parts import Chain
from orthanc_stl.mesh.contours.slices import volume_of_stack

VOLUME_TOLERANCE = 0.02
"""Of the volume of the contours: a surface that differs from it by more is told of."""


@dataclass(frozen=True)
class Expected:
    """The volume of contours (mm³), and by how much a faithful surface may differ from it where shapes change."""

    volume: float
    open: float

    def differs(self, found: float) -> bool:
        return abs(found - self.volume) > VOLUME_TOLERANCE * self.volume + self.open


def expected_of(chains: Sequence[Chain]) -> Expected:
    """Of the union of chains of parallel planes."""
    each = [_expected(chain) for chain in chains]
    total = Expected(sum(one.volume for one in each), sum(one.open for one in each))
    if len(dict.fromkeys(chain.roi.number for chain in chains)) < 2:
        return total
    return Expected(volume_of_stack(chains), total.open)


def _expected(chain: Chain) -> Expected:
    areas = np.array([layer.area for layer in chain.layers])
    places = chain.positions
    between = np.diff(places)
    below, above = float(places[0] - chain.low), float(chain.high - places[-1])
    volume = float((between * (areas[1:] + areas[:-1])).sum() / 2 + below * areas[0] + above * areas[-1])
    roots = np.sqrt(areas)
    less = float((between * np.diff(roots) ** 2).sum() / 6)
    if len(areas) > 1:
        less += _taper(roots[0], roots[1], below, float(between[0]))
        less += _taper(roots[-1], roots[-2], above, float(between[-1]))
    return Expected(volume, less)


def _taper(end: float, inner: float, length: float, step: float) -> float:
    """What a straight end has more than one that goes on narrowing as from `inner` to `end` (roots of areas)."""
    last = max(0.0, end - max(0.0, inner - end) * length / step)
    return float(length * (end**2 - (end**2 + end * last + last**2) / 3))
