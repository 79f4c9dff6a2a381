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
    """

    stored: np.ndarray
    affine: np.ndarray
    slope: float = 1.0
    intercept: float = 0.0
    labels: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def voxel_volume(self) -> float:
        """mm³."""
        return abs(float(np.linalg.det(self.affine[:3, :3])))
