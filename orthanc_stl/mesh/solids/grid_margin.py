"""Margins that are worked out in a grid of signed distances: for bodies of any shape and many triangles."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from orthanc_stl.mesh.solids.field import (
    Grid,
    SignedDistance,
    field_of,
    grid_around,
    mesh_of_field,
    surface_at,
    without_specks,
)
from orthanc_stl.mesh.solids.sharp_edges import points_on_sharp_edges, with_sharp_edges
from orthanc_stl.mesh.solids.shifts import least_of_shifts, parts_of_shifts, shifts_of
from orthanc_stl.mesh.types import Mesh

OF_EDGES = 0.25
"""In voxels: the way from one point to the next on sharp edges of the body, near which the field between voxels is not
known well."""

NEAREST_ON_EDGES = 16
"""How many of the points on sharp edges nearest to a place are tried."""

PROBE = 0.05
"""In voxels: how far slopes are measured. The best shift is known to about a tenth of one."""

MOST_NEAR = 6_000
"""Vertices near sharp edges that are put back: twice those of a box. Organs with the steps of their slices have more,
and would take 8 s instead of 3."""

BLOCK = 64
"""Voxels along each side of what is grown at once: it stays in the cache."""

ALIKE = 0.3
"""In voxels: shifts that differ by less are taken for the same one."""

FINER = 5
"""How often the best shift is looked for around the one found, each time by half as far."""


def moved_in_grid(mesh: Mesh, margins: np.ndarray, sign: int, voxel: float) -> Mesh:
    """A closed `mesh` grown (`sign` 1) or shrunk (-1) by the `margins` `(3, 2)` in mm (along x, y, z, downwards and
    upwards; 0 or more), in voxels of `voxel` mm; it may come out empty."""
    largest = float(margins.max())
    if margins.min() == largest:
        return surface_at(mesh, sign * largest, spacing=voxel)
    grid = grid_around(mesh, voxel, largest if sign > 0 else 0.0)
    # What is outside grows into a body that shrinks, in the opposite direction.
    grown = _Grown(mesh, sign, margins if sign > 0 else margins[:, ::-1], grid)
    found = without_specks(mesh_of_field(sign * grown.least_within(), grid), voxel)
    return with_sharp_edges(found, grown.value, voxel, PROBE, MOST_NEAR)


class _Grown:
    """What is inside (`sign` 1) or outside (-1) of a mesh, grown by the eighths of ellipsoids with the half-axes
    `margins` `(3, 2)`."""

    def __init__(self, mesh: Mesh, sign: int, margins: np.ndarray, grid: Grid) -> None:
        self._known, self._sign, self._margins, self._grid = SignedDistance(mesh), sign, margins, grid
        self._edges = None
        if margins.min() >= grid.spacing:  # else slopes change within a voxel, and the field by itself is better
            edges = points_on_sharp_edges(mesh, grid.spacing * OF_EDGES)
            self._edges = cKDTree(edges) if len(edges) else None
        self._signed = sign * field_of(grid, self._known, around=2.0)
        self._parts = parts_of_shifts(margins, grid.spacing)
        self._best = np.zeros(grid.shape, np.int32)

    def value(self, points: np.ndarray) -> np.ndarray:
        """The signed distance `(n,)` to the body at the place that the best shift leads from to each of `points`
        `(n, 3)`: negative inside of the grown or shrunk body."""
        margins = self._margins
        low = np.floor((points - self._grid.origin) / self._grid.spacing).astype(int)
        last = np.array(self._grid.shape[::-1]) - 1
        least, best = np.full((2, len(points)), np.inf), np.zeros((2, len(points), 3))
        for corner in product((0, 1), repeat=3):
            x, y, z = np.clip(low + corner, 0, last).T
            shift = shifts_of(self._parts[self._best[z, y, x]], margins)
            now = _between(self._signed, points - shift, self._grid)
            other = np.linalg.norm(shift - best[0], axis=1) > ALIKE * self._grid.spacing
            first, second = now < least[0], (now >= least[0]) & (now < least[1]) & other
            least[1, first & other], best[1, first & other] = least[0, first & other], best[0, first & other]
            least[0, first], best[0, first] = now[first], shift[first]
            least[1, second], best[1, second] = now[second], shift[second]
        found = self._exact(points, best[0])
        two = np.flatnonzero(least[1] < least[0] + self._grid.spacing)
        found[two] = np.minimum(found[two], self._exact(points[two], best[1, two]))
        return self._sign * found

    def _exact(self, points: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        """The least signed distance `(n,)` for `shifts` `(n, 3)`, or from sharp edges near where they lead from."""
        start = points - shifts
        least = self._sign * self._known.of(start)
        if self._edges is None:
            return least
        away, nearest = self._edges.query(start, NEAREST_ON_EDGES, distance_upper_bound=3 * self._grid.spacing)
        some = np.flatnonzero(np.isfinite(away[:, 0]))
        nearest = np.where(np.isfinite(away), nearest, nearest[:, :1])[some]
        ways = points[some][:, None] - self._edges.data[nearest]
        shifts, beyond = _to_the_margins(ways, self._margins)
        best = shifts[np.arange(len(some)), beyond.argmin(axis=1)]
        other = self._sign * self._known.of(points[some] - best)
        least[some] = np.minimum(np.minimum(least[some], other), beyond.min(axis=1))
        return least

    def least_within(self) -> np.ndarray:
        """The least signed distance `(z, y, x)` of all places from which a shift within the margins leads to a voxel.

        It is negative where the grown body is: right near 0, of the right sign elsewhere. A body thinner than a voxel
        is seen by its surface alone.
        """
        grid, signed, margins = self._grid, self._signed, self._margins
        voxel = grid.spacing
        certain = _reached(signed <= 0, margins / voxel)
        possible = _one_wider(_reached(signed <= voxel, margins / voxel + 1))
        asked = np.flatnonzero(possible & _one_wider(~certain))
        found = np.where(certain, -voxel, voxel).astype(np.float32)
        least, best = least_of_shifts(signed, asked, shifts_of(self._parts, margins) / voxel)
        self._best.reshape(-1)[asked] = best
        near = np.flatnonzero((least > -1.2 * voxel) & (least < 2.2 * voxel))
        better = _better(signed, grid.points(asked[near]), self._parts[best[near]], margins, grid)
        self._best.reshape(-1)[asked[near]] = len(self._parts) + np.arange(len(near))
        self._parts = np.concatenate((self._parts, better))
        least[near] = self._exact(grid.points(asked[near]), shifts_of(better, margins))
        inside = certain.reshape(-1)[asked]
        found.reshape(-1)[asked] = np.where(inside, np.minimum(least, -1e-3 * voxel), least)
        return found


def _to_the_margins(ways: np.ndarray, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The `ways` `(..., 3)` in mm as long as the margins `(3, 2)` allow, and by about how many mm they are longer."""
    half_axes = np.where(ways < 0, margins[:, 0], margins[:, 1])
    flat = half_axes <= 0
    parts = np.where(flat, 0, ways / np.where(flat, 1, half_axes))
    lengths = np.linalg.norm(parts, axis=-1, keepdims=True)
    shifts = parts / np.maximum(lengths, 1e-6) * half_axes
    # Along the normal of the eighth of an ellipsoid where the way passes it, not along the way.
    normals = np.where(flat, 0, parts / np.where(flat, 1, half_axes))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    beyond = (normals * (ways - shifts)).sum(axis=-1)
    aside = np.linalg.norm(np.where(flat, ways, 0), axis=-1)
    return shifts, np.where(flat.any(axis=-1), np.hypot(np.maximum(beyond, 0), aside), beyond)


def _one_wider(inside: np.ndarray) -> np.ndarray:
    """`inside` `(z, y, x) bool` and all voxels next to it, also across edges and corners."""
    for axis in range(3):
        before = np.moveaxis(inside, axis, 0)
        inside = inside.copy()
        after = np.moveaxis(inside, axis, 0)
        after[1:] |= before[:-1]
        after[:-1] |= before[1:]
    return inside


def _reached(start: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """The voxels that lie within the margins `(3, 2)` in voxels of one in `start` `(z, y, x) bool`.

    Block by block, so that where a long body leaves most of its box empty, that takes no time.
    """
    down, up = np.ceil(margins[::-1]).astype(int).T
    found = np.zeros(start.shape, bool)
    for place in np.ndindex(*(-(-side // BLOCK) for side in start.shape)):
        low = np.array(place) * BLOCK
        high = np.minimum(low + BLOCK, start.shape)
        first, last = np.maximum(low - up, 0), np.minimum(high + down, start.shape)
        around = start[_box(first, last)]
        if around.all():
            found[_box(low, high)] = True
        elif around.any():
            found[_box(low, high)] = _reached_of_all(around, margins)[_box(low - first, high - first)]
    return found


def _box(low: np.ndarray, high: np.ndarray) -> tuple[slice, ...]:
    return tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))


def _reached_of_all(start: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """The same, of a whole array.

    Squares of lengths go from line to line along one axis after another (Saito and Toriwaki, Pattern Recognition 27
    (1994) 1551).
    """
    length = np.where(start, np.float32(0), np.float32(4))
    for axis in range(3):
        before, side = length, start.shape[2 - axis]
        length = before.copy()
        for towards, most in zip((-1, 1), margins[axis], strict=True):
            for step in range(1, min(int(most), side - 1) + 1):
                to, of = [slice(None)] * 3, [slice(None)] * 3
                to[2 - axis], of[2 - axis] = slice(step, None), slice(None, -step)
                if towards < 0:
                    to, of = of, to
                np.minimum(length[tuple(to)], before[tuple(of)] + np.float32((step / most) ** 2), out=length[tuple(to)])
    return np.asarray(length <= 1)


def _between(signed: np.ndarray, points: np.ndarray, grid: Grid) -> np.ndarray:
    """`signed` `(z, y, x)` at `points` `(n, 3)`, between the voxels by straight lines."""
    place = (points - grid.origin) / grid.spacing
    return np.asarray(ndimage.map_coordinates(signed, place.T[::-1], order=1, mode="nearest", prefilter=False))


def _better(signed: np.ndarray, points: np.ndarray, parts: np.ndarray, margins: np.ndarray, grid: Grid) -> np.ndarray:
    """Parts `(n, 3)` of the margins like `parts` `(n, 3)`, so that `signed` is still less at `points` `(n, 3)`."""

    def value(of: np.ndarray) -> np.ndarray:
        return _between(signed, points - shifts_of(of, margins), grid)

    least, way = value(parts), 0.5 / max(1.5 * np.sqrt(margins.max() / grid.spacing), 3)
    for _ in range(FINER):
        for step in (*np.eye(3), *-np.eye(3)):
            other = parts + way * step
            other /= np.maximum(np.linalg.norm(other, axis=1), 1)[:, None]
            now = value(other)
            less = now < least
            least[less], parts[less] = now[less], other[less]
        way /= 2
    return parts
