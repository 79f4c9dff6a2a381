"""What a volume looks like, at little cost: seen along each axis of the body, and how often each value is there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from orthanc_stl.mesh.volumes.inside import blocks, values
from orthanc_stl.mesh.volumes.volume import Volume

MOST_PIXELS = 192
"""Along each side of a picture; of more, two, three, ... become one."""

BINS = 1024

# By the axis of the body that is looked along (LPS): the name, and what points right and down on the screen.
_VIEWS = (
    ("sagittal", (0, 1, 0), (0, 0, -1)),
    ("coronal", (1, 0, 0), (0, 0, -1)),
    ("axial", (1, 0, 0), (0, 1, 0)),
)


@dataclass(frozen=True)
class Projection:
    """`values` (rows, columns) float64: the highest on each line of sight, as on a screen; -inf where none is known.

    So a pixel has a threshold or more where any voxel behind it has. `size`: width and height in mm.
    """

    plane: str
    values: np.ndarray
    size: tuple[float, float]


@dataclass(frozen=True)
class Overview:
    """`views`: axial, coronal, sagittal. `counts` (BINS,) int64: voxels by their value, from `low` to `high`."""

    views: tuple[Projection, ...]
    counts: np.ndarray


def overview_of(volume: Volume, low: float, high: float) -> Overview:
    """`low` and `high`: of all finite values.

    >>> overview_of(Volume(np.arange(8.0).reshape(2, 2, 2), np.eye(4)), low=0, high=7).views[0].values.tolist()
    [[1.0, 5.0], [3.0, 7.0]]
    """
    counts = np.zeros(BINS, np.int64)
    shape = volume.stored.shape
    highest = [np.full(shape[:axis] + shape[axis + 1 :], -np.inf) for axis in range(3)]
    for box in blocks(shape[::-1]):
        found = values(volume, box)
        if found.dtype.kind == "f":
            found = np.where(np.isfinite(found), found, -np.inf)
        counts += np.histogram(found[found >= low], BINS, (low, high if high > low else low + 1))[0]
        places = box[::-1]
        for axis, picture in enumerate(highest):
            part = picture[places[:axis] + places[axis + 1 :]]
            np.maximum(part, found.T.max(axis=axis), out=part)
    axes = _body_axes(volume.affine)
    return Overview(tuple(_view(volume.affine, axes, body, highest[axes[body]]) for body in (2, 1, 0)), counts)


def _body_axes(affine: np.ndarray) -> tuple[int, ...]:
    """The volume's axis that lies nearest to each axis of the body."""
    directions = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    return max(permutations(range(3)), key=lambda axes: sum(directions[body, axis] for body, axis in enumerate(axes)))


def _view(affine: np.ndarray, axes: tuple[int, ...], body: int, picture: np.ndarray) -> Projection:
    """`picture` has the two axes of the volume that are left, in their order."""
    plane, right, down = _VIEWS[body]
    columns, rows = (axes[int(np.flatnonzero(direction)[0])] for direction in (right, down))
    picture = picture if rows < columns else picture.T
    for side, (axis, direction) in enumerate(((rows, down), (columns, right))):
        if np.dot(affine[:3, axis], direction) < 0:
            picture = np.flip(picture, side)
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    size = (float(sides[columns] * picture.shape[1]), float(sides[rows] * picture.shape[0]))
    step = -(-max(picture.shape) // MOST_PIXELS)
    for side in (0, 1):
        picture = np.maximum.reduceat(picture, np.arange(0, picture.shape[side], step), axis=side)
    return Projection(plane, picture, size)
