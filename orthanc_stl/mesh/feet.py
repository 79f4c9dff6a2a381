"""Distances of points to a closed surface that they are near, by walking from triangle to triangle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from orthanc_stl.mesh.types import Mesh

POINTS_AT_ONCE = 8192
"""What is worked out of so many points stays in the cache."""

STEPS = 8
"""How many triangles are looked at. Of the points near organs nine in ten need three or fewer, one in 200 all."""


class Feet:
    """Finds the triangle that has a point's foot, from one near there, across one edge at a time.

    >>> from orthanc_stl.mesh.topology import closed_twins
    >>> corners = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4]], np.float32)
    >>> tetrahedron = Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32))
    >>> feet = Feet(tetrahedron, closed_twins(tetrahedron.triangles, 4))
    >>> distances, triangles = feet.found(np.array([[1.0, 1.0, -0.5]]), np.array([1]))
    >>> distances.tolist(), triangles.tolist()
    ([0.5], [0])
    """

    def __init__(self, mesh: Mesh, twins: np.ndarray) -> None:
        """`twins` `(3 m,)`: those of the mesh's half-edges (topology.closed_twins)."""
        self._corners = np.ascontiguousarray(mesh.triangles.T)
        self._places = np.ascontiguousarray(mesh.vertices.T, np.float32)
        self._vertices = self._places.astype(np.float64)
        self._beyond = twins // 3

    @cached_property
    def _boxes(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest coordinates `(3, m) float32` of each triangle."""
        a, b, c = (self._places.take(corners, axis=1) for corners in self._corners)
        return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)

    def found(self, points: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For `points` `(n, 3)`, from triangles `start` `(n,) int64`: where the walks end, and the distances to there.

        The surface is no farther away than that; nearer only where another part of it is, or the walk ended too early.
        """
        squared, ends = np.full(len(points), np.inf), start.astype(np.int64)
        places = np.ascontiguousarray(points.T)
        left, at, before = np.arange(len(points)), ends.copy(), np.full(len(points), -1)
        for _ in range(STEPS):
            walks = [self._step(places, squared, each) for each in _in_parts(left, at, before)]
            if not walks:
                break
            left, at, before = (np.concatenate(each) for each in zip(*walks, strict=True))
            ends[left] = at
        lost = np.flatnonzero(np.isinf(squared))
        squared[lost] = squared_distances(places.take(lost, axis=1), self._of(ends[lost]))
        return np.sqrt(squared), ends

    def _step(
        self, points: np.ndarray, squared: np.ndarray, walks: tuple[np.ndarray, ...]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of few `walks` (points by number, triangles where they are, and where they came from) those that go on.

        The `squared` distances of the others are set, but where they would only go to and fro, at a ridge.
        """
        left, at, before = walks
        weights, height = _foot(points.take(left, axis=1), self._of(at))
        lowest = np.minimum(np.minimum(weights[0], weights[1]), weights[2])
        within = lowest >= 0
        squared[left[within]] = height[within]
        side = np.where(lowest == weights[0], 1, np.where(lowest == weights[1], 2, 0))  # opposite to the corner
        onward = self._beyond.take(3 * at + side)
        further = np.flatnonzero(~within & (onward != before))
        return left.take(further), onward.take(further), at.take(further)

    def within_bounds(self, points: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        """The distance `(n,) float64` of `points` `(n, 3)` to all triangles, none of them above its `bounds` `(n,)`."""
        low, high = self._boxes
        lowest, highest = (
            np.nextafter((points + side * bounds[:, None]).astype(np.float32), np.float32(side * np.inf)).tolist()
            for side in (-1, 1)
        )
        rows, near = [], []
        for row, (down, up) in enumerate(zip(lowest, highest, strict=True)):
            found = np.flatnonzero((low[0] <= up[0]) & (high[0] >= down[0]))
            for axis in (1, 2):
                found = found[(low[axis].take(found) <= up[axis]) & (high[axis].take(found) >= down[axis])]
            near.append(found)
            rows.append(np.full(len(found), row))
        of_point, triangle = (np.concatenate([np.zeros(0, np.int64), *each]) for each in (rows, near))
        squared = bounds**2
        np.minimum.at(squared, of_point, squared_distances(points[of_point].T, self._of(triangle)))
        return np.minimum(bounds, np.sqrt(squared))

    def _of(self, triangles: np.ndarray) -> list[np.ndarray]:
        """The three corners of triangles, each `(3, n)`."""
        return [self._vertices.take(corners.take(triangles), axis=1) for corners in self._corners]


def _in_parts(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """The same places of all `arrays` `(n,)`, POINTS_AT_ONCE at a time."""
    for start in range(0, len(arrays[0]), POINTS_AT_ONCE):
        yield tuple(array[start : start + POINTS_AT_ONCE] for array in arrays)


def _foot(points: np.ndarray, corners: list[np.ndarray]) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Weights of the three corners, each `(n,)`, at the feet of `points` `(3, n)` in the planes of triangles, up to a
    factor of each triangle; and the squared distances `(n,)` to the planes.
    """
    e1, e2, offset = corners[1] - corners[0], corners[2] - corners[0], points - corners[0]
    d11, d12, d22 = _dot(e1, e1), _dot(e1, e2), _dot(e2, e2)
    p1, p2 = _dot(offset, e1), _dot(offset, e2)
    size = d11 * d22 - d12 * d12
    second, third = d22 * p1 - d12 * p2, d11 * p2 - d12 * p1
    with np.errstate(divide="ignore", invalid="ignore"):
        height = _dot(offset, offset) - (p1 * second + p2 * third) / size
    return (size - second - third, second, third), np.maximum(height, 0)


def squared_distances(points: np.ndarray, corners: list[np.ndarray]) -> np.ndarray:
    """Of points `(3, n)` to triangles, one to one: to the plane if the foot lies within, else to edges."""
    weights, found = _foot(points, corners)
    outside = np.flatnonzero(~(np.minimum(np.minimum(weights[0], weights[1]), weights[2]) >= 0))
    if len(outside):
        a, b, c = (corner[:, outside] for corner in corners)
        to_edges = [_to_segment(points[:, outside] - start, end - start) for start, end in ((a, b), (b, c), (c, a))]
        found[outside] = np.minimum(np.minimum(to_edges[0], to_edges[1]), to_edges[2])
    return found


def _to_segment(offset: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Squared distances of `offset` `(3, n)` to the segments from 0 to `edge` `(3, n)`."""
    length = _dot(edge, edge)
    along = np.clip(_dot(offset, edge) / np.where(length > 0, length, 1), 0, 1)
    rest = offset - along * edge
    return _dot(rest, rest)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
