"""Contour Data that are no list of decimal strings, but can be read in one way only."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from orthanc_stl.dicom.contour_data import numbers

_LINE_BREAKS = b"\r\n"
"""Removed: a text that was wrapped may have one within a number."""

_BROKEN_NUMBER = re.compile(rb"[\d.][\r\n]+[\d.]")
_BLANKS = bytes.maketrans(b"\0\t\v\f\xa0", b"     ")
_EXPONENTS = bytes.maketrans(b"Dd", b"Ee")
_OTHER_SEPARATORS = (b";", b",", b"/", b" ")


class Respelled(NamedTuple):
    """`values` (n,) float64; `what` a contour has that it should not have, and `how` it was read."""

    values: np.ndarray
    what: str
    how: str


def respelled(text: bytes, declared: int | None) -> Respelled | None:
    """The numbers of a text with a backslash too many, other separators, commas for points, exponents of Fortran, line
    breaks and such; None where that is not the one reading.

    A backslash at an end is of no use. Between two numbers a value may be missing as well, a line may end with a number
    or within one, and another separator may be part of one: there the number of points that the contour declares has to
    agree.

    >>> respelled(b"1,5\\\\2,5\\\\0", None).values.tolist()
    [1.5, 2.5, 0.0]
    """
    plain = text.translate(_BLANKS, _LINE_BREAKS).translate(_EXPONENTS)
    declared_values = 3 * (declared or 0)
    if b"\\" not in plain:
        return _otherwise_separated(plain, declared_values)
    commas = b"," in plain and b"." not in plain
    parts = (plain.replace(b",", b".") if commas else plain).split(b"\\")
    kept = [part for part in parts if part.strip()]
    values = _of(kept)
    certain = len(kept) == len(plain.strip(b"\\ ").split(b"\\")) and not _BROKEN_NUMBER.search(text)
    if values is None or not (certain or len(values) == declared_values):
        return None
    if commas:
        return Respelled(values, "commas for decimal points", "read as points")
    if len(kept) < len(parts):
        return Respelled(values, "a stray backslash", "passed over")
    if b"D" in text.upper():
        return Respelled(values, 'exponents with a "D"', "read as Fortran has them")
    return Respelled(values, "blanks or line breaks that do not belong there", "passed over")


def _otherwise_separated(plain: bytes, declared_values: int) -> Respelled | None:
    for separator in _OTHER_SEPARATORS:
        values = _of([part for part in plain.split(separator) if part.strip()])
        if values is not None and len(values) == declared_values:
            return Respelled(values, "other separators than backslashes", f'"{separator.decode()}" was taken for one')
    return None


def _of(parts: list[bytes]) -> np.ndarray | None:
    """The values of points, three each."""
    (values,) = numbers([b"\\".join(parts)]) if parts else (None,)
    return None if values is None or len(values) % 3 else values
