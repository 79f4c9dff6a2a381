"""Bodies cut by planes, with flat ends, and pegs that hold the halves together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import manifold3d
import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.solids.booleans import finest_of, manifold_of, mesh_of, middle_of, require_closed, without_fins
from orthanc_stl.mesh.solids.shell import rod, turned_to
from orthanc_stl.mesh.types import Mesh

ROOT = 1.0
"""mm that a peg goes into the half that it stands on, at most its length: so that the two become one body."""

ROOMY = 1.25
"""Times a hole's radius: so far around it, and as much deeper, there must be material."""

INSIDE = 1 - 1e-5
"""A fraction of that volume: what must lie within the body, but for rounding."""

PLACES = 24
"""Places on a cut face that are tried for pegs, those farthest apart first."""


@dataclass(frozen=True)
class Plane:
    """Through `point` (LPS mm), with a `normal` of any length."""

    point: tuple[float, float, float]
    normal: tuple[float, float, float]


@dataclass(frozen=True)
class Pegs:
    """`count` pegs of `diameter` and `length` mm; their holes are wider and deeper by `clearance` mm on each side."""

    diameter: float
    length: float
    clearance: float = 0.15
    count: int = 2


@dataclass(frozen=True)
class Halves:
    """`front` lies where the plane's normal points to and has the holes, `back` has the pegs. Either may be empty.

    `pegs`: where they stand, `(k, 3)` in LPS mm.
    """

    front: Mesh
    back: Mesh
    pegs: np.ndarray


def cut(mesh: Mesh, plane: Plane, pegs: Pegs | None = None) -> Halves:
    """Both halves of a closed mesh, closed by flat ends.

    Raises InvalidInput for a mesh that is not closed, a plane without direction, and pegs that have no space.
    """
    require_closed(mesh)
    origin = middle_of([mesh])
    normal = _unit(plane.normal)
    place = np.asarray(plane.point, np.float64) - origin
    halves = manifold_of(mesh, origin).split_by_plane(_three(normal), float(place @ normal))
    front, back = (without_fins(half, finest_of(mesh)) for half in halves)  # a plane in a face leaves a film of it
    stands = np.zeros((0, 3))
    if pegs is not None and not (front.is_empty() or back.is_empty()):
        front, back, stands = _pegged(front, back, place, normal, pegs)
    return Halves(mesh_of(front, origin), mesh_of(back, origin), stands + origin)


def _pegged(
    front: manifold3d.Manifold, back: manifold3d.Manifold, place: np.ndarray, normal: np.ndarray, pegs: Pegs
) -> tuple[manifold3d.Manifold, manifold3d.Manifold, np.ndarray]:
    """Both halves with pegs or holes, and the places of the pegs `(k, 3)`."""
    if not (pegs.diameter > 0 and pegs.length > 0 and pegs.clearance >= 0 and pegs.count > 0):
        raise InvalidInput(f"got {pegs}, expected a diameter, a length and a count of more than 0")
    radius, deep = pegs.diameter / 2 + pegs.clearance, pegs.length + pegs.clearance
    turned = turned_to(normal)
    # Both halves meet in the section; a peg needs its own radius and that of its wall around it.
    section = back.translate(_three(-place)).transform(np.column_stack((turned.T, np.zeros(3)))).slice(-1e-3)
    inner = section.offset(-2 * radius, manifold3d.JoinType.Round)
    places = np.concatenate([np.zeros((0, 2)), *inner.to_polygons()])
    free: list[np.ndarray] = []
    root = min(ROOT, pegs.length)
    for corner in _far_apart(places, PLACES):
        stand = turned @ np.append(corner, 0.0) + place
        if any(np.linalg.norm(stand - other) < 4 * radius for other in free):
            continue
        hole = rod(stand, normal, radius * ROOMY, 0.0, deep + radius * (ROOMY - 1))
        foot = rod(stand, normal, radius, -root, 0.0)
        if _within(hole, front) and _within(foot, back):
            free.append(stand)
        if len(free) == pegs.count:
            break
    if not free:
        raise InvalidInput(
            f"got pegs of {pegs.diameter} mm, {pegs.length} mm long, "
            "expected such as have space on both sides of the cut"
        )
    for stand in free:
        front = front - rod(stand, normal, radius, -1.0, deep)
        back = back + rod(stand, normal, pegs.diameter / 2, -root, pegs.length)
    return front, back, np.array(free)


def _far_apart(points: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` of the `points` `(n, 2)`: the two that are farthest apart along the longest axis, and so on."""
    if not len(points):
        return points
    middle = points.mean(axis=0)
    chosen = [int(np.argmax(((points - middle) ** 2).sum(axis=1)))]
    away = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < min(count, len(points)):
        chosen.append(int(np.argmax(away)))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return np.asarray(points[chosen])


def _within(part: manifold3d.Manifold, body: manifold3d.Manifold) -> bool:
    return bool((part ^ body).volume() >= INSIDE * part.volume())


def _unit(direction: Sequence[float]) -> np.ndarray:
    values = np.asarray(direction, np.float64)
    length = float(np.linalg.norm(values))
    if not 0 < length < np.inf:
        raise InvalidInput(f"got a plane with the normal {tuple(direction)}, expected one that points somewhere")
    return np.asarray(values / length)


def _three(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
