"""What margins add along the surface of a solid: exact, and in few convex pieces.

Whatever the margins reach is reached first (with the least part of them) from a place of the surface, along a normal of
the solid there. So each patch of the surface, nearly flat and nearly convex, adds the hull of itself, of its triangles
moved along their normals, of its outward edges moved along the normals between their two faces, and of its corners
moved along the normals there. Edges and corners that go inwards add nothing. Neighbours hold the whole of what lies
between them: pieces that only touch, or a piece for each edge, leave slivers and crossings where they meet.
"""

from __future__ import annotations

import manifold3d
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from orthanc_stl.mesh.solids.faces import PARALLEL, patches_of
from orthanc_stl.mesh.topology import twins_of
from orthanc_stl.mesh.triangles import area_normals, corners_of
from orthanc_stl.mesh.types import Mesh

FINELY = 256
"""Normals of an edge, of which those are taken that the roundness needs."""


def farthest(ways: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """The points `(n, 3)` of the eighths of ellipsoids that lie farthest along `ways` `(n, 3)`."""
    half_axes = np.where(ways < 0, *margins.T)
    lengths = np.linalg.norm(half_axes * ways, axis=1)
    return np.asarray(half_axes**2 * ways / np.maximum(lengths, 1e-12)[:, None])


class Surface:
    """The surface of a closed mesh with its vertices at `points` `(n, 3)`, seen from inside (`sign` 1) or from outside
    (-1), in patches that are flat and convex but for `flat` mm."""

    def __init__(self, mesh: Mesh, points: np.ndarray, sign: int, flat: float) -> None:
        self._points = points
        self._of = patches_of(mesh, flat)
        twins = twins_of(mesh.triangles, len(points))
        normals, plane, flat_edges = _normals(mesh, points, twins)
        corners = np.column_stack((self._of.repeat(3), plane.repeat(3), mesh.triangles.reshape(-1)))
        self._corners = np.unique(corners, axis=0, return_index=True)
        self._normals = sign * normals
        self._starts, self._ends = mesh.triangles.reshape(-1), np.roll(mesh.triangles, -1, axis=1).reshape(-1)
        opposite = np.roll(mesh.triangles, -2, axis=1).reshape(-1)[twins]
        ways = points[opposite] - points[self._starts]
        outwards = ~flat_edges & ((self._normals[np.arange(len(twins)) // 3] * ways).sum(axis=1) < 0)
        self._twins, self._outwards = twins, outwards

    def swept(self, margins: np.ndarray, off: float) -> list[np.ndarray]:
        """The corners `(k, 3)` of the convex pieces that the `margins` `(3, 2)` add, within `off` mm."""
        points, normals = self._points, self._normals
        (patch, _, corner), first = self._corners[0].T, self._corners[1]
        both = np.concatenate((points[corner], points[corner] + farthest(normals[first // 3], margins)), axis=1)
        starts = np.flatnonzero(np.diff(patch, prepend=-1))
        found = {
            number: [one.reshape(-1, 3)]
            for number, one in zip(patch[starts].tolist(), np.split(both, starts[1:]), strict=True)
        }
        for edge in np.flatnonzero(self._outwards & (np.arange(len(self._twins)) < self._twins)).tolist():
            twin = int(self._twins[edge])
            shifts = farthest(_between(normals[edge // 3], normals[twin // 3], margins, off), margins)
            ends = _moved(points[[self._starts[edge], self._ends[edge]]], shifts)
            for half in (edge, twin):
                found[int(self._of[half // 3])].append(ends)
        for corner, shifts in self._at_corners(margins, off).items():
            for number in np.unique(self._of[np.flatnonzero((self._starts == corner) & self._outwards) // 3]).tolist():
                found[number].append(points[corner] + shifts)
        return [np.concatenate(one) for one in found.values()]

    def _at_corners(self, margins: np.ndarray, off: float) -> dict[int, np.ndarray]:
        """The shifts `(n, 3)` along the normals that no edge there goes beyond, by vertices with outward edges."""
        around = _sphere(int(np.ceil(np.pi / 2 / np.sqrt(5 * off / margins.max()))))
        around = around / _stretch(around, margins, off)
        around /= np.linalg.norm(around, axis=1)[:, None]
        order = np.argsort(self._starts, kind="stable")
        found = {}
        for group in np.split(order, np.flatnonzero(np.diff(self._starts[order])) + 1):
            if np.count_nonzero(self._outwards[group]) < 2:
                continue
            place = int(self._starts[group[0]])
            within = (around @ (self._points[self._ends[group]] - self._points[place]).T).max(axis=1) < 0
            if within.any():
                found[place] = farthest(around[within], margins)
        return found


def _normals(mesh: Mesh, points: np.ndarray, twins: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit normals `(m, 3)`, one for all triangles of a plane, the numbers of the planes `(m,)`, and which half-edges
    `(3 m,) bool` lie in one."""
    areas = area_normals(corners_of(points, mesh.triangles)).T
    unit = areas / np.maximum(np.linalg.norm(areas, axis=1), 1e-30)[:, None]
    of = np.arange(len(twins)) // 3
    flat = (unit[of] * unit[twins // 3]).sum(axis=1) > PARALLEL
    pairs = coo_array((np.ones(flat.sum()), (of[flat], twins[flat] // 3)), (len(areas), len(areas)))
    label = connected_components(pairs, directed=False)[1]
    sums = np.column_stack([np.bincount(label, along) for along in areas.T])
    sums /= np.maximum(np.linalg.norm(sums, axis=1), 1e-30)[:, None]
    return sums[label], label, label[of] == label[twins // 3]


def _between(one: np.ndarray, other: np.ndarray, margins: np.ndarray, off: float) -> np.ndarray:
    """Normals `(n, 3)` from `one` to `other`."""
    angle = float(np.arccos(np.clip(one @ other, -1, 1)))
    across = other - one * (one @ other)
    across /= max(float(np.linalg.norm(across)), 1e-12)
    turns = np.linspace(0, angle, FINELY)
    ways = np.cos(turns)[:, None] * one + np.sin(turns)[:, None] * across
    ways[[0, -1]] = one, other
    # On the unit sphere that the eighths of ellipsoids are stretched from, equal ways are as far off at most.
    round_ = ways * _stretch(ways, margins, off)
    round_ /= np.maximum(np.linalg.norm(round_, axis=1), 1e-12)[:, None]
    way = np.concatenate(([0], np.linalg.norm(np.diff(round_, axis=0), axis=1).cumsum()))
    steps = max(int(np.ceil(way[-1] / np.sqrt(8 * off / margins.max()))), 1)
    places = np.searchsorted(way, np.linspace(0, way[-1], steps + 1)).clip(0, len(ways) - 1)
    return np.asarray(ways[np.unique(np.concatenate((places, [0, len(ways) - 1])))])


def _stretch(ways: np.ndarray, margins: np.ndarray, off: float) -> np.ndarray:
    return np.maximum(np.where(ways < 0, *margins.T), off / 2)


def _moved(points: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """All of `points` `(k, 3)` moved by each of the `shifts` `(n, 3)`."""
    return np.asarray((points[:, None] + shifts).reshape(-1, 3))


def _sphere(steps: int) -> np.ndarray:
    """Points `(n, 3)` on the unit sphere, alike far from each other."""
    found = []
    for ring in range(2 * steps + 1):
        down = np.pi / 2 * ring / steps
        count = max(int(np.ceil(4 * steps * np.sin(down))), 1)
        turn = 2 * np.pi * np.arange(count) / count
        flat = np.sin(down) * np.column_stack((np.cos(turn), np.sin(turn)))
        found.append(np.column_stack((flat, np.full(count, np.cos(down)))))
    return np.concatenate(found)


def united_nearest_first(bodies: list[manifold3d.Manifold]) -> manifold3d.Manifold:
    """The union of many bodies: halves of them, as far from each other as may be, each united first, so that what lies
    inside is gone early."""
    if len(bodies) < 3:
        return manifold3d.Manifold.batch_boolean(bodies, manifold3d.OpType.Add)
    middles = np.array([np.reshape(body.bounding_box(), (2, 3)).mean(axis=0) for body in bodies])
    order = np.argsort(middles[:, int(np.argmax(np.ptp(middles, axis=0)))], kind="stable").tolist()
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    found = [united_nearest_first([bodies[number] for number in half]) for half in halves]
    for one in found:
        one.status()  # works it out: what is not would be united with all others at once
    return found[0] + found[1]
