"""What is joined, taken away or kept of voxels on one lattice, voxel by voxel, before there is a surface.

The result has the volume of its voxels, and structures of one label map, whose surfaces bend into each other where they
touch, share nothing. What the cells of the whole are too coarse for is left to the surfaces, each of which has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from orthanc_stl.conversion.meshing import offset_of
from orthanc_stl.conversion.operand import Operand, mask_of
from orthanc_stl.conversion.prepare import require_left
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.conversion.unions import limits_of
from orthanc_stl.mesh.contours.check import VOLUME_TOLERANCE
from orthanc_stl.mesh.errors import OverLimit
from orthanc_stl.mesh.types import Note, Rank
from orthanc_stl.mesh.volumes.build import keeps_its_volume, volume_of_mask
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.base import Region, Shape


def combined_region(
    shapes: Sequence[Shape],
    unite: Operand | None,
    subtract: Operand | None,
    intersect: Operand | None,
    request: ConversionRequest,
) -> tuple[Region | None, bool]:
    """The union of `shapes` and `unite`, without `subtract`, and of that what lies within `intersect`; and whether its
    cells are fine enough: none of what is united or subtracted is too thin for them.

    None where nothing is to be combined, or not all are voxels with labels on one lattice. Raises InvalidInput if
    nothing is left.
    """
    if not (unite or subtract or intersect):
        return None, False
    fine = True
    whole = mask_of((*shapes, *(unite.shapes if unite else ())))
    added = unite.mask if unite else None
    if whole is not None and added is not None:
        fine = _fits(added.volume, whole.volume, request, hole=False)
    for operand, within in ((subtract, False), (intersect, True)):
        if whole is None or operand is None:
            continue
        other = operand.mask
        offset = offset_of(whole.volume, other.volume) if other is not None else None
        if other is None or offset is None:
            return None, False
        there = _placed(other.volume.stored, offset, whole.volume.stored.shape)
        left = whole.volume.stored & (there if within else 1 - there)
        if fine and not within and there.any() and left.any():
            fine = _fits(other.volume, whole.volume, request, hole=True)
        require_left(bool(left.any()), f"{'within' if within else 'without'} {operand.names}")
        whole = replace(whole, volume=replace(whole.volume, stored=left))
    return whole, fine


def notes_on_volume(region: Region, enclosed: float) -> list[Note]:
    """Whether surfaces that were combined enclose (mm³) something else than the voxels of the whole."""
    target = volume_of_mask(region.volume)
    if abs(enclosed - target) <= VOLUME_TOLERANCE * target:
        return []
    text = (
        f"the surface encloses {enclosed / 1000:.4g} mL, its voxels {target / 1000:.4g} mL"
        f" ({100 * (enclosed / target - 1):+.1f} %): one of its structures is too thin for the cells of the whole, so"
        " that their surfaces were combined"
    )
    return [Note(Rank.CHANGED_SHAPE, "", text)]


def _fits(part: Volume, whole: Volume, request: ConversionRequest, *, hole: bool) -> bool:
    try:
        return keeps_its_volume(part, whole, request.resolution, hole=hole, smooth=request.smooth, **limits_of(request))
    except OverLimit:
        return False


def _placed(inside: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`inside` in an array of `shape`, its first voxel at `offset` `(3,)` there."""
    found = np.zeros(shape, np.uint8)
    low, high = np.maximum(offset, 0), np.minimum(offset + inside.shape, shape)
    if (high > low).all():
        to = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        found[to] = inside[tuple(slice(a, b) for a, b in zip(low - offset, high - offset, strict=True))]
    return found
