"""Which of several structures that became one surface are still in it, once pieces of it were left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.conversion.operand import mask_of
from orthanc_stl.mesh.contours.contour import RoiContours
from orthanc_stl.mesh.distance import SurfaceDistance
from orthanc_stl.mesh.types import Mesh, Note, Rank, Surface
from orthanc_stl.model import Structure
from orthanc_stl.sources.base import Shape

MOST_POINTS = 20_000
"""Points of one structure that are checked, evenly chosen: 2 to 12 µs each."""


def still_in(
    surface: Surface, structures: Sequence[Structure], shapes: Sequence[Shape]
) -> tuple[Sequence[Structure], list[Note]]:
    """Those of `structures` of which there is something in `surface`, and a note on the others.

    Something: one of its contours' points, vertices or middles of voxels, within the surface or not farther from it
    than a voxel's side. A structure without such points counts as there.
    """
    distance, aside = SurfaceDistance(surface.mesh), max(surface.report.voxel or (0.0,))
    gone = []
    for structure, shape in zip(structures, shapes, strict=True):
        points = _points_of(shape)
        points = points[:: -(-len(points) // MOST_POINTS) or 1]
        if len(points) and distance.signed(points).min() > aside:
            gone.append(structure)
    if not gone or len(gone) == len(structures):
        return structures, []
    names = ", ".join(f'"{structure.name}"' for structure in gone)
    note = Note(Rank.LEFT_OUT, "", f"nothing of {names} is in the model: the pieces that were left out held all of it")
    return [structure for structure in structures if structure not in gone], [note]


def _points_of(shape: Shape) -> np.ndarray:
    """`(n, 3)` in LPS mm; none for values from a threshold on."""
    if isinstance(shape, RoiContours):
        return np.concatenate([np.zeros((0, 3)), *(contour.points for contour in shape.contours)])
    if isinstance(shape, Mesh):
        return shape.vertices.astype(np.float64)
    mask = mask_of((shape,))
    if mask is None:
        return np.zeros((0, 3))
    places = np.argwhere(mask.volume.stored).astype(np.float64)
    places[:, 2] = mask.volume.plane_index(places[:, 2])
    return np.asarray(places @ mask.volume.affine[:3, :3].T + mask.volume.affine[:3, 3])
