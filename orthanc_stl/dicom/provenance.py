"""What an object says about its making, as lines of text in Algorithm Parameters (0066,0032).

    Resolution: 256
    ROI: Heart
    Warning: ROI 3 "Heart", contour 7 has no points: skipped

That attribute is the one place of the Encapsulated STL IOD with room for it (LT, 10,240 characters), and every viewer
that lists attributes shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orthanc_stl.dicom.text import one_line
from orthanc_stl.dicom.values import LENGTHS

_ROI = "ROI"
_WARNING = "Warning"
_END = "\r\n"
# Kept free for the line that says how many others there were.
_LAST_LINE = 64


def write(parameters: Mapping[str, str], names: Iterable[str], warnings: Iterable[str]) -> str:
    lines = [f"{key}: {one_line(value)}" for key, value in parameters.items()]
    lines += [f"{_ROI}: {one_line(name)}" for name in names]
    lines += [f"{_WARNING}: {one_line(warning)}" for warning in warnings]
    room = LENGTHS["LT"] - _LAST_LINE
    for place, line in enumerate(lines):
        room -= len(line) + len(_END)
        if room < 0:
            return _END.join([*lines[:place], f"{_WARNING}: and {len(lines) - place} more lines"])
    return _END.join(lines)


def read(text: str) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Parameters, names and warnings of a text by `write`; lines of another form are left out."""
    parameters: dict[str, str] = {}
    lists: dict[str, list[str]] = {_ROI: [], _WARNING: []}
    for line in text.splitlines():
        key, colon, value = line.partition(": ")
        if key in lists:
            lists[key].append(value)
        elif colon:
            parameters[key] = value
    return parameters, tuple(lists[_ROI]), tuple(lists[_WARNING])
