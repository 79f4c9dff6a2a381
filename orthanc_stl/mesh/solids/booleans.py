"""Union, difference and intersection of closed meshes, by manifold3d.

manifold3d's booleans give a manifold for every manifold (Julian Smith, "Towards robust Boolean operations", 2009), also
where faces touch: there it decides alike for the whole face, so that no slivers are left. Faces of turned bodies lie in
one plane only but for the rounding of their corners, which would leave fins and clefts as thin as that: there the
second body is moved outwards (of an intersection inwards) by half of ROUNDINGS, and what is smaller is simplified away.
"""

from __future__ import annotations

from collections.abc import Sequence

import manifold3d
import numpy as np

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.mesh.feet import squared_distances
from orthanc_stl.mesh.intersections import crossing_triangles, overlapping_boxes
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.topology import topology_of
from orthanc_stl.mesh.triangles import area_normals, chosen_part, corners_of, together
from orthanc_stl.mesh.types import Mesh

ROUNDINGS = 4.0
"""Steps of float32 at the largest coordinate: what is smaller than that is not told apart, since the result is moved
back there and must have no triangle without area."""

OUTWARDS = (0.5, 1.0, 2.0)
"""Times what ROUNDINGS say: how far a body is moved whose faces touch those of another, the first by which no triangles
cross. Curved faces that were cut by each other differ by more than planes do, since they were simplified."""

FARTHEST = 4.0
"""Times the way that planes are moved: how far a sharp corner of them may go."""

FILM = 1e-3
"""In mm: twice the volume over the area of a part says how thick it is at most on the average."""


def united(meshes: Sequence[Mesh]) -> Mesh:
    """One solid of all of them. Raises InvalidInput for a mesh that is not closed, as do the other two."""
    return _combined(meshes, manifold3d.OpType.Add)


def subtracted(mesh: Mesh, others: Sequence[Mesh]) -> Mesh:
    """`mesh` without the `others`; it may come out empty."""
    return _combined([mesh, *others], manifold3d.OpType.Subtract)


def intersected(meshes: Sequence[Mesh]) -> Mesh:
    """What lies in all of them; it may come out empty."""
    return _combined(meshes, manifold3d.OpType.Intersect)


def _combined(meshes: Sequence[Mesh], operation: manifold3d.OpType) -> Mesh:
    if not meshes:
        raise InvalidInput("got no meshes, expected at least one")
    for mesh in meshes:
        require_closed(mesh)
    origin, finest = middle_of(meshes), max(finest_of(mesh) for mesh in meshes)
    bodies = [manifold_of(mesh, origin).as_original() for mesh in meshes]
    found = manifold3d.Manifold.batch_boolean(bodies, operation)
    if not _touch(found, bodies, meshes, origin, finest / 2):
        return mesh_of(without_fins(found, finest), origin)
    tried = []
    for times in OUTWARDS:
        way = -times * finest if operation is manifold3d.OpType.Intersect else times * finest
        bodies[1:] = [manifold_of(_moved_outwards(mesh, way), origin) for mesh in meshes[1:]]
        made = mesh_of(without_fins(manifold3d.Manifold.batch_boolean(bodies, operation), finest), origin)
        tried.append((len(crossing_triangles(made)), made))
        if not tried[-1][0]:
            break
    return min(tried, key=lambda one: one[0])[1]


def without_fins(manifold: manifold3d.Manifold, finest: float) -> manifold3d.Manifold:
    """Without details of less than `finest` mm, and without the parts that rounding leaves between faces."""
    return without_films(simplified_to(manifold, finest))


def simplified_to(manifold: manifold3d.Manifold, finest: float) -> manifold3d.Manifold:
    """Without details of less than `finest` mm; as it is where that would change its volume."""
    found = manifold.as_original().set_tolerance(finest)
    same = abs(found.volume() - manifold.volume()) <= finest * manifold.surface_area()
    return found if same else manifold


def finest_of(mesh: Mesh) -> float:
    """mm: what is smaller is rounding."""
    return float(ROUNDINGS * np.finfo(np.float32).eps * np.abs(mesh.vertices).max(initial=0.0))


def _touch(
    found: manifold3d.Manifold,
    bodies: Sequence[manifold3d.Manifold],
    meshes: Sequence[Mesh],
    origin: np.ndarray,
    near: float,
) -> bool:
    """Whether triangles are left of a body that lie on the surface of an earlier one, but for `near` mm: fins and
    clefts of faces in one plane. Where such a plane is the same to the bit, none are left."""
    mesh = found.to_mesh()
    corners = np.asarray(mesh.vert_properties)[:, :3][np.asarray(mesh.tri_verts)]
    source = np.repeat(np.asarray(mesh.run_original_id), np.diff(np.asarray(mesh.run_index, np.int64)) // 3)
    for place, body in enumerate(bodies[1:], 1):
        if _on_surface(corners[source == body.original_id()].mean(axis=1) + origin, together(meshes[:place]), near):
            return True
    return False


def _on_surface(points: np.ndarray, mesh: Mesh, near: float) -> bool:
    """Whether one of `points` `(n, 3)` is less than `near` mm from the surface."""
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    low, high = corners.min(axis=1) - near, corners.max(axis=1) + near
    points = points[((points > low.min(axis=0)) & (points < high.max(axis=0))).all(axis=1)]
    if not len(points):
        return False
    close = ((low < points.max(axis=0)) & (high > points.min(axis=0))).all(axis=1)
    count = np.count_nonzero(close)
    try:
        pairs = overlapping_boxes(np.concatenate((low[close], points)), np.concatenate((high[close], points)))
    except TooLarge:
        return False
    pairs = np.sort(pairs)
    triangle, point = pairs[(pairs[:, 0] < count) & (pairs[:, 1] >= count)].T
    squares = squared_distances(points[point - count].T, list(corners[close][triangle].transpose(1, 2, 0)))
    return bool(squares.min(initial=np.inf) < near**2)


def _moved_outwards(mesh: Mesh, by: float) -> Mesh:
    """With each vertex moved so that the planes of the triangles there go outwards by `by` mm, as nearly as may be."""
    normals = area_normals(corners_of(mesh.vertices.astype(np.float64), mesh.triangles))
    area = np.maximum(np.linalg.norm(normals, axis=0), 1e-12)
    corners, count = mesh.triangles.reshape(-1), len(mesh.vertices)
    at = [np.bincount(corners, np.repeat(one, 3), count) for one in (area, *normals)]
    squares = [np.bincount(corners, np.repeat(one * other / area, 3), count) for one in normals for other in normals]
    whole = np.maximum(at[0], 1e-12)[:, None, None]
    planes = np.stack(squares, axis=1).reshape(-1, 3, 3) / whole + 1e-4 * np.eye(3)
    ways = np.linalg.solve(planes, np.stack(at[1:], axis=1)[:, :, None] / whole)[:, :, 0]
    ways *= np.minimum(1, FARTHEST / np.maximum(np.linalg.norm(ways, axis=1), 1e-12))[:, None]
    return Mesh((mesh.vertices + by * ways), mesh.triangles)


def without_films(manifold: manifold3d.Manifold) -> manifold3d.Manifold:
    """Without the parts that are thinner than FILM everywhere: what rounding leaves between faces that nearly touch."""
    parts = manifold.decompose()
    left = [part for part in parts if abs(part.volume()) > part.surface_area() / 2 * FILM]
    return manifold if len(left) == len(parts) else manifold3d.Manifold.compose(left)


def middle_of(meshes: Sequence[Mesh]) -> np.ndarray:
    """The middle `(3,) float64` of the box of all; zero if there are no vertices."""
    points = [mesh.vertices for mesh in meshes if len(mesh.vertices)]
    if not points:
        return np.zeros(3)
    low = np.min([part.min(axis=0) for part in points], axis=0).astype(np.float64)
    return np.asarray((low + np.max([part.max(axis=0) for part in points], axis=0)) / 2)


def require_closed(mesh: Mesh) -> None:
    """Raises InvalidInput for a mesh without triangles, one that is not closed, or one that is inside out."""
    if not len(mesh.triangles):
        raise InvalidInput("got a surface without triangles, expected a closed one")
    if not np.isfinite(mesh.vertices).all():
        raise InvalidInput("got coordinates that are not finite, expected numbers in mm")
    topology = topology_of(mesh.triangles, len(mesh.vertices))
    if not topology.closed:
        raise InvalidInput(
            f"got a surface that is not closed at {len(topology.bad_vertices)} of its {topology.vertices} vertices, "
            "expected one whose edges have two triangles each"
        )
    if area_and_volume(mesh)[1] <= 0:
        raise InvalidInput("got a surface that encloses no volume or is inside out, expected its triangles outwards")


def manifold_of(mesh: Mesh, origin: np.ndarray) -> manifold3d.Manifold:
    """`mesh` in manifold3d's form, relative to `origin` `(3,)`, where float32 is fine enough.

    Raises InvalidInput for a mesh that is not closed, with what is wrong with it.
    """
    if not len(mesh.triangles):
        return manifold3d.Manifold()
    require_closed(mesh)
    points = np.ascontiguousarray(mesh.vertices - origin, dtype=np.float32)
    triangles = np.ascontiguousarray(mesh.triangles, dtype=np.uint32)
    manifold = manifold3d.Manifold(manifold3d.Mesh(points, triangles, tolerance=finest_of(mesh)))
    if manifold.status() != manifold3d.Error.NoError:
        raise InvalidInput(f"got a surface that manifold3d refuses: {manifold.status().name}, expected a manifold")
    return manifold


def mesh_of(manifold: manifold3d.Manifold, origin: np.ndarray) -> Mesh:
    """The triangles of `manifold`, moved back from `origin`."""
    found = manifold.to_mesh()
    mesh = Mesh(
        (np.asarray(found.vert_properties)[:, :3] + origin).astype(np.float32),
        np.asarray(found.tri_verts).astype(np.int32).reshape(-1, 3),
    )
    return without_lines(chosen_part(mesh, np.ones(len(mesh.triangles), bool)))


def without_lines(mesh: Mesh) -> Mesh:
    """A closed mesh without the triangles that rounding made lines, two corners of which lie at one place; as it is
    where that would open it or join what is apart."""
    starts, ends = mesh.triangles.reshape(-1), np.roll(mesh.triangles, -1, axis=1).reshape(-1)
    short = np.flatnonzero((mesh.vertices[starts] == mesh.vertices[ends]).all(axis=1) & (starts < ends))
    if not len(short):
        return mesh
    kept = np.arange(len(mesh.vertices), dtype=np.int32)
    for start, end in zip(starts[short].tolist(), ends[short].tolist(), strict=True):
        kept[kept == kept[end]] = kept[start]
    triangles = kept[mesh.triangles]
    found = chosen_part(Mesh(mesh.vertices, triangles), (triangles != np.roll(triangles, 1, axis=1)).all(axis=1))
    before, after = (topology_of(one.triangles, len(one.vertices)) for one in (mesh, found))
    return found if after.closed and after.euler_number == before.euler_number else mesh
