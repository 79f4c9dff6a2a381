"""Where frames lie: planes in space -> the lattice of a volume.

PS3.3 C.7.6.2.1.1 (the affine of an image), C.7.6.16.2.3 and .4 (plane position and orientation of frames). Planes are
sorted by their distance along the normal = row x column, never by the number of a frame or an instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.model import Note, Rank

SMALLEST_VOXEL, LARGEST_VOXEL = 1e-4, 1e4  # mm: a side outside is a mistake of units or damage
FARTHEST = 1e6  # mm from the origin; beyond, float32 vertices have less than 0.1 mm left
SQUARE = 1e-3  # how far row and column may be from unit length, and their product from 0
SAME_PLANE = 0.02  # of a voxel's side: planes that are nearer to each other are one
ON_LATTICE = 0.05  # of a step: how far a plane may be from its place on the lattice
ALIGNED = 0.05  # of a voxel's side: how far the first pixels of planes may be from a straight line
OTHER_THAN_THICK = 0.05  # of the thickness: a step that is guessed and differs more from it is told
MOST_PLANES = 1 << 20


@dataclass(frozen=True)
class Lattice:
    """`affine` (4, 4): index (i, j, k) to LPS mm. `index[n]`: the plane k of frame n; there are `count` planes.

    `planes` as in `Volume`, where steps are uneven. `notes`: what was guessed.
    """

    affine: np.ndarray
    count: int
    index: np.ndarray
    planes: tuple[float, ...] | None = None
    notes: tuple[Note, ...] = ()

    @property
    def voxel_volume(self) -> float:
        """mm³, of a plane one step thick."""
        return abs(float(np.linalg.det(self.affine[:3, :3])))

    def thickness(self) -> np.ndarray:
        """Of each plane in steps, `(count,) float64`."""
        if self.planes is None:
            return np.ones(self.count)
        places = np.array(self.planes)
        steps = np.diff(places)
        return np.concatenate((steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]))


def axes_of(orientation: Sequence[float], spacing: Sequence[float]) -> np.ndarray:
    """(3, 3): the steps along a row, along a column, and the unit normal, as columns.

    `orientation` is Image Orientation (Patient), `spacing` is Pixel Spacing (between rows, between columns).
    Raises InvalidInput for values that are no axes.
    """
    if len(orientation) != 6:
        raise InvalidInput(f"an image orientation has 6 numbers, this one has {len(orientation)}")
    if len(spacing) != 2 or not all(SMALLEST_VOXEL <= side <= LARGEST_VOXEL for side in spacing):
        shown = " x ".join(f"{side:g}" for side in spacing) or "none"
        raise InvalidInput(
            f"a pixel spacing from {SMALLEST_VOXEL:g} to {LARGEST_VOXEL:g} mm is expected, it is {shown}"
        )
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm((row, column), axis=1)
    if np.abs(lengths - 1).max() > SQUARE or abs(row @ column) > SQUARE:
        raise InvalidInput("the image orientation is no pair of unit vectors at a right angle")
    row, column = row / lengths[0], column / lengths[1]
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    return np.stack((row * spacing[1], column * spacing[0], normal), axis=1)


def lattice_of(
    positions: np.ndarray,
    orientation: Sequence[float],
    spacing: Sequence[float],
    *,
    step: float | None = None,
    thickness: float | None = None,
) -> Lattice:
    """The lattice on which frames at `positions` (n, 3) lie. Planes that no frame has are planes all the same.

    `step` is Spacing Between Slices, else it is the smallest one that occurs; `thickness` serves for a single plane.
    Raises InvalidInput for frames that are tiles of a plane, or lie at no common lattice.
    """
    axes = axes_of(orientation, spacing)
    positions = np.asarray(positions, np.float64)
    if not np.isfinite(positions).all() or np.abs(positions).max() > FARTHEST:
        raise InvalidInput("a plane position is no number, or more than a kilometre from the origin")
    distances = positions @ axes[:, 2]
    same = SAME_PLANE * min(*spacing, step or np.inf)
    order = np.argsort(distances, kind="stable")
    planes = np.cumsum(np.concatenate(([0], np.diff(distances[order]) > same)))
    index = np.empty(len(order), np.int64)
    index[order] = planes
    first = order[np.unique(planes, return_index=True)[1]]  # a frame of each plane
    _check_aligned(positions, index, first, spacing)
    if len(first) == 1:
        return _single(positions[first[0]], axes, index, step, thickness)
    places, guesses = _places(distances[first], step)
    k_axis = (positions[first[-1]] - positions[first[0]]) / places[-1]
    if np.abs(positions[first] - positions[first[0]] - np.outer(places, k_axis)).max() > max(
        ALIGNED * min(spacing), ON_LATTICE * float(np.linalg.norm(k_axis))
    ):
        raise InvalidInput("the planes of the frames are shifted against each other: their first pixels lie on no line")
    height = float(axes[:, 2] @ k_axis)
    if not step and thickness and not guesses and abs(height - thickness) > OTHER_THAN_THICK * thickness:
        text = (
            f"there is no Spacing Between Slices: {height:.4g} mm was taken, the smallest step of the planes, "
            f"though Slice Thickness says {thickness:g} mm"
        )
        guesses = [Note(Rank.GUESSED, "", text)]
    affine = np.eye(4)
    affine[:3, :3] = np.stack((axes[:, 0], axes[:, 1], k_axis), axis=1)
    affine[:3, 3] = positions[first[0]]
    if guesses and guesses[0].rank is Rank.CHANGED_SHAPE:
        return Lattice(affine, len(places), index, tuple(places.tolist()), tuple(guesses))
    if places[-1] >= MOST_PLANES:
        raise InvalidInput(
            f"the frames span {places[-1]:.0f} planes of {np.linalg.norm(k_axis):g} mm, which is no body"
        )
    return Lattice(affine, int(places[-1]) + 1, places.astype(np.int64)[index], None, tuple(guesses))


def _check_aligned(positions: np.ndarray, index: np.ndarray, first: np.ndarray, spacing: Sequence[float]) -> None:
    apart = np.abs(positions - positions[first[index]]).max()
    if apart > max(ALIGNED, 2 * SAME_PLANE) * max(spacing):
        raise InvalidInput(
            f"several frames lie in one plane, up to {apart:.4g} mm apart: they are tiles of it, and make no volume"
        )


def _single(
    position: np.ndarray, axes: np.ndarray, index: np.ndarray, step: float | None, thickness: float | None
) -> Lattice:
    notes: tuple[Note, ...] = ()
    height = step or thickness
    if not height or not SMALLEST_VOXEL <= height <= LARGEST_VOXEL:
        height = float(np.linalg.norm(axes[:, 0]))
        text = f"there is a single plane without a thickness: {height:g} mm was taken, a pixel's side"
        notes = (Note(Rank.GUESSED, "", text),)
    affine = np.eye(4)
    affine[:3, :3] = axes * (1, 1, height)
    affine[:3, 3] = position
    return Lattice(affine, 1, index, None, notes)


def _places(distances: np.ndarray, step: float | None) -> tuple[np.ndarray, list[Note]]:
    """The place of each plane in steps from the first; whole numbers unless steps are uneven."""
    gaps = np.diff(distances)
    if step and step >= SMALLEST_VOXEL:
        counts = _counts(gaps, step)
        if counts is not None:
            return np.concatenate(([0], np.cumsum(counts))), []
    smallest = float(gaps.min())
    counts = _counts(gaps, smallest)
    if counts is not None:
        notes = []
        if step:
            text = f"Spacing Between Slices says {step:g} mm, but planes are {smallest:.4g} mm apart, which was taken"
            notes.append(Note(Rank.GUESSED, "", text))
        return np.concatenate(([0], np.cumsum(counts))), notes
    mean = float(gaps.mean())
    text = (
        f"the planes are from {smallest:.4g} to {gaps.max():.4g} mm apart, unevenly: "
        "each was taken to reach half-way to its neighbours"
    )
    return np.concatenate(([0], np.cumsum(gaps / mean))), [Note(Rank.CHANGED_SHAPE, "", text)]


def _counts(gaps: np.ndarray, step: float) -> np.ndarray | None:
    """How many steps each gap has; None if one of them has no whole number."""
    counts = np.rint(gaps / step)
    return counts if counts.min() >= 1 and np.abs(gaps / step - counts).max() <= ON_LATTICE else None
