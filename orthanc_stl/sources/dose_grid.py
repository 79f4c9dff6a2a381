"""Where the planes of a dose lie: Grid Frame Offset Vector (PS3.3 C.8.8.3.2) -> a lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.model import Note, Rank
from orthanc_stl.sources.dicom_object import DicomObject
from orthanc_stl.sources.lattices import FARTHEST, LARGEST_VOXEL, SMALLEST_VOXEL, axes_of

_OFFSETS = 0x3004000C
_FRAMES = 0x00280008
_POSITION, _ORIENTATION, _SPACING = 0x00200032, 0x00200037, 0x00280030

EVEN = 1e-3
"""A fraction of the mean step: steps that differ by less are even."""

FAR_APART = 2.0
"""Of the usual step: between planes that are farther apart much of the dose is guessed."""

SAME_PLACE = 1e-3
"""In mm: the first offset is the z of the position if it is so near."""


@dataclass(frozen=True)
class Grid:
    """`affine` (4, 4) to LPS mm; `order`: the frames by rising place; `planes` as in `Volume`, where steps differ."""

    affine: np.ndarray
    order: tuple[int, ...]
    planes: tuple[float, ...] | None
    notes: tuple[Note, ...]


def dose_grid(source: DicomObject) -> Grid:
    """Raises InvalidInput for a dose of one plane, and for planes that have no place."""
    position = np.array(source.decimals(_POSITION))
    if len(position) != 3 or np.abs(position).max() > FARTHEST:
        raise InvalidInput("this dose has no usable image position, so its place is not known")
    axes = axes_of(source.decimals(_ORIENTATION), source.decimals(_SPACING))
    count = source.integer(_FRAMES) or 1
    if count < 2:
        raise InvalidInput("this dose has a single plane, which encloses nothing: at least two are expected")
    offsets, notes = _offsets(source, count, position, axes)
    order = np.argsort(offsets, kind="stable")
    places = offsets[order]
    steps = np.diff(places)
    if not steps.min() >= SMALLEST_VOXEL or steps.max() > LARGEST_VOXEL or np.abs(places).max() > FARTHEST:
        raise InvalidInput(
            f"the planes of this dose are from {steps.min():.4g} to {steps.max():.4g} mm apart, "
            f"{SMALLEST_VOXEL:g} to {LARGEST_VOXEL:g} is expected"
        )
    usual = float(np.median(steps))
    if steps.max() > FAR_APART * usual:
        text = f"planes of the dose are up to {steps.max():.4g} mm apart, {usual:.4g} mm as a rule: between them its "
        notes = (*notes, Note(Rank.GUESSED, "", text + "values were interpolated"))
    step = float(steps.mean())
    affine = np.eye(4)
    affine[:3, :3] = axes * (1, 1, step)
    affine[:3, 3] = position + axes[:, 2] * places[0]
    even = np.abs(steps - step).max() <= EVEN * step
    planes = None if even else tuple(((places - places[0]) / step).tolist())
    return Grid(affine, tuple(order.tolist()), planes, notes)


def _offsets(
    source: DicomObject, count: int, position: np.ndarray, axes: np.ndarray
) -> tuple[np.ndarray, tuple[Note, ...]]:
    """Of each frame along the normal from the image position, in mm."""
    given = source.decimals(_OFFSETS)
    if len(given) < count:
        raise InvalidInput(f"this dose has {count} planes, but a Grid Frame Offset Vector of {len(given)}")
    offsets = np.array(given[:count])
    notes: tuple[Note, ...] = ()
    if len(given) > count:
        text = f"the Grid Frame Offset Vector has {len(given)} values for {count} planes: the first ones were taken"
        notes = (Note(Rank.GUESSED, "", text),)
    if offsets[0] == 0:
        return offsets, notes
    upright = float(axes[2, 2])
    if abs(offsets[0] - position[2]) <= SAME_PLACE and abs(abs(upright) - 1) < 1e-4:
        if not np.allclose(axes[:, :2] / np.linalg.norm(axes[:, :2], axis=0), np.eye(3)[:, :2], atol=1e-4):
            text = (
                "the Grid Frame Offset Vector was taken for places along z, though the orientation is not 1,0,0,0,1,0"
            )
            notes = (*notes, Note(Rank.GUESSED, "", text))
        return (offsets - position[2]) * np.sign(upright), notes
    text = (
        f"the Grid Frame Offset Vector begins with {offsets[0]:g}, which is neither 0 nor the z of the position: "
        "it was taken for distances from its first value"
    )
    return offsets - offsets[0], (*notes, Note(Rank.GUESSED, "", text))
