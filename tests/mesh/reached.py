"""What margins that differ by direction reach, by trial: independent of how they are worked out."""

from __future__ import annotations

import numpy as np

from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.types import Mesh

WAYS = np.random.default_rng(0).normal(size=(3000, 3))
WAYS /= np.linalg.norm(WAYS, axis=1)[:, None]


def beyond(points: np.ndarray, body: Mesh, half_axes: np.ndarray, sign: int) -> np.ndarray:
    """How far `(n,)` in mm `points` `(n, 3)` are from `body` (`sign` -1: from what is around it) when they are moved
    back by the best of these half-axes `(3, 2)`: the best of 500 ways, and of 500 around it. Less than 0 is inside."""
    known, ways = SurfaceDistance(body), np.broadcast_to(WAYS[:500], (len(points), 500, 3))
    for near in (0.15, 0.04, 0.0):
        moved_back = points[:, None] - np.where(ways < 0, *half_axes.T) * ways
        away = (sign * known.signed(moved_back.reshape(-1, 3))).reshape(ways.shape[:2])
        best = ways[np.arange(len(points)), away.argmin(axis=1)]
        ways = best[:, None] + near * np.concatenate((np.zeros((1, 3)), WAYS[500:999]))
        ways = ways / np.linalg.norm(ways, axis=2, keepdims=True)
    return np.asarray(away.min(axis=1))
