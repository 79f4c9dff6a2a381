"""Contour Data (3006,0050): decimal strings to arrays, many at a time.

A structure set is decimal strings for the most part: 50 MB hold six million of them. Converting each by `float` or
`numpy.fromstring` takes 200 ns, so here eight digits are converted at once by arithmetic on 64-bit words, over arrays
of words. The result is the same to the last bit: with at most 15 digits both the digits as an integer and the power of
ten are exact, and one division rounds once. What does not fit (exponents, blanks, more digits) goes the slow way.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

# Bytes converted at once: the arrays of one batch stay within a processor's cache.
BATCH_BYTES = 1 << 18

_BACKSLASH, _POINT, _MINUS = (ord(c) for c in "\\.-")
_PAD = b"0" * 16
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LAST_BYTES = np.array([0] + [(0xFFFFFFFFFFFFFFFF << 8 * (8 - k)) & 0xFFFFFFFFFFFFFFFF for k in range(1, 9)], np.uint64)
_FIRST_BYTES = np.array([(1 << 8 * k) - 1 for k in range(9)], np.uint64)
_POWERS = 10 ** np.arange(16, dtype=np.int64)
_DS_BYTES = b"0123456789+-.eE \\"


def numbers(texts: Sequence[bytes]) -> Iterator[np.ndarray | None]:
    """The numbers of each text as (n,) float64; None for a text that is not a list of finite decimal strings."""
    for batch in _batches(texts):
        joined = _fast(b"\\".join(batch)) if all(batch) else None
        if joined is None:
            yield from map(_slow, batch)
            continue
        at = 0
        for text in batch:
            count = text.count(b"\\") + 1
            yield joined[at : at + count]
            at += count


def _batches(texts: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _fast(text: bytes) -> np.ndarray | None:
    """All numbers of `text` if each is digits with at most one minus before and one point within; else None."""
    buffer = _PAD + text + b"\\" + _PAD
    letters = np.frombuffer(buffer, np.uint8)
    odd = np.flatnonzero((letters - np.uint8(48)) > 9)
    kinds = letters[odd]
    is_end = kinds == _BACKSLASH
    is_point = kinds == _POINT
    is_minus = kinds == _MINUS
    ends = odd[is_end]
    points, minuses = odd[is_point], odd[is_minus]
    if len(ends) + len(points) + len(minuses) != len(odd):
        return None
    starts = np.empty_like(ends)
    starts[0] = len(_PAD)
    starts[1:] = ends[:-1] + 1
    owner = np.cumsum(is_end)
    negative = owner[is_minus]
    if np.any(starts[negative] != minuses):
        return None
    starts[negative] += 1
    pointed = owner[is_point]
    if np.any(pointed[1:] == pointed[:-1]):
        return None
    middles = ends.copy()
    middles[pointed] = points
    values = _values(buffer, starts, middles, ends)
    if values is not None:
        values[negative] = -values[negative]
    return values


def _values(buffer: bytes, starts: np.ndarray, middles: np.ndarray, ends: np.ndarray) -> np.ndarray | None:
    """The numbers whose digits stand in [start, middle) and (middle, end); middle == end for one without a point."""
    wholes = middles - starts
    fractions = np.maximum(ends - middles - 1, 0)
    digits = wholes + fractions
    if wholes.max() > 7 or digits.min() < 1 or digits.max() > 15:
        return None
    words = np.ndarray((len(buffer) - 7,), "<u8", buffer, strides=(1,))
    whole = _eight_digits(words[middles - 8] & _LAST_BYTES[wholes])
    fraction = _eight_digits(words[middles + 1] & _FIRST_BYTES[np.minimum(fractions, 8)])
    values = (whole * 100_000_000 + fraction) / 1e8
    long = np.flatnonzero(fractions > 8)
    if len(long):
        more = fractions[long] - 8
        rest = _eight_digits(words[middles[long] + 9] & _FIRST_BYTES[more]) // _POWERS[8 - more]
        exact = (whole[long] * 100_000_000 + fraction[long]) * _POWERS[more] + rest
        values[long] = exact / _POWERS[8 + more].astype(np.float64)
    return values


def _eight_digits(words: np.ndarray) -> np.ndarray:
    """(n,) uint64 of eight ASCII digits each (a zero byte counts as the digit 0) to their values, int64."""
    words = words & np.uint64(0x0F0F0F0F0F0F0F0F)
    words = (words * np.uint64(2561)) >> np.uint64(8)
    words = ((words & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    words = ((words & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return words.astype(np.int64)


def _slow(text: bytes) -> np.ndarray | None:
    """Any list of decimal strings (PS3.5 section 6.2: blanks around a value are allowed)."""
    if not text.strip() or text.translate(None, _DS_BYTES):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            values = np.fromstring(text.decode("ascii"), sep="\\")
        except (DeprecationWarning, ValueError):
            values = np.empty(0)
    if len(values) != text.count(b"\\") + 1:
        try:
            values = np.array([float(value) for value in text.split(b"\\")])
        except ValueError:
            return None
    return values if np.isfinite(values).all() else None
