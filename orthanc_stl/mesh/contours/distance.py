"""Signed distances in the plane: how deep each pixel lies inside the outlines (positive) or outside of them.

Near an outline the distance is exact for straight edges: from the nearest crossings along the pixel's row (a) and
column (b), 1/d² = 1/a² + 1/b². Farther off, where it only steers the interpolation between planes of different size,
it is the distance to the crossings of every fourth row and column, taken on every fourth pixel by a separable
distance transform and interpolated. Between the two it is blended.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.mesh.contours.islands import Island, islands_of
from orthanc_stl.mesh.contours.raster import Crossings, crossings, edges_of, inside

UNITS = 128
"""Distances are int16, in this fraction of a pixel: up to 256 pixels, in steps of 0.008 pixel."""

FARTHEST = 32767
"""The largest distance (units), which also stands for all beyond it."""

NEAREST = 4
"""The smallest distance (units): no pixel lies on the outline, so no two vertices of the surface fall together."""

REACH = 8
"""In pixels: how far from a crossing the exact distance is worked out, along rows and columns."""

BLEND = (3.0, 6.0)
"""In pixels: the distance is exact up to the first, the coarse one from the second on."""

STRIDE = 4
"""Every how many pixels the far distance is worked out."""

UNKNOWN = np.float32(1e4)
"""In pixels: no crossing known within reach."""


def padded(pixels: int) -> int:
    """The smallest number of pixels, at least `pixels`, whose first and last both have a far distance."""
    return -(-max(pixels - 1, 1) // STRIDE) * STRIDE + 1


def signed_distances(
    planes: Sequence[Sequence[np.ndarray]], rows: int, columns: int
) -> tuple[np.ndarray, list[Island]]:
    """Distances `(planes, rows, columns) int16` in UNITS, positive inside by the even-odd rule.

    `planes` holds the outlines of each plane, (m, 2) in pixels (x along columns), pixel centres at whole numbers.
    `rows` and `columns` are as `padded` gives them. Also returns the parts that meet nothing on the next plane.
    """
    shape = (len(planes), rows, columns)
    edges = edges_of(planes)
    across = crossings(edges, rows)
    down = crossings(edges.transposed(), columns)
    mask = inside(across, shape)
    far = _far(planes, across, down, mask)
    out = np.empty(shape, np.int16)
    near_across = _near(across, shape, transposed=False)
    near_down = _near(down, shape, transposed=True)
    for k in range(len(planes)):
        distance = _upsampled(far[k], rows, columns)
        _blend_near(distance, mask[k], near_across[k], near_down[k])
        out[k] = _quantised(distance, mask[k])
    return out, islands_of(across, shape)


def _near(found: Crossings, shape: tuple[int, int, int], *, transposed: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each plane: the pixels within REACH of a crossing along its line (flat indices), and how far that is."""
    planes, rows, columns = shape
    pixel = np.floor(found.place).astype(np.int64)[:, None] + np.arange(1 - REACH, REACH + 1)
    distance = np.abs(pixel - found.place[:, None]).astype(np.float32)
    line = found.row[:, None]
    valid = (pixel >= 0) & (pixel < (rows if transposed else columns))
    flat = pixel * columns + line if transposed else line * columns + pixel
    ends = np.searchsorted(found.plane, np.arange(planes + 1))
    near = []
    for k in range(planes):
        part = slice(ends[k], ends[k + 1])
        keep = valid[part]
        near.append((flat[part][keep], distance[part][keep]))
    return near


def _blend_near(
    distance: np.ndarray,
    mask: np.ndarray,
    near_across: tuple[np.ndarray, np.ndarray],
    near_down: tuple[np.ndarray, np.ndarray],
) -> None:
    """Puts the exact distance where an outline is near into the far `distance` of one plane."""
    along = np.full((2, distance.size), UNKNOWN, np.float32)
    for line, (flat, length) in zip(along, (near_across, near_down), strict=True):
        np.minimum.at(line, flat, length)
    near = np.flatnonzero(np.minimum(along[0], along[1]) < REACH)
    a, b = along[0, near], along[1, near]
    exact = a * b / np.sqrt(a * a + b * b + np.float32(1e-12))
    weight = np.clip((BLEND[1] - exact) / (BLEND[1] - BLEND[0]), 0, 1).astype(np.float32)
    flat = distance.reshape(-1)
    signed = np.where(mask.reshape(-1)[near], exact, -exact)
    flat[near] += weight * (signed - flat[near])


def _quantised(distance: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """In UNITS, int16, with the sign that `mask` tells. Changes `distance`."""
    np.abs(distance, out=distance)
    distance *= UNITS
    np.rint(distance, out=distance)
    np.clip(distance, NEAREST, FARTHEST, out=distance)
    units = distance.astype(np.int16)
    np.negative(units, where=~mask, out=units)
    return units


def _far(planes: Sequence[Sequence[np.ndarray]], across: Crossings, down: Crossings, mask: np.ndarray) -> np.ndarray:
    """Signed distances in pixels on every STRIDE-th pixel: `(planes, rows, columns) float32`."""
    signs = mask[:, ::STRIDE, ::STRIDE]
    squared = _transform(across, signs.shape)
    turned = _transform(down, (signs.shape[0], signs.shape[2], signs.shape[1]))
    np.minimum(squared, turned.transpose(0, 2, 1), out=squared)
    for k, plane in enumerate(planes):
        for outline in plane:
            _add_tiny(squared[k], outline)
    distance = np.sqrt(squared)
    return np.where(signs, distance, -distance)


def _transform(found: Crossings, shape: tuple[int, int, int]) -> np.ndarray:
    """Squared distances (pixels) from the coarse nodes to the crossings of every STRIDE-th row."""
    coarse = found.row % STRIDE == 0
    place = found.place[coarse]
    line = (found.plane[coarse] * shape[1] + found.row[coarse] // STRIDE) * shape[2]
    along = np.full(shape, UNKNOWN, np.float32)
    for node in (np.floor(place / STRIDE).astype(np.int64), np.floor(place / STRIDE).astype(np.int64) + 1):
        node = np.clip(node, 0, shape[2] - 1)
        np.minimum.at(along.reshape(-1), line + node, np.abs(place - node * STRIDE).astype(np.float32))
    ramp = np.arange(shape[2], dtype=np.float32) * STRIDE
    rising = np.minimum.accumulate(along - ramp, axis=2) + ramp
    falling = np.minimum.accumulate((along + ramp)[:, :, ::-1], axis=2)[:, :, ::-1] - ramp
    return _lower_envelope(np.minimum(rising, falling) ** 2)


def _lower_envelope(squared: np.ndarray) -> np.ndarray:
    """min over j of squared[:, j, :] + ((i - j) * STRIDE)², the second pass of a separable distance transform."""
    best = squared.copy()
    work = np.empty_like(squared)
    for step in range(1, min(squared.shape[1], FARTHEST // UNITS // STRIDE + 1)):
        rise = np.float32((step * STRIDE) ** 2)
        if rise >= best.max():  # what is farther off is no nearer
            break
        np.add(squared[:, :-step], rise, out=work[:, step:])
        np.minimum(best[:, step:], work[:, step:], out=best[:, step:])
        np.add(squared[:, step:], rise, out=work[:, :-step])
        np.minimum(best[:, :-step], work[:, :-step], out=best[:, :-step])
    return best


def _add_tiny(squared: np.ndarray, outline: np.ndarray) -> None:
    """Outlines so small that they may slip between the coarse lines count as a point."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    if (high - low).max() > 2 * STRIDE:
        return
    x, y = (low + high) / 2
    rows = (np.arange(squared.shape[0]) * STRIDE - y).astype(np.float32)
    columns = (np.arange(squared.shape[1]) * STRIDE - x).astype(np.float32)
    np.minimum(squared, rows[:, None] ** 2 + columns**2, out=squared)


def _upsampled(coarse: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Every STRIDE-th pixel -> every pixel, bilinear."""
    tall = np.empty((rows, coarse.shape[1]), np.float32)
    wide = np.empty((rows, columns), np.float32)
    for i in range(STRIDE):
        part = np.float32(i / STRIDE)
        tall[i:-1:STRIDE] = coarse[:-1] + part * (coarse[1:] - coarse[:-1])
    tall[-1] = coarse[-1]
    for i in range(STRIDE):
        part = np.float32(i / STRIDE)
        wide[:, i:-1:STRIDE] = tall[:, :-1] + part * (tall[:, 1:] - tall[:, :-1])
    wide[:, -1] = tall[:, -1]
    return wide
