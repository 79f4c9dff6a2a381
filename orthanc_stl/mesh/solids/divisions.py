"""Triangles that are divided at points on their edges, so that the surface stays closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.types import Mesh


@dataclass(frozen=True)
class Divisions:
    """Of some triangles: `edges` `(m, 3, 3)` the points that divide their edges (nan: not divided), `middles` `(m, 3)`
    those in the triangles where three sides meet."""

    triangles: np.ndarray
    edges: np.ndarray
    middles: np.ndarray

    def without(self, bad: np.ndarray) -> Divisions:
        """Without those of the `bad` triangles `(m,) bool`, and of the edges that others share with them."""
        keys = edge_keys(self.triangles)
        edges, middles = self.edges.copy(), self.middles.copy()
        edges[np.isin(keys, keys[bad])] = np.nan
        middles[bad] = np.nan
        return Divisions(self.triangles, edges, middles)


def edge_keys(triangles: np.ndarray) -> np.ndarray:
    """A number `(m, 3)` for each edge, from corner to next corner, alike for both triangles at it."""
    starts, ends = triangles.astype(np.int64), np.roll(triangles, -1, axis=1).astype(np.int64)
    return np.asarray(np.minimum(starts, ends) << 32 | np.maximum(starts, ends))


def divided(
    points: np.ndarray, triangles: np.ndarray, touched: np.ndarray, divisions: Divisions
) -> tuple[Mesh, np.ndarray]:
    """The mesh with the divisions of its `touched` triangles, and the number of the triangle that each came from."""
    with_edge, with_middle = (~np.isnan(one[..., 0]) for one in (divisions.edges, divisions.middles))
    keys, first, back = np.unique(edge_keys(divisions.triangles)[with_edge], return_index=True, return_inverse=True)
    new = np.full(with_edge.shape, -1)
    new[with_edge] = len(points) + back
    centre = np.full(len(with_middle), -1)
    centre[with_middle] = len(points) + len(keys) + np.arange(with_middle.sum())
    vertices = np.concatenate((points, divisions.edges[with_edge][first], divisions.middles[with_middle]))
    number, count = np.flatnonzero(touched), np.where(with_middle, -1, with_edge.sum(axis=1))
    made, parents = [triangles[~touched]], [np.flatnonzero(~touched)]
    for kind, ways in _PIECES.items():
        for shift in range(3 if kind in (1, 2) else 1):
            chosen = count == kind
            if kind in (1, 2):
                chosen &= np.roll(with_edge, -shift, axis=1)[:, 0] == (kind == 1)
            a, b, c = np.roll(divisions.triangles[chosen], -shift, axis=1).T
            x, y, z = np.roll(new[chosen], -shift, axis=1).T
            ends = {"a": a, "b": b, "c": c, "x": x, "y": y, "z": z}
            other = np.zeros(len(a), bool)
            if len(ways) > 1:
                other = ((vertices[b] - vertices[z]) ** 2 - (vertices[a] - vertices[y]) ** 2).sum(axis=1) < 0
            for pieces, those in zip(ways, (~other, other), strict=False):
                for corners in pieces.split():
                    made.append(np.column_stack([ends[corner][those] for corner in corners]))
                    parents.append(number[chosen][those])
    ends_of, between, middle = (one[with_middle] for one in (divisions.triangles, new, centre))
    for start, end in ((0, 1), (1, 2), (2, 0)):
        on, x = between[:, start] >= 0, between[:, start]
        for a, b, those in ((ends_of[:, start], x, on), (x, ends_of[:, end], on), (*ends_of[:, (start, end)].T, ~on)):
            made.append(np.column_stack((a, b, middle))[those])
            parents.append(number[with_middle][those])
    faces = np.concatenate(made).astype(np.int32)
    return Mesh(vertices.astype(np.float32), faces), np.concatenate(parents)


_PIECES = {
    0: ("abc",),
    1: ("axc xbc",),
    2: ("czy aby ayz", "czy abz byz"),
    3: ("axz xby ycz xyz",),
}
"""The triangles that a triangle abc becomes, by how many of its edges are divided: ab at x, bc at y, ca at z. One
divided edge is ab; two are bc and ca, and the quadrangle abyz is divided by the shorter of its diagonals."""
