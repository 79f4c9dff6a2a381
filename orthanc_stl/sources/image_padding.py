"""Pixel Padding Value (PS3.3 C.7.5.1.1.2): what was put around a round field of view, to make the image a rectangle."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.base import Region

INT16 = np.iinfo(np.int16)


def leave_out_padding(region: Region, lowest: float, highest: float) -> bool:
    """Sets values from `lowest` to `highest`, where they reach the side of their slice, to one outside, in place.

    Within a slice such a value may be measured: writers that cut values call the lowest one padding. False if none of
    them is in the region, which then is as it was. Its volume is of int16.
    """
    volume = region.volume
    low = -math.inf if region.threshold is None else region.threshold
    high = math.inf if region.upper is None else region.upper
    if highest < low or lowest > high:
        return False
    ends = [float(end) * volume.slope + volume.intercept for end in (volume.stored.min(), volume.stored.max())]
    step = abs(volume.slope)
    outside = max(*ends, high + step) if region.threshold is None else min(*ends, low - step)
    return _set_padding(volume, lowest, highest, outside)


def take_padding_in(region: Region, lowest: float, highest: float) -> bool:
    """The same to a value inside, for a region that is left out where it reaches the sides: what lies around a patient
    reaches the padding instead. False if there is none."""
    step = abs(region.volume.slope)
    inside = (region.threshold or 0.0) + step if region.upper is None else region.upper - step
    return _set_padding(region.volume, lowest, highest, inside)


def _set_padding(volume: Volume, lowest: float, highest: float, value: float) -> bool:
    """Whether there was any."""
    first, last = sorted(_stored(volume, end) for end in (lowest, highest))
    new, changed = _stored(volume, value), False
    for k in range(volume.stored.shape[2]):
        values = volume.stored[:, :, k]
        around = _reaching_sides((values >= first) & (values <= last))
        values[around] = new
        changed = changed or bool(around.any())
    return changed


def _stored(volume: Volume, value: float) -> int:
    return int(np.clip(np.rint((value - volume.intercept) / volume.slope), INT16.min, INT16.max))


def _reaching_sides(found: np.ndarray) -> np.ndarray:
    """Of `(n, m) bool`, the pieces that touch a side."""
    if not found.any():
        return found
    pieces, _ = ndimage.label(found)
    sides = np.concatenate((pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]))
    return np.isin(pieces, np.unique(sides[sides > 0]))
