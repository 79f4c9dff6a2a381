"""Planes -> volume: signed distances on the layers of the grid, for one ROI or the union of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.contours.between import Span, span_values
from orthanc_stl.mesh.contours.distance import FARTHEST, NEAREST, signed_distances
from orthanc_stl.mesh.contours.grid import Grid, Slab
from orthanc_stl.mesh.contours.islands import Lonely
from orthanc_stl.mesh.contours.slices import Piece
from orthanc_stl.mesh.progress import Progress


def volume_of(grid: Grid, smooth: bool, progress: Progress) -> np.ndarray:
    """`(layers, rows, columns) int16`: signed distances in UNITS of a pixel, positive inside any of the ROIs."""
    volume = np.full((len(grid.layers), grid.rows, grid.columns), -FARTHEST, np.int16)
    for i, slab in enumerate(grid.slabs):
        progress(0.1 + 0.4 * i / len(grid.slabs), "drawing the contours")
        row, column, rows, columns = slab.window
        window = volume[:, row : row + rows, column : column + columns]
        fields, lonely = _fields(grid, slab)
        for piece in slab.pieces:
            for part in _parts(grid, slab, piece, fields, lonely):
                values = span_values(part.span, part.heights, smooth)
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


def _fields(grid: Grid, slab: Slab) -> tuple[np.ndarray, list[Lonely]]:
    """The signed distances on the ROI's own planes."""
    row, column, rows, columns = slab.window
    corner = grid.origin + grid.side * np.array([column, row])
    outlines = [[(outline - corner) / grid.side for outline in plane.outlines] for plane in slab.roi.planes]
    return signed_distances(outlines, rows, columns)


def _parts(grid: Grid, slab: Slab, piece: Piece, fields: np.ndarray, lonely: Sequence[Lonely]) -> Iterator[_Part]:
    """A piece by spans, from the layer below its lower end to the one above its upper end."""
    lowest = int(np.searchsorted(grid.layers, piece.low)) - 1
    highest = int(np.searchsorted(grid.layers, piece.high))
    heights = grid.layers[lowest : highest + 1].copy()
    ratios = {
        lowest: (piece.low - heights[0]) / (heights[1] - piece.low),
        highest: (heights[-1] - piece.high) / (piece.high - heights[-2]),
    }
    heights[0], heights[-1] = heights[1], heights[-2]
    spans = _spans(slab, piece, fields, lonely)
    starts = [span.start for span in spans[1:]]
    owner = np.searchsorted(starts, heights, side="right")
    for index, span in enumerate(spans):
        members = np.flatnonzero(owner == index)
        if len(members):
            first, last = int(members[0]) + lowest, int(members[-1]) + lowest
            outer = tuple((layer - first, float(ratio)) for layer, ratio in ratios.items() if first <= layer <= last)
            yield _Part(span, slice(first, last + 1), heights[members], outer)


def _mirror(layer: np.ndarray, ratio: float) -> None:
    """Makes a copy of the last layer inside into the first outside, so that the body ends between them at its end."""
    outside = np.rint(np.abs(layer.astype(np.float32)) * -np.float32(ratio))
    layer[...] = np.clip(outside, -FARTHEST, -NEAREST)


def _spans(slab: Slab, piece: Piece, fields: np.ndarray, lonely: Sequence[Lonely]) -> list[Span]:
    """What lies between the planes of a piece, and beyond its end planes."""
    planes = range(piece.first, piece.last + 1)
    places = slab.positions
    spans = []
    if piece.low < places[piece.first]:
        tapered = _tapered(slab, piece, fields, piece.first, piece.first + 1, piece.low)
        spans.append(Span(piece.low, float(places[piece.first]), tapered, fields[piece.first]))
    for k in planes[:-1]:
        before = (fields[k - 1], float(places[k] - places[k - 1])) if k > piece.first else None
        after = (fields[k + 2], float(places[k + 2] - places[k + 1])) if k + 2 <= piece.last else None
        alone = [part for part in lonely if part.plane == (k if part.above else k + 1)]
        spans.append(Span(float(places[k]), float(places[k + 1]), fields[k], fields[k + 1], before, after, alone))
    if piece.high > places[piece.last]:
        tapered = _tapered(slab, piece, fields, piece.last, piece.last - 1, piece.high)
        spans.append(Span(float(places[piece.last]), piece.high, fields[piece.last], tapered))
    return spans


def _tapered(slab: Slab, piece: Piece, fields: np.ndarray, end: int, inner: int, to: float) -> np.ndarray:
    """The field at `to`, beyond the end plane: as the last two planes taper; it may narrow there, never widen."""
    if piece.first == piece.last:
        return fields[end]
    ratio = np.float32(abs(to - slab.positions[end]) / abs(slab.positions[end] - slab.positions[inner]))
    change = np.minimum(fields[end].astype(np.float32) - fields[inner], 0)
    tapered = np.rint(fields[end] + ratio * change)
    tapered = np.where(tapered < NEAREST, np.minimum(tapered, -NEAREST), tapered)
    return np.clip(tapered, -FARTHEST, FARTHEST).astype(np.int16)
