"""Vertices moved along their normals, but not so that the surface passes through itself.

Surfaces that face each other a fraction of a voxel apart (fissures, thin walls, arches) cross when both are moved, and
so do the triangles of a crease. Vertices there stay where they were; nowhere else is anything lost.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.triangles import area_normals, corners_of
from orthanc_stl.mesh.types import Mesh

ROUNDS = 6
"""How often more vertices are held, with those around them, before all stay where they were."""

FACING = 0.2
"""Where no triangle's normal is farther from their mean than this cosine, the surface cannot cross itself: every line
along the mean meets it once."""

REACH = 1.2
"""In longest edges: no farther apart do the middles of two triangles lie that cross (2 x 2/3 of the longest median)."""

MOST_UNUSED_BLOCKS = 1_000_000
"""Blocks that may hold no triangle: with more, only those in use are kept, which takes a sort to find them."""


MOST_COMPARED = 1_000_000
"""Triangles that are compared with each other: so many have ten million pairs of overlapping boxes."""


def without_new_crossings(before: Mesh, after: Mesh) -> Mesh:
    """`after`, a mesh of the same triangles, with the vertices of `before` around triangles that have come to cross.

    `before` itself where more triangles may cross than can be compared, or where they cross however many are held.
    """
    held = np.zeros(len(before.vertices), bool)
    mesh = after
    for _ in range(ROUNDS):
        some = _may_cross(mesh)
        if len(some) > MOST_COMPARED:
            return before
        crossing = some[np.unique(crossing_triangles(Mesh(mesh.vertices, mesh.triangles[some])))]
        corners = mesh.triangles[crossing]
        if held[corners].all():  # none, or such as crossed before
            return mesh
        held[corners] = True
        held[mesh.triangles[held[mesh.triangles].any(axis=1)]] = True
        mesh = Mesh(np.where(held[:, None], before.vertices, after.vertices), mesh.triangles)
    return before


def _may_cross(mesh: Mesh) -> np.ndarray:
    """The numbers of the triangles around which the surface faces so many ways that it may cross itself."""
    corners = corners_of(mesh.vertices, mesh.triangles)
    sides = (corners[first : first + 3] - corners[second : second + 3] for first, second in ((0, 3), (3, 6), (6, 0)))
    side = REACH * float(np.sqrt(max((edge * edge).sum(axis=0).max(initial=0) for edge in sides)))
    normals = _units(area_normals(corners).astype(np.float64))
    middles = corners.reshape(3, 3, -1).mean(axis=0, dtype=np.float64)
    cells = ((middles - middles.min(axis=1, initial=np.inf, keepdims=True)) / max(side, 1e-30)).astype(np.int64)
    found = np.zeros(cells.shape[1], bool)
    size = (cells.max(axis=1, initial=0) + 1) // 2 + 1
    for by in product((0, 1), repeat=3):  # any two neighbouring cells are of one block in one of these
        x, y, z = ((along + one) >> 1 for along, one in zip(cells, by, strict=True))
        block = (x * size[1] + y) * size[2] + z
        count = int(size.prod())
        if count > MOST_UNUSED_BLOCKS + len(block):
            numbers, block = np.unique(block, return_inverse=True)
            count = len(numbers)
        mean = _units(np.stack([np.bincount(block, along, count) for along in normals]))
        apart = sum(way.take(block) * along for way, along in zip(mean, normals, strict=True)) < FACING
        some = np.zeros(count, bool)
        some[block[apart]] = True
        found |= some[block]
    return np.flatnonzero(found)


def _units(vectors: np.ndarray) -> np.ndarray:
    """`(3, n)`, each of length 1, or shorter if it had next to none."""
    return np.asarray(vectors / np.maximum(np.sqrt((vectors * vectors).sum(axis=0)), 1e-30))
