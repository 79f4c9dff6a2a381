"""A lattice of values, as a file or a server has it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Volume:
    """A three-dimensional lattice of values.

    `stored` is (nx, ny, nz) in any type and byte order, often a view of a file; a voxel's value is
    `stored * slope + intercept`, at the centre of the voxel. `affine` is (4, 4) float64: voxel index (i, j, k) to
    LPS millimetres. `labels`: the source says that the values are labels. `warnings`: a sentence for each thing that
    was guessed when it was read.

    `planes`: where steps along k are uneven, the place of plane k is that of the index `planes[k]` in `affine`; they
    rise strictly. A plane then reaches half-way to its neighbours. `longest_side` is that of the whole lattice in mm
    where this volume was cut out of a larger one: the side of cells is worked out from it.
    """

    stored: np.ndarray
    affine: np.ndarray
    slope: float = 1.0
    intercept: float = 0.0
    labels: bool = False
    warnings: tuple[str, ...] = ()
    planes: tuple[float, ...] | None = None
    longest_side: float = 0.0

    @property
    def voxel_volume(self) -> float:
        """mm³; of uneven planes, where the step is that of `affine`."""
        return abs(float(np.linalg.det(self.affine[:3, :3])))

    def extent(self) -> float:
        """The longest side of the whole lattice in mm."""
        sides = np.linalg.norm(self.affine[:3, :3], axis=0)
        return max(self.longest_side, float((sides * self.stored.shape).max()))

    def plane_index(self, k: np.ndarray) -> np.ndarray:
        """Places along k, whole or between planes, as indices of `affine`; beyond the ends the last step goes on."""
        if self.planes is None or len(self.planes) < 2:
            return k
        planes = np.asarray(self.planes, np.float64)
        last = len(planes) - 1
        below = planes[0] + k * (planes[1] - planes[0])
        above = planes[last] + (k - last) * (planes[last] - planes[last - 1])
        return np.where(k < 0, below, np.where(k > last, above, np.interp(k, np.arange(len(planes)), planes)))

    def thickness(self) -> np.ndarray:
        """Of each plane `(nz,) float64`, in steps of `affine`: all 1 where planes are even."""
        edges = self.plane_index(np.arange(self.stored.shape[2] + 1) - 0.5)
        return np.diff(edges)
