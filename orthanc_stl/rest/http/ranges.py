"""Byte ranges and conditional requests, as RFC 9110 has them (sections 13 and 14).

Both are decided before a representation is fetched: its ETag and size are enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orthanc_stl import errors
from orthanc_stl.rest.http.messages import Answer, Request

# RFC 9110 14.1.1: the unit's name is not case-sensitive; lists may have spaces around their commas.
_SINGLE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')
# More digits than any size has; int() refuses 4,300 of them.
_MOST_DIGITS = 20


@dataclass(frozen=True)
class Span:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int


def parse_range(header: str, size: int) -> Span | None:
    """The range that a header asks for, cut at the end of `size` bytes; None when it is to be ignored.

    Ignored are, as the RFC wants or allows: another unit, what is malformed, and several ranges (14.2).
    Raises `RangeNotSatisfiable` for a range that begins beyond the end, or of the last 0 bytes (14.1.2).
    """
    match = _SINGLE.fullmatch(header.strip(" \t"))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = (_number(text, size) for text in match.groups())
    if first is None:
        if last == 0 or size == 0:
            raise _beyond(f"the last {last} of {size} bytes were asked for", size)
        return Span(max(0, size - (last or 0)), size - 1)
    if last is not None and _larger(match[1], match[2]):
        return None
    if first >= size:
        raise _beyond(f"bytes from {first} on were asked for, of {size}", size)
    return Span(first, min(size - 1 if last is None else last, size - 1))


def _beyond(sentence: str, size: int) -> errors.RangeNotSatisfiable:
    error = errors.RangeNotSatisfiable(sentence)
    error.headers = {"Content-Range": f"bytes */{size}"}
    return error


def _number(digits: str, size: int) -> int | None:
    """A number of more digits than a size can have is as good as `size`, beyond the end."""
    if not digits:
        return None
    digits = digits.lstrip("0") or "0"
    return size if len(digits) > _MOST_DIGITS else int(digits)


def _larger(a: str, b: str) -> bool:
    a, b = a.lstrip("0"), b.lstrip("0")
    return (len(a), a) > (len(b), b)


def matches(header: str, etag: str) -> bool:
    """If-None-Match: a list of entity tags or `*`; the weak comparison (13.1.2)."""
    return header.strip() == "*" or any(tag[0].removeprefix("W/") == etag for tag in _ENTITY_TAG.finditer(header))


def same(if_range: str, etag: str) -> bool:
    """If-Range: the strong comparison (13.1.5). A date never matches, since no Last-Modified is sent."""
    return if_range.strip() == etag


def answer(
    request: Request,
    *,
    etag: str,
    content_type: str,
    content: Callable[[], bytes | memoryview],
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer to a GET of `content`, which is called only when its bytes are needed.

    `etag` is a strong entity tag with its quotes: as long as it is the same, so are the bytes.
    """
    common = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": "private, no-cache", **(headers or {})}
    if "if-none-match" in request.headers and matches(request.headers["if-none-match"], etag):
        return Answer(status=304, headers=common)
    whole = content()
    asked = request.headers.get("range", "")
    if not asked or not same(request.headers.get("if-range", etag), etag):
        return Answer(whole, content_type, headers=common)
    span = parse_range(asked, len(whole))
    if span is None:
        return Answer(whole, content_type, headers=common)
    partial = {**common, "Content-Range": f"bytes {span.first}-{span.last}/{len(whole)}"}
    return Answer(whole[span.first : span.last + 1], content_type, 206, partial)
