"""Pieces of what is inside a volume that are left out, and holes in it that are filled, before a surface is made.

Voxels that touch at a face, an edge or a corner are one piece, so that no piece that is left out had a part in the
surface of one that is kept. A hole is what is outside and cannot be left through faces of voxels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from skimage.measure import label

from orthanc_stl.mesh.volumes.inside import Inside, Level, find_inside, value_range, values
from orthanc_stl.mesh.volumes.volume import Volume

FAINTEST = 1e-3
"""A fraction of the reach of a grey volume: how far beyond the threshold a changed value is at least."""


@dataclass(frozen=True)
class Cleaned:
    """What is left of a volume. `labels`, `threshold` and `upper` are for `surface_from_volume`.

    `pieces` are those that are kept, `left_out` how many are not; `left_out_volume` and `filled_volume` are in mm³.
    `all_at_sides`: those that reach the sides should not have counted, but all of them do.
    """

    volume: Volume
    labels: tuple[int, ...] | None
    threshold: float | None
    upper: float | None
    pieces: int
    left_out: int = 0
    left_out_volume: float = 0.0
    holes: int = 0
    filled_volume: float = 0.0
    all_at_sides: bool = False


def cleaned(
    volume: Volume,
    *,
    labels: Sequence[int] | None = None,
    threshold: float | None = None,
    upper: float | None = None,
    min_share: float = 0.0,
    min_volume: float = 0.0,
    fill_holes: bool = False,
    leave_out_sides: bool = False,
) -> Cleaned:
    """Keep the pieces of at least `min_volume` mm³ and `min_share` of the largest one's volume, and fill their holes.

    `min_share` 1 keeps the largest alone. The largest is kept in any case. `leave_out_sides`: pieces that reach the
    sides of the lattice along i or j (the air around a patient) do not count. The result is a copy, cut to the box of
    what was inside. Raises what `find_inside` does; nothing is left out of pieces that are all at the sides.
    """
    inside = find_inside(volume, labels, threshold, upper)
    cut, mask = _cut(volume, inside)
    found, count = label(mask, connectivity=3, return_num=True)
    sizes = _sizes(found, count, cut)
    sides = _at_sides(found, count) if leave_out_sides else np.zeros(count + 1, bool)
    all_at_sides = bool(sides[1:].all())
    kept = _kept(sizes, sides & (not all_at_sides), min_share, min_volume)
    left_out = mask & ~kept[found]
    del found
    mask ^= left_out
    filled, holes, filled_volume = _holes(mask, cut) if fill_holes else (None, 0, 0.0)
    result = Cleaned(
        volume=cut,
        labels=None if labels is None else tuple(labels),
        threshold=threshold,
        upper=upper,
        pieces=int(np.count_nonzero(kept)),
        left_out=count - int(np.count_nonzero(kept)),
        left_out_volume=float(sizes[~kept].sum()),
        holes=holes,
        filled_volume=filled_volume,
        all_at_sides=all_at_sides,
    )
    if inside.level is None:
        if filled is not None:
            mask |= filled
        stored = np.ascontiguousarray(mask).view(np.uint8).T
        return replace(result, volume=replace(cut, stored=stored, slope=1.0, intercept=0.0, labels=True), labels=(1,))
    changed = _without(cut, inside.level, left_out, filled)
    if threshold is None:
        changed = replace(changed, warnings=(*cut.warnings, *inside.warnings))
    open_below = threshold is None and upper is not None
    low = None if open_below else max(inside.level.value, value_range(changed).low)
    return replace(result, volume=changed, threshold=low)


def _kept(sizes: np.ndarray, sides: np.ndarray, min_share: float, min_volume: float) -> np.ndarray:
    """Which pieces stay, by their number; `sizes` are mm³, 0 for what is no piece. `sides`: those that do not count."""
    kept = (sizes > 0) & ~sides
    largest = sizes[kept].max()
    kept &= (sizes >= min(min_volume, largest)) & (sizes >= min_share * largest * (1 - 1e-9))
    if min_share == 1:
        kept = np.arange(len(sizes)) == np.argmax(np.where(kept, sizes, 0))
    return kept


def _without(cut: Volume, at: Level, left_out: np.ndarray, filled: np.ndarray | None) -> Volume:
    """Grey values of which what is left out lies outside of the level, and what is filled inside."""
    stored = np.array(cut.stored.T)
    level, top = at.value, at.upper
    faint = max(FAINTEST * at.reach, abs(cut.slope))
    if np.isfinite(top):  # a band: above it is outside as well, and below it there may be no values
        _change(stored, left_out, cut, lambda found: np.maximum(2 * top - found, top + faint), up=True)
        filling = partial(_between, level, top)
    else:
        _change(stored, left_out, cut, lambda found: np.minimum(2 * level - found, level - faint), up=False)
        filling = partial(_above, level, faint)
    if filled is not None:
        _change(stored, filled, cut, filling, up=True)
    return replace(cut, stored=stored.T)


def _between(level: float, top: float, found: np.ndarray) -> np.ndarray:
    return np.full(found.shape, (level + top) / 2)


def _above(level: float, faint: float, found: np.ndarray) -> np.ndarray:
    return np.maximum(2 * level - found, level + faint)


def _cut(volume: Volume, inside: Inside) -> tuple[Volume, np.ndarray]:
    """The box of what is inside and a voxel around it, where there is one; and which voxels are, (k, j, i) bool."""
    shape = volume.stored.shape[::-1]
    k, j, i = (slice(max(part.start - 1, 0), min(part.stop + 1, n)) for part, n in zip(inside.box, shape, strict=True))
    corner = np.eye(4)
    corner[:3, 3] = i.start, j.start, k.start
    planes = volume.planes[k] if volume.planes is not None else None
    if planes is not None:
        corner[2, 3] = 0.0  # the places are those of the whole lattice
    cut = replace(
        volume,
        stored=volume.stored[i, j, k],
        affine=volume.affine @ corner,
        planes=planes,
        longest_side=volume.extent(),
    )
    mask = np.empty((k.stop - k.start, j.stop - j.start, i.stop - i.start), bool)
    for index in range(len(mask)):
        mask[index] = inside.test(values(cut, (slice(index, index + 1), slice(None), slice(None))))[0]
    return cut, mask


def _sizes(found: np.ndarray, count: int, volume: Volume) -> np.ndarray:
    """mm³ of each piece `(count + 1,)`; 0 for what is in none."""
    sizes = np.zeros(count + 1)
    for plane, thickness in zip(found, volume.thickness(), strict=True):
        sizes += np.bincount(plane.ravel(), minlength=count + 1) * thickness
    sizes[0] = 0
    return sizes * volume.voxel_volume


def _at_sides(found: np.ndarray, count: int) -> np.ndarray:
    sides = np.zeros(count + 1, bool)
    for plane in (found[:, 0], found[:, -1], found[:, :, 0], found[:, :, -1]):
        sides[np.unique(plane)] = True
    return sides


def _holes(mask: np.ndarray, volume: Volume) -> tuple[np.ndarray, int, float]:
    """Which voxels are holes of `mask`, how many holes there are, and their volume (mm³)."""
    found, count = label(np.pad(~mask, 1, constant_values=True), connectivity=1, return_num=True)
    found = found[1:-1, 1:-1, 1:-1]
    sizes = _sizes(found, count, volume)
    holes = np.ones(count + 1, bool)
    holes[:2] = False  # 0 is the mask; 1 is where the padding lies, which is labelled first
    return holes[found], int(np.count_nonzero(sizes[2:])), float(sizes[2:].sum())


def _change(
    stored: np.ndarray, where: np.ndarray, volume: Volume, change: Callable[[np.ndarray], np.ndarray], *, up: bool
) -> None:
    """Give the values at `where` those that `change` makes of them; whole ones are rounded away from the level."""
    slope, intercept = volume.slope, volume.intercept
    for plane, chosen in zip(stored, where, strict=True):
        if not chosen.any():
            continue
        new = (change(plane[chosen] * np.float64(slope) + intercept) - intercept) / slope
        if stored.dtype.kind in "iu":
            limits = np.iinfo(stored.dtype)
            new = np.clip(np.ceil(new) if up == (slope > 0) else np.floor(new), limits.min, limits.max)
        plane[chosen] = new.astype(stored.dtype)
