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
from orthanc_stl.mesh.solids.shifts import FOR_A_THREAD, least_of_shifts, parts_of_shifts, shifts_of
from orthanc_stl.mesh.threads import in_order, in_slices
from orthanc_stl.mesh.types import Mesh

OF_EDGES = 0.25
"""In voxels: the way from one point to the next on sharp edges of the body, near which the field between voxels is not
known well."""

NEAREST_ON_EDGES = 8
"""How many of the points on sharp edges nearest to a place are tried."""

PROBE = 0.05
"""In voxels: how far slopes are measured. The best shift is known to about a tenth of one."""

MOST_CUT_OFF = 2_000
"""Triangles that cut sharp edges off, at most, in whose places these are put back: of more the worst. A box has half as
many, organs with the steps of their slices more."""

BLOCK = 64
"""Voxels along each side of what is grown at once: it stays in the cache."""

ALIKE = 0.2
"""A fraction of the largest margin, at most a voxel: shifts that differ by less are taken for the same one."""

CLOSE = 0.5
"""In voxels: of two shifts the second is tried as well where it is worse by less."""

ROUNDS, ROUNDS_OF_NEIGHBOURS = range(1, 6), range(2, 6)
"""The best shift is looked for around the one found, by a half, a quarter ... of the way between the first ones."""

NEAR = 2.0
"""In voxels from the surface: where the best shift is looked for; twice as far for those between the first."""


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
    return with_sharp_edges(found, grown.value, voxel, PROBE, MOST_CUT_OFF)


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
        self._best = np.zeros((*grid.shape, 3), np.float32)

    def value(self, points: np.ndarray) -> np.ndarray:
        """The signed distance `(n,)` to the body at the place that the best shift leads from to each of `points`
        `(n, 3)`: negative inside of the grown or shrunk body."""
        margins = self._margins
        alike = min(ALIKE * float(margins.max()), self._grid.spacing)
        low = np.floor((points - self._grid.origin) / self._grid.spacing).astype(int)
        last = np.array(self._grid.shape[::-1]) - 1
        least, best = np.full((2, len(points)), np.inf), np.zeros((2, len(points), 3))
        for corner in product((0, 1), repeat=3):
            x, y, z = np.clip(low + corner, 0, last).T
            shift = shifts_of(self._best[z, y, x], margins)
            now = _between(self._signed, points - shift, self._grid)
            other = np.linalg.norm(shift - best[0], axis=1) > alike
            first, second = now < least[0], (now >= least[0]) & (now < least[1]) & other
            least[1, first & other], best[1, first & other] = least[0, first & other], best[0, first & other]
            least[0, first], best[0, first] = now[first], shift[first]
            least[1, second], best[1, second] = now[second], shift[second]
        found = self._exact(points, best[0])
        two = np.flatnonzero(least[1] < least[0] + CLOSE * self._grid.spacing)
        found[two] = np.minimum(found[two], self._exact(points[two], best[1, two]))
        return self._sign * found

    def _exact(self, points: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        """The least signed distance `(n,)` for `shifts` `(n, 3)`, or from sharp edges near where they lead from."""
        start = points - shifts
        least = self._sign * self._known.of(start)
        if self._edges is None:
            return least
        away, nearest = self._edges.query(
            start, NEAREST_ON_EDGES, distance_upper_bound=3 * self._grid.spacing, workers=-1
        )
        some = np.flatnonzero(np.isfinite(away[:, 0]))
        nearest = np.where(np.isfinite(away), nearest, nearest[:, :1])[some]
        least[some] = np.minimum(least[some], _beyond(points[some][:, None] - self._edges.data[nearest], self._margins))
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
        asked = possible & _one_wider(~certain)
        best = self._best_of_every_second(asked)
        numbers = np.flatnonzero(asked)
        points, place = grid.points(numbers), np.column_stack(np.unravel_index(numbers, grid.shape))
        least, parts = self._best_of_neighbours(points, place, best)
        close = np.flatnonzero((least > -NEAR * voxel) & (least < NEAR * voxel))
        parts[close], least[close] = _better(signed, points[close], parts[close], margins, grid, ROUNDS_OF_NEIGHBOURS)
        self._best[tuple(place.T)] = parts
        inside = certain.reshape(-1)[numbers]
        found = np.where(certain, -voxel, voxel).astype(np.float32)
        left = np.zeros(grid.shape, bool)
        left[tuple(place[close].T)] = True
        exact = np.zeros(0, int)
        while True:
            # The surface lies between voxels on both sides of it: only their values count.
            least[exact] = self._exact(points[exact], shifts_of(parts[exact], margins))
            left[tuple(place[exact].T)] = False
            found.reshape(-1)[numbers] = np.where(inside, np.minimum(least, -1e-3 * voxel), least)
            exact = np.flatnonzero((left & _next_to_the_surface(found)).reshape(-1)[numbers])
            if not len(exact):
                return found

    def _best_of_every_second(self, asked: np.ndarray) -> np.ndarray:
        """The best parts `(z / 2, y / 2, x / 2, 3)` of every second voxel in all directions, around what is `asked`
        `(z, y, x) bool`."""
        grid, margins = self._grid, self._margins
        every = np.zeros_like(asked)
        every[::2, ::2, ::2] = _one_wider(asked)[::2, ::2, ::2]
        numbers = np.flatnonzero(every)
        least, best = least_of_shifts(self._signed, numbers, shifts_of(self._parts, margins) / grid.spacing)
        parts = self._parts[best]
        near = np.flatnonzero((least > -NEAR * grid.spacing) & (least < 2 * NEAR * grid.spacing))
        parts[near], _ = _better(self._signed, grid.points(numbers[near]), parts[near], margins, grid, ROUNDS)
        found = np.zeros((*(side // 2 for side in grid.shape), 3))
        found.reshape(-1, 3)[np.flatnonzero(every[::2, ::2, ::2])] = parts
        return found

    def _best_of_neighbours(
        self, points: np.ndarray, place: np.ndarray, best: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The least value `(n,)` at `points` `(n, 3)`, in the voxels `place` `(n, 3)` (z, y, x), by the `best` parts of
        every second voxel around them, and which part `(n, 3)` that is."""
        least, parts = np.full(len(points), np.inf, np.float32), np.zeros((len(points), 3))

        def look(chosen: slice) -> None:
            for corner in product((0, 1), repeat=3):
                among = chosen.start + np.flatnonzero((place[chosen] % 2 >= corner).all(axis=1))
                z, y, x = np.minimum(place[among] // 2 + corner, np.array(best.shape[:3]) - 1).T
                now = _between(self._signed, points[among] - shifts_of(best[z, y, x], self._margins), self._grid)
                less = now < least[among]
                least[among[less]], parts[among[less]] = now[less], best[z, y, x][less]

        in_slices(look, len(points), FOR_A_THREAD)
        return least, parts


def _beyond(ways: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """By about how many mm `(n,)` the shortest of the `ways` `(n, k, 3)`, as parts of the `margins` `(3, 2)` of more
    than 0, is longer than they allow."""
    low, high = 1 / margins.T
    parts = np.maximum(ways * high, ways * -low)
    squares = np.einsum("nkc,nkc->nk", parts, parts)
    best = np.arange(len(ways)), squares.argmin(axis=1)
    lengths = np.sqrt(squares[best])
    # Along the normal of the eighth of an ellipsoid where the way passes it, not along the way.
    normals = parts[best] * np.where(ways[best] < 0, low, high)
    return np.asarray((lengths - 1) * lengths / np.maximum(np.linalg.norm(normals, axis=1), 1e-12))


def _one_wider(inside: np.ndarray) -> np.ndarray:
    """`inside` `(z, y, x) bool` and all voxels next to it, also across edges and corners."""
    for axis in range(3):
        before = np.moveaxis(inside, axis, 0)
        inside = inside.copy()
        after = np.moveaxis(inside, axis, 0)
        after[1:] |= before[:-1]
        after[:-1] |= before[1:]
    return inside


def _next_to_the_surface(field: np.ndarray) -> np.ndarray:
    """Which voxels `(z, y, x) bool` of `field` have a neighbour along an axis on the other side of 0."""
    inside = field < 0
    found = np.zeros_like(inside)
    for axis in range(3):
        before, after = np.moveaxis(inside, axis, 0)[:-1], np.moveaxis(inside, axis, 0)[1:]
        change = before != after
        along = np.moveaxis(found, axis, 0)
        along[:-1] |= change
        along[1:] |= change
    return found


def _reached(start: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """The voxels that lie within the margins `(3, 2)` in voxels of one in `start` `(z, y, x) bool`.

    Block by block, so that where a long body leaves most of its box empty, that takes no time.
    """
    down, up = np.ceil(margins[::-1]).astype(int).T
    found = np.zeros(start.shape, bool)
    places = list(np.ndindex(*(-(-side // BLOCK) for side in start.shape)))

    def grow(number: int) -> None:
        low = np.array(places[number]) * BLOCK
        high = np.minimum(low + BLOCK, start.shape)
        first, last = np.maximum(low - up, 0), np.minimum(high + down, start.shape)
        around = start[_box(first, last)]
        if around.all():
            found[_box(low, high)] = True
        elif around.any():
            found[_box(low, high)] = _reached_of_all(around, margins)[_box(low - first, high - first)]

    list(in_order(grow, range(len(places))))
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


def _better(
    signed: np.ndarray, points: np.ndarray, parts: np.ndarray, margins: np.ndarray, grid: Grid, rounds: range
) -> tuple[np.ndarray, np.ndarray]:
    """Parts `(n, 3)` of the margins like `parts` `(n, 3)`, by which `signed` is less yet at `points` `(n, 3)`; and how
    much `(n,)` it is."""

    least, whole = np.empty(len(points), np.float32), 1 / max(1.5 * np.sqrt(margins.max() / grid.spacing), 3)

    def look(chosen: slice) -> None:
        here, parts_here, least_here = points[chosen], parts[chosen], least[chosen]

        def value(of: np.ndarray) -> np.ndarray:
            return _between(signed, here - shifts_of(of, margins), grid)

        least_here[:] = value(parts_here)
        for finer in rounds:
            way = whole * 0.5**finer
            for step in (*np.eye(3), *-np.eye(3)):
                other = parts_here + way * step
                other /= np.maximum(np.linalg.norm(other, axis=1), 1)[:, None]
                now = value(other)
                less = now < least_here
                least_here[less], parts_here[less] = now[less], other[less]

    in_slices(look, len(points), FOR_A_THREAD)
    return parts, least
