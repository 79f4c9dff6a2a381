"""Typed fields of JSON bodies.

The beginning of each sentence is the original's, since scripts look for it; what was found instead follows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from orthanc_stl import errors

_MISSING = object()
MAX_NUMBER = sys.float_info.max

Body = Mapping[str, Any]


def text(body: Body, name: str) -> str:
    value = body.get(name, _MISSING)
    if not isinstance(value, str):
        raise _mistyped("String value", name, value)
    return value


def one_of(body: Body, name: str, values: tuple[str, ...]) -> str:
    """One of these strings. Raises `InvalidField` for another type, `OutOfRange` for another string."""
    found = text(body, name)
    if found not in values:
        raise errors.OutOfRange(f"{name} must be {' or '.join(map(repr, values))}, but is {_shown(found)}")
    return found


def boolean(body: Body, name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise _mistyped("Boolean value", name, value)
    return value


def integer(body: Body, name: str, default: int, low: int, high: int) -> int:
    """An integer in [low, high]. Raises `InvalidField` for another type, `OutOfRange` for another number."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _mistyped("Integer value", name, value)
    if value < 0 <= low:
        raise _mistyped("Unsigned integer value", name, value)
    if not low <= value <= high:
        raise errors.OutOfRange(f"{name} must be from {low} to {high}, but is {_shown(value)}")
    return value


def number(body: Body, name: str) -> float | None:
    """A finite number, None when the field is missing."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise _mistyped("Number", name, value)
    return float(value)


def number_between(body: Body, name: str, low: float, high: float) -> float:
    """A finite number in [low, high]. Raises `InvalidField` for another type, `OutOfRange` for another number."""
    found = number(body, name)
    if found is None:
        raise _mistyped("Number", name, body.get(name, _MISSING))
    if not low <= found <= high:
        raise errors.OutOfRange(f"{name} must be from {low:g} to {high:g}, but is {found:g}")
    return found


def numbers_or_texts(body: Body, name: str) -> tuple[int | float | str, ...]:
    """A list of at least one number or string; one alone stands for a list of one."""
    value = body.get(name)
    listed = value if isinstance(value, list) else [value]
    if any(isinstance(v, bool) or not isinstance(v, int | float | str) or not _finite(v) for v in listed):
        raise _mistyped("List of numbers or strings", name, value)
    if not listed:
        raise errors.InvalidField(f"List of numbers or strings expected in field: {name}, but the list is empty")
    return tuple(dict.fromkeys(listed))


def operands(body: Body, name: str) -> tuple[Any, ...]:
    """A list of numbers, strings and objects; what the objects hold is for the package conversion to say."""
    value = body.get(name)
    listed = value if isinstance(value, list) else [value]
    objects = tuple(one for one in listed if isinstance(one, dict))
    plain = [one for one in listed if not isinstance(one, dict)]
    return (*(numbers_or_texts({name: plain}, name) if plain or not objects else ()), *objects)


def color(body: Body, name: str) -> tuple[int, int, int]:
    """Red, green and blue."""
    return color_of(body.get(name), name)


def color_of(value: Any, name: str) -> tuple[int, int, int]:
    """Raises `InvalidField` for anything but three integers from 0 to 255."""
    if not isinstance(value, list) or len(value) != 3 or not all(type(v) is int and 0 <= v <= 255 for v in value):
        raise _mistyped("List of three integers from 0 to 255", name, value)
    red, green, blue = value
    return red, green, blue


def mapping(body: Body, name: str) -> dict[str, Any]:
    """An object."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise _mistyped("Object", name, value)
    return value


def mappings(body: Body, name: str) -> tuple[dict[str, Any], ...]:
    """A list of objects."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _mistyped("List of objects", name, value)
    return tuple(value)


def _finite(value: int | float | str) -> bool:
    return isinstance(value, str) or -MAX_NUMBER <= value <= MAX_NUMBER


def texts(body: Body, name: str) -> list[str]:
    """A list of at least one string."""
    return _items(body, name, "List of strings", str)


def integers(body: Body, name: str) -> list[int] | None:
    """A list of at least one integer, None when the field is missing."""
    return None if name not in body else _items(body, name, "List of integers", int)


def tags(body: Body) -> dict[str, Any]:
    """`Tags`: what each may hold is for the package dicom to say."""
    value = body.get("Tags", {})
    if not isinstance(value, dict):
        raise errors.MalformedBody(f"Tags must be provided as a JSON object, got {_shown(value)}")
    return value


def _items(body: Body, name: str, what: str, kind: type) -> list[Any]:
    value = body.get(name, _MISSING)
    if not isinstance(value, list) or any(not isinstance(v, kind) or isinstance(v, bool) for v in value):
        raise _mistyped(what, name, value)
    if not value:
        raise errors.InvalidField(f"{what} expected in field: {name}, but the list is empty")
    return list(dict.fromkeys(value))


def _mistyped(what: str, name: str, value: Any) -> errors.InvalidField:
    found = "but it is missing" if value is _MISSING else f"got {_shown(value)}"
    return errors.InvalidField(f"{what} expected in field: {name}, {found}")


def _shown(value: Any) -> str:
    try:
        shown = json.dumps(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} that is too large to show"
    return shown if len(shown) <= 80 else shown[:77] + "..."
