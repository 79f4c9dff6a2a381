"""Which modules a page will load, so that it can name them all.

A browser asks for these at once; without it, only when the modules that import them have come, in seven turns.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Mapping

IMPORT_MAP = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)
_SCRIPT = re.compile(rb'<script type="module"[^>]* src="([^"]+)"')
_IMPORT = re.compile(rb"""^(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]""", re.MULTILINE)


def modules_of(page: bytes, folder: str, read: Callable[[str], bytes]) -> list[str]:
    """Paths in webassets of the modules that a page of that folder loads, those that it names itself first.

    `read` gives the text of such a path. What is imported later, by `import(...)`, is not among them.
    """
    maps = [json.loads(found)["imports"] for found in IMPORT_MAP.findall(page)]
    names = {name: _join(folder, path) for each in maps for name, path in each.items()}
    waiting = [_join(folder, found.decode()) for found in _SCRIPT.findall(page)]
    found: list[str] = []
    for path in waiting:  # it grows meanwhile
        if path not in found:
            found.append(path)
            imported = (_resolve(name.decode(), path, names) for name in _IMPORT.findall(read(path)))
            waiting += [one for one in imported if one]
    return found


def with_preloads(page: bytes, folder: str, read: Callable[[str], bytes]) -> bytes:
    """The page with a link for each of its modules that it does not name itself."""
    paths = (f"../{path}".encode() for path in modules_of(page, folder, read))
    links = [b'<link rel="modulepreload" href="%s">' % path for path in paths]
    missing = b"".join(b"    %s\n" % link for link in links if link not in page)
    return page.replace(b"  </head>", missing + b"  </head>", 1)


def _join(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path)) + "/" * path.endswith("/")


def _resolve(name: str, importer: str, names: Mapping[str, str]) -> str:
    """The path that an import means; empty for a name that the import map does not have."""
    if name.startswith("."):
        return _join(posixpath.dirname(importer), name)
    beginning = max((one for one in names if name == one or (one[-1] == "/" and name.startswith(one))), default="")
    return names[beginning] + name.removeprefix(beginning) if beginning else ""
