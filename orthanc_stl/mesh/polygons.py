"""Polygons of files -> triangles: fans where they are convex, else by manifold3d, which folds no triangle over another.

A fan of a polygon that is not convex has the right volume, but triangles that lie on each other, partly outside.
"""

from __future__ import annotations

import manifold3d
import numpy as np

from orthanc_stl.errors import TooLarge

FLAT = 1e-9
"""Of the square of a polygon's area: a triangle of its fan is turned over if it faces backwards by more."""

MOST_CONCAVE_CORNERS = 1 << 13
"""Of a polygon that is not convex: the time goes with the square, 0.1 s at 8,000 corners."""


def triangulated(points: np.ndarray, corners: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles `(n, 3) int64` of polygons, in their order, and of which polygon each is `(n,) int64`.

    `points` (p, 3) mm; `corners` `(m,)` are the indices of all corners one after the other, `sizes` how many of them
    each polygon has, at least 3. Raises TooLarge for a polygon of very many corners that is not convex.

    >>> arrow = np.array([(0, 0, 0), (4, -4, 0), (0, 8, 0), (-4, -4, 0)])
    >>> triangulated(arrow, np.array([1, 2, 3, 0]), np.array([4]))[0].tolist()
    [[0, 1, 2], [0, 2, 3]]
    """
    corners, sizes = np.asarray(corners, np.int64), np.asarray(sizes, np.int64)
    counts = sizes - 2
    starts, first_triangles = np.cumsum(sizes) - sizes, np.cumsum(counts) - counts
    owners = np.repeat(np.arange(len(sizes)), counts)
    middle = starts[owners] + np.arange(len(owners)) - first_triangles[owners] + 1
    triangles = np.stack((corners[starts[owners]], corners[middle], corners[middle + 1]), axis=1)
    if not len(sizes) or sizes.max() == 3:
        return triangles, owners
    with np.errstate(all="ignore"):  # what is no finite place faces nowhere
        spread = points[triangles].astype(np.float64)
        normals = np.cross(spread[:, 1] - spread[:, 0], spread[:, 2] - spread[:, 0])
        whole = np.stack([np.bincount(owners, normals[:, axis], len(sizes)) for axis in range(3)], axis=1)
        turned = (normals * whole[owners]).sum(axis=1) < -FLAT * (whole * whole).sum(axis=1)[owners]
    for polygon in np.unique(owners[turned]).tolist():
        own = corners[starts[polygon] : starts[polygon] + sizes[polygon]]
        found = _without_folds(points[own].astype(np.float64), whole[polygon])
        if len(found) == counts[polygon]:
            triangles[first_triangles[polygon] :][: len(found)] = own[found]
    return triangles, owners


def _without_folds(points: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Triangles `(n - 2, 3)` of one polygon `(n, 3)`, whose area vector is `normal`, in indices of its corners."""
    if len(points) > MOST_CONCAVE_CORNERS:
        raise TooLarge(
            f"a polygon of {len(points):,} corners is not convex; such polygons may have up to {MOST_CONCAVE_CORNERS:,}"
        )
    across = np.eye(3)[int(np.argmin(np.abs(normal)))]
    x = np.cross(across, normal)
    y = np.cross(normal, x)
    flat = np.stack((points @ (x / np.linalg.norm(x)), points @ (y / np.linalg.norm(y))), axis=1)
    return np.asarray(manifold3d.triangulate([flat]), np.int64)
