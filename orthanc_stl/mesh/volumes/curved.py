"""Values between those of a lattice, on curves where its values show that they bend: straight lines cut peaks short.

The middle between two values is that of the cubic through four of them where the second differences on both sides agree
(PPH weighs them in a similar way: Amat, Dadourian, Liandrat, Adv. Comput. Math. 34 (2011) 253), and that of the line
where they do not: next to a jump a cubic swings over, and a surface there would be of nothing; in a field that is
coarser than its bends the line is what planning systems take.
"""

from __future__ import annotations

import numpy as np

AGREE = (0.7, 0.85)
"""The smaller of two second differences over the larger: a line up to the first of these, the cubic from the second on,
between them a mixture, so that no edge comes of it."""


def halved(values: np.ndarray) -> np.ndarray:
    """`values` `(nz, ny, nx) float32` and those between them: `(2 nz - 1, 2 ny - 1, 2 nx - 1)`, theirs at even places.

    >>> halved(np.array([[[0, 1, 4, 9]]], np.float32))[0, 0]
    array([0.  , 0.5 , 1.  , 2.25, 4.  , 6.5 , 9.  ], dtype=float32)
    """
    for axis in range(values.ndim):
        values = _halved(np.moveaxis(values, axis, 0), axis)
    return np.ascontiguousarray(values)


def _halved(values: np.ndarray, axis: int) -> np.ndarray:
    out = np.empty((2 * len(values) - 1, *values.shape[1:]), np.float32)
    out[::2] = values
    between = out[1::2]
    np.add(values[:-1], values[1:], out=between)
    between *= np.float32(0.5)
    if len(values) > 3:  # the first and the last stretch have a value on one side alone: they are straight
        bend = values[:-2] - 2 * values[1:-1] + values[2:]
        one, other = np.abs(bend[:-1]), np.abs(bend[1:])
        agreement = np.minimum(one, other) / np.maximum(np.maximum(one, other), np.float32(1e-30))
        agreement[bend[:-1] * bend[1:] <= 0] = 0
        line, cubic = AGREE
        weight = np.clip((agreement - line) / (cubic - line), 0, 1)
        between[1:-1] -= weight * (bend[:-1] + bend[1:]) / 16
    return np.moveaxis(out, 0, axis)
