"""Surfaces at a distance from a mesh: from a field of distances, so that they never pass through themselves.

The field is worked out only where the surface will be: a block of voxels whose middle is farther from the level than
its corners are from its middle is of one sign, and is not looked into (distances change by no more than the way).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.pieces import shells_of
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.sampling import sampled
from orthanc_stl.mesh.simplify import simplified
from orthanc_stl.mesh.solids.booleans import require_closed
from orthanc_stl.mesh.solids.sharp_edges import points_on_sharp_edges, with_sharp_edges
from orthanc_stl.mesh.surface import isosurface
from orthanc_stl.mesh.triangles import chosen_part
from orthanc_stl.mesh.types import Mesh

SURFACE_VOXELS = 60_000
"""The voxel is chosen so that the surface has about so many: 0.29 mm for a ball of 20 mm. More take time alike."""

FINER = 1.25
"""The voxel is made smaller by at most this factor where a wall is thin, which takes up to twice the time."""

VOXELS_OUTWARDS = 12
"""A surface so far outside has no detail smaller than a few voxels of this part of its distance."""

MOST_VOXELS = 30_000_000
"""Of the box: a larger voxel is taken where it would hold more."""

SAMPLES = 150_000
"""Points on the surface that distances are measured to, where they are more than NEAR of their spacing away."""

NEAR = 4.0
"""In spacings of the samples: nearer than this the distance is measured to the triangles. Beyond, that to the nearest
sample is too long by at most an eighth of a spacing by NEAR: 0.006 mm for a ball of 20 mm."""

COARSEST = 16
"""In voxels: the side of the first blocks."""


@dataclass(frozen=True)
class Grid:
    """Cubic voxels: `origin` `(3,)` in LPS mm is the middle of the first one, `spacing` in mm, `shape` (z, y, x)."""

    origin: np.ndarray
    spacing: float
    shape: tuple[int, int, int]

    def points(self, numbers: np.ndarray) -> np.ndarray:
        """The middles `(n, 3)` in LPS mm of voxels by their `numbers` `(n,)` in the order of an array."""
        z, y, x = np.unravel_index(numbers, self.shape)
        return np.asarray(self.origin + np.column_stack((x, y, z)) * self.spacing)


class SignedDistance:
    """Signed distances to a closed mesh (negative inside), fast where those of neighbouring points are known."""

    def __init__(self, mesh: Mesh) -> None:
        self._spacing = float(np.sqrt(area_and_volume(mesh)[0] / SAMPLES))
        samples = np.concatenate((sampled(mesh, SAMPLES), points_on_sharp_edges(mesh, self._spacing)))
        self._tree = cKDTree(samples, balanced_tree=False, leafsize=30)
        self._surface = SurfaceDistance(mesh)

    def of(self, points: np.ndarray) -> np.ndarray:
        """Those `(n,)` of `points` `(n, 3)`."""
        return self._surface.signed(points)

    def near(self, points: np.ndarray, known: np.ndarray, way: float) -> np.ndarray:
        """The same of points which lie `way` from others that have the `known` signed distances `(n,)`.

        Where no surface can lie between the two, the sign is known and the nearest sample is enough.
        """
        to_sample, _ = self._tree.query(points, workers=-1)
        found = np.asarray(np.copysign(to_sample, known))
        close = (to_sample < NEAR * self._spacing) | (np.abs(known) <= way)
        found[close] = self.of(points[close])
        return found


def spacing_for(mesh: Mesh, reach: float = 0.0, wall: float = np.inf) -> float:
    """The voxel in mm for surfaces up to `reach` mm outside of the mesh; if it can be, no larger than a `wall`."""
    size = np.ptp(mesh.vertices, axis=0).astype(np.float64) + 2 * max(reach, 0)
    by_area = np.sqrt(area_and_volume(mesh)[0] / SURFACE_VOXELS)
    by_wall = max(min(wall, by_area), by_area / FINER)
    return float(max(by_wall, reach / VOXELS_OUTWARDS, np.cbrt(size.prod() / MOST_VOXELS)))


def grid_around(mesh: Mesh, spacing: float, reach: float = 0.0) -> Grid:
    """The grid that holds the mesh and `reach` mm more, in whole blocks."""
    low, high = mesh.vertices.min(axis=0).astype(np.float64), mesh.vertices.max(axis=0).astype(np.float64)
    margin = max(reach, 0.0) + 3 * spacing
    blocks = np.ceil((high - low + 2 * margin) / (spacing * COARSEST)).astype(int)
    x, y, z = (blocks * COARSEST).tolist()
    return Grid(low - margin, spacing, (z, y, x))


def surface_at(mesh: Mesh, distance: float, *, spacing: float | None = None) -> Mesh:
    """The closed surface of all points at a signed `distance` in mm from a closed mesh, negative inside of it.

    Empty if nothing is so deep; bodies and hollows smaller than a voxel are left out. `spacing`: the voxel in mm, else
    by the area.
    Raises InvalidInput for a mesh that is not closed or has no triangles.
    """
    require_closed(mesh)
    grid, known = grid_around(mesh, spacing or spacing_for(mesh, distance), distance), SignedDistance(mesh)
    found = without_specks(mesh_of_field(field_of(grid, known, distance), grid), grid.spacing)
    return with_sharp_edges(found, lambda points: known.of(points) - distance, grid.spacing)


def field_of(grid: Grid, known: SignedDistance, level: float = 0.0, around: float = 1.0) -> np.ndarray:
    """Signed distances less `level` `(z, y, x) float32`: right up to `around` voxels from zero, of the right sign
    elsewhere."""
    size = COARSEST
    shape = tuple(side // size for side in grid.shape)
    index = np.indices(shape).reshape(3, -1).T
    values = known.of(_middles(index, size, grid))
    field = (values - level).astype(np.float32).reshape(shape)
    while size > 1:
        corner = np.sqrt(3) / 2 * (size - 1) * grid.spacing
        open_ = np.abs(values - level) <= corner + around * grid.spacing
        size //= 2
        field = field.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
        index = (2 * index[open_][:, None] + EIGHT).reshape(-1, 3)
        way = float(np.sqrt(3) / 2 * size * grid.spacing)
        values = known.near(_middles(index, size, grid), np.repeat(values[open_], 8), way)
        field[tuple(index.T)] = values - level
    return field


EIGHT = np.indices((2, 2, 2)).reshape(3, -1).T


def _middles(index: np.ndarray, size: int, grid: Grid) -> np.ndarray:
    """The middles `(n, 3)` (x, y, z) in mm of the blocks `index` `(n, 3)` (z, y, x) of `size` voxels."""
    return np.asarray(grid.origin + (index[:, ::-1] * size + (size - 1) / 2) * grid.spacing)


def mesh_of_field(field: np.ndarray, grid: Grid) -> Mesh:
    """The closed surface around what is negative in `field` `(z, y, x)`; empty if nothing is."""
    return mesh_in_grid(*surface_in_grid(field), grid)


def without_specks(mesh: Mesh, voxel: float) -> Mesh:
    """Without the surfaces around less than the volume of a voxel: the field says nothing of such bodies and hollows,
    and sharp tips fall apart into them."""
    of_triangle, volumes = shells_of(mesh)
    small = np.abs(volumes) < voxel**3
    return chosen_part(mesh, ~small[of_triangle]) if small.any() else mesh


def surface_in_grid(field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices `(n, 3)` in voxels (x, y, z), on edges of the grid, and triangles around what is negative in `field`."""
    edge = np.concatenate([field[place].reshape(-1) for place in _FACES])
    if edge.min(initial=1.0) <= 0:
        raise InvalidInput("got a surface that reaches the edge of its grid, expected one inside of it")
    return isosurface(-field)


def mesh_in_grid(points: np.ndarray, triangles: np.ndarray, grid: Grid) -> Mesh:
    """The mesh of what surface_in_grid gave, with fewer and better triangles."""
    if not len(triangles):
        return Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    fewer, faces, _ = simplified(points, triangles, grid.shape, False)
    mesh = Mesh((grid.origin + fewer.astype(np.float64) * grid.spacing).astype(np.float32), faces)
    if area_and_volume(mesh)[1] < 0:
        return Mesh(mesh.vertices, np.ascontiguousarray(mesh.triangles[:, ::-1]))
    return mesh


_FACES = tuple((slice(None),) * axis + (end,) for axis in range(3) for end in (0, -1))
