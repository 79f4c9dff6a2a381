"""Bodies grown or shrunk by a margin: the same in all directions, or one for each."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.pieces import pieces_of
from orthanc_stl.mesh.sampling import sampled
from orthanc_stl.mesh.solids.booleans import require_closed
from orthanc_stl.mesh.solids.field import spacing_for
from orthanc_stl.mesh.solids.grid_margin import moved_in_grid
from orthanc_stl.mesh.solids.minkowski import grown_exactly, shrunk_exactly
from orthanc_stl.mesh.types import Mesh

COARSER = 1.6
"""Times the voxel of equal margins, since there is more to work out for each."""

MOST_STEPS = 20
"""The most voxels in the largest margin."""

REACHED = 500
"""Points on the surface of the body, at which the grown one is checked."""


@dataclass(frozen=True)
class Margins:
    """mm in each direction of the patient (LPS: +x left, +y back, +z head); positive grows, negative shrinks."""

    x_minus: float = 0.0
    x_plus: float = 0.0
    y_minus: float = 0.0
    y_plus: float = 0.0
    z_minus: float = 0.0
    z_plus: float = 0.0


@dataclass(frozen=True)
class WithMargin:
    """A body with a margin; `voxel` in mm of the grid that it was worked out in, None where no grid was needed."""

    mesh: Mesh
    voxel: float | None


def with_margin(mesh: Mesh, margin: float | Margins, *, spacing: float | None = None) -> WithMargin:
    """`mesh` grown by `margin` mm (shrunk, if negative); it may come out empty.

    With one figure, the new surface is that of all points at this distance from the old one. With `Margins`, it bounds
    all points that an eighth of an ellipsoid with these half-axes reaches, put at each point of the body: between two
    directions the margin goes from one to the other as an ellipse does, as in radiotherapy planning (CTV to PTV).
    Where some margins grow and others shrink, growing comes first. Convex bodies and such of few faces are exact; for
    others a grid is used, `spacing`: its voxel in mm, else by the area.

    Raises InvalidInput for a margin that is not finite, for a mesh that is not closed, and for a body that is too thin
    for the grid.
    """
    require_closed(mesh)
    if not isinstance(margin, Margins):
        margin = Margins(*[float(margin)] * 6)
    values = np.array(astuple(margin)).reshape(3, 2)
    if not np.isfinite(values).all():
        raise InvalidInput("got a margin that is not a number, expected one in mm")
    found, voxel = mesh, 0.0
    for sign, exactly in ((1, grown_exactly), (-1, shrunk_exactly)):
        margins = np.maximum(sign * values, 0)
        if not margins.any() or not len(found.triangles):
            continue
        before, exact = found, exactly(found, margins)
        if exact is not None:
            found = exact
        else:
            here = spacing or _voxel(before, margins, sign)
            voxel = max(voxel, here)
            found = moved_in_grid(before, margins, sign, here)
            if margins.min() < margins.max():
                _require_reached(before, found, margins, sign, here)
    return WithMargin(found, voxel or None)


def _voxel(mesh: Mesh, margins: np.ndarray, sign: int) -> float:
    largest = float(margins.max())
    if margins.min() == largest:
        return spacing_for(mesh, sign * largest)
    return max(spacing_for(mesh) * COARSER, largest / MOST_STEPS)


def _require_reached(before: Mesh, found: Mesh, margins: np.ndarray, sign: int, voxel: float) -> None:
    """Raises InvalidInput where the grid lost what is thinner than its voxels: growing can join pieces, but neither
    divide them nor lose what the margins reach; shrinking leaves nothing that they do not."""
    shifts = np.concatenate((np.zeros((1, 3)), np.diag(margins[:, 1]), np.diag(-margins[:, 0])))
    points = (sampled(before, REACHED)[:, None] + sign * shifts).reshape(-1, 3)
    if len(found.triangles):
        signed = sign * SurfaceDistance(found).signed(points)
        sound = signed.max() <= voxel and (sign < 0 or len(pieces_of(found)) <= len(pieces_of(before)))
    else:
        sound = sign < 0
    if not sound:
        raise InvalidInput(
            f"got a body that is too thin for these margins, as it would fall apart in their voxels of {voxel:.2g} mm; "
            "expected a thicker one, or margins that differ less"
        )
