"""Bodies grown or shrunk by a margin: the same in all directions, or one for each."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from scipy import ndimage

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.solids.booleans import require_closed
from orthanc_stl.mesh.solids.ellipsoids import EllipsoidDistance
from orthanc_stl.mesh.solids.field import (
    Grid,
    SignedDistance,
    field_of,
    grid_around,
    mesh_in_grid,
    spacing_for,
    surface_at,
    surface_in_grid,
)
from orthanc_stl.mesh.types import Mesh

COARSER = 1.6
"""Times the voxel of equal margins: the surface is found exactly on the edges between the voxels."""

MOST_STEPS = 20
"""Voxels in the largest margin."""

THINNEST = 0.01
"""mm: half-axis of the ellipsoids in a direction without a margin."""

NARROWEST = 0.5
"""Voxels: the half-axes by which the search begins, since what begins it lies anywhere in a voxel."""

MOST_ROUNDS = 12
"""Of looking for the surface on an edge between two voxels."""

NEARNESS = 0.02
"""mm: how well it is found there."""


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
        mesh = _moved(mesh, grown, 1, spacing)
    if shrunk.any() and len(mesh.triangles):
        mesh = _moved(mesh, shrunk[:, ::-1], -1, spacing)
    return mesh


def _moved(mesh: Mesh, margins: np.ndarray, sign: int, spacing: float | None) -> Mesh:
    """Points outside (`sign` 1) or inside (-1) join the other side where an ellipsoid at a surface point holds them.

    `margins` `(3, 2)`: along x, y, z, downwards and upwards, from the surface to the points.
    """
    largest = float(margins.max())
    voxel = spacing or max(spacing_for(mesh) * COARSER, largest / MOST_STEPS)
    grid = grid_around(mesh, voxel, largest if sign > 0 else 0.0)
    return _Moving(mesh, np.maximum(margins, THINNEST), sign, grid).result()


class _Moving:
    """The points that a surface passes as it moves outwards (`sign` 1) or inwards (-1), first in voxels."""

    def __init__(self, mesh: Mesh, margins: np.ndarray, sign: int, grid: Grid) -> None:
        self._known, self._ellipsoids = SignedDistance(mesh), EllipsoidDistance(mesh, margins)
        self._margins, self._sign, self._grid = margins, sign, grid

    def result(self) -> Mesh:
        """The surface around what is inside afterwards."""
        signed = field_of(self._grid, self._known)
        beyond = self._sign * signed > 0
        place = self._nearest_places(signed)
        length = self._lengths(beyond, place)
        points, triangles = surface_in_grid(np.where(length <= 1, np.float32(-1), np.float32(1)) * self._sign)
        return mesh_in_grid(self._on_edges(points, beyond, place, length), triangles, self._grid)

    def _nearest_places(self, signed: np.ndarray) -> np.ndarray:
        """For each voxel about the place on the surface that the shortest way to it begins at; -1 where none is near.

        Exact distances go from line to line along one axis after another (Saito and Toriwaki, Pattern Recognition 27
        (1994) 1551), here with the places themselves.
        """
        grid, voxel = self._grid, self._grid.spacing
        wide = np.maximum(self._margins, NARROWEST * voxel)
        found = np.full(signed.size, -1, np.int32)
        near = np.flatnonzero(np.abs(signed.reshape(-1)) < 1.5 * voxel)
        found[near] = self._ellipsoids.nearest_places(grid.points(near))
        for axis in range(3):
            down, up = np.ceil(self._margins[axis] / voxel).astype(int) + 1
            before = found.reshape(grid.shape).copy()
            length = np.full(found.shape, np.inf, np.float32)
            for step in range(-down, up + 1):
                there = np.full_like(before, -1)
                size = before.shape[2 - axis]
                to, start = [slice(None)] * 3, [slice(None)] * 3
                to[2 - axis] = slice(max(step, 0), size + min(step, 0))
                start[2 - axis] = slice(max(-step, 0), size + min(-step, 0))
                there[tuple(to)] = before[tuple(start)]
                asked = np.flatnonzero(there.reshape(-1) >= 0)
                other = there.reshape(-1)[asked]
                way = self._ellipsoids.of_places(grid.points(asked), other, wide)
                shorter = way < length[asked]
                found[asked[shorter]], length[asked[shorter]] = other[shorter], way[shorter]
        return found

    def _lengths(self, beyond: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Of the shortest ways to the voxels beyond the surface, `(z, y, x)`: right near 1, of the right side of it
        elsewhere; looked for from the voxels that are known to be less, neighbour by neighbour. 0 before the surface.

        `place` becomes the one that the way begins at, where it was looked for.
        """
        found = np.where(beyond.reshape(-1), np.inf, 0)
        near = np.flatnonzero(beyond.reshape(-1) & (place >= 0))
        found[near] = self._ellipsoids.of_places(self._grid.points(near), place[near])
        unknown = np.zeros(beyond.size, bool)
        unknown[near] = found[near] > 1
        news = True
        while news:
            reached = ndimage.binary_dilation(found.reshape(beyond.shape) <= 1, np.ones((3, 3, 3)))
            asked = np.flatnonzero(unknown & reached.reshape(-1))
            found[asked], place[asked] = self._ellipsoids.shortest(self._grid.points(asked), place[asked])
            unknown[asked] = False
            news = bool((found[asked] <= 1).any())
        return found.reshape(beyond.shape)

    def _on_edges(self, points: np.ndarray, beyond: np.ndarray, place: np.ndarray, length: np.ndarray) -> np.ndarray:
        """`points` `(n, 3)` in voxels, each moved along the edge of the grid that it lies on to where the surface is:
        by false position, as in the Illinois algorithm (Dowell and Jarratt, BIT 11 (1971) 168)."""
        ends = np.stack((np.floor(points), np.ceil(points)))
        number = np.ravel_multi_index(tuple(ends[:, :, ::-1].astype(np.int64).transpose(2, 0, 1)), beyond.shape)
        value = np.clip(length.reshape(-1)[number] - 1, -1, 1)
        turned = value[0] > 0
        for both in (ends, number, value):
            both[:, turned] = both[::-1, turned]
        crossing = ~beyond.reshape(-1)[number[0]]
        start, way = self._grid.origin + ends[0] * self._grid.spacing, (ends[1] - ends[0]) * self._grid.spacing
        place = place[number]
        low, high, found = np.zeros(len(points)), np.ones(len(points)), np.full(len(points), 0.5)
        left, side = np.arange(len(points)), np.zeros(len(points))
        for _ in range(MOST_ROUNDS):
            below, above = value[:, left]
            part = np.clip(-below / (above - below), 0.05, 0.95)
            found[left] = low[left] + part * (high[left] - low[left])
            there = start[left] + found[left, None] * way[left]
            now = self._shortest(there, place, left)
            cross = np.flatnonzero(crossing[left])
            now[cross[self._sign * self._known.of(there[cross]) <= 0]] = -1
            under = now <= 0
            low[left[under]], high[left[~under]] = found[left[under]], found[left[~under]]
            value[0, left] = np.where(under, now, np.where(side[left] > 0, below / 2, below))
            value[1, left] = np.where(under, np.where(side[left] < 0, above / 2, above), now)
            side[left] = np.where(under, -1, 1)
            narrow = (high[left] - low[left]) * self._grid.spacing < NEARNESS
            left = left[(np.abs(now) * self._margins.max() > NEARNESS) & ~narrow]
            if not len(left):
                break
        return ends[0] + found[:, None] * (ends[1] - ends[0])

    def _shortest(self, points: np.ndarray, place: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Lengths less 1, at most 1, from the better of the places `(2, n)` of both ends, which is then made better."""
        known = np.full((2, len(left)), np.inf)
        for end in range(2):
            asked = np.flatnonzero(place[end, left] >= 0)
            known[end, asked] = self._ellipsoids.of_places(points[asked], place[end, left[asked]])
        better = known.argmin(axis=0)
        found, place[better, left] = self._ellipsoids.shortest(points, place[better, left])
        return np.asarray(np.minimum(found - 1, 1))
