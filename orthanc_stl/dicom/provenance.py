"""What an object says about its making, as lines of text in Algorithm Parameters (0066,0032).

    Resolution: 256
    ROI: Heart
    Warning 3: ROI 3 "Heart", contour 7 has no points: skipped

The number of a warning is its rank (`Rank`); version 0.1 wrote none. That attribute is the one place of the
Encapsulated STL IOD with room for it (LT, 10,240 characters), and every viewer that lists attributes shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orthanc_stl.dicom.text import one_line
from orthanc_stl.dicom.values import LENGTHS
from orthanc_stl.mesh.types import Note, Rank

CONTOURS_ML = "ContoursMl"
"""The parameter with the volume of the contours themselves."""

_ROI = "ROI"
_WARNING = "Warning"
_RANKS = {_WARNING: Rank.LEFT_OUT} | {f"{_WARNING} {int(rank)}": rank for rank in Rank}
_END = "\r\n"
# Kept free for the line that says how many others there were.
_LAST_LINE = 64


def write(parameters: Mapping[str, str], names: Iterable[str], notes: Iterable[Note]) -> str:
    lines = [f"{key}: {one_line(value)}" for key, value in parameters.items()]
    lines += [f"{_ROI}: {one_line(name)}" for name in names]
    lines += [f"{_WARNING} {int(note.rank)}: {one_line(note.text)}" for note in notes]
    left = LENGTHS["LT"] - _LAST_LINE
    for place, line in enumerate(lines):
        left -= len(line) + len(_END)
        if left < 0:
            return _END.join([*lines[:place], f"{_WARNING}: and {len(lines) - place} more lines"])
    return _END.join(lines)


def read(text: str) -> tuple[dict[str, str], tuple[str, ...], tuple[Note, ...]]:
    """Parameters, names and notes of a text by `write`; lines of another form are left out.

    A note is of the structure if the model has one alone.
    """
    parameters: dict[str, str] = {}
    names: list[str] = []
    warnings: list[tuple[Rank, str]] = []
    for line in text.splitlines():
        key, colon, value = line.partition(": ")
        if key == _ROI:
            names.append(value)
        elif key in _RANKS:
            warnings.append((_RANKS[key], value))
        elif colon:
            parameters[key] = value
    whose = names[0] if len(names) == 1 else ""
    return parameters, tuple(names), tuple(Note(rank, whose, value) for rank, value in warnings)
