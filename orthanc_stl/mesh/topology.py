"""How triangles hang together: edges, closedness, Euler number, and where that goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Topology:
    """Counts of a triangle mesh; `closed`: each edge has two triangles, which pass it in opposite directions.

    `bad_vertices`: at the ends of edges where that is not so, or in fewer than three triangles.
    """

    vertices: int
    edges: int
    triangles: int
    closed: bool
    bad_vertices: np.ndarray

    @property
    def euler_number(self) -> int:
        return self.vertices - self.edges + self.triangles


def topology_of(triangles: np.ndarray, count: int) -> Topology:
    """The topology of `triangles` (m, 3) over `count` vertices; vertices in no triangle do not count."""
    used = np.bincount(triangles.reshape(-1), minlength=count)
    forward, backward = _edge_keys(triangles, count)
    sparse = np.flatnonzero((used > 0) & (used < 3))
    matched = len(forward) == len(backward) and np.array_equal(forward, backward)
    if matched and not (forward[1:] == forward[:-1]).any():
        closed, edges, bad = bool(len(forward)), len(forward), sparse
    else:
        keys, times = np.unique(np.concatenate((forward, backward)), return_counts=True)
        ahead = np.searchsorted(forward, keys, side="right") - np.searchsorted(forward, keys)
        wrong = keys[(times != 2) | (ahead != 1)]
        closed, edges = False, len(keys)
        bad = np.unique(np.concatenate((wrong // count, wrong % count, sparse)))
    return Topology(int(np.count_nonzero(used)), edges, len(triangles), closed and not len(bad), bad)


def _edge_keys(triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted keys (lower vertex * count + upper vertex) of the edges passed upwards, and of those passed downwards."""
    corners = np.ascontiguousarray(triangles.T, dtype=np.int64)
    up, down = [], []
    for start, end in ((corners[0], corners[1]), (corners[1], corners[2]), (corners[2], corners[0])):
        rising = start < end
        falling = ~rising
        up.append(start[rising] * count + end[rising])
        down.append(end[falling] * count + start[falling])
    forward, backward = np.concatenate(up), np.concatenate(down)
    forward.sort()
    backward.sort()
    return forward, backward


def crowded_vertices(triangles: np.ndarray, count: int) -> np.ndarray:
    """The vertices of a closed mesh at which several sheets of the surface touch (more than one fan of triangles)."""
    corners = triangles.reshape(-1).astype(np.int64)
    onward = np.roll(triangles, -1, axis=1).reshape(-1).astype(np.int64)
    ahead = np.argsort(corners * count + onward)
    behind = np.argsort(onward * count + corners)
    # Corner i starts the edge `corners[i] -> onward[i]`; the triangle beyond passes it the other way, from the corner
    # `partner[i]`, whose successor in that triangle lies at the same vertex as corner i.
    partner = np.empty(len(corners), np.int64)
    partner[ahead] = behind
    beyond = partner - partner % 3 + (partner + 1) % 3
    graph = coo_array((np.ones(len(corners), bool), (np.arange(len(corners)), beyond)), shape=(len(corners),) * 2)
    fan = connected_components(graph, directed=False)[1]
    first = np.unique(fan, return_index=True)[1]
    return np.flatnonzero(np.bincount(corners[first], minlength=count) > 1)
