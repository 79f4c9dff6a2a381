"""Outlines on a grid of pixels: where they cross its rows, and what lies inside by the even-odd rule.

All planes are worked on at once. A crossing is exact (no pixel is drawn), does not depend on the direction in which
an outline is drawn, and an outline that runs back on itself (a keyhole's bridge) cancels out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.contours.polygon import ahead

SLIT = 0.25
"""In pixels: two crossings closer than this are no boundary but a slit (a keyhole's bridge, which comes back beside or
on itself) or a very thin spike; neither can be resolved by the grid, and both would pull the surface towards them."""


@dataclass(frozen=True)
class Crossings:
    """Where outlines cross rows of pixel centres: plane, row (int64) and place along the row (float64, pixels).

    Sorted by plane, row and place; each row of each plane has an even number of them.
    """

    plane: np.ndarray
    row: np.ndarray
    place: np.ndarray

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True)
class Edges:
    """The edges of all outlines: from (x0, y0) to (x1, y1) in pixels, y0 <= y1, on plane `plane`."""

    plane: np.ndarray
    x0: np.ndarray
    y0: np.ndarray
    x1: np.ndarray
    y1: np.ndarray

    def transposed(self) -> Edges:
        return _upward(self.plane, self.y0, self.x0, self.y1, self.x1)


def edges_of(planes: Sequence[Sequence[np.ndarray]]) -> Edges:
    """The edges of the outlines of each plane; an outline is (m, 2) in pixels, closed by itself."""
    outlines = [(k, outline) for k, plane in enumerate(planes) for outline in plane]
    if not outlines:
        empty = np.zeros(0)
        return Edges(empty.astype(np.int64), empty, empty, empty, empty)
    start = np.concatenate([outline for _, outline in outlines])
    end = np.concatenate([ahead(outline) for _, outline in outlines])
    plane = np.repeat([k for k, _ in outlines], [len(outline) for _, outline in outlines])
    return _upward(plane, start[:, 0], start[:, 1], end[:, 0], end[:, 1])


def _upward(plane: np.ndarray, x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> Edges:
    down = y1 < y0
    return Edges(plane, np.where(down, x1, x0), np.where(down, y1, y0), np.where(down, x0, x1), np.where(down, y0, y1))


def crossings(edges: Edges, rows: int) -> Crossings:
    """Where the edges cross rows 0..rows-1. A row belongs to an edge with y0 <= row < y1, so ends count once."""
    first = np.clip(np.ceil(edges.y0), 0, rows).astype(np.int64)
    count = np.clip(np.ceil(edges.y1), 0, rows).astype(np.int64) - first
    crossing = np.flatnonzero(count > 0)
    first, count = first[crossing], count[crossing]
    slope = (edges.x1[crossing] - edges.x0[crossing]) / (edges.y1[crossing] - edges.y0[crossing])
    edge = np.repeat(np.arange(len(crossing)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    place = edges.x0[crossing][edge] + (row - edges.y0[crossing][edge]) * slope[edge]
    plane = edges.plane[crossing][edge]
    line = plane * rows + row
    order = np.lexsort((place, line))
    line, place = line[order], place[order]
    keep = ~_slits(line, place)
    return Crossings(line[keep] // rows, line[keep] % rows, place[keep])


def _slits(line: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Which crossings pair up closer than SLIT: in a run of close ones all but the last of an odd number."""
    close = (np.diff(line) == 0) & (np.diff(place) < SLIT)
    starts = np.concatenate(([True], ~close)) if len(line) else np.zeros(0, bool)
    run = np.cumsum(starts) - 1
    length = np.bincount(run)[run] if len(line) else run
    rank = np.arange(len(line)) - np.flatnonzero(starts)[run]
    return rank < length - length % 2


def inside(found: Crossings, shape: tuple[int, int, int]) -> np.ndarray:
    """Which pixel centres lie inside: bool array of `shape` (planes, rows, columns)."""
    size = shape[0] * shape[1] * shape[2]
    column = np.clip(np.ceil(found.place), 0, shape[2]).astype(np.int64)
    changes = (found.plane * shape[1] + found.row) * shape[2] + column
    lengths = np.diff(changes, prepend=0, append=size)
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(shape)
