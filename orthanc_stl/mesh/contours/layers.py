"""Where the layers of a grid lie along the normal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from orthanc_stl.mesh.contours.parts import Chain, Layer
from orthanc_stl.mesh.contours.shapes import meeting_boxes


def layers_of(chain: Chain, step: float, offset: float) -> np.ndarray:
    """Where to take layers (mm along the normal, ascending) so that each plane of the chain is one of them.

    Neighbouring layers are at most `step` apart. An end lies between two layers, `offset` inside and outside of it:
    near enough for a sharp edge. So does the middle between two planes of which one has an outline that the other has
    not: there a branch or a cavity ends.
    """
    planes = chain.positions.tolist()
    stops = [planes[0] - chain.low, *np.diff(planes), chain.high - planes[-1]]
    offset = min(offset, 0.4 * min(stop for stop in stops if stop > 0))
    marks = list(planes)
    before, after = [], []
    if not chain.joined[0]:
        before = [chain.low - offset]
        marks = [chain.low + offset, *(planes[1:] if chain.low == planes[0] else planes)]
    if not chain.joined[1]:
        after = [chain.high + offset]
        marks = [*(marks[:-1] if chain.high == planes[-1] else marks), chain.high - offset]
    for lower, upper in pairwise(chain.layers):
        if _something_ends(lower, upper):
            middle = (lower.position + upper.position) / 2
            marks += [middle - offset, middle + offset]
    marks.sort()
    inner = [_from(start, end, step) for start, end in pairwise(marks)]
    return np.concatenate([before, *inner, marks[-1:], after])


def _something_ends(lower: Layer, upper: Layer) -> bool:
    """Whether an outline of one of the two, or a hole in it, meets none of its kind on the other."""
    for below, above in zip(lower.boxes, upper.boxes, strict=True):
        if not len(below) and not len(above):
            continue
        met = meeting_boxes(below, above)
        if len(np.unique(met[:, 0])) < len(below) or len(np.unique(met[:, 1])) < len(above):
            return True
    return False


def _from(start: float, end: float, step: float) -> np.ndarray:
    """Layers from `start` (included) to `end` (excluded), evenly, at most `step` apart."""
    count = max(1, int(np.ceil((end - start) / step - 1e-6)))
    return start + np.arange(count) * ((end - start) / count)


def merged(each: Sequence[np.ndarray], offset: float) -> np.ndarray:
    """The layers of all chains, without such as nearly coincide."""
    if len(each) == 1:
        return each[0]
    layers = np.unique(np.concatenate(each))
    least = min(offset, *(0.5 * float(np.diff(own).min()) for own in each))
    keep = [layers[0]]
    for layer in layers[1:]:
        if layer - keep[-1] > least:
            keep.append(layer)
    keep[-1] = layers[-1]  # the outermost is outside of every body
    return np.array(keep)
