"""Surfaces without waves shorter than a given length, mirrored ones, and ones of another size."""

from __future__ import annotations

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.intersections import crossing_triangles
from orthanc_stl.mesh.report import area_and_volume, box_of
from orthanc_stl.mesh.solids.booleans import require_closed
from orthanc_stl.mesh.solids.field import spacing_for, surface_at
from orthanc_stl.mesh.solids.shell import inside_out
from orthanc_stl.mesh.surface import has_flat_triangles, smoothed
from orthanc_stl.mesh.to_volume import LONGEST_STEP, with_volume
from orthanc_stl.mesh.topology import topology_of
from orthanc_stl.mesh.types import Mesh

UNEVEN = 0.6
"""Standard deviation of the edges over their mean: more uneven meshes are made anew from distances, since the filter
knows edges and no lengths. Meshes from contours have 0.3, decimated ones 0.8 and more."""

FEWEST_EDGES, MOST_EDGES = 4.0, 24.0
"""To a wavelength: with fewer edges the mesh cannot show it, with more the filter takes long over ripples that go
anyway. Then, too, the surface is made anew, with the voxel at most so many times in a wavelength, if that is much
finer."""

SHARPNESS = 4.0
"""Steps of the filter, times edges to a wavelength: it falls off over 2 pi / steps (window of Hamming)."""

MOST_STEPS = 400

LEAST_LEFT = 0.5
"""Of the volume, before it is put back: of a body that is smoothed to less, the shape is gone."""

VOLUME_STAYS = 0.002
"""Of the volume: so far off it may be after it was put back."""

PRECISION = 1e-5
"""Of the volume, to which it is put back."""

STRONGER = 1.8
"""Times the wavelength at which half of a wave is left: of one as long as the wavelength a tenth is left (measured)."""


def without_short_waves(mesh: Mesh, wavelength: float) -> Mesh:
    """`mesh` without bumps, ripples and steps shorter than `wavelength` mm; the volume stays.

    Taubin's filter with a window (ECCV 1996), which leaves longer waves as they are. On a surface, where an edge lies
    half along and half across a wave, one of the length w has the angle pi x edge / w in it. What little volume it
    takes is put back by moving the surface outwards evenly, to PRECISION.

    Raises InvalidInput for a wavelength of 0 or less or one at which thin parts would pass through each other or
    little of the body is left, for a mesh that is not closed, and for one that would have to be made anew but cannot.
    """
    if not 0 < wavelength < np.inf:
        raise InvalidInput(f"got a wavelength of {wavelength} mm, expected more than 0")
    require_closed(mesh)
    volume = area_and_volume(mesh)[1]
    lengths = _edge_lengths(mesh)
    edges = wavelength / lengths.mean()
    spacing = max(spacing_for(mesh), wavelength / MOST_EDGES)
    too_coarse = edges < FEWEST_EDGES and 1.5 * spacing < lengths.mean()
    unfit = lengths.std() > UNEVEN * lengths.mean() or too_coarse
    if unfit or edges > MOST_EDGES:
        anew = surface_at(mesh, 0.0, spacing=spacing)
        if len(anew.triangles) and _euler_number(anew) == _euler_number(mesh):
            mesh = anew
        elif unfit:
            raise InvalidInput(
                f"got a surface whose triangles cannot show waves of {wavelength} mm evenly, and which would lose "
                f"parts, holes or gaps if it was made anew in voxels of {spacing:.2g} mm; expected one of more "
                "triangles, or without what is so small"
            )
    edges = STRONGER * wavelength / float(_edge_lengths(mesh).mean())
    angle = np.pi / edges
    steps = int(np.clip(np.ceil(SHARPNESS * edges), 10, MOST_STEPS))
    half = max(angle - 2 * np.pi / steps, angle / 4)
    points = smoothed(mesh.vertices, mesh.triangles, iterations=steps, pass_band=float(min(half**2, 1.9)))
    found = Mesh(points.astype(np.float32), mesh.triangles)
    measures = area_and_volume(found)
    if measures[1] < LEAST_LEFT * volume:
        raise _too_little(wavelength)
    found = with_volume(found, volume, measures, LONGEST_STEP * wavelength, PRECISION)
    crossings = len(crossing_triangles(found))
    if has_flat_triangles(found) or (crossings and crossings > len(crossing_triangles(mesh))):
        raise InvalidInput(
            f"got a wavelength of {wavelength} mm, at which thin parts would pass through each other, "
            "expected a shorter one"
        )
    if not abs(area_and_volume(found)[1] - volume) <= VOLUME_STAYS * volume:
        raise _too_little(wavelength)
    return found


def _too_little(wavelength: float) -> InvalidInput:
    return InvalidInput(
        f"got a wavelength of {wavelength} mm, at which too little of the body is left to have its volume, "
        "expected a shorter one"
    )


def mirrored(mesh: Mesh, axis: int = 0, at: float | None = None) -> Mesh:
    """`mesh` with left and right (`axis` 0), front and back (1) or head and feet (2) exchanged.

    `at`: where the mirror stands, in LPS mm; the middle of the mesh's box if not given.
    """
    if axis not in (0, 1, 2):
        raise InvalidInput(f"got the axis {axis}, expected 0, 1 or 2")
    points = mesh.vertices.astype(np.float64)
    if at is None:
        low, high = box_of(mesh)
        at = (low[axis] + high[axis]) / 2
    points[:, axis] = 2 * at - points[:, axis]
    return inside_out(Mesh(points.astype(np.float32), mesh.triangles))


def scaled(mesh: Mesh, factor: float) -> Mesh:
    """`mesh` with all coordinates (LPS mm) times `factor`, so that bodies scaled one by one still fit together.

    Raises InvalidInput for a factor of 0 or less.

    >>> triangle = Mesh(np.array([[1, 0, 0], [1, 2, 0], [1, 0, 2]], np.float32), np.array([[0, 1, 2]], np.int32))
    >>> scaled(triangle, 0.5).vertices[1].tolist()
    [0.5, 1.0, 0.0]
    """
    if not 0 < factor < np.inf:
        raise InvalidInput(f"got a factor of {factor}, expected more than 0")
    return Mesh((mesh.vertices.astype(np.float64) * factor).astype(np.float32), mesh.triangles)


def _edge_lengths(mesh: Mesh) -> np.ndarray:
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    return np.asarray(np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2))


def _euler_number(mesh: Mesh) -> int:
    return topology_of(mesh.triangles, len(mesh.vertices)).euler_number
