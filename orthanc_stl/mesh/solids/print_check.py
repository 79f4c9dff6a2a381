"""What to know of a body before it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.solids.field import spacing_for, surface_at
from orthanc_stl.mesh.solids.walls import ThinPlace, Walls, walls_of
from orthanc_stl.mesh.topology import topology_of
from orthanc_stl.mesh.triangles import merged
from orthanc_stl.mesh.types import Mesh

WALL = 0.8
"""In mm: two lines of a nozzle of 0.4 mm, which most printers have."""

STEEP = 45.0
"""Degrees from the vertical: faces that hang over by more need support."""

ON_BED = 0.3
"""In mm: the first layer. A triangle whose middle is so low stands on the bed."""

MOST_PLACES = 20

COARSE = 0.25
"""A fraction of the voxels on the surface that a shell itself would have: enough for the volume of its material."""


@dataclass(frozen=True)
class PrintCheck:
    """Lengths in mm, areas in mm², volumes in mm³.

    `closed`: also when vertices at one place are one, as a slicer reads them. `crossings`: pairs of triangles that pass
    through each other. `thin_places`: the largest first, and their area together. `smallest_wall`: the thinnest wall
    that was met within ten times the width asked for, None if none was. `thickness` `(m,)`: of the wall under each
    triangle where it is thinnest, infinite where none was met. `overhangs` `(m,) bool`: which need support, and
    their `overhang_area`. `size` of the box as it lies, and whether it `fits` the bed as it lies or turned by quarters
    (None without a bed). `solid_volume`
    and `shell_volume`: of the material, all filled or as a shell (None without a shell).
    """

    closed: bool
    pieces: int
    cavities: int
    smallest_piece: float
    crossings: int
    thin_places: tuple[ThinPlace, ...]
    thin_area: float
    smallest_wall: float | None
    thickness: np.ndarray
    overhangs: np.ndarray
    overhang_area: float
    size: tuple[float, float, float]
    fits: bool | None
    solid_volume: float
    shell_volume: float | None


def print_check(
    mesh: Mesh,
    *,
    wall: float = WALL,
    bed: Sequence[float] | None = None,
    shell: float | None = None,
) -> PrintCheck:
    """Looks for what makes a print fail. `wall`: thinner ones are reported; `bed`: its size (x, y, height) in mm;
    `shell`: the wall in mm of a hollow print, for its material. The bed is towards the feet.

    A mesh that is not closed is checked as far as it can be: walls are not. Raises InvalidInput for a mesh without
    triangles and for sizes of 0 or less.
    """
    if not len(mesh.triangles):
        raise InvalidInput("got a surface without triangles, expected one to print")
    sizes = [wall, *(bed or ()), *([] if shell is None else [shell])]
    if not all(0 < size < np.inf for size in sizes) or (bed is not None and len(bed) != 3):
        raise InvalidInput(f"got the sizes {sizes} mm, expected three of the bed and all of them more than 0")
    as_read = merged(mesh.vertices[mesh.triangles])
    volume = area_and_volume(mesh)[1]
    closed = topology_of(mesh.triangles, len(mesh.vertices)).closed and volume > 0
    walls = walls_of(mesh, wall) if closed else Walls(np.full(len(mesh.triangles), np.inf), ())
    pieces = pieces_of(mesh)
    hanging = _overhangs(mesh)
    size = np.ptp(mesh.vertices, axis=0).astype(np.float64).tolist()
    x, y, z = size
    return PrintCheck(
        closed=closed and topology_of(as_read.triangles, len(as_read.vertices)).closed,
        pieces=len(pieces),
        cavities=sum(piece.cavities for piece in pieces),
        smallest_piece=pieces[-1].volume if pieces else 0.0,
        crossings=len(crossing_triangles(mesh)),
        thin_places=walls.thin[:MOST_PLACES],
        thin_area=sum(place.area for place in walls.thin),
        smallest_wall=float(walls.thickness.min()) if np.isfinite(walls.thickness).any() else None,
        thickness=walls.thickness,
        overhangs=hanging,
        overhang_area=float(_areas(mesh)[hanging].sum()),
        size=(x, y, z),
        fits=None if bed is None else bool((np.sort(size) <= np.sort(np.asarray(bed, np.float64))).all()),
        solid_volume=volume,
        shell_volume=None if shell is None or not closed else volume - _hollow(mesh, shell),
    )


def _hollow(mesh: Mesh, wall: float) -> float:
    """The volume in mm³ deeper than `wall` in the body."""
    inner = surface_at(mesh, -wall, spacing=spacing_for(mesh) / np.sqrt(COARSE))
    return area_and_volume(inner)[1]


def _areas(mesh: Mesh) -> np.ndarray:
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2


def _overhangs(mesh: Mesh) -> np.ndarray:
    """Which triangles `(m,)` hang over by more than STEEP and do not stand on the bed."""
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas, heights = np.linalg.norm(normals, axis=1), corners[:, :, 2]
    hanging = -normals[:, 2] > areas * np.sin(np.radians(STEEP)) * (1 + 1e-6)
    return np.asarray(hanging & (heights.mean(axis=1) > heights.min() + ON_BED))
