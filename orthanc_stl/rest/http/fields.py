"""Typed fields of JSON bodies.

The beginning of each sentence is the original's, since scripts look for it; what came instead follows.
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


def texts(body: Body, name: str) -> list[str]:
    """A list of at least one string."""
    return _items(body, name, "List of strings", str)


def integers(body: Body, name: str) -> list[int] | None:
    """A list of at least one integer, None when the field is missing."""
    return None if name not in body else _items(body, name, "List of integers", int)


def tags(body: Body) -> dict[str, Any]:
    """`Tags`: what each may hold is for the DICOM room to say."""
    value = body.get("Tags", {})
    if not isinstance(value, dict):
        raise errors.MalformedBody(f"Tags must be provided as a JSON object, but came {_shown(value)}")
    return value


def _items(body: Body, name: str, what: str, kind: type) -> list[Any]:
    value = body.get(name, _MISSING)
    if not isinstance(value, list) or any(not isinstance(v, kind) or isinstance(v, bool) for v in value):
        raise _mistyped(what, name, value)
    if not value:
        raise errors.InvalidField(f"{what} expected in field: {name}, but the list is empty")
    return list(dict.fromkeys(value))


def _mistyped(what: str, name: str, value: Any) -> errors.InvalidField:
    came = "it is missing" if value is _MISSING else f"came {_shown(value)}"
    return errors.InvalidField(f"{what} expected in field: {name}, but {came}")


def _shown(value: Any) -> str:
    try:
        shown = json.dumps(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} that is too large to show"
    return shown if len(shown) <= 80 else shown[:77] + "..."
