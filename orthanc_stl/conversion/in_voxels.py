"""What is joined, taken away or kept of voxels on one lattice, voxel by voxel, before there is a surface.

The result has the volume of its voxels, and structures of one label map, whose surfaces bend into each other where they
touch, share nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from orthanc_stl.conversion.meshing import inside_of, offset_of, united
from orthanc_stl.conversion.prepare import Operand, require_left
from orthanc_stl.sources.base import Region, Shape


def combined_region(
    shapes: Sequence[Shape], unite: Operand | None, subtract: Operand | None, intersect: Operand | None
) -> Region | None:
    """The union of `shapes` and `unite`, without `subtract`, and of that what lies within `intersect`.

    None where nothing is to be combined, or not all are voxels with labels on one lattice. Raises InvalidInput if
    nothing is left.
    """
    if not (unite or subtract or intersect):
        return None
    whole = _mask([*shapes, *(unite.shapes if unite else ())])
    for operand, within in ((subtract, False), (intersect, True)):
        if whole is None or operand is None:
            continue
        other = _mask(operand.shapes)
        offset = offset_of(whole.volume, other.volume) if other is not None else None
        if other is None or offset is None:
            return None
        there = _placed(other.volume.stored, offset, whole.volume.stored.shape)
        left = whole.volume.stored & (there if within else 1 - there)
        require_left(bool(left.any()), f"{'within' if within else 'without'} {operand.names}")
        whole = replace(whole, volume=replace(whole.volume, stored=left))
    return whole


def _mask(shapes: Sequence[Shape]) -> Region | None:
    """Their union as voxels of 0 and 1."""
    masks = []
    for shape in shapes:
        if not isinstance(shape, Region) or shape.threshold is not None or shape.upper is not None:
            return None
        volume = replace(shape.volume, stored=inside_of(shape), slope=1.0, intercept=0.0)
        masks.append(Region(volume, labels=(1,)))
    found = united(masks)
    return found if isinstance(found, Region) else None


def _placed(inside: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`inside` in an array of `shape`, its first voxel at `offset` `(3,)` there."""
    found = np.zeros(shape, np.uint8)
    low, high = np.maximum(offset, 0), np.minimum(offset + inside.shape, shape)
    if (high > low).all():
        to = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        found[to] = inside[tuple(slice(a, b) for a, b in zip(low - offset, high - offset, strict=True))]
    return found
