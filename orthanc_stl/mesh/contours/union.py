"""ROIs drawn in planes of different orientation, as one volume: each is drawn in its own, then carried to one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from orthanc_stl.mesh.contours.distance import FARTHEST, NEAREST, UNITS
from orthanc_stl.mesh.contours.field import volume_of
from orthanc_stl.mesh.contours.frame import Frame
from orthanc_stl.mesh.contours.grid import Grid
from orthanc_stl.mesh.errors import TooManyVoxels
from orthanc_stl.mesh.progress import Progress

NEAR = 5 * UNITS // 2
"""Distances beyond this (units) are not worked out everywhere, so that none beyond it is interpolated."""


@dataclass(frozen=True)
class Window:
    """The part of a grid that another one reaches: from `low` up to `high`, each (layer, row, column)."""

    low: tuple[int, int, int]
    high: tuple[int, int, int]

    @property
    def voxels(self) -> int:
        return int(np.prod(np.subtract(self.high, self.low).clip(0)))


def require_room(grids: Sequence[tuple[Grid, Frame]], limit: int) -> None:
    """Raises TooManyVoxels when all grids, and what is carried onto the first one, are more than `limit` together."""
    voxels = sum(grid.voxels for grid, _ in grids) + sum(_window(grids[0], other).voxels for other in grids[1:])
    if voxels > limit:
        raise TooManyVoxels(voxels, limit)


def united_volume(grids: Sequence[tuple[Grid, Frame]], smooth: bool, progress: Progress) -> np.ndarray:
    """The volume of the union on the first grid, which holds all the others: as `volume_of` gives it."""
    onto, frame = grids[0]
    volume = volume_of(onto, smooth, progress)
    for grid, its_frame in grids[1:]:
        progress(0.5, "uniting ROIs of different orientation")
        other = np.clip(volume_of(grid, smooth, progress), -NEAR, NEAR)
        _add(volume, _window(grids[0], (grid, its_frame)), onto, frame, other, grid, its_frame)
    return volume


def _window(first: tuple[Grid, Frame], other: tuple[Grid, Frame]) -> Window:
    (onto, frame), (grid, its_frame) = first, other
    corners = frame.from_patient(its_frame.to_patient(grid.corners()))
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.array([onto.columns, onto.rows])
    start = np.clip(np.floor((low[:2] - onto.origin) / onto.side).astype(int), 0, size)
    end = np.clip(np.ceil((high[:2] - onto.origin) / onto.side).astype(int) + 1, 0, size)
    layers = np.searchsorted(onto.layers, low[2]), np.searchsorted(onto.layers, high[2], side="right")
    return Window((int(layers[0]), int(start[1]), int(start[0])), (int(layers[1]), int(end[1]), int(end[0])))


def _add(
    volume: np.ndarray, window: Window, onto: Grid, frame: Frame, other: np.ndarray, grid: Grid, its_frame: Frame
) -> None:
    scale = np.float32(grid.side / onto.side)
    (bottom, first_row, first_column), (top, last_row, last_column) = window.low, window.high
    rows, columns = np.mgrid[first_row:last_row, first_column:last_column].reshape(2, -1)
    for layer in range(bottom, top):
        points = onto.placed(np.stack([columns, rows, np.full_like(rows, layer)], axis=1))
        local = its_frame.from_patient(frame.to_patient(points))
        x, y = (local[:, :2] - grid.origin).T / grid.side
        z = np.interp(local[:, 2], grid.layers, np.arange(len(grid.layers)), left=-1, right=len(grid.layers))
        found = map_coordinates(other, [z, y, x], np.float32, order=1, mode="constant", cval=-NEAR) * scale
        values = np.where(found >= 0, np.clip(found, NEAREST, FARTHEST), np.clip(found, -FARTHEST, -NEAREST))
        part = volume[layer, first_row:last_row, first_column:last_column]
        np.maximum(part, np.rint(values).astype(np.int16).reshape(part.shape), out=part)
