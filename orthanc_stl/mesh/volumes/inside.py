"""Which voxels of a volume are inside: labels, a mask, or the values from a threshold on.

A volume of a gigabyte is looked at block by block, so that no copy of it is ever made.

**The rule for masks and label maps.** A volume counts as one when all its finite values are whole, and when its header
says so (intent 1002, "label"), or it has at most `FEW_VALUES` different values, or none is negative and more than half
of the pairs of neighbours (along the first axis, both non-zero) have equal values: labels come in flat regions, grey
values do not. Any other volume is a grey one. `labels` makes any volume a label map, `threshold` makes it a grey one.

Labels that were stored as multiples of a slope (nibabel does so where data are floats and the header is of integers:
117 labels in 65,535 steps of 0.0018) are whole to half a step. They count as whole if no two stored values are so near
to the same number: values of a scan are.

A label below zero is something to ignore (nnU-Net has -1) where labels are few and no lower than `LOWEST_LABEL`; air in
a CT is lower.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from orthanc_stl.errors import InvalidInput, OutOfRange
from orthanc_stl.mesh.volumes.volume import Volume

FEW_VALUES = 32  # a mask has 2, most segmentations have fewer; CT, MR and PET volumes have hundreds and more
BLOCK = 1 << 18  # voxels looked at at once: what is worked out of them stays in the cache (4 times as fast for floats)
WHOLE = 1e-4  # how far a value may be from a whole number: scl_slope is a float32
HALF_A_STEP = 0.51  # of the slope: how far a label may be from a whole number that was stored as the nearest multiple
MOST_STORED = 1 << 16  # different stored values that are compared, and more than any label map has
LOWEST_LABEL = -255
NAMED_LABELS = 60  # how many labels an error lists

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Range:
    """The finite values of a volume; `low > high` when it has none. `others` counts what is not finite."""

    low: float
    high: float
    whole: bool
    others: int


@dataclass(frozen=True)
class Level:
    """The value of a grey volume at its surface, and how far the volume's values go from it at most.

    `upper`: values above it are outside as well.
    """

    value: float
    reach: float
    upper: float = math.inf


@dataclass(frozen=True)
class Inside:
    """The inside of a volume: where it is, and how to tell it from the values of a block.

    `box` is the smallest one that holds it, in the order (k, j, i) of the arrays; `voxels` counts them.
    `level` is None for a mask; for a grey volume the surface lies where the values pass it.
    """

    box: Box
    voxels: int
    test: Callable[[np.ndarray], np.ndarray]
    level: Level | None
    warnings: tuple[str, ...] = ()


def find_inside(
    volume: Volume, labels: Sequence[int] | None, threshold: float | None, upper: float | None = None
) -> Inside:
    """What of `volume` the model is made of. With `upper`, values from `threshold` (or the lowest) to `upper` are.

    Raises `InvalidInput` when nothing is inside, for an unknown label, and for `labels` together with a `threshold`.
    """
    if labels is not None and (threshold is not None or upper is not None):
        raise InvalidInput("labels are for a label map and a threshold is for a grey volume: give one of them")
    if labels is not None:
        _check_labels(volume, labels)
        return _located(volume, _is_one_of(labels), None)
    found = value_range(volume)
    if found.low > found.high:
        raise InvalidInput("the volume has no finite value, so nothing is inside")
    warnings = [f"{found.others} voxels are not finite numbers and count as outside"] if found.others else []
    open_below = upper is not None and threshold is None
    if open_below:
        threshold = found.low
    if threshold is None and is_label_map(volume, found):
        if found.low < 0:
            warnings.append(sentence_on_values_below_zero(found.low))
        return replace(_located(volume, _is_not_zero, None), warnings=tuple(warnings))
    if threshold is None and found.low == found.high:
        raise InvalidInput(f"every value of the volume is {found.low:g}: give a threshold, or a mask")
    value = found.low / 2 + found.high / 2 if threshold is None else threshold
    if not found.low <= value <= found.high:
        raise OutOfRange(f"the threshold must be from {found.low:g} to {found.high:g}, as values are, but is {value:g}")
    if threshold is None:
        warnings.append(f"The volume is no mask: its surface is where the values are {value:g}, half of their range")
    highest = found.high if upper is None else min(upper, found.high)
    if highest < value:
        raise OutOfRange(f"the upper limit must be at least the threshold {value:g}, but is {highest:g}")
    if open_below:  # so far below the values that only `upper` says where the surface is
        value -= highest - found.low + 1
    level = Level(value, max(value - found.low, found.high - value) or 1.0, math.inf if upper is None else upper)
    inside = _located(volume, lambda values: (values >= value) & (values <= highest), level)
    return replace(inside, warnings=tuple(warnings))


def sentence_on_values_below_zero(lowest: float) -> str:
    """What is to be told of a label map with such values, down to `lowest`, where no labels were chosen."""
    return (
        f"The label map has values below zero, down to {lowest:g}: they are inside as all that are not zero,"
        " unless labels are chosen"
    )


def blocks(shape: Sequence[int]) -> Iterator[Box]:
    """Boxes of at most `BLOCK` voxels that cover an array of `shape`, in the order of its memory."""
    steps, left = [1, 1, 1], BLOCK
    for axis in (2, 1, 0):
        steps[axis] = max(1, min(shape[axis], left))
        left //= steps[axis]
    starts = (range(0, n, step) for n, step in zip(shape, steps, strict=True))
    for corner in product(*starts):
        k, j, i = (slice(c, min(c + s, n)) for c, s, n in zip(corner, steps, shape, strict=True))
        yield k, j, i


def values(volume: Volume, box: Box) -> np.ndarray:
    """The values in `box` (k, j, i): a view of the file where they are not scaled, else float64."""
    stored = volume.stored.T[box]
    if volume.slope == 1 and volume.intercept == 0:
        return stored
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is infinite, so outside
        return stored * np.float64(volume.slope) + volume.intercept


def value_range(volume: Volume) -> Range:
    low, high, whole, finite = np.inf, -np.inf, True, 0
    tolerance = _tolerance(volume)
    for found in _finite(volume):
        low, high = min(low, float(found.min())), max(high, float(found.max()))
        whole = whole and _all_whole(found, tolerance)
        finite += found.size
    return Range(low, high, whole, volume.stored.size - finite)


def is_label_map(volume: Volume, found: Range) -> bool:
    """The rule at the head of this file."""
    if not found.whole or (found.low < LOWEST_LABEL and not volume.labels):
        return False
    if _tolerance(volume) > WHOLE and not _one_value_each(volume):
        return False
    if volume.labels or found.high - found.low < FEW_VALUES or _few_values(volume):
        return True
    return found.low >= 0 and _flat(volume)


def _tolerance(volume: Volume) -> float:
    """How far a label may be from a whole number."""
    step = abs(volume.slope)
    return max(WHOLE, HALF_A_STEP * step) if step < 1 else WHOLE


def _located(volume: Volume, test: Callable[[np.ndarray], np.ndarray], level: Level | None) -> Inside:
    shape = volume.stored.shape[::-1]
    used = [np.zeros(n, bool) for n in shape]
    voxels = 0
    for box in blocks(shape):
        inside = test(values(volume, box))
        k, j, i = box
        rows = np.any(inside, axis=2)
        used[0][k] |= np.any(rows, axis=1)
        used[1][j] |= np.any(rows, axis=0)
        used[2][i] |= np.any(inside, axis=(0, 1))
        voxels += int(np.count_nonzero(inside))
    if not voxels:
        raise InvalidInput("the volume has no voxel that is not zero, so there is nothing to make a model of")
    first, second, third = (slice(int(np.argmax(u)), len(u) - int(np.argmax(u[::-1]))) for u in used)
    return Inside((first, second, third), voxels, test, level)


def _is_not_zero(found: np.ndarray) -> np.ndarray:
    """For whole numbers, which a slope leaves a little beside themselves. What is not finite is outside."""
    return (np.abs(found) > 0.5) & np.isfinite(found) if found.dtype.kind == "f" else found != 0


def _is_one_of(labels: Sequence[int]) -> Callable[[np.ndarray], np.ndarray]:
    def test(found: np.ndarray) -> np.ndarray:
        inside = _is_label(found, labels[0])
        for label in labels[1:]:
            inside |= _is_label(found, label)
        return inside

    return test


def _is_label(found: np.ndarray, label: int) -> np.ndarray:
    """Which values are this label; of values that are not whole, the nearest whole one counts."""
    if found.dtype.kind == "f":
        if abs(label) > 1 << 53:  # no float tells such numbers apart
            return np.zeros(found.shape, bool)
        return np.rint(found) == label
    limits = np.iinfo(found.dtype)
    return found == label if limits.min <= label <= limits.max else np.zeros(found.shape, bool)


def _check_labels(volume: Volume, labels: Sequence[int]) -> None:
    missing = set(labels)
    if not missing:
        raise InvalidInput("no label is given, at least one is expected")
    for box in blocks(volume.stored.shape[::-1]):
        found = values(volume, box)
        missing -= {label for label in missing if _is_label(found, label).any()}
        if not missing:
            return
    unknown = ", ".join(str(label) for label in sorted(missing))
    raise InvalidInput(f"the volume has no label {unknown}; {_labels_in_words(volume)}")


def _labels_in_words(volume: Volume) -> str:
    found: set[float] = set()
    for part in _finite(volume):
        found |= set(np.unique(_rounded(part)).tolist()) - {0}
        if len(found) > 10 * NAMED_LABELS:
            return "it has too many values to list them"
    names = ", ".join(f"{label:.6g}" for label in sorted(found)[:NAMED_LABELS])
    return f"it has {names}{', ...' if len(found) > NAMED_LABELS else ''}" if found else "it is empty"


def _finite(volume: Volume) -> Iterator[np.ndarray]:
    """The finite values, block by block; blocks without any are left out."""
    for box in blocks(volume.stored.shape[::-1]):
        part = values(volume, box)
        if part.dtype.kind == "f":
            finite = np.isfinite(part)
            part = part if finite.all() else part[finite]
        if part.size:
            yield part


def _rounded(found: np.ndarray) -> np.ndarray:
    """The whole numbers nearest to the values."""
    return np.rint(found) if found.dtype.kind == "f" else found


def _all_whole(found: np.ndarray, tolerance: float) -> bool:
    return found.dtype.kind != "f" or bool((np.abs(found - np.rint(found)) <= tolerance).all())


def _one_value_each(volume: Volume) -> bool:
    """Whether no two different values are nearest to the same whole number."""
    found: set[float] = set()
    for part in _finite(volume):
        found |= set(np.unique(part).tolist())
        if len(found) > MOST_STORED:
            return False
    return len({round(value) for value in found}) == len(found)


def _few_values(volume: Volume) -> bool:
    """Whether there are at most `FEW_VALUES` of them, known to be whole."""
    found: set[float] = set()
    for part in _finite(volume):
        found |= set(np.unique(_rounded(part)).tolist())
        if len(found) > FEW_VALUES:
            return False
    return True


def _flat(volume: Volume) -> bool:
    """Whether more than half of the pairs of neighbours, both non-zero, are equal."""
    pairs = equal = 0
    for box in blocks(volume.stored.shape[::-1]):
        part = _rounded(values(volume, box))
        one, other = part[..., 1:], part[..., :-1]
        both = (one != 0) & (other != 0)
        pairs += int(np.count_nonzero(both))
        equal += int(np.count_nonzero(both & (one == other)))
    return equal * 2 > pairs
