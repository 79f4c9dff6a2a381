"""JSON bodies, read as leniently as the original reads them.

Its reader (jsoncpp) takes comments, trailing commas and whatever follows the closing brace; scripts rely on it. A body
that is strict JSON is read by the standard library alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

from orthanc_stl import errors

_STRING = r'"(?:[^"\\]|\\.)*"'
_COMMENTS = re.compile(rf"({_STRING})|/\*.*?\*/|//[^\n]*", re.DOTALL)
_TRAILING_COMMAS = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)


def read_json(body: bytes) -> Any:
    """Raises `MalformedBody` when there is no JSON in it."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise errors.MalformedBody(f"The body must be JSON in UTF-8, but byte {e.start} is not UTF-8") from None
    if not text.strip():
        raise errors.MalformedBody("The body is empty, a JSON object is expected")
    try:
        return json.loads(text)
    except RecursionError:
        raise errors.MalformedBody("The JSON body is nested too deeply") from None
    except ValueError:
        return _read_lenient(text)


def read_object(body: bytes) -> dict[str, Any]:
    """As `read_json`; anything but an object reads as one without fields, so that the first field is what is missed."""
    value = read_json(body)
    return value if isinstance(value, dict) else {}


def _read_lenient(text: str) -> Any:
    text = _COMMENTS.sub(lambda m: m[1] or " ", text)
    text = _TRAILING_COMMAS.sub(lambda m: m[1] or "", text)
    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except RecursionError:
        raise errors.MalformedBody("The JSON body is nested too deeply") from None
    except json.JSONDecodeError as e:
        raise errors.MalformedBody(f"The body is not JSON: {e}") from None
    except ValueError as e:  # an integer of more than 4300 digits
        raise errors.MalformedBody(f"The body is not usable JSON: {e}") from None
