"""Bodies grown or shrunk by a margin: the same in all directions, or one for each."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from itertools import product

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.solids.booleans import require_closed
from orthanc_stl.mesh.solids.field import (
    Grid,
    SignedDistance,
    field_of,
    grid_around,
    mesh_of_field,
    spacing_for,
    surface_at,
    without_specks,
)
from orthanc_stl.mesh.solids.sharp_edges import points_on_sharp_edges, with_sharp_edges
from orthanc_stl.mesh.types import Mesh

COARSER = 1.6
"""Times the voxel of equal margins, since there is more to work out for each."""

MOST_STEPS = 20
"""The most voxels in the largest margin."""

OF_EDGES = 0.25
"""In voxels: the way from one point to the next on sharp edges of the body, near which the field between voxels is not
known well."""

NEAREST_ON_EDGES = 16
"""How many of the points on sharp edges nearest to a place are tried."""

PROBE = 0.05
"""In voxels: how far slopes are measured. The best shift is known to about a tenth of one."""

FINER = 5
"""How often the best shift is looked for around the one found, each time by half as far."""


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


def voxel_of(mesh: Mesh, margins: Margins) -> float:
    """The voxel in mm that margins of `mesh` are worked out with: sharp edges may be rounded by up to half of one,
    corners of unequal margins by up to one."""
    values = astuple(margins)
    if len(set(values)) == 1:
        return spacing_for(mesh, values[0])
    return max(_voxel(mesh, max(*values, 0.0)), _voxel(mesh, -min(*values, 0.0)))


def _voxel(mesh: Mesh, largest: float) -> float:
    return max(spacing_for(mesh) * COARSER, largest / MOST_STEPS)


def _moved(mesh: Mesh, margins: np.ndarray, sign: int, spacing: float | None) -> Mesh:
    """What is inside (`sign` 1) or outside (-1) grows by the eighths of ellipsoids with the half-axes `margins`.

    `margins` `(3, 2)`: along x, y, z, downwards and upwards.
    """
    largest = float(margins.max())
    voxel = spacing or _voxel(mesh, largest)
    grid = grid_around(mesh, voxel, largest if sign > 0 else 0.0)
    grown = _Grown(mesh, sign, margins, grid)
    found = without_specks(mesh_of_field(sign * grown.least_within(), grid), voxel)
    return with_sharp_edges(found, grown.value, voxel, PROBE) if margins.min() >= voxel else found


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
        place = np.rint((points - self._grid.origin) / self._grid.spacing).astype(int)
        x, y, z = np.clip(place, 0, np.array(self._grid.shape[::-1]) - 1).T
        return self._sign * self._least(points, self._parts[self._best[z, y, x]])

    def _least(self, points: np.ndarray, parts: np.ndarray) -> np.ndarray:
        """The least signed distance `(n,)` for shifts like those of `parts` `(n, 3)`, or from sharp edges near them."""
        start = points - _better(self._signed, points, parts, self._margins, self._grid)
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
        possible = ndimage.binary_dilation(_reached(signed <= voxel, margins / voxel + 1), np.ones((3, 3, 3)))
        edges = possible & ~ndimage.binary_erosion(certain, np.ones((3, 3, 3)))
        asked = np.flatnonzero(edges)
        found = np.where(certain, -voxel, voxel).astype(np.float32)
        least, best = _least_of_shifts(signed, asked, _shifts(self._parts, margins) / voxel)
        self._best.reshape(-1)[asked] = best
        near = np.flatnonzero((least > -1.2 * voxel) & (least < 2.2 * voxel))
        least[near] = self._least(grid.points(asked[near]), self._parts[best[near]])
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
    return shifts, np.where(aside > 0, np.hypot(np.maximum(beyond, 0), aside), beyond)


def _reached(start: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """The voxels that lie within the margins `(3, 2)` in voxels of one in `start` `(z, y, x) bool`.

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


def _shifts(parts: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """Shifts `(n, 3)` in mm from `parts` `(n, 3)` of the margins `(3, 2)`; those of a length of 1 are on the surface of
    the eighths of ellipsoids."""
    return parts * np.where(parts < 0, margins[:, 0], margins[:, 1])


def parts_of_shifts(margins: np.ndarray, voxel: float) -> np.ndarray:
    """Parts `(n, 3)` of the margins `(3, 2)` to begin with: those on the curved part of an eighth of an ellipsoid, and
    where it is flat or a line, all over that."""
    found = [np.zeros((1, 3))]
    for ends in product((0, 1), repeat=3):
        half_axes = margins[np.arange(3), ends]
        wide = np.flatnonzero(half_axes > 0)
        if len(wide):
            most = half_axes.max() / voxel
            round_ = _ROUND[len(wide)](int(np.ceil(2 * most if len(wide) == 1 else max(1.5 * np.sqrt(most), 3))))
            part = np.zeros((len(round_), 3))
            part[:, wide] = round_
            found.append(part * np.where(ends, 1, -1))
    return np.unique(np.concatenate(found).round(6) + 0.0, axis=0)


def _line(steps: int) -> np.ndarray:
    return np.linspace(0, 1, steps + 1)[:, None]


def _quarter(steps: int) -> np.ndarray:
    """Points `(n, 2)` of a quarter of a disk."""
    rings = []
    for radius in np.linspace(0, 1, steps + 1):
        angle = np.linspace(0, np.pi / 2, int(np.ceil(radius * steps * np.pi / 2)) + 1)
        rings.append(radius * np.column_stack((np.cos(angle), np.sin(angle))))
    return np.concatenate(rings)


def _eighth(steps: int) -> np.ndarray:
    """Points `(n, 3)` of an eighth of a sphere."""
    rings = []
    for height in np.linspace(0, np.pi / 2, int(np.ceil(steps * np.pi / 2)) + 1):
        angle = np.linspace(0, np.pi / 2, int(np.ceil(np.cos(height) * steps * np.pi / 2 - 1e-9)) + 1)
        around = np.column_stack((np.cos(angle), np.sin(angle))) * np.cos(height)
        rings.append(np.column_stack((around, np.full(len(angle), np.sin(height)))))
    return np.concatenate(rings)


_ROUND = {1: _line, 2: _quarter, 3: _eighth}


def _least_of_shifts(signed: np.ndarray, asked: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least `(n,)` of `signed` `(z, y, x)` at the voxels `asked` `(n,)`, each shifted back by `shifts` `(m, 3)` in
    voxels (between the voxels by straight lines), and the number `(n,)` of the shift."""
    reach = int(np.ceil(np.abs(shifts).max())) + 1
    wider = np.pad(signed, reach, mode="edge")
    place = np.column_stack(np.unravel_index(asked, signed.shape)) + reach
    number = np.ravel_multi_index(tuple(place.T), wider.shape).astype(np.int32)
    flat, strides = wider.reshape(-1), np.array(wider.strides) // wider.itemsize
    least, best = np.full(len(asked), np.inf, np.float32), np.zeros(len(asked), np.int32)
    for count, shift in enumerate(-shifts[:, ::-1]):
        whole = np.floor(shift).astype(int)
        part = shift - whole
        now = np.zeros(len(asked), np.float32)
        for corner in product((0, 1), repeat=3):
            weight = np.prod(np.where(corner, part, 1 - part))
            if weight > 0:
                now += np.float32(weight) * flat[number + int((whole + corner) @ strides)]
        less = now < least
        least[less], best[less] = now[less], count
    return least, best


def _better(signed: np.ndarray, points: np.ndarray, parts: np.ndarray, margins: np.ndarray, grid: Grid) -> np.ndarray:
    """Shifts `(n, 3)` in mm like those of `parts` `(n, 3)`, so that `signed` is still less at `points` `(n, 3)`."""

    def value(of: np.ndarray) -> np.ndarray:
        place = (points - _shifts(of, margins) - grid.origin) / grid.spacing
        return np.asarray(ndimage.map_coordinates(signed, place.T[::-1], order=1, mode="nearest", prefilter=False))

    least, way = value(parts), 0.5 / max(1.5 * np.sqrt(margins.max() / grid.spacing), 3)
    for _ in range(FINER):
        for step in (*np.eye(3), *-np.eye(3)):
            other = parts + way * step
            other /= np.maximum(np.linalg.norm(other, axis=1), 1)[:, None]
            now = value(other)
            less = now < least
            least[less], parts[less] = now[less], other[less]
        way /= 2
    return _shifts(parts, margins)
