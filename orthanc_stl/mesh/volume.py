"""Planes -> volume: signed distances on the layers of the grid, for one ROI or the union of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from orthanc_stl.mesh.between import Span, span_values
from orthanc_stl.mesh.distance import FARTHEST, NEAREST, UNITS, signed_distances
from orthanc_stl.mesh.grid import Grid, Slab
from orthanc_stl.mesh.islands import Lonely
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.mesh.slices import Piece


def volume_of(grid: Grid, smooth: bool, progress: Progress) -> np.ndarray:
    """`(layers, rows, columns) int16`: signed distances in UNITS of a pixel, positive inside any of the ROIs."""
    volume = np.full((len(grid.layers), grid.rows, grid.columns), -FARTHEST, np.int16)
    alone = len(grid.slabs) == 1
    for i, slab in enumerate(grid.slabs):
        progress(0.1 + 0.4 * i / len(grid.slabs), "drawing the contours")
        row, column, rows, columns = slab.window
        fields, lonely = _fields(grid, slab)
        window = volume[:, row : row + rows, column : column + columns]
        for piece in slab.pieces:
            for layers, values in _piece_values(grid, slab, piece, fields, lonely, smooth):
                if alone:
                    window[layers] = values
                else:
                    np.maximum(window[layers], values, out=window[layers])
    return volume


def _fields(grid: Grid, slab: Slab) -> tuple[np.ndarray, list[Lonely]]:
    """The signed distances on the ROI's own planes."""
    row, column, rows, columns = slab.window
    corner = grid.origin + grid.side * np.array([column, row])
    outlines = [[(outline - corner) / grid.side for outline in plane.outlines] for plane in slab.roi.planes]
    return signed_distances(outlines, rows, columns)


def _piece_values(
    grid: Grid, slab: Slab, piece: Piece, fields: np.ndarray, lonely: Sequence[Lonely], smooth: bool
) -> Iterator[tuple[slice, np.ndarray]]:
    """The layers of one piece with their values, from the layer below its lower end to the one above its upper end."""
    lowest = max(int(np.searchsorted(grid.layers, piece.low)) - 1, 0)
    highest = min(int(np.searchsorted(grid.layers, piece.high)), len(grid.layers) - 1)
    spans = _spans(slab, piece, fields, lonely)
    starts = np.array([span.start for span in spans[1:]])
    owner = np.searchsorted(starts, grid.layers[lowest : highest + 1], side="right")
    for index, span in enumerate(spans):
        members = np.flatnonzero(owner == index) + lowest
        if not len(members):
            continue
        layers = slice(int(members[0]), int(members[-1]) + 1)
        values = span_values(span, grid.layers[layers], smooth)
        for layer, member in zip(values, members, strict=True):
            if member <= lowest + 1 or member >= highest - 1:
                _cut(layer, piece, float(grid.layers[member]), grid.side)
        yield layers, values


def _cut(layer: np.ndarray, piece: Piece, height: float, side: float) -> None:
    """Ends the body at the piece's ends: the distance to the nearer one counts too."""
    distance = int(np.rint(min(height - piece.low, piece.high - height) / side * UNITS))
    if abs(distance) < NEAREST:
        distance = -NEAREST
    np.minimum(layer, np.int16(max(-FARTHEST, min(distance, FARTHEST))), out=layer)


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
