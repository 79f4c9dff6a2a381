"""Planes -> volume: signed distances on the layers of the grid, for one ROI or the union of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import shift as shifted

from orthanc_stl.mesh.contours.between import Span, span_values
from orthanc_stl.mesh.contours.distance import FARTHEST, NEAREST, UNITS, signed_distances
from orthanc_stl.mesh.contours.grid import Grid, Slab
from orthanc_stl.mesh.contours.islands import Island
from orthanc_stl.mesh.contours.parts import Chain
from orthanc_stl.mesh.progress import Progress


def volume_of(grid: Grid, smooth: bool, progress: Progress) -> np.ndarray:
    """`(layers, rows, columns) int16`: signed distances in UNITS of a pixel, positive inside any of the ROIs."""
    volume = np.full((len(grid.layers), grid.rows, grid.columns), -FARTHEST, np.int16)
    for i, slab in enumerate(grid.slabs):
        progress(0.1 + 0.4 * i / len(grid.slabs), "drawing the contours")
        row, column, rows, columns = slab.window
        window = volume[:, row : row + rows, column : column + columns]
        fields, islands = _fields(grid, slab)
        for part in _parts(grid, slab.chain, fields, islands):
            values = span_values(part.span, part.heights, smooth, slab.chain.shift is not None)
            if slab.chain.shift is not None:
                _move(values, part.heights, slab.chain, grid.side)
            for index, ratio in part.outer:
                _mirror(values[index], ratio)
            np.maximum(window[part.layers], values, out=window[part.layers])
    return volume


@dataclass(frozen=True)
class _Part:
    """The layers of one span of a piece, and the heights (mm along the normal) to take their values at.

    `outer`: those (counted from the first) outside of the piece, and how far from its end they lie, as a multiple of
    how far the last layer inside does.
    """

    span: Span
    layers: slice
    heights: np.ndarray
    outer: tuple[tuple[int, float], ...]


def _fields(grid: Grid, slab: Slab) -> tuple[np.ndarray, list[Island]]:
    """The signed distances on the chain's own planes; a vessel that moves on is drawn where it is first."""
    row, column, rows, columns = slab.window
    corner = grid.origin + grid.side * np.array([column, row])
    moved = [np.zeros(2), np.array(slab.chain.shift)] if slab.chain.shift else [np.zeros(2)] * len(slab.chain.layers)
    outlines = [
        [(outline - corner - by) / grid.side for outline in layer.outlines]
        for layer, by in zip(slab.chain.layers, moved, strict=True)
    ]
    return signed_distances(outlines, rows, columns)


def _move(values: np.ndarray, heights: np.ndarray, chain: Chain, side: float) -> None:
    """Moves the values at `heights` to where the vessel is there."""
    start, end = chain.positions.tolist()
    x, y = np.array(chain.shift) / side
    for layer, height in zip(values, heights.tolist(), strict=True):
        t = (height - start) / (end - start)
        moved = shifted(layer.astype(np.float32), (t * y, t * x), order=1, mode="constant", cval=-FARTHEST)
        sign = np.where(moved >= 0, np.float32(1), np.float32(-1))
        layer[...] = np.rint(sign * np.clip(np.abs(moved), NEAREST, FARTHEST))


def _parts(grid: Grid, chain: Chain, fields: np.ndarray, islands: Sequence[Island]) -> Iterator[_Part]:
    """A chain by spans, from the layer below its lower end to the one above its upper end."""
    joined = chain.joined
    lowest = _nearest(grid.layers, chain.low) if joined[0] else int(np.searchsorted(grid.layers, chain.low)) - 1
    highest = _nearest(grid.layers, chain.high) if joined[1] else int(np.searchsorted(grid.layers, chain.high))
    heights = grid.layers[lowest : highest + 1].copy()
    least = NEAREST / UNITS * grid.side  # a layer may lie at the very end, because that of another chain does
    ratios = {}
    if not joined[0]:
        ratios[lowest] = (chain.low - heights[0]) / max(heights[1] - chain.low, least)
        heights[0] = heights[1]
    if not joined[1]:
        ratios[highest] = (heights[-1] - chain.high) / max(chain.high - heights[-2], least)
        heights[-1] = heights[-2]
    spans = _spans(chain, fields, islands)
    starts = [span.start for span in spans[1:]]
    owner = np.searchsorted(starts, heights, side="right")
    for index, span in enumerate(spans):
        members = np.flatnonzero(owner == index)
        if len(members):
            first, last = int(members[0]) + lowest, int(members[-1]) + lowest
            outer = tuple((layer - first, float(ratio)) for layer, ratio in ratios.items() if first <= layer <= last)
            yield _Part(span, slice(first, last + 1), heights[members], outer)


def _nearest(layers: np.ndarray, place: float) -> int:
    after = min(max(int(np.searchsorted(layers, place)), 1), len(layers) - 1)
    return after if layers[after] - place <= place - layers[after - 1] else after - 1


def _mirror(layer: np.ndarray, ratio: float) -> None:
    """Makes a copy of the last layer inside into the first outside, so that the body ends between them at its end."""
    outside = np.rint(np.abs(layer.astype(np.float32)) * -np.float32(ratio))
    layer[...] = np.clip(outside, -FARTHEST, -NEAREST)


def _spans(chain: Chain, fields: np.ndarray, islands: Sequence[Island]) -> list[Span]:
    """What lies between the planes of a chain, and beyond its end planes."""
    places = chain.positions.tolist()
    last = len(places) - 1
    spans = []
    if chain.low < places[0]:
        spans.append(Span(chain.low, places[0], _tapered(places, fields, 0, 1, chain.low), fields[0]))
    for k in range(last):
        before = (fields[k - 1], places[k] - places[k - 1]) if k > 0 else None
        after = (fields[k + 2], places[k + 2] - places[k + 1]) if k + 2 <= last else None
        alone = [part for part in islands if part.plane == (k if part.above else k + 1)]
        spans.append(Span(places[k], places[k + 1], fields[k], fields[k + 1], before, after, alone))
    if chain.high > places[last]:
        spans.append(Span(places[last], chain.high, fields[last], _tapered(places, fields, last, last - 1, chain.high)))
    return spans


def _tapered(places: Sequence[float], fields: np.ndarray, end: int, inner: int, to: float) -> np.ndarray:
    """The field at `to`, beyond the end plane: as the last two planes taper; it may narrow there, never widen."""
    if len(places) == 1:
        return fields[end]
    ratio = np.float32(abs(to - places[end]) / abs(places[end] - places[inner]))
    change = np.minimum(fields[end].astype(np.float32) - fields[inner], 0)
    tapered = np.rint(fields[end] + ratio * change)
    tapered = np.where(tapered < NEAREST, np.minimum(tapered, -NEAREST), tapered)
    return np.clip(tapered, -FARTHEST, FARTHEST).astype(np.int16)
