"""The surface of a mesh as few patches that are nearly flat and nearly convex."""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.solids.shell import turned_to
from orthanc_stl.mesh.topology import twins_of
from orthanc_stl.mesh.triangles import area_normals, corners_of
from orthanc_stl.mesh.types import Mesh

PARALLEL = 1 - 1e-7
"""Cosine of the angle between the normals of triangles in one plane, at least."""

STEEPEST = 0.8
"""Cosine of the angle between the normals of patches that are joined, at least."""

Point = tuple[float, ...]


def patches_of(mesh: Mesh, off: float) -> np.ndarray:
    """The number of the patch `(m,)` of each triangle of a closed mesh: neighbours are joined, those in one plane
    first, as long as no point of the convex hull of their corners is more than about `off` mm from them (as Hertel and
    Mehlhorn, 1983, do in a plane)."""
    points = mesh.vertices.astype(np.float64)
    areas = area_normals(corners_of(points, mesh.triangles)).T
    unit = areas / np.maximum(np.linalg.norm(areas, axis=1), 1e-30)[:, None]
    twins = twins_of(mesh.triangles, len(points))
    sides = np.column_stack((np.arange(len(twins)) // 3, twins // 3))[np.arange(len(twins)) < twins]
    flat = (unit[sides[:, 0]] * unit[sides[:, 1]]).sum(axis=1)
    sides = sides[np.argsort(-flat.round(6), kind="stable")][: np.count_nonzero(flat.round(6) >= STEEPEST)]
    of, places = np.arange(len(areas)), points.tolist()
    corners = dict(enumerate(map(frozenset[int], mesh.triangles.tolist())))
    tried: set[tuple[frozenset[int], frozenset[int]]] = set()
    joined = True
    while joined:
        joined = False
        for first, second in sides.tolist():
            one, other = int(of[first]), int(of[second])
            if one == other or (corners[one], corners[other]) in tried:
                continue
            both = corners[one] | corners[other]
            if _is_flat(np.array([places[corner] for corner in both]), areas[one], areas[other], off):
                corners[one], areas[one] = both, areas[one] + areas[other]
                of[of == other] = one
                joined = True
            else:
                tried.add((corners[one], corners[other]))
    return of


def _is_flat(points: np.ndarray, one: np.ndarray, other: np.ndarray, off: float) -> bool:
    """Whether `points` `(n, 3)` lie in one plane and on the rim of their convex hull there, but for `off` mm; `one` and
    `other`: the normals of two patches, as long as their areas."""
    normal = one + other
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths == 0 or float(one @ other) < STEEPEST * lengths:
        return False
    flat = (points - points[0]) @ turned_to(normal / np.linalg.norm(normal))
    if np.ptp(flat[:, 2]) > off:
        return False
    rim = _hull(sorted(map(tuple, flat[:, :2].tolist())))
    starts = np.array(rim)
    ways = np.roll(starts, -1, axis=0) - starts
    ways /= np.maximum(np.hypot(*ways.T), 1e-12)[:, None]
    inwards = ways[:, 0] * (flat[:, None, 1] - starts[:, 1]) - ways[:, 1] * (flat[:, None, 0] - starts[:, 0])
    return bool(inwards.min(axis=1).max() <= off)


def _hull(points: list[Point]) -> list[Point]:
    """The corners of the convex hull of sorted points of a plane, anticlockwise (Andrew's monotone chain)."""
    rim: list[Point] = []
    for way in (points, points[::-1]):
        start = len(rim)
        for x, y in way:
            while len(rim) > start + 1:
                (x0, y0), (x1, y1) = rim[-2:]
                if (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0:
                    break
                rim.pop()
            rim.append((x, y))
        rim.pop()
    return rim
