"""Bodies grown or shrunk by a margin: the same in all directions, or one for each."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from scipy.spatial import cKDTree

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.solids.booleans import manifold_of, mesh_of, middle_of, require_closed
from orthanc_stl.mesh.solids.field import SignedDistance, field_of, grid_around, mesh_of_field, spacing_for, surface_at
from orthanc_stl.mesh.types import Mesh

SAMPLES = 50_000
"""Points on the surface that ellipsoids are put at: 0.32 mm apart for a ball of 20 mm."""

COARSER = 2.0
"""Times the voxel of equal margins: there are several trees to search."""

NEIGHBOURS = 9
"""Samples around each, itself included, among which a better one is looked for, from each in turn."""

WALK = 6.0
"""Spacings of the samples: from so far away the best sample is reached by walking; from farther the trees are asked."""

LEAST = 2.0
"""Spacings of the samples on the surface: the smallest margin of a direction beside larger ones, since between the
samples nothing is known. Growing, a margin of 0 is put right by cutting the body off at its old end."""


@dataclass(frozen=True)
class Margins:
    """mm in each direction of the patient (LPS: +x left, +y back, +z head); positive grows, negative shrinks."""

    x_minus: float = 0.0
    x_plus: float = 0.0
    y_minus: float = 0.0
    y_plus: float = 0.0
    z_minus: float = 0.0
    z_plus: float = 0.0


def with_margin(mesh: Mesh, margin: float | Margins, *, spacing: float | None = None) -> Mesh:
    """`mesh` grown by `margin` mm (shrunk, if negative); it may come out empty.

    With one figure, the new surface is that of all points at this distance from the old one. With `Margins`, it bounds
    all points that an eighth of an ellipsoid with these half-axes reaches, put at each point of the body: between two
    directions the margin goes from one to the other as an ellipse does, as in radiotherapy planning (CTV to PTV).
    Where some margins grow and others shrink, growing comes first.

    Raises InvalidInput for a margin that is not finite, and for a mesh that is not closed.
    """
    require_closed(mesh)
    if not isinstance(margin, Margins):
        margin = Margins(*[float(margin)] * 6)
    values = astuple(margin)
    if not np.isfinite(values).all():
        raise InvalidInput("got a margin that is not a number, expected one in mm")
    if len(set(values)) == 1:
        return surface_at(mesh, values[0], spacing=spacing) if values[0] else mesh
    grown, shrunk = (np.maximum(sign * np.array(values).reshape(3, 2), 0) for sign in (1, -1))
    if grown.any():
        mesh = _clipped(_moved(mesh, grown, 1, spacing), mesh, grown)
    if shrunk.any() and len(mesh.triangles):
        mesh = _moved(mesh, shrunk[:, ::-1], -1, spacing)
    return mesh


def _moved(mesh: Mesh, margins: np.ndarray, sign: int, spacing: float | None) -> Mesh:
    """Points outside (`sign` 1) or inside (-1) join the other side where an ellipsoid at a surface point holds them.

    `margins` `(3, 2)`: along x, y, z, downwards and upwards, from the surface to the points.
    """
    known = SignedDistance(mesh, SAMPLES)
    reach = _Reach(known.samples, np.maximum(margins, LEAST * known.spacing))

    def evaluation(points: np.ndarray, before: np.ndarray | None, way: float) -> tuple[np.ndarray, np.ndarray]:
        signed, best = known.near(points, None if before is None else before[:, 0], way)
        beyond = sign * signed > 0
        values = np.full(len(points), -reach.smallest)
        starts = [best[beyond]]
        if before is not None and way <= WALK * known.spacing:
            starts.append(before[beyond, 1].astype(np.int64))
        best[beyond], times = reach.of(points[beyond], starts, walk=len(starts) > 1)
        values[beyond] = (times - 1) * reach.smallest
        return sign * values, np.column_stack((signed, best))

    grid = grid_around(mesh, spacing or spacing_for(mesh, 0.0) * COARSER, reach.largest if sign > 0 else 0.0)
    return mesh_of_field(field_of(grid, evaluation), grid)


class _Reach:
    """How many times an ellipsoid of eight different eighths has to be enlarged to hold a point."""

    def __init__(self, samples: np.ndarray, margins: np.ndarray) -> None:
        self.samples, self.margins = samples, margins
        self.smallest, self.largest = float(margins.min()), float(margins.max())
        octants = np.unique(np.array(np.meshgrid(*margins, indexing="ij")).reshape(3, -1).T, axis=0)
        self._trees = [(axes, cKDTree(samples / axes, balanced_tree=False)) for axes in octants]
        self._around = cKDTree(samples).query(samples, NEIGHBOURS, workers=-1)[1]

    def of(self, points: np.ndarray, starts: list[np.ndarray], *, walk: bool) -> tuple[np.ndarray, np.ndarray]:
        """The best sample `(n,)` to put it at, and the times `(n,)`.

        `starts`: samples to look at first. `walk`: only look around them, from one to the next, not among all.
        """
        best, times = np.zeros(len(points), np.int64), np.full(len(points), np.inf)
        for start in starts:
            self._improve(points, best, times, start)
        if not walk:
            for axes, tree in self._trees:
                self._improve(points, best, times, tree.query(points / axes, workers=-1)[1])
            return best, times
        moving = np.arange(len(points))
        while len(moving):
            place, found, before = points[moving], best[moving], times[moving]
            now = before.copy()
            for neighbour in self._around[found].T[1:]:
                self._improve(place, found, now, neighbour)
            best[moving], times[moving] = found, now
            moving = moving[now < before]
        return best, times

    def _improve(self, points: np.ndarray, best: np.ndarray, times: np.ndarray, other: np.ndarray) -> None:
        way = points - self.samples[other]
        now = np.sqrt(((way / np.where(way < 0, self.margins[:, 0], self.margins[:, 1])) ** 2).sum(axis=1))
        better = now < times
        best[better], times[better] = other[better], now[better]


def _clipped(grown: Mesh, mesh: Mesh, margins: np.ndarray) -> Mesh:
    """`grown` cut off at the ends of `mesh` in the directions whose margin is 0."""
    if (margins > 0).all():
        return grown
    origin = middle_of([grown])
    body = manifold_of(grown, origin)
    ends = mesh.vertices.min(axis=0) - origin, mesh.vertices.max(axis=0) - origin
    for axis, way in np.argwhere(margins == 0).tolist():
        normal = np.zeros(3)
        normal[axis] = 1 if way == 0 else -1
        body = body.trim_by_plane(tuple(normal), float(normal[axis] * ends[way][axis]))
    return mesh_of(body, origin)
