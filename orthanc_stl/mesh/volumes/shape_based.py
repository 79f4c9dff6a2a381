"""Shape-based interpolation of a mask: cells between thick slices, from the distances to the outline in both.

Source: Raya and Udupa, "Shape-based interpolation of multidimensional objects", IEEE Trans. Med. Imaging 9 (1990) 32.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

REACH = 8
"""In pixels: distances to the outline are counted to here, and equal beyond."""

REACH_AT_ENDS = 3
"""The same beside a slice with nothing in it. What is so far from the outline ends half a slice beyond, as its voxels
do; towards the outline the end is rounded. A longer reach would narrow flat ends."""

BESIDE_THE_OUTLINE = 0.2
"""In pixels: how far from the outline cells are put at least, where the surface is not smoothed. Of balls and noise in
slices of 3 to 8 pixels 43 of 60 surfaces had triangles that crossed, 98,684 in all, when vertices around one cell were
moved apart for the volume; with this 18 have, all of noise, 316 in all, which `with_volume` then leaves in place."""


def interpolated(cells: np.ndarray, axis: int, count: int, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`count` cells for each slice along `axis`, except the two outermost slices, which are empty and stay one.

    `cells` is (nz, ny, nx) float32, above 0 inside; between -0.5 and 0.5 it is the share of the cell that is inside,
    less one half. Returns the same with the new cells, and their affine.
    """
    slices = np.moveaxis(cells, axis, 0)
    distances = lru_cache(maxsize=2)(lambda index: distances_of(slices[index]))
    fine = (len(slices) - 2) * count
    out = np.empty((fine + 2, *slices.shape[1:]), np.float32)
    out[[0, -1]] = -REACH
    for index in range(fine):
        place = 0.5 + (index + 0.5) / count  # in slices: slice 1 reaches from 0.5 to 1.5
        below = math.floor(place)
        out[index + 1] = _between(distances(below), distances(below + 1), place - below)
    step = np.eye(4)
    step[2 - axis, 2 - axis] = 1 / count
    step[2 - axis, 3] = 0.5 - 0.5 / count
    return np.ascontiguousarray(np.moveaxis(out, 0, axis)), affine @ step


def off_the_outline(cells: np.ndarray) -> np.ndarray:
    """Interpolated cells without such as lie next to the outline, around which vertices lie at nearly one place."""
    near = np.abs(cells) < BESIDE_THE_OUTLINE
    return np.where(near, np.where(cells > 0, np.float32(BESIDE_THE_OUTLINE), -np.float32(BESIDE_THE_OUTLINE)), cells)


def _between(one: np.ndarray | None, other: np.ndarray | None, weight: float) -> np.ndarray | float:
    """The distances `weight` of the way from one slice to the other; None is a slice with nothing inside."""
    if one is None and other is None:
        return -REACH
    if one is None:
        return _between(other, one, 1 - weight)
    if other is None:
        reach = np.minimum(one, REACH_AT_ENDS)
        return reach * (1 - weight) - np.sqrt(REACH_AT_ENDS * np.maximum(reach, 0.5)) * weight
    return one * (1 - weight) + other * weight


def distances_of(cells: np.ndarray) -> np.ndarray | None:
    """Signed distances to the outline in pixels `(ny, nx) float32`, octagonal (erosions by 4 and 8 neighbours in turn).

    None for a slice with nothing inside.
    """
    inside = cells > 0
    if not inside.any():
        return None
    total = np.clip(cells, -0.5, 0.5)
    for mask, sign in ((inside, 1), (~inside, -1)):
        for step in range(1, REACH):
            mask = _eroded(mask, diagonal=step % 2 == 0)
            if not mask.any():
                break
            total += np.int8(sign) * mask
    return total


def _eroded(mask: np.ndarray, *, diagonal: bool) -> np.ndarray:
    """`mask` without the pixels that have one of their 4 (or 8) neighbours outside; the edge has none beyond it."""
    rows = mask.copy()
    rows[1:] &= mask[:-1]
    rows[:-1] &= mask[1:]
    source = rows if diagonal else mask
    out = rows.copy()
    out[:, 1:] &= source[:, :-1]
    out[:, :-1] &= source[:, 1:]
    return out
