"""Pixel Padding Value (PS3.3 C.7.5.1.1.2): what was put around a round field of view, to make the image a rectangle."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

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
    ends = np.clip(np.rint((np.array([lowest, highest]) - volume.intercept) / volume.slope), INT16.min, INT16.max)
    if region.threshold is not None:
        outside = math.floor((low - volume.intercept) / volume.slope) - 1
        outside = min(outside, int(volume.stored.min()))
    else:
        outside = math.ceil((high - volume.intercept) / volume.slope) + 1
    outside = int(np.clip(outside, INT16.min, INT16.max))
    changed = False
    for k in range(volume.stored.shape[2]):
        values = volume.stored[:, :, k]
        around = _reaching_sides((values >= ends[0]) & (values <= ends[1]))
        values[around] = outside
        changed = changed or bool(around.any())
    return changed


def _reaching_sides(found: np.ndarray) -> np.ndarray:
    """Of `(n, m) bool`, the pieces that touch a side."""
    if not found.any():
        return found
    pieces, _ = ndimage.label(found)
    sides = np.concatenate((pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]))
    return np.isin(pieces, np.unique(sides[sides > 0]))
