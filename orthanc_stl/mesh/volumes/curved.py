"""Values between those of a lattice, on curves: what straight lines between the values of a dose cut short.

The middle between two values is that of the cubic through four of them, where the curve bends the same way on both
sides, with the harmonic mean of the two second differences: next to a jump it is that of the line, or beyond it by at
most a quarter of the smaller difference (the scheme PPH: Amat, Dadourian, Liandrat, Adv. Comput. Math. 34 (2011) 253).
A cubic alone swings over beside a steep edge, and a surface there would be of nothing.
"""

from __future__ import annotations

import numpy as np


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
        product = np.maximum(bend[:-1] * bend[1:], 0)
        total = bend[:-1] + bend[1:]
        mean = np.divide(2 * product, total, out=np.zeros_like(total), where=product > 0)
        between[1:-1] -= mean / 8
    return np.moveaxis(out, 0, axis)
