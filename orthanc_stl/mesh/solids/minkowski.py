"""Margins of solids without a grid: exact, also where a body or a margin is thinner than any voxel.

A body grown by margins is the Minkowski sum of the body and of the eighths of ellipsoids that have them as half-axes,
which together are convex. The sum of two convex bodies is the convex hull of the sums of their corners; that of any
body is the union of itself and of what each convex polygon of its surface adds (sweeps.py). A convex body is shrunk by
moving the planes of its faces inwards, any other by taking away what its surface adds to what is outside.
"""

from __future__ import annotations

from itertools import product

import manifold3d
import numpy as np
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError

from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.intersections import overlapping_boxes
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.sampling import sampled
from orthanc_stl.mesh.solids.booleans import ROUNDINGS, manifold_of, mesh_of, middle_of, without_fins
from orthanc_stl.mesh.solids.mends import mended
from orthanc_stl.mesh.solids.slivers import is_sound, without_slivers
from orthanc_stl.mesh.solids.sweeps import Surface, farthest, united_nearest_first
from orthanc_stl.mesh.topology import twins_of
from orthanc_stl.mesh.triangles import corners_of, unit_normals
from orthanc_stl.mesh.types import Mesh

OFF = (0.02, 0.05, 0.1)
"""In mm: how far inside of the true surface a rounded edge is at most; the first that is not too much work is taken."""

MOST_OF_CONVEX = 2_000_000
"""Sums of corners of a convex body: a hull of more takes over a second."""

MOST_OF_OTHERS = 80_000
"""Corners of the pieces along the surface of another body, and pairs of pieces whose boxes overlap, all tries together:
the union takes 0.055 ms for each, so some four seconds, and the grid takes as long."""

TRIES = ((0.05, 0.01, 0.03, 43_000), (0.05, 0.02, 0.03, 43_000), (0.07, 0.03, 0.05, MOST_OF_OTHERS))
"""In mm, for another body, the first that comes out sound: how far inside of the true surface a rounded edge is; how
large the margins are at least, since pieces of no thickness leave slits where they lie in one plane; how flat the
patches of its surface are, so that the result is larger by no more; and how much work it is at most."""

CHECKED = 2_000
"""Points on the surface of another body, at each of which one that the margins reach is looked for in the result."""

MOST_TRIANGLES = 2_500
"""Of a body that is not convex."""

MOST_FACES = 20_000
"""Of a convex body that is shrunk."""

MOST_NORMALS = 200
"""Of faces that are to move exactly; a body with more is round."""

FLAT = 1e-3
"""In mm: edges that go inwards by less belong to a convex body whose corners are rounded."""

LESS = 1e-5
"""In mm, of the whole surface: what a convex body lacks of its hull by rounding."""

THINNEST = 1e-3
"""In mm: what is left of a body must hold a ball of this radius."""


def grown_exactly(mesh: Mesh, margins: np.ndarray) -> Mesh | None:
    """A closed `mesh` grown by the `margins` `(3, 2)` in mm (along x, y, z, downwards and upwards; 0 or more).

    None if that is too much work: a body with many corners, or with many triangles where it is not convex. One that is
    not convex is left to the grid where all margins are the same: there that is as exact, and rounder.
    """
    origin = middle_of([mesh])
    points = mesh.vertices - origin
    if is_convex(mesh):
        reach = _reach(mesh, margins, len(points), MOST_OF_CONVEX)
        if reach is None:
            return None
        found = manifold3d.Manifold.hull_points((points[:, None] + reach).reshape(-1, 3))
    else:
        return _changed_along_surface(mesh, margins, 1)
    return mesh_of(_rounded(found, mesh, margins), origin)


def shrunk_exactly(mesh: Mesh, margins: np.ndarray) -> Mesh | None:
    """A closed `mesh` shrunk by the `margins` `(3, 2)` in mm; it may come out empty. None as with grown_exactly."""
    origin = middle_of([mesh])
    if len(mesh.triangles) <= MOST_FACES and is_convex(mesh):
        within = _within_planes(mesh.vertices - origin, margins)
        return None if within is None else mesh_of(_rounded(within, mesh, margins), origin)
    return _changed_along_surface(mesh, margins, -1)


def is_convex(mesh: Mesh) -> bool:
    """Whether a closed mesh is one convex body, but for the rounding of its corners."""
    corners = corners_of(mesh.vertices.astype(np.float64), mesh.triangles)
    normals = unit_normals(corners)
    twins = twins_of(mesh.triangles, len(mesh.vertices)).reshape(-1, 3)
    opposite = np.roll(mesh.triangles, -2, axis=1).reshape(-1)[twins]
    ways = mesh.vertices[opposite].astype(np.float64) - mesh.vertices[mesh.triangles]
    if (ways * normals[:, None]).sum(axis=2).max() > FLAT:
        return False
    area, volume = area_and_volume(mesh)
    try:
        hull = ConvexHull(mesh.vertices.astype(np.float64))
    except QhullError:
        return False
    return bool(abs(hull.volume - volume) <= LESS * area)


def _reach(mesh: Mesh, margins: np.ndarray, of: int, most: int) -> np.ndarray | None:
    """Points `(n, 3)` on the eighths of ellipsoids, and the farthest ones along the normals of the faces, so that these
    move as far as they should. None where they are more than `most` times `of` corners or polygons."""
    normals = np.unique(unit_normals(corners_of(mesh.vertices.astype(np.float64), mesh.triangles)).round(4), axis=0)
    for off in OFF:
        steps = max(int(np.ceil(0.9 * np.sqrt(margins.max() / off))), 2)
        if of * 4 * steps**2 > 2 * most:
            continue
        eighth = _eighth(steps)
        found = [np.zeros((1, 3))]
        for ends in product((0, 1), repeat=3):
            half_axes = np.where(ends, margins[:, 1], -margins[:, 0])
            found.append(eighth[(eighth[:, half_axes == 0] == 0).all(axis=1)] * half_axes)
        if len(normals) <= MOST_NORMALS:
            found.append(farthest(normals, margins))
        points = np.unique(np.concatenate(found).round(9) + 0.0, axis=0)
        if of * len(points) <= most:
            return points
    return None


def _eighth(steps: int) -> np.ndarray:
    """Points `(n, 3)` on an eighth of the unit sphere, alike far from each other."""
    rings = []
    for ring in range(steps + 1):
        down, around = np.pi / 2 * ring / steps, np.pi / 2 * np.arange(ring + 1) / max(ring, 1)
        flat = np.sin(down) * np.column_stack((np.cos(around), np.sin(around)))
        rings.append(np.column_stack((flat, np.full(ring + 1, np.cos(down)))))
    found = np.concatenate(rings)
    found[found < 1e-12] = 0
    return found


def _changed_along_surface(mesh: Mesh, margins: np.ndarray, sign: int) -> Mesh | None:
    """A body that is not convex, with what the margins reach from its surface (`sign` -1: without it)."""
    if len(mesh.triangles) > MOST_TRIANGLES or margins.min() == margins.max():
        return None
    origin = middle_of([mesh])
    operation = manifold3d.OpType.Add if sign > 0 else manifold3d.OpType.Subtract
    left = MOST_OF_OTHERS
    surfaces: dict[float, Surface] = {}
    for off, least, flat, most in TRIES:
        half_axes = np.maximum(margins if sign > 0 else margins[:, ::-1], least)
        if flat not in surfaces:
            surfaces[flat] = Surface(mesh, mesh.vertices - origin, sign, flat)
        pieces = map(manifold3d.Manifold.hull_points, surfaces[flat].swept(half_axes, off))
        hulls = [one for one in pieces if one.volume() > 0]
        work = _work_of(hulls)
        if work > min(left, most):
            continue
        left -= work
        found = manifold3d.Manifold.batch_boolean([manifold_of(mesh, origin), united_nearest_first(hulls)], operation)
        made = mended(mesh_of(without_slivers(_rounded(found, mesh, margins), off), origin))
        if sign < 0 and found.status() == manifold3d.Error.NoError and not len(made.triangles):
            return made  # all of it was taken away
        if is_sound(made) and _is_reached(mesh, made, half_axes, sign):
            return made
    return None


def _work_of(hulls: list[manifold3d.Manifold]) -> int:
    """Corners of all of them, and pairs whose boxes overlap."""
    boxes = np.array([one.bounding_box() for one in hulls]).reshape(-1, 6)
    return sum(one.num_vert() for one in hulls) + len(overlapping_boxes(boxes[:, :3], boxes[:, 3:]))


def _is_reached(mesh: Mesh, found: Mesh, margins: np.ndarray, sign: int) -> bool:
    """Whether the margins reach no place outside of a grown body (inside of a shrunk one), at CHECKED points."""
    points = sampled(mesh, CHECKED)
    ways = np.random.default_rng(0).normal(size=points.shape)
    signed = SurfaceDistance(found).signed(points + farthest(ways, margins))
    return bool((sign * signed).max() < OFF[-1])


def _within_planes(points: np.ndarray, margins: np.ndarray) -> manifold3d.Manifold | None:
    """What lies within the planes of all faces of a convex body, moved inwards by the margins; None if that cannot be
    worked out."""
    planes = np.unique(ConvexHull(points).equations.round(7), axis=0)
    planes[:, 3] += np.linalg.norm(np.where(planes[:, :3] < 0, *margins.T) * planes[:, :3], axis=1)
    # The largest ball that touches none of them: its middle is inside.
    ball = linprog(
        (0, 0, 0, -1), np.column_stack((planes[:, :3], np.ones(len(planes)))), -planes[:, 3], bounds=[(None, None)] * 4
    )
    if ball.status != 0:
        return None
    if ball.x[3] < THINNEST:
        return manifold3d.Manifold()
    try:
        corners = HalfspaceIntersection(planes, ball.x[:3]).intersections
    except QhullError:
        return None
    return manifold3d.Manifold.hull_points(np.ascontiguousarray(corners))


def _rounded(found: manifold3d.Manifold, mesh: Mesh, margins: np.ndarray) -> manifold3d.Manifold:
    """Without what is smaller than the steps of float32 at the largest coordinate."""
    finest = ROUNDINGS * np.finfo(np.float32).eps * (np.abs(mesh.vertices).max() + margins.max())
    return without_fins(found, float(finest))
