"""How alike two closed surfaces are. docs/accuracy.md has the definitions and their sources."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.report import area_and_volume
from orthanc_stl.mesh.sampling import sampled
from orthanc_stl.mesh.solids.booleans import intersected, require_closed, united
from orthanc_stl.mesh.triangles import chosen_part
from orthanc_stl.mesh.types import Mesh

SAMPLES = 30_000
"""On each surface: a ball of 20 mm then has one every 0.4 mm. A third of them changes the figures by 0.3 % at most."""

PERCENT = 95.0

FARTHER = 1e-3
"""A fraction of the largest distance at the points: vertices that cannot be farther by more than that are not asked
for. All vertices of one ball in another are equally far, and each would take 0.1 ms."""

OVERLAP = 1e-6
"""A fraction of the volume: bodies of one mesh that share less do not overlap."""


@dataclass(frozen=True)
class Comparison:
    """A against B. Volumes in mm³, distances in mm.

    `dice`: 2 V(A and B) / (V(A) + V(B)), by boolean intersection: 1 for the same solid, 0 for two that do not meet.
    `volume_difference`: V(A) - V(B). `mean_surface_distance`: the mean over both surfaces, by area, of the distance to
    the other one. `hausdorff`: the largest such distance. `hausdorff95`: the larger of the distances within which 95 %
    of the area of either surface lies to the other one.
    """

    dice: float
    volume_a: float
    volume_b: float
    volume_difference: float
    mean_surface_distance: float
    hausdorff: float
    hausdorff95: float


def compare(a: Mesh, b: Mesh, *, samples: int = SAMPLES) -> Comparison:
    """Overlap of two solids and distances between their surfaces; `samples`: so many points on each.

    Bodies of one mesh that overlap are united first, so that nothing counts twice. Raises InvalidInput for a mesh
    without triangles, one that is not closed, or one of which a part is inside out and no cavity.
    """
    if not (len(a.triangles) and len(b.triangles)):
        raise InvalidInput("got a surface without triangles, expected two that can be compared")
    a, b = _united(a), _united(b)
    (area_a, volume_a), (area_b, volume_b) = area_and_volume(a), area_and_volume(b)
    common = area_and_volume(intersected([a, b]))[1]
    (there, farthest_there), (back, farthest_back) = _distances(a, b, samples), _distances(b, a, samples)
    return Comparison(
        dice=2 * common / (volume_a + volume_b),
        volume_a=volume_a,
        volume_b=volume_b,
        volume_difference=volume_a - volume_b,
        mean_surface_distance=float((there.mean() * area_a + back.mean() * area_b) / (area_a + area_b)),
        hausdorff=max(farthest_there, farthest_back),
        hausdorff95=float(max(np.percentile(there, PERCENT), np.percentile(back, PERCENT))),
    )


def _united(mesh: Mesh) -> Mesh:
    """The mesh itself, unless bodies of it overlap: then the surface around them all."""
    require_closed(mesh)
    pieces = pieces_of(mesh)
    stray = len(mesh.triangles) - sum(len(piece.triangles) for piece in pieces)
    if stray:
        raise InvalidInput(
            f"got a surface of which {stray} of {len(mesh.triangles)} triangles are inside out and bound no cavity, "
            "expected its triangles outwards"
        )
    if len(pieces) == 1:
        return mesh
    every = np.arange(len(mesh.triangles))
    joined = united([chosen_part(mesh, np.isin(every, piece.triangles)) for piece in pieces])
    return joined if area_and_volume(joined)[1] < (1 - OVERLAP) * area_and_volume(mesh)[1] else mesh


def _distances(mesh: Mesh, other: Mesh, samples: int) -> tuple[np.ndarray, float]:
    """Distances `(n,)` of points on `mesh`, which stand for equal areas, to `other`; and the largest distance.

    The largest is also looked for at vertices, where it mostly is: at those where it may be larger than at all points.
    It changes by no more than the way from a point to the vertex, and is no more than the way from the vertex to that
    vertex of `other` that is the nearest to the point.
    """
    points = sampled(mesh, samples)
    surface = SurfaceDistance(other)
    distances = surface.unsigned(points)
    largest = float(distances.max())
    way, nearest = cKDTree(points).query(mesh.vertices)
    across = other.vertices[cKDTree(other.vertices).query(points)[1]]
    most = np.minimum(distances[nearest] + way, np.linalg.norm(mesh.vertices - across[nearest], axis=1))
    maybe = np.flatnonzero(most > largest * (1 + FARTHER))
    return distances, float(surface.unsigned(mesh.vertices[maybe]).max(initial=largest))
