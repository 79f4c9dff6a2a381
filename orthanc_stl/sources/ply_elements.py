"""The elements of a PLY file and their properties, of ASCII and binary files (G. Turk, "The PLY Polygon File Format",
1994)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from orthanc_stl.errors import InvalidInput
from orthanc_stl.sources.mesh_parts import check_triangles

MOST_HEADER = 1 << 20  # bytes

Order = Literal["=", "<", ">"]
"""Of bytes; "=" for ASCII."""

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8", "int64": "i8", "uint64": "u8",
}  # fmt: skip
_ORDERS: dict[str, Order] = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class _Property:
    """`counted`: the type of the length, where each element has a list."""

    name: str
    kind: np.dtype
    counted: np.dtype | None = None


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: tuple[_Property, ...]


@dataclass(frozen=True)
class Lists:
    """`values` of all lists one after the other, `sizes` of each."""

    sizes: np.ndarray
    values: np.ndarray


Values = Mapping[str, np.ndarray | Lists]


def read_elements(data: bytes | memoryview, most_faces: int) -> tuple[bytes, dict[str, Values]]:
    """The header with line feeds alone, and the values of each element by name, as far as they are needed.

    Raises InvalidInput for a header that cannot be followed, and for data that end early, TooLarge for more faces.
    """
    head, start = _head(bytes(data[:MOST_HEADER]))
    return head, _elements(head, memoryview(data)[start:], _ORDERS[_format(head)], most_faces)


def _head(beginning: bytes) -> tuple[bytes, int]:
    """The header, and where the data begin."""
    end = re.search(rb"^end_header[ \t]*(\r\n|\n|\r)", beginning, re.MULTILINE)
    end = end or re.search(rb"\rend_header[ \t]*(\r)", beginning)
    if end is None:
        raise InvalidInput("the PLY file has no end of its header")
    return beginning[: end.start()].replace(b"\r\n", b"\n").replace(b"\r", b"\n"), end.end()


def _format(head: bytes) -> str:
    found = re.search(rb"^format[ \t]+(\S+)", head, re.MULTILINE)
    name = found[1].decode("ascii", "replace") if found else ""
    if name not in _ORDERS:
        raise InvalidInput(f"the PLY file has the format {name[:30]!r}; one of {', '.join(_ORDERS)} is expected")
    return name


def _described(head: bytes, order: Order) -> list[_Element]:
    """The elements that the header lists."""
    elements: list[_Element] = []
    for line in head.decode("ascii", "replace").split("\n"):
        words = line.split()
        if words[:1] == ["element"] and len(words) == 3 and words[2].isdecimal() and len(words[2]) < 12:
            elements.append(_Element(words[1], int(words[2]), ()))
        elif words[:1] == ["property"] and elements and len(words) in (3, 5):
            kinds = [np.dtype(_TYPES[word]).newbyteorder(order) for word in words[1:-1] if word in _TYPES]
            if len(kinds) != (1 if len(words) == 3 else 2) or (len(words) == 5 and words[1] != "list"):
                raise InvalidInput(f"the PLY header has a property that is not read: {line.strip()[:60]!r}")
            listed = kinds[0] if len(kinds) == 2 else None
            last = elements[-1]
            elements[-1] = _Element(last.name, last.count, (*last.properties, _Property(words[-1], kinds[-1], listed)))
        elif words[:1] in (["element"], ["property"]):
            raise InvalidInput(f"the PLY header has a line that is not read: {line.strip()[:60]!r}")
    return elements


def _elements(head: bytes, data: memoryview, order: Order, most_faces: int) -> dict[str, Values]:
    """The values of each element by name, until those of vertices and faces are known."""
    described = _described(head, order)
    total = sum(element.count for element in described)
    if total > len(data):
        raise InvalidInput(f"the PLY header claims {total} elements, {len(data)} bytes follow it")
    check_triangles(max((one.count for one in described if one.name == "face"), default=0), most_faces)
    data = data if order != "=" else _numbers(data)
    found: dict[str, Values] = {}
    at = 0
    for element in described:
        stored = element if order != "=" else _of_doubles(element)
        values, at = _even(stored, data, at) or _uneven(stored, data, at)
        found.setdefault(element.name, values if order != "=" else _typed(values, element))
        if {"vertex", "face"} <= found.keys():
            break
    return found


def _numbers(text: memoryview) -> memoryview:
    """Those of an ASCII file, as if it were a binary one of doubles."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            numbers = np.fromstring(bytes(text), np.float64, sep=" ")
        except (DeprecationWarning, ValueError):
            raise InvalidInput("the PLY file has values that are no numbers") from None
    return memoryview(numbers.view(np.uint8))


def _of_doubles(element: _Element) -> _Element:
    wide = np.dtype(np.float64)
    properties = (_Property(one.name, wide, wide if one.counted else None) for one in element.properties)
    return _Element(element.name, element.count, tuple(properties))


def _typed(values: Values, element: _Element) -> Values:
    """Doubles as the types that the header says; lists are turned where they are used."""
    kinds = {one.name: one.kind for one in element.properties}
    with np.errstate(invalid="ignore"):
        return {
            name: value.astype(kinds[name]) if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }


def _even(element: _Element, data: memoryview, at: int) -> tuple[Values, int] | None:
    """The values of an element whose lists all have the length of the first ones; None if they differ in it."""
    fields: list[tuple[str, np.dtype, tuple[int, ...]]] = []
    place = at
    for number, one in enumerate(element.properties):
        length = 1
        if one.counted is not None:
            length = int(_number(data, place, one.counted, element)) if element.count else 0
            fields.append((f"{number} length", one.counted, ()))
            place += one.counted.itemsize
            if not 0 <= length <= len(data):
                raise InvalidInput(f"the PLY file has a list of {length} values")
        fields.append((str(number), one.kind, (length,) if one.counted is not None else ()))
        place += one.kind.itemsize * length
    row = np.dtype(fields)
    if at + element.count * row.itemsize > len(data):
        return None
    rows = np.frombuffer(data, row, element.count, at) if row.itemsize else np.zeros(element.count, row)
    values: dict[str, np.ndarray | Lists] = {}
    for number, one in enumerate(element.properties):
        if one.counted is None:
            values[one.name] = rows[str(number)]
            continue
        sizes = rows[f"{number} length"].astype(np.int64)
        if len(sizes) and (sizes != sizes[0]).any():
            return None
        values[one.name] = Lists(sizes, rows[str(number)].reshape(-1))
    return values, at + element.count * row.itemsize


def _uneven(element: _Element, data: memoryview, at: int) -> tuple[Values, int]:
    """The values of an element with lists of different lengths, one after the other."""
    sizes: list[list[int]] = [[] for _ in element.properties]
    pieces: list[list[memoryview]] = [[] for _ in element.properties]
    for _ in range(element.count):
        for one, lengths, parts in zip(element.properties, sizes, pieces, strict=True):
            length = 1
            if one.counted is not None:
                length = int(_number(data, at, one.counted, element))
                at += one.counted.itemsize
            stop = at + length * one.kind.itemsize
            if length < 0 or stop > len(data):
                raise _ends_early(element)
            lengths.append(length)
            parts.append(data[at:stop])
            at = stop
    values: dict[str, np.ndarray | Lists] = {}
    for one, lengths, parts in zip(element.properties, sizes, pieces, strict=True):
        flat = np.frombuffer(b"".join(parts), one.kind)
        values[one.name] = flat if one.counted is None else Lists(np.array(lengths, np.int64), flat)
    return values, at


def _number(data: memoryview, at: int, kind: np.dtype, element: _Element) -> float:
    if at + kind.itemsize > len(data):
        raise _ends_early(element)
    return float(np.frombuffer(data, kind, 1, at)[0])


def _ends_early(element: _Element) -> InvalidInput:
    return InvalidInput(f"the PLY file ends in the middle of its {element.count} elements {element.name[:40]!r}")
