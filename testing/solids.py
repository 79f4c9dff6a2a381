"""Solids whose volume and surface are known, drawn as contours on parallel planes: upright, or moved anywhere.

    solid = ball(30)
    model = model_of(solid, rotation=some_rotation, shift=(10, 20, 30))

Lengths in mm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.contours.contour import Contour, RoiContours
from orthanc_stl.mesh.types import Mesh, Surface

UPRIGHT = Rotation.identity()


@dataclass(frozen=True)
class Solid:
    """`outlines` are (n, 3) closed polygons; `distance` gives the distance of points (n, 3) to the true surface."""

    outlines: list[np.ndarray]
    volume: float
    euler_number: int
    distance: Callable[[np.ndarray], np.ndarray]


def ring(radius: float, z: float, centre: Sequence[float] | np.ndarray = (0, 0), points: int = 200) -> np.ndarray:
    """A circle of the true area (its points lie a little outside), so that volumes can be compared closely."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    radius = radius * np.sqrt(2 * np.pi / points / np.sin(2 * np.pi / points))
    return np.stack(
        [centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles), np.full(points, float(z))], axis=1
    )


def planes_within(low: float, high: float, spacing: float = 3.0) -> np.ndarray:
    """Planes half a spacing inside of `low` and then every spacing, below `high`."""
    return np.arange(low + spacing / 2, high, spacing)


def ball(radius: float = 30.0, centre: Sequence[float] = (0, 0, 0), spacing: float = 3.0) -> Solid:
    x, y, z = centre
    planes = planes_within(z - radius, z + radius, spacing)
    outlines = [ring(np.sqrt(radius**2 - (p - z) ** 2), p, (x, y)) for p in planes]

    def distance(points: np.ndarray) -> np.ndarray:
        return np.abs(np.linalg.norm(points - np.array([x, y, z]), axis=1) - radius)

    return Solid(outlines, 4 / 3 * np.pi * radius**3, 2, distance)


def cylinder(slices: int, radius: float = 20.0, spacing: float = 3.0) -> Solid:
    outlines = [ring(radius, spacing * (k + 0.5)) for k in range(slices)]
    height = spacing * slices

    def distance(points: np.ndarray) -> np.ndarray:
        across = np.hypot(points[:, 0], points[:, 1]) - radius
        along = np.abs(points[:, 2] - height / 2) - height / 2
        outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
        return np.abs(outside + np.minimum(np.maximum(across, along), 0))

    return Solid(outlines, np.pi * radius**2 * height, 2, distance)


def cone(low: float = 25.0, high: float = 5.0, slices: int = 20, spacing: float = 3.0) -> Solid:
    """A frustum from radius `low` to `high`. Beyond its wide end plane the body goes on straight."""
    slope = (high - low) / (slices * spacing)
    planes = planes_within(0, slices * spacing, spacing)
    outlines = [ring(low + slope * z, z) for z in planes]
    first, last = low + slope * planes[0], high
    tall = slices * spacing - spacing / 2
    volume = np.pi * tall / 3 * (first**2 + first * last + last**2) + np.pi * first**2 * spacing / 2

    def distance(points: np.ndarray) -> np.ndarray:
        radius = np.minimum(low + slope * points[:, 2], first)
        side = np.abs(np.hypot(points[:, 0], points[:, 1]) - radius) / np.hypot(1, slope)
        return np.minimum(side, np.minimum(np.abs(points[:, 2]), np.abs(points[:, 2] - slices * spacing)))

    return Solid(outlines, volume, 2, distance)


def torus(ring_radius: float = 25.0, tube: float = 10.0, spacing: float = 2.0) -> Solid:
    outlines = []
    for z in planes_within(-tube, tube, spacing):
        half = np.sqrt(tube**2 - z**2)
        outlines += [ring(ring_radius + half, z), ring(ring_radius - half, z)[::-1]]

    def distance(points: np.ndarray) -> np.ndarray:
        return np.abs(np.hypot(np.hypot(points[:, 0], points[:, 1]) - ring_radius, points[:, 2]) - tube)

    return Solid(outlines, 2 * np.pi**2 * ring_radius * tube**2, 0, distance)


def hollow_shell(outer: float = 30.0, inner: float = 15.0, spacing: float = 3.0) -> Solid:
    whole, hole = ball(outer, spacing=spacing), ball(inner, spacing=spacing)
    return Solid(
        whole.outlines + hole.outlines,
        whole.volume - hole.volume,
        4,
        lambda points: np.minimum(whole.distance(points), hole.distance(points)),
    )


def two_balls(radius: float = 15.0, gap: float = 5.0, spacing: float = 2.0) -> Solid:
    x = radius + gap / 2
    left, right = ball(radius, (-x, 0, 0), spacing), ball(radius, (x, 0, 0), spacing)
    return Solid(
        left.outlines + right.outlines,
        left.volume + right.volume,
        4,
        lambda points: np.minimum(left.distance(points), right.distance(points)),
    )


def fork(spacing: float = 3.0) -> Solid:
    """A handle of 15 slices (radius 18) that splits into two tines of 10 slices (radius 7)."""
    handle = [ring(18, spacing * k) for k in range(15)]
    tines = [ring(7, spacing * k, (x, 0)) for k in range(15, 25) for x in (-10, 10)]

    def distance(points: np.ndarray) -> np.ndarray:
        """To the sides and ends; between handle and tines, where the body changes shape, nothing is known."""
        z = points[:, 2]
        side = np.abs(np.hypot(points[:, 0], points[:, 1]) - 18)
        tine = np.abs(np.hypot(np.abs(points[:, 0]) - 10, points[:, 1]) - 7)
        found = np.where(z < 14 * spacing, side, tine)
        found[(z > 14 * spacing) & (z < 15 * spacing)] = 0
        return np.minimum(found, np.minimum(np.abs(z + spacing / 2), np.abs(z - 24.5 * spacing)))

    return Solid(handle + tines, spacing * (15 * np.pi * 18**2 + 20 * np.pi * 7**2), 2, distance)


def thin_plate(thickness: float = 1.2, wide: float = 80.0, slices: int = 20, spacing: float = 3.0) -> Solid:
    """A plate that stands on its edge: each slice is a rectangle of 80 x 1.2 mm."""
    box = np.array([wide, thickness, slices * spacing])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * box[:2] / 2
    planes = planes_within(-box[2] / 2, box[2] / 2, spacing)

    def distance(points: np.ndarray) -> np.ndarray:
        beyond = np.abs(points) - box / 2
        outside = np.linalg.norm(np.maximum(beyond, 0), axis=1)
        return np.abs(outside + np.minimum(beyond.max(axis=1), 0))

    outlines = [np.column_stack((corners, np.full(4, z))) for z in planes]
    return Solid(outlines, float(np.prod(box)), 2, distance)


def voxel_of(surface: Surface) -> tuple[float, float, float]:
    """The sides in mm of the grid that it was made on."""
    assert surface.report.voxel is not None
    return surface.report.voxel


def roi_of(
    outlines: Sequence[np.ndarray],
    rotation: Rotation = UPRIGHT,
    shift: ArrayLike = (0, 0, 0),
    name: str = "ROI",
    number: int = 1,
) -> RoiContours:
    moved = [rotation.apply(outline) + np.asarray(shift, float) for outline in outlines]
    return RoiContours(number, name, tuple(Contour(points, place) for place, points in enumerate(moved, 1)))


def model_of(solid: Solid, rotation: Rotation = UPRIGHT, shift: ArrayLike = (0, 0, 0), **options: Any) -> Surface:
    return surface_from_contours([roi_of(solid.outlines, rotation, shift)], **options)


def distances(mesh: Mesh, solid: Solid, rotation: Rotation = UPRIGHT, shift: ArrayLike = (0, 0, 0)) -> np.ndarray:
    """The distances of the mesh's vertices to the true surface."""
    return solid.distance(rotation.inv().apply(mesh.vertices.astype(float) - np.asarray(shift, float)))


def along_pixels(mask: np.ndarray, pitch: tuple[float, float], corner: tuple[float, float]) -> np.ndarray:
    """(n, 2): the outline of a mask (rows, columns) without holes, along the edges of its pixels, a point a corner."""
    inside = np.pad(mask, 1)
    onward: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for i, j in np.argwhere(inside).tolist():
        for beyond, start, end in (
            ((i - 1, j), (j, i), (j + 1, i)),
            ((i, j + 1), (j + 1, i), (j + 1, i + 1)),
            ((i + 1, j), (j + 1, i + 1), (j, i + 1)),
            ((i, j - 1), (j, i + 1), (j, i)),
        ):
            if not inside[beyond]:
                onward.setdefault(start, []).append(end)
    path = [min(onward)]
    while (following := onward[path[-1]].pop()) != path[0]:
        path.append(following)
    return (np.array(path, float) - 1) * pitch + np.array(corner)
