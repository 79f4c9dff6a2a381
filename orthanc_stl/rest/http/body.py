"""JSON bodies, read as leniently as the original reads them.

Its reader (jsoncpp) takes comments, trailing commas, line breaks in strings, numbers such as +1, 01 and 1. and whatever
follows the closing brace; scripts rely on it. A body that is strict JSON is read by the standard library alone. A file
that comes as one long string of the body is cut out first: it may have hundreds of megabytes, and no copy of it is
made here.
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

# Sign, digits, fraction and exponent of a number, with the plus, the zeros and the point that JSON does not allow.
_NUMBERS = re.compile(
    rf"({_STRING})|(?<![\w.+-])(?:\+|(-)?)(?=[0-9])0*+([0-9]*+)(?:(\.[0-9]++)|\.)?+([eE][+-]?[0-9]++)?+(?![\w.])",
    re.DOTALL,
)

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

# Base64 decoded at once, a multiple of 4: other Python threads get their turn in between.
_CHUNK = 4 << 20

_MOST_ESCAPED_QUOTES = 1_000
"""In a string with a file."""

# So many "=" at its end are passed over.
_PADDING = 8

# Stands for the files in what is read; a client cannot say it in JSON by another way than by sending no file.
_FILE = "\0the file "

MOST_FILES = 1_000
"""Of one request."""

SEVERAL = "s"
"""What the name of a field of one file has at its end for a list of objects, each with such a field."""


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
        value = json.loads(text)
    except RecursionError:
        raise errors.MalformedBody("The JSON body is nested too deeply") from None
    except ValueError:
        value = _read_lenient(text)
    refuse_half_characters(value, text)
    return value


def refuse_half_characters(value: Any, text: str) -> None:
    """Raises `MalformedBody` where a string or a name in `value`, which was read from `text`, is no text.

    JSON can escape a surrogate without the other half of its pair, which no encoding can write.
    """
    if not _SURROGATE.search(text):
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise errors.MalformedBody("The JSON body is nested too deeply") from None
    except UnicodeEncodeError as e:
        half = f"\\u{ord(e.object[e.start]):04x}"
        raise errors.MalformedBody(
            f"The JSON has {half}, which is half of a surrogate pair and so no character"
        ) from None


def read_object(body: bytes, file: str = "") -> dict[str, Any]:
    """As `read_json`; anything but an object reads as one without fields, so that the first field is what is missed.

    `file` names the field that holds a file in base64: of the object, or of each object of a list in it that has the
    name and an "s". The strings come as `memoryview`s of the body, however long.
    """
    value = _read_around(body, file) if file else read_json(body)
    return value if isinstance(value, dict) else {}


def decoded(encoded: memoryview, complaint: str) -> memoryview:
    """The bytes of a base64 text, in one piece of memory; as for Orthanc's create-dicom, `=` at its end may be missing
    or too many.

    Raises `MalformedBody` that begins with `complaint` and says what is wrong where.
    """
    end = max(0, len(encoded) - _PADDING) + len(bytes(encoded[-_PADDING:]).rstrip(b"="))
    if encoded and not end:
        raise errors.MalformedBody(f'{complaint}: it has nothing but "="')
    encoded = encoded[:end]
    out, filled = bytearray(len(encoded) // 4 * 3 + 3), 0
    for start in range(0, len(encoded), _CHUNK):
        chunk = encoded[start : start + _CHUNK]
        try:
            part = binascii.a2b_base64(bytes(chunk) + b"=" * (-len(chunk) % 4), strict_mode=True)
        except binascii.Error as e:
            raise errors.MalformedBody(f"{complaint}: {_fault(chunk, start, len(encoded)) or e}") from None
        if chunk[-1] == ord("=") and start + _CHUNK < len(encoded):
            raise errors.MalformedBody(f"{complaint}: it has {_FAULTS['=']}")
        out[filled : filled + len(part)] = part
        filled += len(part)
    return memoryview(out)[:filled]


_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]|=+(?=[A-Za-z0-9+/])")
_FAULTS = {
    "\n": "a line break",
    "\r": "a line break",
    " ": "a blank",
    "=": 'a "=" before the end',
    "-": 'the "-" of the variant for URLs',
    "_": 'the "_" of the variant for URLs',
    ",": "a comma",
    "\t": "a tab",
    "\\": "a backslash",
    "\0": "a NUL",
    '"': "a quote",
}


def _fault(chunk: memoryview, start: int, length: int) -> str:
    """What is wrong with a piece of base64 that begins at the character `start`; empty if it is not known."""
    found = _NO_BASE64.search(chunk)
    if found:
        letter = found[0][:1].decode("latin-1")
        what = _FAULTS.get(letter, f"the character {letter!a}")
        return f"it has {what} at character {start + found.start() + 1} of {length}"
    if len(chunk) % 4 == 1:
        return f"its {length} characters are one too many or up to three too few"
    return ""


def _read_around(body: bytes, name: str) -> Any:
    strings = _strings(body, name)
    value = _without(body, strings)
    held = [one for one in _objects(value, name) if isinstance(one.get(name), str) and one[name] in strings]
    used = {one[name]: strings[one[name]] for one in held}
    if len(used) < len(strings):  # the name was found inside of something else
        value = _without(body, used)
        held = [one for one in _objects(value, name) if isinstance(one.get(name), str) and one[name] in used]
    for one in held:
        one[name] = _base64(body, *used[one[name]], name)
    return value


def _strings(body: bytes, name: str) -> dict[str, tuple[int, int]]:
    """Where the strings of fields of this name begin and end, by what stands for each."""
    field = re.compile(rb'(?<!\\)"' + re.escape(name.encode()) + rb'"\s*+:\s*+"')
    found: dict[str, tuple[int, int]] = {}
    at = 0
    while len(found) < MOST_FILES and (begins := field.search(body, at)) is not None:
        at = _end_of_string(body, begins.end())
        if at < 0:
            raise errors.MalformedBody(f"The body is not JSON: the string of {name} does not end")
        found[f"{_FILE}{len(found)}"] = begins.end(), at
    return found


def _end_of_string(body: bytes, begin: int) -> int:
    """Where the quote that ends a string is, -1 if there is none. Escaped ones are in the name of a file at most."""
    at = begin - 1
    for _ in range(_MOST_ESCAPED_QUOTES):
        at = body.find(b'"', at + 1)
        before = body[max(begin, at - 4096) : max(begin, at)]
        if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
            return at
    return -1


def _without(body: bytes, strings: dict[str, tuple[int, int]]) -> Any:
    """What is read with these strings replaced by what stands for them."""
    pieces: list[bytes | memoryview] = []
    at = 0
    for placeholder, (begin, end) in strings.items():
        pieces += [memoryview(body)[at : begin - 1], json.dumps(placeholder).encode()]
        at = end + 1
    return read_json(b"".join([*pieces, memoryview(body)[at:]]) if strings else body)


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    """Those that may hold a file."""
    if not isinstance(value, dict):
        return []
    several = value.get(name + SEVERAL)
    return [value, *(one for one in (several if isinstance(several, list) else ()) if isinstance(one, dict))]


# What writers of JSON escape in base64: PHP the slash, .NET's System.Text.Json the plus, Google's Gson the equals sign.
_ESCAPES = (
    (b"\\/", b"/"),
    (b"\\u002B", b"+"),
    (b"\\u002b", b"+"),
    (b"\\u003D", b"="),
    (b"\\u003d", b"="),
    (b"\\u002F", b"/"),
    (b"\\u002f", b"/"),
)


def _base64(body: bytes, begin: int, end: int, name: str) -> memoryview:
    """The string between two places of the body, without a copy where nothing in it is escaped."""
    if body.find(b"\\", begin, end) < 0:
        return memoryview(body)[begin:end]
    plain = body[begin:end]
    for escaped, letter in _ESCAPES:
        plain = plain.replace(escaped, letter)
    if b"\\" in plain:  # any other: seldom, so that it may take longer
        try:
            plain = json.loads(b'"' + plain + b'"', strict=False).encode("utf-8", "surrogatepass")
        except ValueError:
            raise errors.InvalidField(f"{name} must hold base64, but has a backslash that escapes nothing") from None
    return memoryview(plain)


def _read_lenient(text: str) -> Any:
    text = _COMMENTS.sub(lambda m: m[1] or " ", text)
    text = _TRAILING_COMMAS.sub(lambda m: m[1] or "", text)
    text = _NUMBERS.sub(lambda m: m[1] or f"{m[2] or ''}{m[3] or 0}{m[4] or ''}{m[5] or ''}", text)
    try:
        return json.JSONDecoder(strict=False).raw_decode(text.lstrip())[0]
    except RecursionError:
        raise errors.MalformedBody("The JSON body is nested too deeply") from None
    except json.JSONDecodeError as e:
        raise errors.MalformedBody(f"The body is not JSON: {e}") from None
    except ValueError as e:  # an integer of more than 4300 digits
        raise errors.MalformedBody(f"The body is not usable JSON: {e}") from None
