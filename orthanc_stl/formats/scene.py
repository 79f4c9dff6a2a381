"""What the writers share: which parts are written, under which names, numbers and colors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.model import Color, Model, Part, palette

_BLANK = re.compile(r"[^\w.+\-]+")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
"""What Windows takes for a device, whatever suffix follows: no file can have that name."""
_MOST_LETTERS, _MOST_BYTES = 64, 160  # the names of most file systems have at most 255 bytes; a suffix follows
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


def written_parts(model: Model) -> list[Part]:
    """The parts that have triangles, in their order, each with a color, a name, and an opacity of 0..1.

    A part without a color gets that of its number, one without a name is called after it. Raises InvalidInput if no
    part has triangles.
    """
    parts = [
        replace(
            part,
            name=shown_name(part),
            color=color_of(part),
            opacity=min(max(part.opacity, 0.0), 1.0),
            kind=plain(part.kind),
        )
        for part in model.parts
        if len(part.mesh.triangles)
    ]
    if not parts:
        raise InvalidInput(f"a model of {len(model.parts)} parts without triangles: there is nothing to write")
    return parts


def color_of(part: Part) -> Color:
    return part.color or palette(part.number)


def shown_name(part: Part) -> str:
    """The name in one line, without what XML and JSON do not hold; "Structure 5" for one that is empty."""
    return plain(part.name) or f"Structure {part.number}"


def plain(text: str) -> str:
    """A text in one line, without the characters that XML and UTF-8 do not hold."""
    return _CONTROL.sub(" ", text).strip()


def single_names(parts: Sequence[Part]) -> list[str]:
    """Names of objects and files, each once, also where capitals do not count: "PTV_60_Gy", "PTV_60_Gy_2".

    They have no blanks, as readers of OBJ want them, and no file system refuses them: no separators, no point at either
    end, at most 64 letters and 160 bytes, and an underscore before what Windows takes for a device ("_CON").
    """
    names: list[str] = []
    used: set[str] = set()
    for part in parts:
        name = _safe(part.name) or f"Structure_{part.number}"
        free, again = name, 2
        while free.casefold() in used:
            free, again = f"{name}_{again}", again + 1
        used.add(free.casefold())
        names.append(free)
    return names


def _safe(name: str) -> str:
    known = _BLANK.sub("_", unicodedata.normalize("NFC", name)).strip("_.")[:_MOST_LETTERS]
    cut = known.encode("utf-8", "ignore")[:_MOST_BYTES].decode("utf-8", "ignore").strip("_.")
    return f"_{cut}" if _DEVICE.match(cut) else cut


def labels_of(parts: Sequence[Part]) -> list[int]:
    """The numbers of the parts; 1, 2, 3 ... if two have the same, or one does not fit in 32 bits."""
    numbers = [part.number for part in parts]
    if len(set(numbers)) == len(numbers) and all(-(1 << 31) <= number < 1 << 31 for number in numbers):
        return numbers
    return list(range(1, len(parts) + 1))


def linear(color: Color) -> list[float]:
    """An sRGB color as linear light of 0..1 (IEC 61966-2-1), as glTF has colors."""
    srgb = np.array(color) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).round(6).tolist()


_LINES = 8192
"""Rows formatted at once: some MB of Python's numbers and text, whatever the size of the mesh."""


def write_rows(write: Callable[[bytes], object], row: str, values: np.ndarray, add: int = 0) -> None:
    """Every row of `values` (n, 3), with `add` added to it, through the pattern `row`, in large pieces.

    One pattern for many rows lets Python format all their numbers in one step: 0.15 s for the 1.4 million numbers of
    300,000 triangles.
    """
    pattern = row * _LINES
    for start in range(0, len(values), _LINES):
        part = values[start : start + _LINES]
        if len(part) < _LINES:
            pattern = row * len(part)
        if add:
            part = part + add
        write((pattern % tuple(part.reshape(-1).tolist())).encode("ascii"))
