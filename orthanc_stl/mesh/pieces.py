"""The bodies that a mesh consists of, and meshes without some of them.

A surface that faces inwards is a cavity, and belongs to the body around it: a hollow ball is one piece.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.topology import components_of
from orthanc_stl.mesh.triangles import chosen_part, signed_volumes
from orthanc_stl.mesh.types import Mesh

TOUCHING = 1e-3
"""In mm: the rounding of coordinates far from the origin, and more."""


@dataclass(frozen=True)
class Piece:
    """One body: `volume` in mm³ without its cavities, their number, and its `triangles` `(m,) int64` in the mesh."""

    volume: float
    cavities: int
    triangles: np.ndarray


@dataclass(frozen=True)
class Cleaned:
    """A mesh without some pieces or cavities: how many are left and the volumes (mm³) of what went, largest first."""

    mesh: Mesh
    left: int
    removed: tuple[float, ...]


@dataclass(frozen=True)
class _Shells:
    """Connected surfaces: the one of each triangle, their signed volumes (mm³), and for each the body around it.

    `body` of a surface that faces outwards is itself; -1 for one that faces inwards and lies in no body.
    """

    of_triangle: np.ndarray
    volumes: np.ndarray
    body: np.ndarray


def pieces_of(mesh: Mesh) -> list[Piece]:
    """The bodies of a closed mesh, the largest first."""
    return _pieces(_shells_of(mesh))


def _pieces(shells: _Shells) -> list[Piece]:
    bodies = np.flatnonzero(shells.body == np.arange(len(shells.body)))
    held = shells.body >= 0
    volumes = np.bincount(shells.body[held], shells.volumes[held], len(shells.body))
    cavities = np.bincount(shells.body[held], minlength=len(shells.body)) - 1
    order = np.argsort(shells.body[shells.of_triangle], kind="stable")
    ends = np.searchsorted(shells.body[shells.of_triangle][order], np.arange(len(shells.body) + 1))
    found = [
        Piece(float(volumes[body]), int(cavities[body]), np.sort(order[ends[body] : ends[body + 1]]))
        for body in bodies.tolist()
    ]
    return sorted(found, key=lambda piece: (-piece.volume, piece.triangles[0]))


def largest_piece(mesh: Mesh) -> Cleaned:
    """Only the body of the largest volume, with its cavities."""
    return _with_pieces(mesh, 1, 0.0)


def without_small_pieces(mesh: Mesh, smallest: float) -> Cleaned:
    """Without the bodies of less than `smallest` mm³; none may be left."""
    return _with_pieces(mesh, None, smallest)


def _with_pieces(mesh: Mesh, most: int | None, smallest: float) -> Cleaned:
    pieces = pieces_of(mesh)
    left = [piece for piece in pieces[:most] if piece.volume >= smallest]
    if len(left) == len(pieces):
        return Cleaned(mesh, len(pieces), ())
    chosen = np.zeros(len(mesh.triangles), bool)
    for piece in left:
        chosen[piece.triangles] = True
    return Cleaned(chosen_part(mesh, chosen), len(left), tuple(piece.volume for piece in pieces[len(left) :]))


def without_cavities(mesh: Mesh) -> Cleaned:
    """Solid bodies: each surface that faces inwards goes, and what lies in the cavity, which would be there twice.
    `removed`: the volumes of the cavities."""
    of_triangle, volumes = shells_of(mesh)
    inwards = volumes < 0
    if not inwards.any():
        return Cleaned(mesh, len(volumes), ())
    kept = ~inwards & ~_in_cavities(mesh, of_triangle, volumes)
    left = chosen_part(mesh, kept[of_triangle])
    return Cleaned(left, int(kept.sum()), tuple(sorted((-volumes[inwards]).tolist(), reverse=True)))


def outward_triangles(mesh: Mesh) -> np.ndarray:
    """Which triangles `(m,) bool` bound a body from outside, not a cavity in one."""
    shells = _shells_of(mesh)
    return np.asarray(shells.volumes[shells.of_triangle] >= 0)


def _shells_of(mesh: Mesh) -> _Shells:
    of_triangle, volumes = shells_of(mesh)
    return _Shells(of_triangle, volumes, _bodies(mesh, of_triangle, volumes))


def shells_of(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """The connected surface that each triangle is of `(m,) int64`, and their signed volumes (mm³): that of a cavity is
    negative."""
    of_vertex = components_of(mesh.triangles, len(mesh.vertices))
    of_triangle = of_vertex[mesh.triangles[:, 0]]
    used = np.bincount(of_triangle) > 0  # a vertex in no triangle is a part of its own
    of_triangle = (np.cumsum(used) - 1)[of_triangle]
    return of_triangle, np.bincount(of_triangle, signed_volumes(mesh) / 6, np.count_nonzero(used))


def _bodies(mesh: Mesh, of_triangle: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    """For each surface the smallest body that it lies in, or itself if it faces outwards."""
    body = np.where(volumes >= 0, np.arange(len(volumes)), -1)
    inwards = np.flatnonzero(volumes < 0)
    if not len(inwards):
        return body
    low, high, points = _boxes(mesh, of_triangle)
    for outer in np.flatnonzero(volumes >= 0)[np.argsort(volumes[volumes >= 0], kind="stable")]:
        within = (body[inwards] < 0) & (low[inwards] >= low[outer]).all(axis=1)
        candidates = inwards[within & (high[inwards] <= high[outer]).all(axis=1)]
        if len(candidates):
            surface = SurfaceDistance(chosen_part(mesh, of_triangle == outer))
            body[candidates[surface.signed(points[candidates]) < 0]] = outer
    return body


def _in_cavities(mesh: Mesh, of_triangle: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    """Which surfaces `(n,) bool` face outwards and lie in a cavity, which they may touch."""
    (low, high, _), found = _boxes(mesh, of_triangle), np.zeros(len(volumes), bool)
    for cavity in np.flatnonzero(volumes < 0):
        inside = (low >= low[cavity] - TOUCHING).all(axis=1) & (high <= high[cavity] + TOUCHING).all(axis=1)
        within = (volumes >= 0) & ~found & inside
        if not within.any():
            continue
        surface = SurfaceDistance(chosen_part(mesh, of_triangle == cavity))
        for one in np.flatnonzero(within):
            points = mesh.vertices[np.unique(mesh.triangles[of_triangle == one])]
            found[one] = surface.signed(points).min() > -TOUCHING  # on the side that the cavity's triangles face
    return found


def _boxes(mesh: Mesh, of_triangle: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each connected surface the box, from `(n, 3)` to `(n, 3)`, and one of its points `(n, 3) float64`."""
    order = np.argsort(of_triangle, kind="stable")
    starts = np.flatnonzero(np.diff(of_triangle[order], prepend=-1))
    corners = mesh.vertices[mesh.triangles[order]]
    low = np.minimum.reduceat(corners.min(axis=1), starts)
    high = np.maximum.reduceat(corners.max(axis=1), starts)
    return low, high, corners[starts, 0].astype(np.float64)
