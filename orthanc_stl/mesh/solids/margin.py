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

DIRECTION_OVERLAP = 0.3
"""Of the length of a normal: so far into another eighth of the directions a sample still counts for this one, too, for
the sake of edges, where the surface faces several ways."""

WALK = 6.0
"""Spacings of the samples: from so far away the best sample is reached by walking. From farther the trees are asked,
and always from within a body, where walks end at the wrong one of several sides."""

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
    margins = np.maximum(margins, LEAST * known.spacing)
    smallest = float(margins.min())
    eighths = _eighths(known, margins, sign)

    def evaluation(points: np.ndarray, before: np.ndarray | None, way: float) -> tuple[np.ndarray, np.ndarray]:
        signed = known.distance_bound(points, None if before is None else before[:, 0], way)
        beyond = sign * signed > 0
        walks = sign > 0 and way <= WALK * known.spacing
        # Of each eighth: its nearest sample, -1 if not looked for, and what `times` is of it at least.
        nearest, least = np.full((2, len(points), len(eighths)), -1.0)
        most = np.full(len(points), np.inf)
        if before is not None:
            nearest, least = before[:, 1 : 1 + len(eighths)].copy(), before[:, 1 + len(eighths) :] - way / smallest
            most = before[:, 1 + len(eighths) :].min(axis=1, initial=np.inf) + (way + known.spacing) / smallest
        times = np.full(len(points), np.inf)
        for number, eighth in enumerate(eighths):
            asked = np.flatnonzero(beyond & (least[:, number] <= most))
            best = eighth.nearest(points[asked], nearest[asked, number].astype(np.int64) if walks else None)
            nearest[:, number], nearest[asked, number] = -1, best
            way_there = points[asked] - eighth.samples[best]
            size = np.where(way_there < 0, margins[:, 0], margins[:, 1])
            least[asked, number] = np.sqrt(((way_there / size) ** 2).sum(axis=1))
            times[asked] = np.minimum(times[asked], least[asked, number])
        values = np.where(beyond, (times - 1) * smallest, -smallest)
        least[~beyond] = 0
        return sign * values, np.column_stack((signed, nearest, least))

    grid = grid_around(mesh, spacing or spacing_for(mesh) * COARSER, float(margins.max()) if sign > 0 else 0.0)
    return mesh_of_field(field_of(grid, evaluation), grid)


class _Eighth:
    """Samples that face one way, in which the distances are those of one eighth of the ellipsoid."""

    def __init__(self, samples: np.ndarray, half_axes: np.ndarray) -> None:
        self.samples, self._half_axes = samples, half_axes
        self._scaled = samples / half_axes
        self._tree = cKDTree(self._scaled, balanced_tree=False)
        self._around = cKDTree(samples).query(samples, min(NEIGHBOURS, len(samples)), workers=-1)[1]
        self._around = self._around.reshape(len(samples), -1)

    def nearest(self, points: np.ndarray, start: np.ndarray | None) -> np.ndarray:
        """The nearest sample `(n,)`; from `start` `(n,)`, where not -1, by walking to a nearer one while one is."""
        scaled = points / self._half_axes
        best = np.full(len(points), -1) if start is None else start.copy()
        new = best < 0
        best[new] = self._tree.query(scaled[new], workers=-1)[1]
        length = ((scaled - self._scaled[best]) ** 2).sum(axis=1)
        moving = np.flatnonzero(~new)
        while len(moving):
            place, now, other = scaled[moving], length[moving], best[moving]
            for neighbour in self._around[best[moving]].T[1:]:
                there = ((place - self._scaled[neighbour]) ** 2).sum(axis=1)
                nearer = there < now
                now[nearer], other[nearer] = there[nearer], neighbour[nearer]
            moved = other != best[moving]
            length[moving], best[moving] = now, other
            moving = moving[moved]
        return best


def _eighths(known: SignedDistance, margins: np.ndarray, sign: int) -> list[_Eighth]:
    """One for each combination of half-axes, with the samples that face its way or nearly so.

    The ellipsoid that touches the new surface from a sample does so in the eighth that the sample's normal points into.
    """
    found: dict[tuple[float, ...], np.ndarray] = {}
    for ways in np.indices((2, 2, 2)).reshape(3, -1).T:
        half_axes = tuple(margins[np.arange(3), ways].tolist())
        facing = (sign * known.normals * (2 * ways - 1) > -DIRECTION_OVERLAP).all(axis=1)
        found[half_axes] = found.get(half_axes, False) | facing
    return [_Eighth(known.samples[facing], np.array(axes)) for axes, facing in found.items() if facing.any()]


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
