"""Addresses of scripts and styles that have a version in them, so that a browser keeps the files without asking again.

A page is asked for anew each time. It names its files below `/stl/app/~VERSION/`, as they lie in webassets:
`/stl/app/~VERSION/nexus/view/page.js`. What these import has an address relative to theirs, so it has the version, too.
The version is a hash of all files: nodes of a cluster with the same files have the same one.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_VERSIONED = re.compile("~([0-9a-f]{16})/(app|nexus|hop)/(.+)")
# In attributes and in import maps: what has no scheme.
_ADDRESS = re.compile(rb'((?:src=|href=|":\s*)")([^":]+)(?=")')


def parse_versioned(name: str) -> tuple[str, str, str] | None:
    """The version, the folder of webassets and the name in it, of an address below `/stl/app/`; None without a version.

    >>> parse_versioned("~0123456789abcdef/nexus/view/page.js")
    ('0123456789abcdef', 'nexus', 'view/page.js')
    """
    found = _VERSIONED.fullmatch(name)
    return (found[1], found[2], found[3]) if found else None


def with_version(page: bytes, folder: str, version: str) -> bytes:
    """A page of that folder of webassets, with the version in the addresses of its files.

    >>> with_version(b'<script src="../nexus/worker.js">', "hop", "0123456789abcdef")
    b'<script src="../app/~0123456789abcdef/nexus/worker.js">'
    """

    def address(found: re.Match[bytes]) -> bytes:
        name = found[2].decode()
        path = posixpath.normpath(posixpath.join(folder, name)) + "/" * name.endswith("/")
        return found[1] + f"../app/~{version}/{path}".encode()

    return _ADDRESS.sub(address, page)


@dataclass(frozen=True)
class Versions:
    """The versions that were given to pages, and the hashes of the files as they were read last."""

    _given: dict[str, dict[Path, bytes]] = field(default_factory=dict)
    _hashes: dict[Path, tuple[int, bytes]] = field(default_factory=dict)

    def current(self, files: Iterable[Path]) -> str:
        """Of the files as they are now. Only those are read that have changed since."""
        hashes = {path: self._hash(path) for path in files}
        version = hashlib.sha256(b"".join(hashes.values())).hexdigest()[:16]
        self._given[version] = hashes
        return version

    def has(self, version: str, path: Path) -> bool:
        """Whether a page was given that version, and the file is still as it is in it: of npm parts that the version
        does not count, as it was when it was first asked for."""
        now = self._hash(path)
        return version in self._given and self._given[version].setdefault(path, now) == now

    def _hash(self, path: Path) -> bytes:
        changed = path.stat().st_mtime_ns
        known = self._hashes.get(path)
        if known is None or known[0] != changed:
            known = self._hashes[path] = (changed, hashlib.sha256(path.name.encode() + path.read_bytes()).digest())
        return known[1]
