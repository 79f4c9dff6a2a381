"""The volume of contours, worked out without any voxel: what a surface made of them is compared with.

Each region counts its area times the thickness of its slice: from halfway to the plane below to halfway to the plane
above, and beyond an end plane as far as the body goes on there. That is what planning systems count. Contours do not
say how a body narrows between slices: the difference between a step and a cone is the bound within which a surface
may differ from it, a large one where there are few slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orthanc_stl.mesh.contours.between import STEEPEST
from orthanc_stl.mesh.contours.parts import Chain
from orthanc_stl.mesh.contours.slices import volume_of_stack

VOLUME_TOLERANCE = 0.02
"""A fraction of the volume of the contours: a surface that differs from it by more is told of."""


JUMP = 3.0
"""Times the slope from slice to slice beside it: a size that changes by more there jumps. A ball's slopes are 2.4 times
the next ones at its poles."""


@dataclass(frozen=True)
class Expected:
    """The volume of contours (mm³), and by how much a faithful surface may differ from it where shapes change; of that,
    `jumps` is where the size jumps between slices of one size and of another: nothing shows that it tapers there."""

    volume: float
    open: float
    jumps: float = 0.0

    def differs(self, found: float) -> bool:
        return abs(found - self.volume) > VOLUME_TOLERANCE * self.volume + self.open

    def slopes_at_jumps(self, found: float) -> bool:
        """Whether it differs unless the body does taper where its size jumps."""
        return replace(self, open=self.open - self.jumps).differs(found)


def expected_of(chains: Sequence[Chain]) -> Expected:
    """Of the union of chains of parallel planes."""
    each = [_expected(chain) for chain in chains]
    total = Expected(sum(one.volume for one in each), sum(one.open for one in each), sum(one.jumps for one in each))
    if len(dict.fromkeys(chain.roi.number for chain in chains)) < 2:
        return total
    return replace(total, volume=volume_of_stack(chains))


def _expected(chain: Chain) -> Expected:
    areas = np.array([layer.area for layer in chain.layers])
    places = chain.positions
    between = np.diff(places)
    below, above = float(places[0] - chain.low), float(chain.high - places[-1])
    volume = float((between * (areas[1:] + areas[:-1])).sum() / 2 + below * areas[0] + above * areas[-1])
    roots = np.sqrt(areas)
    cones = between * np.diff(roots) ** 2 / 6
    less = float(cones.sum())
    if len(areas) > 1:
        less += _taper(roots[0], roots[1], below, float(between[0]))
        less += _taper(roots[-1], roots[-2], above, float(between[-1]))
    return Expected(volume, less, float(cones[jumps_of(np.diff(roots) / between)].sum()))


def jumps_of(slopes: np.ndarray) -> np.ndarray:
    """Which of the slopes from slice to slice `(n,)` are JUMP times one beside them, and do not go on in the other."""
    sides = np.array([np.append(np.nan, slopes[:-1]), np.append(slopes[1:], np.nan)])
    flat = JUMP * np.abs(sides) < np.abs(slopes)
    goes_on = ~flat & (sides * slopes > 0)
    return flat.any(axis=0) & ~goes_on.any(axis=0)


def even_volume(chain: Chain, smooth: bool) -> float | None:
    """The volume (mm³) of a body whose slices only grow or shrink, between its planes as `between.py` has it; None for
    one that forks, has holes or moves on.

    An outline that grows evenly by r has the area A + L r + pi r² (Steiner), and a cubic of the slopes a and b (mm a
    step) encloses L (a - b) / 12 more a step than a straight line.
    """
    if chain.shift or any(len(layer.outlines) != 1 for layer in chain.layers) or len(chain.layers) < 2:
        return None
    areas = np.array([layer.area for layer in chain.layers])
    lengths = np.array([layer.regions[0].length for layer in chain.layers])
    between, length = np.diff(chain.positions), (lengths[1:] + lengths[:-1]) / 2
    grown = np.diff(areas) / length
    more = -np.pi * grown**2 / 6
    if smooth:
        before, after = grown.copy(), grown.copy()
        ratio = between[1:] / between[:-1]
        before[1:] = _slopes(grown[1:], grown[:-1], ratio)
        after[:-1] = _slopes(grown[:-1], grown[1:], 1 / ratio)
        more += length * (before - after) / 12
    roots = np.sqrt(areas)
    ends = _taper(roots[0], roots[1], float(chain.positions[0] - chain.low), float(between[0]))
    ends += _taper(roots[-1], roots[-2], float(chain.high - chain.positions[-1]), float(between[-1]))
    return _expected(chain).volume + float((between * more).sum()) - ends


def _slopes(own: np.ndarray, other: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """As between.py limits them, in mm a step of `own`; `ratio`: how many steps of `other` that is."""
    beyond = other * ratio
    limit = STEEPEST * np.minimum(np.abs(beyond), np.abs(own))
    return np.where(beyond * own > 0, np.clip((beyond * ratio + own) / (1 + ratio), -limit, limit), 0)


def _taper(end: float, inner: float, length: float, step: float) -> float:
    """What a straight end has more than one that goes on narrowing as from `inner` to `end` (roots of areas)."""
    last = max(0.0, end - max(0.0, inner - end) * length / step)
    return float(length * (end**2 - (end**2 + end * last + last**2) / 3))
