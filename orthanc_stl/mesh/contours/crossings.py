"""Vertices moved along their normals, but not so that the surface passes through itself.

Surfaces that face each other a fraction of a voxel apart (fissures, thin walls, arches) cross when both are moved, and
so do the triangles of a crease. Vertices there stay where they were; nowhere else is anything lost.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.types import Mesh

ROUNDS = 6
"""How often more vertices are held, with those around them, before all stay where they were."""

FACING = 0.2
"""Where no triangle's normal is farther from their mean than this cosine, the surface cannot cross itself: every line
along the mean meets it once."""

REACH = 1.2
"""Longest edges: no farther apart do the middles of two triangles lie that cross (2 x 2/3 of the longest median)."""


def without_new_crossings(before: Mesh, after: Mesh) -> Mesh:
    """`after`, a mesh of the same triangles, with the vertices of `before` around triangles that have come to cross."""
    held = np.zeros(len(before.vertices), bool)
    mesh = after
    for _ in range(ROUNDS):
        some = _curled(mesh)
        crossing = some[np.unique(crossing_triangles(Mesh(mesh.vertices, mesh.triangles[some])))]
        corners = mesh.triangles[crossing]
        if held[corners].all():  # none, or such as crossed before
            return mesh
        held[corners] = True
        held[mesh.triangles[held[mesh.triangles].any(axis=1)]] = True
        mesh = Mesh(np.where(held[:, None], before.vertices, after.vertices), mesh.triangles)
    return before


def _curled(mesh: Mesh) -> np.ndarray:
    """The numbers of the triangles around which the surface faces so many ways that it may cross itself."""
    corners = mesh.vertices[mesh.triangles]
    edges = corners - np.roll(corners, 1, axis=1)
    side = REACH * float(np.sqrt((edges * edges).sum(axis=2).max(initial=0)))
    normals = np.cross(edges[:, 1], edges[:, 2]).astype(np.float64)
    normals /= np.maximum(np.linalg.norm(normals, axis=1), 1e-30)[:, None]
    middles = corners.mean(axis=1, dtype=np.float64)
    cells = ((middles - middles.min(axis=0, initial=np.inf)) / max(side, 1e-30)).astype(np.int64)
    curled = np.zeros(len(cells), bool)
    for by in product((0, 1), repeat=3):  # any two neighbouring cells are of one block in one of these
        blocks = (cells + by) // 2
        size = blocks.max(axis=0, initial=0) + 1
        _, block = np.unique((blocks[:, 0] * size[1] + blocks[:, 1]) * size[2] + blocks[:, 2], return_inverse=True)
        mean = np.stack([np.bincount(block, normals[:, axis]) for axis in range(3)], axis=1)
        mean /= np.maximum(np.linalg.norm(mean, axis=1), 1e-30)[:, None]
        apart = (mean[block] * normals).sum(axis=1) < FACING
        curled |= np.bincount(block, apart)[block] > 0
    return np.flatnonzero(curled)
