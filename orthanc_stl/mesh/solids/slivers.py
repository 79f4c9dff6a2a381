"""Unions of many round pieces leave slivers where they meet: taken out, and what is left of them found."""

from __future__ import annotations

import manifold3d
import numpy as np

from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.solids.booleans import FILM
from orthanc_stl.mesh.topology import closed_twins
from orthanc_stl.mesh.triangles import area_normals, corners_of, unit_normals
from orthanc_stl.mesh.types import Mesh

STEPS = (3e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2)
"""In mm: details of less are taken out, one after the other. At once by the last one, more of them fold over."""

THIN = 1e-2
"""In mm: the height of a sliver at most."""


def without_slivers(manifold: manifold3d.Manifold, thick: float) -> manifold3d.Manifold:
    """Without details of less than the last of STEPS, and without cavities thinner than `thick` mm."""
    for step in STEPS:
        manifold = manifold.as_original().simplify(step)
    parts = manifold.decompose()
    left = [part for part in parts if abs(part.volume()) > part.surface_area() / 2 * _least(part, thick)]
    return manifold if len(left) == len(parts) else manifold3d.Manifold.compose(left)


def _least(part: manifold3d.Manifold, thick: float) -> float:
    return thick if part.volume() < 0 else FILM


def is_sound(mesh: Mesh) -> bool:
    """Whether a mesh is closed, nothing of it passes through itself, and no sliver of it is folded over."""
    closed = closed_twins(mesh.triangles, len(mesh.vertices)) is not None
    return closed and not len(faults_of(mesh.vertices.astype(np.float64), mesh.triangles))


def faults_of(points: np.ndarray, triangles: np.ndarray, crossing: np.ndarray | None = None) -> np.ndarray:
    """The numbers of `triangles` `(m, 3)` that pass through others, and of slivers that are folded over: across their
    longest edge they face away from their neighbour. The surface may have a border. `crossing` `(k, 2)`: the pairs that
    cross, where they are known."""
    if crossing is None:
        crossing = crossing_triangles(Mesh(points, triangles))
    return np.unique(np.concatenate((crossing.reshape(-1), _folded(points, triangles))))


def _folded(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corners = corners_of(points, triangles)
    starts, ends = triangles.reshape(-1).astype(np.int64), np.roll(triangles, -1, axis=1).reshape(-1).astype(np.int64)
    lengths = np.linalg.norm(points[ends] - points[starts], axis=1).reshape(-1, 3)
    height = np.linalg.norm(area_normals(corners), axis=0) / np.maximum(lengths.max(axis=1), 1e-12)
    thin = np.flatnonzero(height < THIN)
    longest = thin * 3 + lengths[thin].argmax(axis=1)
    keys, twins = starts * len(points) + ends, ends[longest] * len(points) + starts[longest]
    order = np.argsort(keys)
    beyond = order[np.searchsorted(keys, twins, sorter=order).clip(0, len(keys) - 1)]
    normals = unit_normals(corners)
    across = (normals[thin] * normals[beyond // 3]).sum(axis=1)
    return np.asarray(thin[(keys[beyond] == twins) & (across < 0)])
