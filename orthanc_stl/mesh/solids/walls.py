"""How thick the walls of a body are, and where they are too thin.

Measured at points spread evenly over the surface, so that neither large nor small triangles are judged by one place or
left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.sampling import sampled_triangles
from orthanc_stl.mesh.solids.booleans import manifold_of, middle_of
from orthanc_stl.mesh.triangles import area_normals, corners_of
from orthanc_stl.mesh.types import Mesh

FEWEST, MOST = 5_000, 40_000
"""Points at which walls are measured: one for each square as wide as the wall that is asked for, but within these.
Each takes 10 to 20 µs."""

FARTHEST = 10.0
"""Times the width that is asked for: thicker walls are not measured."""

START = 1e-3
"""mm below the surface that the way inwards begins."""

ASIDE = 2.0
"""In the way from one point to the next: how far apart two points are taken to be for each unit that their normals
differ, so that triangles without a point take that of their own side of the wall."""


@dataclass(frozen=True)
class ThinPlace:
    """A part of the surface under which the wall is too thin.

    `middle` in LPS mm, `area` in mm², `thickness` in mm where it is thinnest.
    """

    middle: tuple[float, float, float]
    area: float
    thickness: float


@dataclass(frozen=True)
class Walls:
    """`thickness` `(m,)` in mm: the least that was met under each triangle, infinite beyond FARTHEST and for triangles
    without area.
    `thin`: the places that are too thin, the largest first."""

    thickness: np.ndarray
    thin: tuple[ThinPlace, ...]


def walls_of(mesh: Mesh, wall: float) -> Walls:
    """Of a closed mesh; walls of less than `wall` mm are too thin."""
    count = int(np.clip(np.ceil(area_and_volume(mesh)[0] / wall / wall), FEWEST, MOST))
    points, triangle = sampled_triangles(mesh, count)
    normals = area_normals(corners_of(mesh.vertices.astype(np.float64), mesh.triangles))
    areas = np.linalg.norm(normals, axis=0) / 2
    units = (normals / np.maximum(2 * areas, 1e-30)).T
    found = _inwards(mesh, points, units[triangle], FARTHEST * wall)
    without = np.flatnonzero((np.bincount(triangle, minlength=len(areas)) == 0) & (areas > 0))
    if len(without):
        aside = ASIDE * np.sqrt(areas.sum() / count)
        middles = mesh.vertices[mesh.triangles[without]].mean(axis=1, dtype=np.float64)
        tree = cKDTree(np.hstack((points, aside * units[triangle])))
        nearest = tree.query(np.hstack((middles, aside * units[without])), workers=-1)[1]
        points, triangle = np.concatenate((points, middles)), np.concatenate((triangle, without))
        found = np.concatenate((found, found[nearest]))
    thickness = np.full(len(areas), np.inf)
    np.minimum.at(thickness, triangle, found)
    shares = areas[triangle] / np.bincount(triangle)[triangle]
    thin = found < wall
    return Walls(thickness, _places(mesh, points[thin], triangle[thin], shares[thin], found[thin]))


def _inwards(mesh: Mesh, points: np.ndarray, normals: np.ndarray, farthest: float) -> np.ndarray:
    """How far `(n,)` mm it is from each of `points` straight inwards to the surface, up to `farthest`."""
    origin = middle_of([mesh])
    body = manifold_of(mesh, origin)
    start, end = points - origin - normals * START, points - origin - normals * farthest
    found = np.full(len(points), np.inf)
    for number, (here, there) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        hits = body.ray_cast(tuple(here), tuple(there))
        if hits:
            found[number] = START + hits[0].distance * (farthest - START)
    return found


def _places(
    mesh: Mesh, points: np.ndarray, triangle: np.ndarray, areas: np.ndarray, thickness: np.ndarray
) -> tuple[ThinPlace, ...]:
    """Of thin `points` `(n, 3)`, each of which stands for one of `areas` in its `triangle`: triangles that share a
    vertex are one place."""
    if not len(points):
        return ()
    ends = mesh.triangles[np.unique(triangle)][:, [0, 1, 0, 2]].reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(len(mesh.vertices),) * 2)
    place = connected_components(graph, directed=False)[1][mesh.triangles[triangle, 0]]
    found = []
    for number in np.unique(place):
        own = place == number
        x, y, z = np.average(points[own], axis=0, weights=areas[own]).tolist()
        found.append(ThinPlace((x, y, z), float(areas[own].sum()), float(thickness[own].min())))
    return tuple(sorted(found, key=lambda one: -one.area))
