"""Corners and tips that a surface from a grid still cuts off, put back where the planes around them meet.

What lies off the true surface is taken in connected places. Around each the mesh is right, so that the planes of the
triangles there meet in the corner, the tip or on the edge that is missing ("quadric error function": Ju, Losasso,
Schaefer and Warren, SIGGRAPH 2002); a fan of triangles from there to the rim takes the place of what was off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.topology import twins_of
from orthanc_stl.mesh.triangles import unit_normals
from orthanc_stl.mesh.types import Mesh

Value = Callable[[np.ndarray], np.ndarray]
"""Of points `(n, 3)` in mm: `(n,)`, 0 on the surface and less inside of it, with a slope of about 1."""

OFF = 0.05
"""In voxels: triangles whose middles are farther from the surface are off."""

WORST = 0.1
"""In voxels: how far one of the triangles of a place is off, at least; where an organ is round, many are by less."""

ON_IT = 0.02
"""In voxels: a corner is that near to the surface."""

FARTHEST = 4.0
"""In voxels: from the middle of what is off to the corner."""

FLAT = 0.02
"""Of the sum of the squares of normals: a way along which they have less is none that the planes decide on."""

MOST_TRIANGLES = 100
"""In one place."""

ALIKE = 0.7
"""Cosine of the angle between a triangle of the fan and the true surface, at least."""


@dataclass(frozen=True)
class _Fan:
    """In place of the triangles `off` `(k,)`: one from each edge of their rim `(r, 2)` to `tip` `(3,)`."""

    off: np.ndarray
    rim: np.ndarray
    tip: np.ndarray


def with_corners(mesh: Mesh, near: np.ndarray, value: Value, voxel: float) -> Mesh:
    """`mesh`, taken from a grid of `voxel` mm around what is less than 0 in `value`, with the corners that it cut off
    among its triangles `near` `(m,) bool`. It stays a closed surface of the same Euler number."""
    asked = np.flatnonzero(near)
    points = mesh.vertices.astype(np.float64)
    off = np.zeros(len(mesh.triangles), np.float64)
    off[asked] = np.abs(value(points[mesh.triangles[asked]].mean(axis=1)))
    fans = list(_fans(mesh, off, voxel))
    if not fans:
        return mesh
    sound = np.abs(value(np.array([fan.tip for fan in fans]))) < ON_IT * voxel
    fans = [fan for fan, kept in zip(fans, sound, strict=True) if kept]
    fans = [fan for fan, kept in zip(fans, _better(points, fans, off, value, voxel), strict=True) if kept]
    while fans:
        found, of_fan = _with_fans(mesh, fans)
        crossing = np.unique(of_fan[crossing_triangles(found, changed=of_fan >= 0)])
        crossing = crossing[crossing >= 0]
        if not len(crossing):
            return found
        fans = [fan for number, fan in enumerate(fans) if number not in set(crossing.tolist())]
    return mesh


def _fans(mesh: Mesh, off: np.ndarray, voxel: float) -> Iterator[_Fan]:
    """A fan for each place of triangles that are `off` by so many mm `(m,)`, where the planes around it meet."""
    places = np.flatnonzero(off > OFF * voxel)
    if not len(places):
        return
    points, twins = mesh.vertices.astype(np.float64), twins_of(mesh.triangles, len(mesh.vertices)).reshape(-1, 3)
    number = np.full(len(off), -1)
    number[places] = np.arange(len(places))
    others = number[twins[places] // 3]
    one, side = np.nonzero(others >= 0)
    shape = (len(places), len(places))
    _, label = connected_components(coo_matrix((np.ones(len(one)), (one, others[one, side])), shape), directed=False)
    order = np.argsort(label, kind="stable")
    at_vertex = _triangles_at_vertices(mesh)
    for group in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        those = places[group]
        if len(group) > MOST_TRIANGLES or off[those].max() < WORST * voxel:
            continue
        corners = mesh.triangles[those]
        edge = others[group] < 0
        rim = np.stack((corners, np.roll(corners, -1, axis=1)), axis=2)[edge]
        if not _one_disk(corners, rim):
            continue
        around = np.setdiff1d(np.concatenate([at_vertex(vertex) for vertex in rim[:, 0]]), those)
        tip = _meeting(points[mesh.triangles[around]], points[rim[:, 0]].mean(axis=0))
        if np.linalg.norm(tip - points[rim[:, 0]].mean(axis=0)) < FARTHEST * voxel:
            yield _Fan(those, rim, tip)


def _triangles_at_vertices(mesh: Mesh) -> Callable[[int], np.ndarray]:
    corners = mesh.triangles.reshape(-1)
    order = np.argsort(corners, kind="stable")
    ends = np.searchsorted(corners[order], np.arange(len(mesh.vertices) + 1))
    return lambda vertex: order[ends[vertex] : ends[vertex + 1]] // 3


def _one_disk(corners: np.ndarray, rim: np.ndarray) -> bool:
    """Whether the triangles `corners` `(k, 3)` are a disk whose edge is one closed line `rim` `(r, 2)`."""
    onwards = dict(rim.tolist())
    if not len(rim) or len(onwards) != len(rim):  # without a rim it is a piece of its own
        return False
    start = int(rim[0, 0])
    here, count = onwards[start], 1
    while here != start and here in onwards and count < len(rim):
        here, count = onwards[here], count + 1
    edges = (3 * len(corners) + len(rim)) // 2
    return here == start and count == len(rim) and len(np.unique(corners)) - edges + len(corners) == 1


def _meeting(triangles: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """The point `(3,)` nearest to `middle` of those where the planes of `triangles` `(k, 3, 3)` meet best."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    area = np.linalg.norm(normals, axis=1)
    normals = normals / np.maximum(area, 1e-12)[:, None]
    weight = area / max(area.sum(), 1e-12)
    heights = (normals * (triangles[:, 0] - middle)).sum(axis=1)
    squares, ways = np.linalg.eigh((normals * weight[:, None]).T @ normals)
    along = ways.T @ ((normals * (weight * heights)[:, None]).sum(axis=0))
    return np.asarray(middle + ways @ np.where(squares > FLAT, along / np.maximum(squares, 1e-12), 0))


def _better(points: np.ndarray, fans: list[_Fan], off: np.ndarray, value: Value, voxel: float) -> list[bool]:
    """Of each fan, whether it lies on the surface, and more so than what it takes the place of."""
    if not fans:
        return []
    triangles = np.concatenate(
        [np.concatenate((points[fan.rim], np.tile(fan.tip, (len(fan.rim), 1, 1))), axis=1) for fan in fans]
    )
    of = np.repeat(np.arange(len(fans)), [len(fan.rim) for fan in fans])
    middles = triangles.mean(axis=1)
    step = OFF * voxel
    away = value(middles)
    slope = np.column_stack([value(middles + step * along) - value(middles - step * along) for along in np.eye(3)])
    slope /= np.maximum(np.linalg.norm(slope, axis=1), 1e-12)[:, None]
    normals = unit_normals(np.ascontiguousarray(triangles.reshape(-1, 9).T))
    flat = np.linalg.norm(normals, axis=1) < 0.5
    turned = ((normals * slope).sum(axis=1) < ALIKE) & ~flat
    return [
        not turned[of == number].any() and np.abs(away[of == number]).max() < off[fan.off].max() / 2
        for number, fan in enumerate(fans)
    ]


def _with_fans(mesh: Mesh, fans: list[_Fan]) -> tuple[Mesh, np.ndarray]:
    """The mesh with the fans, and the number of the fan of each triangle, -1 for none."""
    kept = np.ones(len(mesh.triangles), bool)
    kept[np.concatenate([fan.off for fan in fans])] = False
    tips = len(mesh.vertices) + np.arange(len(fans))
    made = [np.column_stack((fan.rim, np.full(len(fan.rim), tip))) for fan, tip in zip(fans, tips, strict=True)]
    of = np.repeat(np.arange(len(fans)), [len(fan.rim) for fan in fans])
    triangles = np.concatenate((mesh.triangles[kept], *made)).astype(np.int32)
    vertices = np.concatenate((mesh.vertices, np.array([fan.tip for fan in fans], np.float32)))
    used, back = np.unique(triangles, return_inverse=True)
    found = Mesh(vertices[used], back.reshape(-1, 3).astype(np.int32))
    return found, np.concatenate((np.full(kept.sum(), -1), of))
