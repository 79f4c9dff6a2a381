"""How far points are from a surface when each direction has its own measure: that of eight parts of ellipsoids.

The length of a way is `sqrt(sum((way / half_axis) ** 2))`, where the half-axis of each coordinate is one of two, by the
sign of the way along it. Its unit ball is made of an eighth of each of eight ellipsoids; it is convex, and a body grown
by it holds the points whose shortest way from the body has a length of at most 1.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from orthanc_stl.mesh.compare import samples_of
from orthanc_stl.mesh.types import Mesh

SAMPLES = 30_000
"""Places on the surface besides the middles of all triangles, so that large triangles have several."""

NEIGHBOURS = 8
"""Places around each, itself included, whose triangles are measured to, from the best of them in turn."""

MOST_STEPS = 12
"""From one place to a better one among its neighbours."""


class EllipsoidDistance:
    """Lengths of the shortest ways from the surface of `mesh`.

    `half_axes` `(3, 2)`: mm along x, y, z, of ways downwards and of those upwards; more than 0. `places` `(n, 3)` lie
    on the surface and are where a search begins.
    """

    def __init__(self, mesh: Mesh, half_axes: np.ndarray) -> None:
        self._half_axes = half_axes
        corners = mesh.vertices[mesh.triangles].astype(np.float64)
        samples, chosen = samples_of(mesh, SAMPLES)
        self.places = np.concatenate((corners.mean(axis=1), samples))
        self._coordinates = np.ascontiguousarray(self.places.T)
        self._corners = np.ascontiguousarray(corners.transpose(1, 2, 0))
        self._triangle = np.concatenate((np.arange(len(corners)), chosen))
        self._tree = cKDTree(self.places, balanced_tree=False, leafsize=30)
        self._around = self._tree.query(self.places, min(NEIGHBOURS, len(self.places)), workers=-1)[1]

    def nearest_places(self, points: np.ndarray) -> np.ndarray:
        """The numbers `(n,)` of the places that are nearest in mm to `points` `(n, 3)`."""
        return np.asarray(self._tree.query(points, workers=-1)[1])

    def of_places(self, points: np.ndarray, places: np.ndarray, half_axes: np.ndarray | None = None) -> np.ndarray:
        """The lengths `(n,)` of the ways from `places` `(n,)` to `points` `(n, 3)`, by other half-axes if any."""
        axes = self._half_axes if half_axes is None else half_axes
        return lengths((points - self.places[places]).T, axes)

    def shortest(self, points: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lengths `(n,)` of the shortest ways to `points` `(n, 3)`, looked for from `places` `(n,)` on, and the
        places that they are nearest to."""
        best, found = places.copy(), np.full(len(points), np.inf)
        moving = np.arange(len(points))
        for _ in range(MOST_STEPS):
            around = self._around[best[moving]]
            there = self._of_triangles(points[moving], around)
            chosen = there.argmin(axis=1)
            every = np.arange(len(moving))
            length, place = there[every, chosen], around[every, chosen]
            shorter = length < found[moving]
            found[moving[shorter]] = length[shorter]
            shorter &= place != best[moving]
            best[moving[shorter]] = place[shorter]
            moving = moving[shorter]
            if not len(moving):
                break
        return found, best

    def _of_triangles(self, points: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The lengths `(n, k)` of the shortest ways to `points` `(n, 3)` from the triangles of `places` `(n, k)`."""
        to = points.T[:, :, None]
        way = to - self._coordinates[:, places]
        found = lengths(way, self._half_axes)
        a, b, c = (to - corner[:, self._triangle[places]] for corner in self._corners)
        # The nearest point of a triangle is looked for in the eighth that its place lies in; others have it in theirs.
        axes = np.where(way < 0, self._half_axes[:, 0, None, None], self._half_axes[:, 1, None, None])
        for along, across in _feet(a / axes, b / axes, c / axes):
            found = np.minimum(found, lengths(a + along * (b - a) + across * (c - a), self._half_axes))
        return found


def lengths(ways: np.ndarray, half_axes: np.ndarray) -> np.ndarray:
    """Of `ways` `(3, ...)` in mm, by `half_axes` `(3, 2)`."""
    total = np.zeros(ways.shape[1:])
    for way, (down, up) in zip(ways, half_axes, strict=True):
        total += (way * np.where(way < 0, 1 / down, 1 / up)) ** 2
    return np.sqrt(total)


def _feet(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where on triangles with the corners `(3, ...)` the point nearest to the origin may be: on the three sides, and
    within. As parts of the ways from a to b and from a to c."""
    ab, ac, bc = b - a, c - a, c - b
    along, across, mixed = _dot(ab, ab), _dot(ac, ac), _dot(ab, ac)
    first, second = -_dot(ab, a), -_dot(ac, a)
    side = np.clip(-_dot(bc, b) / np.maximum(_dot(bc, bc), TINY), 0, 1)
    zero = np.zeros_like(side)
    area = along * across - mixed * mixed
    area[area <= TINY] = np.inf
    u, v = (across * first - mixed * second) / area, (along * second - mixed * first) / area
    within = (u >= 0) & (v >= 0) & (u + v <= 1)
    return [
        (np.clip(first / np.maximum(along, TINY), 0, 1), zero),
        (zero, np.clip(second / np.maximum(across, TINY), 0, 1)),
        (1 - side, side),
        (u * within, v * within),
    ]


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


TINY = 1e-30
