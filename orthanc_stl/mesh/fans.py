"""Distances to the triangles around single vertices: bounds of the distance to a whole surface, without a search."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from orthanc_stl.mesh.threads import in_order
from orthanc_stl.mesh.triangles import CHUNK
from orthanc_stl.mesh.types import Mesh

POINTS_AT_ONCE = 8192
"""What is worked out of so many points stays in the cache."""


class Fans:
    """The triangles that meet at each vertex of a mesh, and what is needed to find distances to them.

    >>> from orthanc_stl.mesh.types import Mesh
    >>> corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    >>> fans = Fans(Mesh(corners, np.array([[0, 1, 2]], np.int32)))
    >>> fans.distances(np.array([[0.2, 0.2, 3.0]]), np.array([0])).tolist()
    [3.0]
    """

    def __init__(self, mesh: Mesh) -> None:
        corners = mesh.triangles.reshape(-1)
        self._corners = mesh.triangles
        self._vertices = mesh.vertices.astype(np.float64)
        numbers = np.repeat(np.arange(len(mesh.triangles)), 3)
        shape = len(mesh.triangles), len(mesh.vertices)
        starts = np.arange(0, len(corners) + 1, 3)
        columns = csr_array((numbers, corners, starts), shape=shape).tocsc()
        self._triangles = columns.data
        self._starts, self._counts = columns.indptr[:-1].astype(np.int64), np.diff(columns.indptr)

    @cached_property
    def _planes(self) -> np.ndarray:
        return _planes(self._vertices, self._corners)

    @cached_property
    def _boxes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Triangles `(m,)` by their lowest x, the lowest and highest coordinates `(3, m)` of each, and the widest."""
        a, b, c = (self._vertices.T.take(corners, axis=1) for corners in self._corners.T)
        low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
        order = np.argsort(low[0])
        return order, low[:, order], high[:, order], float((high[0] - low[0]).max(initial=0))

    def distances(self, points: np.ndarray, centres: np.ndarray, near: float = 0.0) -> np.ndarray:
        """The distance `(n,) float64` of each of `points` `(n, 3)` to the triangles that meet at vertex `centres[n]`.

        The surface is no farther away than that. Where some triangle of the fan lies right below or above a point and
        no farther than `near`, that is enough, and its distance is given even if another one is nearer. Infinite for a
        vertex in no triangle.
        """

        def part(start: int) -> np.ndarray:
            some, own = points[start : start + POINTS_AT_ONCE], centres[start : start + POINTS_AT_ONCE]
            found = self._below(some, own, near)
            rest = np.flatnonzero(found > near)
            if len(rest):
                found[rest] = self._exact(some[rest], own[rest])
            return found

        return np.concatenate([np.zeros(0), *in_order(part, range(0, len(centres), POINTS_AT_ONCE))])

    def within_bounds(self, points: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        """The distance `(n,) float64` of `points` `(n, 3)` to all triangles, none of them above its `bounds` `(n,)`."""
        order, low, high, widest = self._boxes
        lowest, highest = (points - bounds[:, None]).tolist(), (points + bounds[:, None]).tolist()
        starts = np.searchsorted(low[0], points[:, 0] - bounds - widest).tolist()
        ends = np.searchsorted(low[0], points[:, 0] + bounds, side="right").tolist()
        rows, near = [], []
        for row, (down, up, start, end) in enumerate(zip(lowest, highest, starts, ends, strict=True)):
            meet = np.ones(end - start, bool)
            for axis in range(3):
                meet &= low[axis, start:end] <= up[axis]
                meet &= high[axis, start:end] >= down[axis]
            found = order[start:end][meet]
            near.append(found)
            rows.append(np.full(len(found), row))
        of_point, triangle = (np.concatenate([np.zeros(0, np.int64), *each]) for each in (rows, near))
        squared = bounds**2
        np.minimum.at(squared, of_point, _squared_distances(points[of_point], self._vertices[self._corners[triangle]]))
        return np.minimum(bounds, np.sqrt(squared))

    def _below(self, points: np.ndarray, centres: np.ndarray, near: float) -> np.ndarray:
        """Distances `(n,)` to the first triangle of each fan that has the point's foot, not farther than `near`."""
        found = np.full(len(points), np.inf)
        left = np.arange(len(points))
        at, starts, counts = np.ascontiguousarray(points.T), self._starts[centres], self._counts[centres]
        turn = 0
        while len(left := left[counts[left] > turn]):
            triangle = self._triangles[starts[left] + turn]
            x, y, z = at[:, left]
            u, v, height = (
                way[0].take(triangle) * x
                + way[1].take(triangle) * y
                + way[2].take(triangle) * z
                + way[3].take(triangle)
                for way in self._planes
            )
            np.abs(height, out=height)
            good = (u >= 0) & (v >= 0) & (u + v <= 1) & (height <= near)
            found[left[good]] = height[good]
            left = left[~good]
            turn += 1
        return found

    def _exact(self, points: np.ndarray, centres: np.ndarray) -> np.ndarray:
        """The distance `(n,)` to the nearest triangle of each fan."""
        sizes = self._counts[centres]
        ends = np.cumsum(sizes)
        place = np.arange(ends[-1]) + np.repeat(self._starts[centres] - (ends - sizes), sizes)
        corners = self._vertices[self._corners[self._triangles[place]]]
        squared = _squared_distances(np.repeat(points, sizes, axis=0), corners)
        found = np.full(len(centres), np.inf)
        if len(squared):
            found[sizes > 0] = np.sqrt(np.minimum.reduceat(squared, (ends - sizes)[sizes > 0]))
        return found


def _planes(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Four numbers for each triangle, `(3, 4, m) float64`, to be multiplied with a point and 1, in three rows.

    The first two give how far along its two edges the foot of the point lies, the third the distance to its plane.
    """
    planes = np.empty((3, 4, len(triangles)))
    for start in range(0, len(triangles), CHUNK):
        chunk = slice(start, start + CHUNK)
        corners = np.ascontiguousarray(vertices[triangles[chunk]].transpose(1, 2, 0))
        e1, e2 = corners[1] - corners[0], corners[2] - corners[0]
        normal = np.stack([e1[i] * e2[j] - e1[j] * e2[i] for i, j in ((1, 2), (2, 0), (0, 1))])
        d11, d12, d22 = _dot(e1, e1), _dot(e1, e2), _dot(e2, e2)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = d11 * d22 - d12 * d12
            ways = ((d22 * e1 - d12 * e2) / size, (d11 * e2 - d12 * e1) / size, normal / np.sqrt(size))
            for row, way in zip(planes, ways, strict=True):
                row[:3, chunk], row[3, chunk] = way, -_dot(way, corners[0])
    return planes


def _squared_distances(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Of points `(n, 3)` to triangles `(n, 3, 3)`, one to one: to the plane if the foot lies within, else to edges."""
    offset = (points - corners[:, 0]).T
    e1, e2 = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    d11, d12, d22 = _dot(e1, e1), _dot(e1, e2), _dot(e2, e2)
    p1, p2 = _dot(offset, e1), _dot(offset, e2)
    size = d11 * d22 - d12 * d12
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v = (d22 * p1 - d12 * p2) / size, (d11 * p2 - d12 * p1) / size
    within = (u >= 0) & (v >= 0) & (u + v <= 1)
    rest = offset - np.where(within, u, 0) * e1 - np.where(within, v, 0) * e2
    found: np.ndarray = _dot(rest, rest)
    outside = np.flatnonzero(~within)
    if len(outside):
        o, a, b = offset[:, outside], e1[:, outside], e2[:, outside]
        to_edges = np.minimum(_to_segment(o, a), _to_segment(o, b))
        found[outside] = np.minimum(to_edges, _to_segment(o - a, b - a))
    return found


def _to_segment(offset: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Squared distances of `offset` `(3, n)` to the segments from 0 to `edge` `(3, n)`."""
    length = _dot(edge, edge)
    along = np.clip(_dot(offset, edge) / np.where(length > 0, length, 1), 0, 1)
    rest = offset - along * edge
    return _dot(rest, rest)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
