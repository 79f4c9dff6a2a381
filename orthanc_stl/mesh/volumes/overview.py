"""What a volume looks like, at little cost: a slice across each axis of the body, and how often each value is there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from orthanc_stl.mesh.volumes.inside import blocks, values
from orthanc_stl.mesh.volumes.volume import Volume

MOST_PIXELS = 192
"""Along each side of a slice; of more, every second, third, ... is taken."""

BINS = 1024

# By the axis of the body that the plane stands across (LPS): what points right and down on the screen.
_PLANES = (
    ("sagittal", (0, 1, 0), (0, 0, -1)),
    ("coronal", (1, 0, 0), (0, 0, -1)),
    ("axial", (1, 0, 0), (0, 1, 0)),
)


@dataclass(frozen=True)
class PlaneView:
    """`values` (rows, columns) float64 as they are seen on a screen; `size` is its width and height in mm."""

    plane: str
    values: np.ndarray
    size: tuple[float, float]


@dataclass(frozen=True)
class Overview:
    """`views`: axial, coronal, sagittal. `counts` (BINS,) int64: voxels by their value, from `low` to `high`."""

    views: tuple[PlaneView, ...]
    counts: np.ndarray


def overview_of(volume: Volume, low: float, high: float, threshold: float) -> Overview:
    """Across each axis the slice that has most voxels of at least `threshold`. `low` and `high`: of all finite values.

    >>> overview_of(Volume(np.arange(8.0).reshape(2, 2, 2), np.eye(4)), low=0, high=7, threshold=4).views[0].plane
    'axial'
    """
    counts = np.zeros(BINS, np.int64)
    inside = [np.zeros(n, np.int64) for n in volume.stored.shape]
    for box in blocks(volume.stored.shape[::-1]):
        found = values(volume, box)
        known = found[np.isfinite(found)] if found.dtype.kind == "f" else found
        counts += np.histogram(known, BINS, (low, high if high > low else low + 1))[0]
        test = found >= threshold
        for axis, places in enumerate(reversed(box)):
            inside[axis][places] += test.sum(axis=tuple(other for other in range(3) if other != 2 - axis))
    axes = _body_axes(volume.affine)
    views = (_view(volume, axes, body, int(np.argmax(inside[axes[body]]))) for body in (2, 1, 0))
    return Overview(tuple(views), counts)


def _body_axes(affine: np.ndarray) -> tuple[int, ...]:
    """The volume's axis that lies nearest to each axis of the body."""
    directions = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    return max(permutations(range(3)), key=lambda axes: sum(directions[body, axis] for body, axis in enumerate(axes)))


def _view(volume: Volume, axes: tuple[int, ...], body: int, index: int) -> PlaneView:
    plane, right, down = _PLANES[body]
    across = [slice(None)] * 3
    across[axes[body]] = slice(index, index + 1)
    k, j, i = reversed(across)
    stored = values(volume, (k, j, i)).T  # (nx, ny, nz), of which one is 1
    columns, rows = (axes[int(np.flatnonzero(direction)[0])] for direction in (right, down))
    picture = np.moveaxis(stored, (rows, columns), (0, 1))[:, :, 0]
    for side, (axis, direction) in enumerate(((rows, down), (columns, right))):
        if np.dot(volume.affine[:3, axis], direction) < 0:
            picture = np.flip(picture, side)
    step = -(-max(picture.shape) // MOST_PIXELS)
    sides = np.linalg.norm(volume.affine[:3, :3], axis=0)
    size = (float(sides[columns] * picture.shape[1]), float(sides[rows] * picture.shape[0]))
    return PlaneView(plane, picture[::step, ::step].astype(np.float64), size)
