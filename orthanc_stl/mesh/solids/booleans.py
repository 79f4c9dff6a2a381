"""Union, difference and intersection of closed meshes, by manifold3d.

manifold3d's booleans give a manifold for every manifold (Julian Smith, "Towards robust Boolean operations", 2009), also
where faces touch: there it decides alike for the whole face, so that no slivers are left.
"""

from __future__ import annotations

from collections.abc import Sequence

import manifold3d
import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.topology import topology_of
from orthanc_stl.mesh.triangles import chosen_part
from orthanc_stl.mesh.types import Mesh

ROUNDINGS = 4.0
"""Steps of float32 at the largest coordinate: what is smaller than that is not told apart, since the result is moved
back there and must have no triangle without area."""


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
    origin = middle_of(meshes)
    found = manifold3d.Manifold.batch_boolean([manifold_of(mesh, origin) for mesh in meshes], operation)
    return mesh_of(without_films(found), origin)


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
    finest = ROUNDINGS * np.finfo(np.float32).eps * float(np.abs(mesh.vertices).max())
    manifold = manifold3d.Manifold(manifold3d.Mesh(points, triangles, tolerance=finest))
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
    return chosen_part(mesh, np.ones(len(mesh.triangles), bool))
