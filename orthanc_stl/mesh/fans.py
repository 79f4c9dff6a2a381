"""Distances to the triangles around single vertices: bounds of the distance to a whole surface, without a search."""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.threads import in_order
from orthanc_stl.mesh.types import Mesh

POINTS_AT_ONCE = 2048
"""With some 6 triangles each: what is worked out of them stays in the cache."""


def distances_to_fans(points: np.ndarray, centres: np.ndarray, mesh: Mesh) -> np.ndarray:
    """The distance `(n,) float64` of each of `points` `(n, 3)` to the triangles that meet at vertex `centres[n]`.

    The surface is no farther away than that. Infinite for a vertex in no triangle.
    """
    corners = mesh.triangles.reshape(-1)
    order = np.argsort(corners, kind="stable")
    counts = np.bincount(corners, minlength=len(mesh.vertices))
    starts = np.cumsum(counts) - counts
    vertices = mesh.vertices.astype(np.float64)

    def part(start: int) -> np.ndarray:
        own = centres[start : start + POINTS_AT_ONCE]
        sizes = counts[own]
        ends = np.cumsum(sizes)
        place = np.arange(ends[-1]) + np.repeat(starts[own] - (ends - sizes), sizes)
        of_point = np.repeat(points[start : start + POINTS_AT_ONCE], sizes, axis=0)
        squared = _squared_distances(of_point, vertices[mesh.triangles[order[place] // 3]])
        found = np.full(len(own), np.inf)
        found[sizes > 0] = np.sqrt(np.minimum.reduceat(squared, (ends - sizes)[sizes > 0])) if len(squared) else 0
        return found

    return np.concatenate([np.zeros(0), *in_order(part, range(0, len(centres), POINTS_AT_ONCE))])


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
