"""Closed meshes of solids whose measures are known, made without contours: turned and shifted at will.

    mesh = moved(box(10, 20, 30), rotation, (100, 0, -50))

Lengths in mm.
"""

from __future__ import annotations

from collections.abc import Sequence

import manifold3d
import numpy as np
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.solids.booleans import mesh_of
from orthanc_stl.mesh.types import Mesh

ORIGIN = np.zeros(3)

OBLIQUE = Rotation.from_euler("xyz", [33, -48, 71], degrees=True)


def sphere(radius: float = 20.0, centre: Sequence[float] = (0, 0, 0), segments: int = 120) -> Mesh:
    """A ball of exactly that volume (its vertices lie a little outside)."""
    solid = manifold3d.Manifold.sphere(radius, segments)
    right = (4 / 3 * np.pi * radius**3 / solid.volume()) ** (1 / 3)
    return mesh_of(solid.scale((right,) * 3), np.asarray(centre, float))


def box(x: float, y: float, z: float, centre: Sequence[float] = (0, 0, 0)) -> Mesh:
    return mesh_of(manifold3d.Manifold.cube((x, y, z), True), np.asarray(centre, float))


def rod(radius: float, length: float, segments: int = 200) -> Mesh:
    """A cylinder along z of exactly that volume, its middle at 0."""
    right = radius * np.sqrt(2 * np.pi / segments / np.sin(2 * np.pi / segments))
    return mesh_of(manifold3d.Manifold.cylinder(length, right, right, segments, True), ORIGIN)


def doughnut(ring: float = 25.0, tube: float = 8.0, segments: int = 128) -> Mesh:
    circle = manifold3d.CrossSection.circle(tube, segments).translate((ring, 0))
    return mesh_of(manifold3d.Manifold.revolve(circle, segments), ORIGIN)


def shell(outer: float = 20.0, inner: float = 12.0) -> Mesh:
    """A hollow ball."""
    large, small = (manifold3d.Manifold.sphere(radius, 100) for radius in (outer, inner))
    return mesh_of(large - small, ORIGIN)


def moved(mesh: Mesh, rotation: Rotation = OBLIQUE, shift: Sequence[float] = (150.2, -90.1, 300.7)) -> Mesh:
    points = rotation.apply(mesh.vertices.astype(float)) + np.asarray(shift, float)
    return Mesh(points.astype(np.float32), mesh.triangles)
