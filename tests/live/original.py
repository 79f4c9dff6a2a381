"""Reads original_requests.tsv, and turns its rows into requests."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROWS = Path(__file__).with_name("original_requests.tsv")


class Row(NamedTuple):
    n: str
    method: str
    path: str
    send: str
    original: str
    ours: str
    says: str
    reason: str

    @property
    def name(self) -> str:
        return f"{self.n} {self.method} {self.path} {self.send}"[:80]


def rows() -> list[Row]:
    lines = [line for line in ROWS.read_text().splitlines() if not line.startswith("#")]
    return [Row(**row) for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


class Requests:
    """`known` are the values of <...>; `bases` the usual body of each route."""

    def __init__(self, known: Mapping[str, str], bases: Mapping[str, dict[str, Any]]):
        self._known, self._bases = known, bases

    def of(self, row: Row) -> tuple[str, bytes | None, dict[str, str]]:
        """Path, body and headers."""
        path, send = self._filled(row.path), row.send
        if send[:1] == "=":
            return path, self._filled(send[1:]).encode(), {}
        if send[:1] in ("+", "-"):
            return path, json.dumps(self._body(row)).encode(), {}
        name, _, value = send.partition(": ")
        return (
            path,
            None if row.method in ("GET", "HEAD", "OPTIONS") else b"",
            {name: self._filled(value)} if send else {},
        )

    def _body(self, row: Row) -> dict[str, Any]:
        body = dict(self._bases[row.path.rstrip("/")])
        if row.send[0] == "-":
            del body[row.send[1:]]
        else:
            body |= json.loads(self._filled(row.send[1:]))
        return body

    def _filled(self, text: str) -> str:
        return re.sub("<(.+?)>", lambda m: self._known[m[1]], text)
