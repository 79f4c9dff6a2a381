"""ROIs drawn in planes of different orientation, as one volume: each is drawn in its own, then carried to one grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import map_coordinates

from orthanc_stl.mesh.contours.distance import FARTHEST, NEAREST, UNITS
from orthanc_stl.mesh.contours.field import volume_of
from orthanc_stl.mesh.contours.frame import Frame
from orthanc_stl.mesh.contours.grid import Grid
from orthanc_stl.mesh.progress import Progress

NEAR = 5 * UNITS // 2
"""Distances beyond this (units) are not worked out everywhere, so that none beyond it is interpolated."""


def united_volume(grids: Sequence[tuple[Grid, Frame]], smooth: bool, progress: Progress) -> np.ndarray:
    """The volume of the union on the first grid, which holds all the others: as `volume_of` gives it."""
    onto, frame = grids[0]
    volume = volume_of(onto, smooth, progress)
    for grid, its_frame in grids[1:]:
        progress(0.5, "uniting ROIs of different orientation")
        other = np.clip(volume_of(grid, smooth, progress), -NEAR, NEAR)
        _add(volume, onto, frame, other, grid, its_frame)
    return volume


def _add(volume: np.ndarray, onto: Grid, frame: Frame, other: np.ndarray, grid: Grid, its_frame: Frame) -> None:
    scale = np.float32(grid.side / onto.side)
    rows, columns = np.mgrid[: onto.rows, : onto.columns].reshape(2, -1)
    for layer in range(len(onto.layers)):
        points = onto.placed(np.stack([columns, rows, np.full_like(rows, layer)], axis=1))
        local = its_frame.from_patient(frame.to_patient(points))
        x, y = (local[:, :2] - grid.origin).T / grid.side
        z = np.interp(local[:, 2], grid.layers, np.arange(len(grid.layers)), left=-1, right=len(grid.layers))
        found = map_coordinates(other, [z, y, x], np.float32, order=1, mode="constant", cval=-NEAR) * scale
        values = np.where(found >= 0, np.clip(found, NEAREST, FARTHEST), np.clip(found, -FARTHEST, -NEAREST))
        np.maximum(volume[layer], np.rint(values).astype(np.int16).reshape(onto.rows, -1), out=volume[layer])
