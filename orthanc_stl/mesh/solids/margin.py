"""Bodies grown or shrunk by a margin: the same in all directions, or one for each."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from itertools import product

import numpy as np
from scipy import ndimage

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
)
from orthanc_stl.mesh.types import Mesh

COARSER = 1.6
"""Times the voxel of equal margins, since there is more to work out for each."""

MOST_STEPS = 20
"""Voxels in the largest margin."""

FINER = 5
"""Times that the best shift is looked for by half as far around it."""


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
    """What is inside (`sign` 1) or outside (-1) grows by the eighths of ellipsoids with the half-axes `margins`.

    `margins` `(3, 2)`: along x, y, z, downwards and upwards.
    """
    largest = float(margins.max())
    voxel = spacing or max(spacing_for(mesh) * COARSER, largest / MOST_STEPS)
    grid = grid_around(mesh, voxel, largest if sign > 0 else 0.0)
    return mesh_of_field(sign * _least_within(SignedDistance(mesh), sign, margins, grid), grid)


def _least_within(known: SignedDistance, sign: int, margins: np.ndarray, grid: Grid) -> np.ndarray:
    """The least signed distance `(z, y, x)` of all places from which a shift within the margins leads to a voxel.

    It is negative where the grown body is: right near 0, of the right sign elsewhere. A body thinner than a voxel is
    seen by its surface alone.
    """
    voxel = grid.spacing
    signed = sign * field_of(grid, known, around=2.0)
    certain = _reached(signed <= 0, margins / voxel)
    possible = ndimage.binary_dilation(_reached(signed <= voxel, margins / voxel + 1), np.ones((3, 3, 3)))
    edges = possible & ~ndimage.binary_erosion(certain, np.ones((3, 3, 3)))
    asked = np.flatnonzero(edges)
    found = np.where(certain, -voxel, voxel).astype(np.float32)
    parts = parts_of_shifts(margins, voxel)
    least, best = _least_of_shifts(signed, asked, _shifts(parts, margins) / voxel)
    near = np.flatnonzero((least > -1.2 * voxel) & (least < 2.2 * voxel))
    points = grid.points(asked[near])
    least[near] = sign * known.of(points - _better(signed, points, parts[best[near]], margins, grid))
    inside = certain.reshape(-1)[asked]
    found.reshape(-1)[asked] = np.where(inside, np.minimum(least, -1e-3 * voxel), least)
    return found


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
