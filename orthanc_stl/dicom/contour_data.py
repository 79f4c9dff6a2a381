"""Contour Data (3006,0050): decimal strings to arrays, many at a time.

A structure set is decimal strings for the most part: 50 MB hold six million of them. Converting each by `float` takes
200 ns (and `numpy.fromstring`, no faster, takes a blank for -1), so here eight digits are converted at once by
arithmetic on 64-bit words, over arrays of words. The result is the same to the last bit: with at most 15 digits both
the digits as an integer and the power of ten are exact, and one division rounds once. What does not fit (exponents,
blanks, more digits) goes the slow way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

# Bytes converted at once: the arrays of one batch stay within a processor's cache.
BATCH_BYTES = 1 << 16

_BACKSLASH, _POINT, _MINUS = (ord(c) for c in "\\.-")
_PAD = b"0" * 16
_LAST_BYTES = np.array([0] + [(0xFFFFFFFFFFFFFFFF << 8 * (8 - k)) & 0xFFFFFFFFFFFFFFFF for k in range(1, 9)], np.uint64)
_FIRST_BYTES = np.array([(1 << 8 * k) - 1 for k in range(9)], np.uint64)
_POWERS = 10 ** np.arange(16, dtype=np.int64)
_DS_BYTES = b"0123456789+-.eE \\"


def numbers(texts: Sequence[bytes]) -> Iterator[np.ndarray | None]:
    """The numbers of each text as (n,) float64; None for a text that is not a list of finite decimal strings."""
    for batch in _batches(texts):
        fast = _fast(b"\\".join(batch)) if all(batch) else None
        if fast is None:
            yield from map(_slow, batch)
            continue
        values, ends = fast
        lasts = np.cumsum([len(text) + 1 for text in batch]) - 1
        yield from np.split(values, np.searchsorted(ends, lasts[:-1], side="right"))


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


def _fast(text: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """All numbers of `text`, and where each ends, if each is digits with at most one minus before and one point within;
    else None."""
    buffer = _PAD + text + b"\\" + _PAD
    letters = np.frombuffer(buffer, np.uint8)
    ends = np.flatnonzero(letters == _BACKSLASH)
    points = np.flatnonzero(letters == _POINT)
    starts = np.empty_like(ends)
    starts[0] = len(_PAD)
    starts[1:] = ends[:-1] + 1
    negative = letters[starts] == _MINUS
    digits = np.count_nonzero((letters - np.uint8(ord("0"))) < 10)
    if digits + len(ends) + len(points) + np.count_nonzero(negative) != len(letters):
        return None
    starts += negative
    middles = _middles(letters, starts, points, ends)
    values = None if middles is None else _values(buffer, starts, middles, ends)
    if values is None:
        return None
    np.negative(values, where=negative, out=values)
    return values, ends - len(_PAD)


def _middles(letters: np.ndarray, starts: np.ndarray, points: np.ndarray, ends: np.ndarray) -> np.ndarray | None:
    """Where the point of each number is, its end where it has none; None if a number has two."""
    if len(points) == len(ends) and (points >= starts).all() and (points < ends).all():
        return points
    before = np.cumsum(letters == _POINT, dtype=np.int32)
    first, last = before[starts - 1], before[ends]
    if (last - first).max() > 1:
        return None
    middles = ends.copy()
    pointed = np.flatnonzero(last > first)
    middles[pointed] = points
    return middles


def _values(buffer: bytes, starts: np.ndarray, middles: np.ndarray, ends: np.ndarray) -> np.ndarray | None:
    """The numbers whose digits stand in [start, middle) and (middle, end); middle == end for one without a point."""
    wholes = middles - starts
    fractions = np.maximum(ends - middles - 1, 0)
    digits = wholes + fractions
    if wholes.max() > 7 or digits.min() < 1 or digits.max() > 15:
        return None
    words = np.ndarray((len(buffer) - 7,), "<u8", buffer, strides=(1,))
    whole = _eight_digits(words[middles - 8], _LAST_BYTES[wholes])
    long = np.flatnonzero(fractions > 8)
    fraction = _eight_digits(words[middles + 1], _FIRST_BYTES[np.minimum(fractions, 8) if len(long) else fractions])
    whole *= 100_000_000
    whole += fraction
    values = whole / 1e8
    if len(long):
        more = fractions[long] - 8
        rest = _eight_digits(words[middles[long] + 9], _FIRST_BYTES[more]) // _POWERS[8 - more]
        values[long] = (whole[long] * _POWERS[more] + rest) / _POWERS[8 + more].astype(np.float64)
    return values


def _eight_digits(words: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(n,) uint64 of eight ASCII digits each to their values, int64; bytes that the mask `kept` drops count as 0."""
    words &= kept
    words &= np.uint64(0x0F0F0F0F0F0F0F0F)
    words *= np.uint64(2561)
    words >>= np.uint64(8)
    words &= np.uint64(0x00FF00FF00FF00FF)
    words *= np.uint64(6553601)
    words >>= np.uint64(16)
    words &= np.uint64(0x0000FFFF0000FFFF)
    words *= np.uint64(42949672960001)
    words >>= np.uint64(32)
    return words.view(np.int64)


def _slow(text: bytes) -> np.ndarray | None:
    """Any list of decimal strings (PS3.5 section 6.2: blanks around a value are allowed)."""
    if text.translate(None, _DS_BYTES):
        return None
    try:
        values = np.array([float(value) for value in text.split(b"\\")])
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None
