"""JSON bodies, read as leniently as the original reads them.

Its reader (jsoncpp) takes comments, trailing commas and whatever follows the closing brace; scripts rely on it. A body
that is strict JSON is read by the standard library alone. A file that comes as one long string of the body is cut out
first: it may have hundreds of megabytes, and no copy of it is made here.
"""

from __future__ import annotations

import binascii
import json
import re
from typing import Any

from orthanc_stl import errors

# What is read as JSON, apart from a file. 10,000 ROI names of 64 characters fit. It bounds the memory that a body of
# nothing but brackets takes (some 20 times its size), and the time that it keeps other Python threads waiting.
MAX_JSON_BYTES = 4 << 20

# What begins and does not end is taken to the end of the text, so that one pass is enough, whatever comes.
_STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)'
_COMMENTS = re.compile(rf"({_STRING})|/\*(?:.*?\*/|.*\Z)|//[^\n]*", re.DOTALL)
_TRAILING_COMMAS = re.compile(rf"({_STRING})|,(?=\s*+[}}\]])", re.DOTALL)

# Base64 decoded at once, a multiple of 4: other Python threads get their turn in between.
_CHUNK = 4 << 20

# Stands for the file in what is read; a client cannot say it in JSON by another way than by sending no file.
_FILE = "\0the file"


def read_json(body: bytes) -> Any:
    """Raises `MalformedBody` when there is no JSON in it, `TooLarge` over `MAX_JSON_BYTES`."""
    if len(body) > MAX_JSON_BYTES:
        size = len(body) / (1 << 20)
        raise errors.TooLarge(f"The JSON of the body has {size:.0f} MB, at most {MAX_JSON_BYTES >> 20} MB are expected")
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


def read_object(body: bytes, file: str = "") -> dict[str, Any]:
    """As `read_json`; anything but an object reads as one without fields, so that the first field is what is missed.

    `file` names the field that holds a file in base64. Its string comes as a `memoryview` of the body, however long.
    """
    value = _read_around(body, file) if file else read_json(body)
    return value if isinstance(value, dict) else {}


def decoded(encoded: memoryview, complaint: str) -> memoryview:
    """The bytes of a base64 text, in one piece of memory. Raises `MalformedBody` that begins with `complaint`."""
    out, filled = bytearray(len(encoded) // 4 * 3 + 3), 0
    for start in range(0, len(encoded), _CHUNK):
        try:
            part = binascii.a2b_base64(encoded[start : start + _CHUNK], strict_mode=True)
        except binascii.Error as e:
            raise errors.MalformedBody(f"{complaint} ({e})") from None
        out[filled : filled + len(part)] = part
        filled += len(part)
    return memoryview(out)[:filled]


def _read_around(body: bytes, name: str) -> Any:
    found = re.search(rb'(?<!\\)"' + re.escape(name.encode()) + rb'"\s*+:\s*+"', body)
    if found is None:
        return read_json(body)
    begin, end = found.end(), body.find(b'"', found.end())
    if end < 0:
        raise errors.MalformedBody(f"The body is not JSON: the string of {name} does not end")
    placeholder = json.dumps(_FILE).encode()
    value = read_json(body[: begin - 1] + placeholder + body[end + 1 :])
    if not isinstance(value, dict) or value.get(name) != _FILE:
        return read_json(body)  # the name was found inside of something else
    value[name] = _base64(body, begin, end, name)
    return value


def _base64(body: bytes, begin: int, end: int, name: str) -> memoryview:
    """Some writers of JSON put a backslash before each slash; base64 has no other character to escape."""
    if body.find(b"\\", begin, end) < 0:
        return memoryview(body)[begin:end]
    plain = body[begin:end].replace(b"\\/", b"/")
    if b"\\" in plain:
        raise errors.InvalidField(f"{name} must hold base64, but has a backslash in it")
    return memoryview(plain)


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
