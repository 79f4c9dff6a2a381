"""Hollow bodies: a wall of a given thickness, and holes to drain it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import manifold3d
import numpy as np
from scipy.spatial import cKDTree

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.pieces import outward_triangles, pieces_of, shells_of
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.solids.booleans import finest_of, manifold_of, mesh_of, middle_of, require_closed, without_fins
from orthanc_stl.mesh.solids.field import spacing_for, surface_at
from orthanc_stl.mesh.triangles import chosen_part, mean_normal, together
from orthanc_stl.mesh.types import Mesh

CLOSE = 2.0
"""In voxels: the two sides of a thinner wall may cross, since what is smaller than a voxel is cut off."""

SIDES = 64
"""Of a round hole or peg."""

ABOVE = 1.0
"""mm that a hole begins outside of the highest point of the surface around it."""

EVEN = 0.1
"""mm that heights may differ within one horizontal plane."""

GAP = 1e-3
"""mm between the end of a hole and the wall on the other side."""


@dataclass(frozen=True)
class Shell:
    """A hollow body and the volume in mm³ of its `hollow`, 0 where nothing is thick enough to be hollow; `voxel` in mm
    of the grid that it was worked out in."""

    mesh: Mesh
    hollow: float
    voxel: float


@dataclass(frozen=True)
class Drained:
    """A body with holes. `opened`: how many hollows fewer it has than before, `closed`: how many are left without a
    hole; `blind`: how many holes reach none."""

    mesh: Mesh
    opened: int
    closed: int
    blind: int


def shell(mesh: Mesh, wall: float, *, outwards: bool = False, spacing: float | None = None) -> Shell:
    """A wall of `wall` mm within the surface, or around it if `outwards`.

    The other surface is that of all points at the distance `wall`, so the wall has that thickness also at edges and in
    narrow places. The surface of `mesh` itself stays as it is, triangle by triangle. Parts
    that are not thicker than two walls stay solid.

    Raises InvalidInput for a wall of 0 or less or one so much thinner than a voxel (`spacing` in mm, else by the area)
    that its two sides would cross, and for a mesh that is not closed.
    """
    if not 0 < wall < np.inf:
        raise InvalidInput(f"got a wall of {wall} mm, expected more than 0")
    require_closed(mesh)
    reach = wall if outwards else -wall
    voxel = spacing or spacing_for(mesh, reach, wall)
    other = surface_at(mesh, reach, spacing=voxel)
    if not len(other.triangles):
        return Shell(mesh, 0.0, voxel)
    outer, inner = (other, mesh) if outwards else (mesh, other)
    found = together([outer, inside_out(inner)])
    if wall < CLOSE * voxel:
        sides = crossing_triangles(found) < len(outer.triangles)
        if (sides[:, 0] != sides[:, 1]).any():
            raise InvalidInput(
                f"got a wall of {wall:g} mm, whose sides would cross in voxels of {voxel:.2g} mm, "
                "expected a thicker one"
            )
    return Shell(found, area_and_volume(inner)[1], voxel)


def inside_out(mesh: Mesh) -> Mesh:
    """The same surface with its triangles facing the other way."""
    return Mesh(mesh.vertices, np.ascontiguousarray(mesh.triangles[:, ::-1]))


def lowest_point(mesh: Mesh) -> np.ndarray:
    """The vertex `(3,) float64` farthest towards the feet; of several in one plane the one in their middle."""
    heights = mesh.vertices[:, 2]
    lowest = mesh.vertices[heights <= heights.min() + EVEN].astype(np.float64)
    return np.asarray(lowest[np.argmin(np.linalg.norm(lowest - lowest.mean(axis=0), axis=1))])


def lowest_of_hollows(mesh: Mesh, most: int) -> np.ndarray:
    """`(n, 3) float64`: for each hollow, the largest first and at most so many, the point of the outside that is
    nearest to its lowest point."""
    of_triangle, volumes = shells_of(mesh)
    hollows = [number for number in np.argsort(volumes).tolist() if volumes[number] < 0]
    outside = SurfaceDistance(chosen_part(mesh, outward_triangles(mesh)))
    lowest = [lowest_point(chosen_part(mesh, of_triangle == hollow)) for hollow in hollows[:most]]
    return np.array([outside.nearest(point)[0] for point in lowest]).reshape(-1, 3)


def drained(mesh: Mesh, points: Sequence[Sequence[float] | np.ndarray], diameter: float, wall: float) -> Drained:
    """Round holes of `diameter` mm through a wall of `wall` mm, from outside at the `points` `(n, 3)` in LPS mm.

    Each hole goes straight through the surface as it is on the average of the vertices in the hole (without any, of the
    triangle there), and ends half a diameter beyond the wall, or before the wall on the other side. Raises
    InvalidInput for a point that is farther than a diameter from the surface, and for sizes of 0 or less.
    """
    if not (0 < diameter < np.inf and 0 < wall < np.inf):
        raise InvalidInput(f"got holes of {diameter} mm in a wall of {wall} mm, expected more than 0")
    require_closed(mesh)
    places = np.asarray(points, np.float64).reshape(-1, 3)
    origin = middle_of([mesh])
    outwards = outward_triangles(mesh)
    outside, hollows = chosen_part(mesh, outwards), inside_out(chosen_part(mesh, ~outwards))
    body, tree, known = manifold_of(mesh, origin), cKDTree(outside.vertices), SurfaceDistance(outside)
    holes = []
    for place in places:
        nearest, way_out = known.nearest(place)
        away = float(np.linalg.norm(nearest - place))
        if not away <= diameter:
            raise InvalidInput(
                f"got a hole at {_text(place)}, {away:.1f} mm from the surface, expected at most {diameter} mm"
            )
        around = np.array(tree.query_ball_point(place, diameter / 2), np.int64)
        axis = mean_normal(outside, around)
        if not axis.any():  # without any vertex there, or with those of both sides of a plate
            axis = way_out
        heights = (np.vstack((nearest, outside.vertices[around])) - place) @ (axis / np.linalg.norm(axis))
        low, high = heights[0] - wall - diameter / 2, heights.max() + ABOVE
        hole = rod(place - origin, axis, diameter / 2, float(low), float(high))
        tops = [_top(part, place - origin, axis) for part in (hole ^ body).decompose()]
        beyond = [top for top in tops if top < heights[0] - wall]
        if beyond:
            hole = rod(place - origin, axis, diameter / 2, max(beyond) + GAP, float(high))
        holes.append(hole)
    found = manifold3d.Manifold.batch_boolean([body, *holes], manifold3d.OpType.Subtract)
    left = mesh_of(without_fins(found, finest_of(mesh)), origin)
    if not len(left.triangles):
        raise InvalidInput(f"got holes of {diameter} mm that take the whole body away, expected narrower ones")
    before, after = (sum(piece.cavities for piece in pieces_of(one)) for one in (mesh, left))
    air = manifold_of(hollows, origin)
    return Drained(left, before - after, after, sum((hole ^ air).is_empty() for hole in holes))


def _top(part: manifold3d.Manifold, place: np.ndarray, axis: np.ndarray) -> float:
    """How far `part` reaches along `axis` `(3,)`, in mm from `place` `(3,)`."""
    points = np.asarray(part.to_mesh().vert_properties)[:, :3]
    return float(((points - place) @ (axis / np.linalg.norm(axis))).max())


def rod(place: np.ndarray, axis: np.ndarray, radius: float, low: float, high: float) -> manifold3d.Manifold:
    """A cylinder along `axis` `(3,)`, from `low` to `high` mm along it from `place` `(3,)`."""
    length = float(np.linalg.norm(axis))
    if not length > 0:
        raise InvalidInput("got a direction of length 0, expected one that points somewhere")
    turned = np.column_stack((turned_to(axis / length), place))
    cylinder = manifold3d.Manifold.cylinder(high - low, radius, radius, SIDES)
    return cylinder.translate((0, 0, low)).transform(turned)


def turned_to(axis: np.ndarray) -> np.ndarray:
    """A rotation `(3, 3)` that takes z to the unit vector `axis`; its columns are the new axes."""
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    return np.column_stack((first, np.cross(axis, first), axis))


def _text(place: np.ndarray) -> str:
    return "({:.1f}, {:.1f}, {:.1f})".format(*place)
