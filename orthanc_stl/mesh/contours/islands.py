"""Parts of a plane that meet nothing of their kind on the next plane: where a body, or a hole in it, ends in between.

Worked out on runs (stretches of pixels of one row) of all planes at once: there are some hundred in a plane, where it
has a hundred thousand pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from orthanc_stl.mesh.contours.raster import Crossings


@dataclass(frozen=True)
class Runs:
    """Stretches of pixels: `line` is plane * rows + row, `first` to `last` (inclusive) are columns; int64, sorted."""

    line: np.ndarray
    first: np.ndarray
    last: np.ndarray


@dataclass(frozen=True)
class Island:
    """Flat pixel indices of the parts of plane `plane` that meet nothing of their kind on the next plane above
    (`above`) or below; `solid` says whether the part is inside the body or a hole."""

    plane: int
    above: bool
    solid: bool
    pixels: np.ndarray


def islands_of(found: Crossings, shape: tuple[int, int, int]) -> list[Island]:
    """The islands of all planes of `shape` (planes, rows, columns), towards both neighbours."""
    parts = []
    for solid, runs in ((True, _inner(found, shape)), (False, _outer(found, shape))):
        part = _parts(runs, shape)
        for above in (True, False):
            met = np.zeros(part.max(initial=-1) + 1, bool)
            met[part[_meeting(runs, runs, shape[1] if above else -shape[1])[0]]] = True
            alone = ~met[part]
            for plane in np.unique(runs.line[alone] // shape[1]).tolist():
                if 0 <= plane + (1 if above else -1) < shape[0]:
                    mine = alone & (runs.line // shape[1] == plane)
                    parts.append(Island(plane, above, solid, _pixels(runs, mine, plane, shape)))
    return parts


def _inner(found: Crossings, shape: tuple[int, int, int]) -> Runs:
    line = found.plane * shape[1] + found.row
    first = np.clip(np.ceil(found.place), 0, shape[2]).astype(np.int64)
    return _some(line[::2], first[::2], first[1::2] - 1)


def _outer(found: Crossings, shape: tuple[int, int, int]) -> Runs:
    every = np.arange(shape[0] * shape[1])
    line = np.concatenate((found.plane * shape[1] + found.row, every, every))
    first = np.concatenate((np.clip(np.ceil(found.place), 0, shape[2]), 0 * every, 0 * every + shape[2]))
    order = np.lexsort((first, line))
    line, first = line[order], first[order].astype(np.int64)
    return _some(line[::2], first[::2], first[1::2] - 1)


def _some(line: np.ndarray, first: np.ndarray, last: np.ndarray) -> Runs:
    keep = last >= first
    return Runs(line[keep], first[keep], last[keep])


def _parts(runs: Runs, shape: tuple[int, int, int]) -> np.ndarray:
    """The number of the connected part (of its plane) that each run belongs to."""
    upper, lower = _meeting(runs, runs, 1)
    same = runs.line[upper] // shape[1] == runs.line[lower] // shape[1]
    upper, lower = upper[same], lower[same]
    count = len(runs.line)
    graph = coo_array((np.ones(len(upper), bool), (upper, lower)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _meeting(runs: Runs, others: Runs, lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (run, other) that share a column, the other lying `lines` lines further on."""
    width = max(int(runs.last.max(initial=0)), int(others.last.max(initial=0))) + 2
    line = (runs.line + lines) * width
    start = np.searchsorted(others.line * width + others.last, line + runs.first)
    end = np.searchsorted(others.line * width + others.first, line + runs.last, side="right")
    count = np.maximum(end - start, 0)
    run = np.repeat(np.arange(len(count)), count)
    return run, np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count) + start[run]


def _pixels(runs: Runs, chosen: np.ndarray, plane: int, shape: tuple[int, int, int]) -> np.ndarray:
    """The flat indices within the plane of all pixels of the chosen runs, ascending."""
    start = (runs.line[chosen] - plane * shape[1]) * shape[2] + runs.first[chosen]
    count = (runs.last - runs.first + 1)[chosen]
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(start, count)
