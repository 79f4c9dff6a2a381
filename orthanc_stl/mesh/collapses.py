"""Edge collapses by fast-simplification, and what a mesh looks like with some of them taken back."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import fast_simplification
import numpy as np

from orthanc_stl.mesh.types import Mesh

STEPS, FIRST_STEP, ERROR_UNIT = 100, 3, 1e-9
"""Of fast-simplification: step k of 100 collapses edges of errors below 1e-9 (k + 3)^aggressiveness."""

ONE_ERROR = float(np.finfo(float).eps)
"""The same without aggressiveness: what it calls lossless collapses edges of errors below this while there are such."""

_one_at_a_time = threading.Lock()  # fast-simplification keeps its mesh in global variables


@dataclass(frozen=True)
class Goal:
    """What fast-simplification is told: to work on the mesh times `scale`, down to `count` triangles.

    Without an `aggressiveness` all edges of errors below ONE_ERROR go, in the order of the triangles, and no `count` is
    looked at.
    """

    scale: float
    count: int
    aggressiveness: float | None


@dataclass(frozen=True)
class Collapsed:
    """What fast-simplification makes of the full mesh.

    `target` `(n,) int64`: the vertex of the full mesh that each one was collapsed into, itself if it was not.
    `places` `(n, 3) float32`: where each vertex that is a target went.
    """

    target: np.ndarray
    places: np.ndarray


@dataclass(frozen=True)
class Attempt:
    """`became` `(n,) int64`: the vertex of `mesh` that each vertex of the full mesh is in now.

    `origin` `(m,) int64`: the triangle of the full mesh that each triangle of `mesh` was.
    """

    mesh: Mesh
    became: np.ndarray
    origin: np.ndarray


def collapsed_to(mesh: Mesh, kept: np.ndarray, goal: Goal) -> Collapsed | None:
    """fast-simplification's work on all pieces but those whose vertices are `kept`; None if a piece went altogether."""
    count = len(mesh.vertices)
    middle = mesh.vertices.mean(axis=0, dtype=np.float64)
    rest = mesh.triangles[~kept[mesh.triangles[:, 0]]]
    used = np.flatnonzero(~kept)
    number = np.cumsum(~kept, dtype=np.int32) - np.int32(1)
    steps: dict[str, Any] = {"lossless": True}
    if goal.aggressiveness is not None:
        steps = {"target_count": max(4, goal.count - (len(mesh.triangles) - len(rest))), "agg": goal.aggressiveness}
    with _one_at_a_time:
        points, _, collapses = fast_simplification.simplify(
            (mesh.vertices[used] - middle) * goal.scale, number[rest], return_collapses=True, **steps
        )
    target = np.arange(count)
    target[used] = used[_targets(len(used), collapses)]
    remaining = used[target[used] == used]
    if len(remaining) != len(points):
        return None
    places = mesh.vertices.copy()
    places[remaining] = points / goal.scale + middle
    return Collapsed(target, places)


def with_kept(mesh: Mesh, collapsed: Collapsed, kept: np.ndarray) -> Attempt:
    """The full mesh after all collapses but those of vertices into, or together with, such as are `kept` `(n,) bool`.

    What a vertex was collapsed into says all: a triangle goes when two of its corners have become one.
    """
    target = np.where(kept, np.arange(len(kept)), collapsed.target)
    corners = target[mesh.triangles]
    a, b, c = corners.T
    origin = np.flatnonzero((a != b) & (b != c) & (c != a))
    remaining = target == np.arange(len(target))
    number = np.cumsum(remaining) - 1
    places = np.where(kept[:, None], mesh.vertices, collapsed.places)[remaining]
    return Attempt(Mesh(places, number[corners[origin]].astype(np.int32)), number[target], origin)


def _targets(count: int, collapses: np.ndarray) -> np.ndarray:
    """Which vertex each of `count` was collapsed into in the end; `collapses` `(k, 2)`: the second into the first."""
    target = np.arange(count)
    if len(collapses):
        target[collapses[:, 1]] = collapses[:, 0]
    while True:
        onward = target[target]
        if np.array_equal(onward, target):
            return target
        target = onward
