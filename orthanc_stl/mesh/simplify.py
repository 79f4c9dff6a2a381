"""Fewer and better triangles: vertices around a grid node become one.

Flying edges puts a vertex on each grid edge that the surface crosses, so slivers abound. Here each vertex joins those
that lie on other edges of its nearest grid node, at their mean, which is on the surface wherever that is flat on the
scale of a voxel. That takes two fifths of the triangles and all slivers away. (Merging vertices near a grid node is
the idea of SnapMC: Raman and Wenger, Computer Graphics Forum 27 (2008) 791.)

What comes out is checked to be a closed manifold of the same Euler number; where it is not (parts thinner than a
voxel), the vertices stay apart.
"""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.topology import Topology, crowded_vertices, topology_of

ROUNDS = 8
"""How often vertices that must stay apart are looked for before nothing is merged at all. Real ROIs take 1 to 3."""


def simplified(
    points: np.ndarray, triangles: np.ndarray, shape: tuple[int, ...], pairs: bool
) -> tuple[np.ndarray, np.ndarray, Topology]:
    """Fewer vertices `(n, 3)` (still in voxel indices x, y, z) and triangles `(m, 3) int32`, and their topology.

    `points` lie on edges of the grid of `shape` (layers, rows, columns). With `pairs`, vertices on neighbouring edges
    along the layers' normal are merged two by two, for voxels about twice as long as wide.
    """
    order, node = _by_node(points, shape)
    leads = np.empty(len(node), bool)
    leads[:1] = True
    np.not_equal(node[1:], node[:-1], out=leads[1:])
    if pairs:
        _pair_up(points, order, node, leads, shape)
    whole = len(points) - len(triangles) // 2
    for attempt in range(ROUNDS):
        group = np.empty(len(points), np.int32)
        group[order] = np.cumsum(leads, dtype=np.int32) - 1
        fewer = _distinct(group[triangles])
        topology = topology_of(fewer, int(leads.sum()))
        if topology.closed and topology.euler_number == whole:
            return _means(points, group), fewer, topology
        apart = np.bincount(fewer.reshape(-1), minlength=int(leads.sum())) == 0
        apart[crowded_vertices(fewer, len(apart)) if topology.closed else topology.bad_vertices] = True
        if attempt == 0:
            apart |= _both_sides(points, group)
        leads |= apart[group[order]]
    return points, triangles, topology_of(triangles, len(points))


def _both_sides(points: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Which groups have vertices on opposite sides of their node: there the body, or a gap in it, is a voxel thin."""
    offset = points - np.rint(points)
    sides = np.zeros((6, group.max(initial=-1) + 1), bool)
    for axis in range(3):
        sides[axis, group[offset[:, axis] > 0]] = True
        sides[axis + 3, group[offset[:, axis] < 0]] = True
    return np.any(sides[:3] & sides[3:], axis=0)


def _by_node(points: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The order of the points by their nearest grid node, and the nodes (flat indices) in that order."""
    nearest = np.rint(points).astype(np.int32)
    node = nearest[:, 2].astype(np.int64)
    for axis in (1, 0):
        node *= shape[2 - axis]
        node += nearest[:, axis]
    order = np.argsort(node, kind="stable")  # they come nearly in order, which this sort makes use of
    return order, node[order]


def _pair_up(
    points: np.ndarray, order: np.ndarray, node: np.ndarray, leads: np.ndarray, shape: tuple[int, ...]
) -> None:
    """Lets a vertex alone at its node join the one of the next column, if both lie on edges along the normal.

    The pairs are laid like bricks, in every other row one column further on.
    """
    ends = np.append(leads[1:], True)
    single = np.flatnonzero(leads & ends)
    place = points[order[single]]
    upright = (place[:, 0] == np.rint(place[:, 0])) & (place[:, 1] == np.rint(place[:, 1]))
    single = single[upright]
    column, row = node[single] % shape[2], node[single] // shape[2] % shape[1]
    neighbours = (np.diff(single) == 1) & (np.diff(node[single]) == 1) & ((column + row)[:-1] % 2 == 0)
    leads[single[1:][neighbours]] = False


def _distinct(triangles: np.ndarray) -> np.ndarray:
    """The triangles that still have three different corners."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    return triangles.compress((a != b) & (b != c) & (c != a), axis=0)


def _means(points: np.ndarray, group: np.ndarray) -> np.ndarray:
    counts = np.bincount(group)
    return np.stack([np.bincount(group, points[:, axis]) / counts for axis in range(3)], axis=1)
