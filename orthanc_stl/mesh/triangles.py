"""Triangles as arrays: their normals, and meshes from triangles that share no vertices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.mesh.types import Mesh

CHUNK = 16384
"""Triangles worked on at once: their arrays stay within the processor's second-level cache."""


def corners_of(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The corners `(9, m)` of `triangles` `(m, 3) int`, as `area_normals` takes them. `vertices` is `(n, 3)`."""
    return np.ascontiguousarray(vertices.take(triangles, axis=0).reshape(-1, 9).T)


def unit_normals(corners: np.ndarray) -> np.ndarray:
    """Unit normals `(m, 3)` of triangles with such corners `(9, m)`, of their dtype; zero for one without area."""
    normals = area_normals(corners)
    length = np.sqrt((normals * normals).sum(axis=0))
    length[length == 0] = 1
    return (normals / length).T


def area_normals(corners: np.ndarray) -> np.ndarray:
    """Normals `(3, n)` as long as twice the area, of triangles `(9, n)`: contiguous rows make this fast."""
    a, b = corners[3:6] - corners[:3], corners[6:] - corners[:3]
    normals = np.empty_like(a)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.subtract(a[j] * b[k], a[k] * b[j], out=normals[i])
    return normals


def merged(corners: np.ndarray) -> Mesh:
    """The mesh of triangle corners `(m, 3, 3) float32`, with vertices at exactly the same place as one."""
    points = np.ascontiguousarray(corners.reshape(-1, 3) + np.float32(0))  # -0.0 becomes 0.0
    keys = points.view(np.dtype((np.void, 12))).reshape(-1)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return Mesh(points[first], inverse.reshape(-1, 3).astype(np.int32))


def vertex_normals(mesh: Mesh) -> np.ndarray:
    """Unit normals `(n, 3) float32` of the vertices: those of the triangles around, weighted by area.

    (0, 0, 1) for a vertex without triangles, or whose triangles cancel out.
    """
    sums = np.zeros((3, len(mesh.vertices)))
    for start in range(0, len(mesh.triangles), CHUNK):
        triangles = mesh.triangles[start : start + CHUNK]
        normals = area_normals(corners_of(mesh.vertices, triangles))
        low, high = int(triangles.min()), int(triangles.max()) + 1
        corners = triangles.reshape(-1) - low
        for axis, values in enumerate(normals):
            sums[axis, low:high] += np.bincount(corners, np.repeat(values, 3), high - low)
    length = np.sqrt((sums * sums).sum(axis=0))
    sums[:, length == 0] = [[0], [0], [1]]
    length[length == 0] = 1
    return np.ascontiguousarray((sums / length).T, dtype=np.float32)


def chosen_part(mesh: Mesh, chosen: np.ndarray) -> Mesh:
    """The triangles that are `chosen` `(m,) bool`, with the vertices that they use."""
    triangles = mesh.triangles[chosen]
    used = np.zeros(len(mesh.vertices), bool)
    used[triangles.reshape(-1)] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return Mesh(mesh.vertices[used], number[triangles])


def together(meshes: Sequence[Mesh]) -> Mesh:
    """All triangles in one mesh; nothing is merged."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    moved = [mesh.triangles + np.int32(start) for mesh, start in zip(meshes, starts[:-1], strict=True)]
    none = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    return Mesh(
        np.concatenate([none.vertices, *(mesh.vertices for mesh in meshes)]),
        np.concatenate([none.triangles, *moved]).astype(np.int32, copy=False),
    )


def signed_volumes(mesh: Mesh) -> np.ndarray:
    """Six times the signed volume `(m,) float64` (mm³) of the tetrahedron of each triangle and the mesh's middle."""
    found = np.zeros(len(mesh.triangles))
    if not len(mesh.vertices):
        return found
    points = mesh.vertices - mesh.vertices.mean(axis=0, dtype=np.float64)
    for start in range(0, len(found), CHUNK):
        chunk = slice(start, start + CHUNK)
        a, b, c = (np.ascontiguousarray(points[corners].T) for corners in mesh.triangles[chunk].T)
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            found[chunk] += a[i] * (b[j] * c[k] - b[k] * c[j])
    return found


def mean_normal(mesh: Mesh, vertices: np.ndarray) -> np.ndarray:
    """The mean normal `(3,) float64`, by area, of the triangles that have one of `vertices` `(n,) int`."""
    near = np.isin(mesh.triangles, vertices).any(axis=1)
    corners = mesh.vertices[mesh.triangles[near]].astype(np.float64)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).sum(axis=0)
    return np.asarray(normal / max(float(np.linalg.norm(normal)), 1e-30))
