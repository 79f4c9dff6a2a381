"""Requests and answers as our handlers see them, apart from Orthanc's SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orthanc_stl.rest.http.waiting import Use

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """`groups` are those of the route's pattern; header names are in lower case. `client`: who asks, see `Clients`."""

    method: str
    uri: str
    groups: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""


@dataclass(frozen=True)
class Answer:
    """`headers` are those besides Content-Type and Content-Length, which Orthanc writes itself.

    `sent` is called when the answer was sent, or could not be. `use`: what its sending counts as.
    """

    body: bytes | memoryview = b""
    content_type: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: Callable[[], None] = lambda: None
    use: Use = Use.ANY


# As Orthanc words them; Python's own words depend on its version.
PHRASES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    416: "Requested Range Not Satisfiable",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

# Given the `App` of rest/app.py, of which this package knows nothing.
Handler = Callable[[Any, Request], Answer]


def json_bytes(value: Any) -> bytes:
    """JSON laid out as the original plugin has it: tabs, sorted keys, one line break at the end."""
    return (json.dumps(value, indent="\t", sort_keys=True, separators=(",", " : ")) + "\n").encode()


def json_answer(value: Any, status: int = 200) -> Answer:
    return Answer(json_bytes(value), JSON, status)


def printable(line: str) -> str:
    """On one line, and in characters that Orthanc's log takes, whatever a client has put into it."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
