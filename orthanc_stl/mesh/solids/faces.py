"""The flat faces of a mesh, as few convex polygons."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from orthanc_stl.mesh.solids.shell import turned_to
from orthanc_stl.mesh.topology import twins_of
from orthanc_stl.mesh.triangles import corners_of, unit_normals
from orthanc_stl.mesh.types import Mesh

PARALLEL = 1 - 1e-7
"""Cosine of the angle between the normals of triangles in one plane, at least."""

ROUNDING = 1e-6
"""A fraction of the area of two polygons: by so much their convex hull may be larger."""


def convex_polygons(mesh: Mesh) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """The corners `(k,)` of convex polygons that make up the surface of a closed mesh, by the number of one triangle of
    each, and that of each triangle `(m,)`: neighbours in one plane are joined as long as they stay convex (Hertel and
    Mehlhorn, 1983)."""
    points = mesh.vertices.astype(np.float64)
    normals, twins = unit_normals(corners_of(points, mesh.triangles)), twins_of(mesh.triangles, len(points))
    of = np.arange(len(mesh.triangles))
    corners = dict(enumerate(mesh.triangles))
    areas = {number: _hull(points[three], normals[number])[1] for number, three in corners.items()}
    flat = np.flatnonzero((normals[np.arange(len(twins)) // 3] * normals[twins // 3]).sum(axis=1) > PARALLEL)
    joined = True
    while joined:
        joined = False
        for one, other in zip(of[flat // 3].tolist(), of[twins[flat] // 3].tolist(), strict=True):
            if one == other or one not in corners or other not in corners:
                continue
            both = np.union1d(corners[one], corners[other])
            rim, area = _hull(points[both], normals[one])
            if 0 < area <= (areas[one] + areas[other]) * (1 + ROUNDING):
                corners[one], areas[one] = both[rim], area
                of[of == other] = one
                del corners[other]
                joined = True
    return corners, of


def _hull(points: np.ndarray, normal: np.ndarray) -> tuple[np.ndarray, float]:
    """Which of `points` `(n, 3)` in a plane are the corners of their convex hull, and its area; 0 for a line."""
    if not normal.any():  # of a triangle without area
        return np.arange(len(points)), 0.0
    flat = (points - points[0]) @ turned_to(normal)[:, :2]
    try:
        hull = ConvexHull(flat)
    except QhullError:
        return np.arange(len(points)), 0.0
    return hull.vertices, float(hull.volume)
