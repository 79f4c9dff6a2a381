"""Points spread over a surface."""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.types import Mesh

PLASTIC = 1.32471795724474602596
"""The plastic number, x³ = x + 1."""


def sampled(mesh: Mesh, samples: int) -> np.ndarray:
    """Points `(samples, 3) float64` spread evenly over a surface, each for the same area; the same each time."""
    return sampled_triangles(mesh, samples)[0]


def sampled_triangles(mesh: Mesh, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """The same points, and the number `(samples,)` of the triangle that each lies in.

    They come after equal steps of area, in the order of the triangles, and lie in their triangles as a sequence of low
    discrepancy (Roberts' R2) falls.
    """
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    summed = np.cumsum(areas)
    steps = (np.arange(samples) + 0.5) / samples * summed[-1]
    chosen = np.minimum(np.searchsorted(summed, steps), len(corners) - 1)
    spread = (0.5 + np.arange(1, samples + 1)[:, None] / np.array([PLASTIC, PLASTIC**2])) % 1
    spread = np.where(spread.sum(axis=1, keepdims=True) > 1, 1 - spread, spread)
    first, second = spread.T[:, :, None]
    a, b, c = corners[chosen].transpose(1, 0, 2)
    return np.asarray(a * (1 - first - second) + b * first + c * second), chosen
