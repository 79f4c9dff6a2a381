"""Shifts within margins that differ by direction, and which of them leads to the least value of a field.

Margins `(3, 2)` are the half-axes in mm of eighths of ellipsoids: along x, y, z, downwards and upwards.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from orthanc_stl.mesh.threads import in_slices

FOR_A_THREAD = 4_000
"""Voxels at least: of fewer, Python takes most of the time, which runs on one thread at once (measured)."""


def shifts_of(parts: np.ndarray, margins: np.ndarray) -> np.ndarray:
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


def least_of_shifts(signed: np.ndarray, asked: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least `(n,)` of `signed` `(z, y, x)` at the voxels `asked` `(n,)`, each shifted back by `shifts` `(m, 3)` in
    voxels (between the voxels by straight lines), and the number `(n,)` of the shift."""
    reach = int(np.ceil(np.abs(shifts).max())) + 1
    wider = np.pad(signed, reach, mode="edge")
    place = np.column_stack(np.unravel_index(asked, signed.shape)) + reach
    number = np.ravel_multi_index(tuple(place.T), wider.shape)
    flat, strides = wider.reshape(-1), np.array(wider.strides) // wider.itemsize
    first = int(number.min()) if len(number) else 0
    number -= first  # from a place on, so that a shift is another beginning and not another number for each voxel
    least, best = np.full(len(asked), np.inf, np.float32), np.zeros(len(asked), np.int32)

    def look(chosen: slice) -> None:
        numbers, least_here, best_here = number[chosen], least[chosen], best[chosen]
        there = np.empty(len(numbers), np.float32)
        for count, shift in enumerate(-shifts[:, ::-1]):
            whole = np.floor(shift).astype(int)
            part = shift - whole
            now = np.zeros(len(numbers), np.float32)
            for corner in product((0, 1), repeat=3):
                weight = np.prod(np.where(corner, part, 1 - part))
                if weight > 0:
                    np.take(flat[first + int((whole + corner) @ strides) :], numbers, out=there, mode="clip")
                    there *= np.float32(weight)
                    now += there
            less = now < least_here
            least_here[less], best_here[less] = now[less], count

    in_slices(look, len(asked), FOR_A_THREAD)
    return least, best
