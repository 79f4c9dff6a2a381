"""Static files: the viewers, the pages and what they are made of.

Every page says by its policy (CSP) that it loads nothing but what is served here. Pages are revalidated by ETag at
every use, so an upgrade is seen at once; their files have a version in their addresses and are kept by browsers. Text
is compressed once and kept.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orthanc_stl import errors
from orthanc_stl.rest.asset_versions import Versions, parse_versioned, with_version
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.module_graph import IMPORT_MAP, with_preloads

WEBASSETS = Path(__file__).resolve().parents[1] / "webassets"  # as `find_file` gives paths

# The folder that the npm parts were put in at set-up; in a wheel they are inside webassets.
NPM = Path(os.environ.get("ORTHANC_STL_NPM") or WEBASSETS / "node_modules")

MIME_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "application/javascript",
    ".mjs": "application/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".cur": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".txt": "text/plain",
}
_COMPRESSED = (".html", ".js", ".mjs", ".css", ".json", ".svg", ".wasm", ".txt")

# URL prefix below /stl/app, /stl/nexus or /stl/3dhop -> folder or file of an npm package.
VENDOR = {
    "vendor/three/build/": "three/build",
    "vendor/three/examples/jsm/": "three/examples/jsm",
    "vendor/three-mesh-bvh.js": "three-mesh-bvh/build/index.module.js",
    "vendor/o3dv.min.js": "online-3d-viewer/build/engine/o3dv.min.js",
    "basic-viewer/three.module.min.js": "three/build/three.module.js",
    "basic-viewer/three.core.js": "three/build/three.core.js",
    "basic-viewer/OrbitControls.js": "three/examples/jsm/controls/OrbitControls.js",
    "basic-viewer/STLLoader.js": "three/examples/jsm/loaders/STLLoader.js",
    "o3dv/o3dv.min.js": "online-3d-viewer/build/engine/o3dv.min.js",
}

# three-mesh-bvh asks for "three" by its bare name, which only pages with an import map know; workers have none.
_BARE_IMPORT = re.compile(rb"from 'three'")
_CORE_OF_THREE = b"from './three/build/three.core.js'"

_SAFE_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,9}")


@dataclass(frozen=True)
class Asset:
    """One file as it is served. `policy` is empty for what is not a page."""

    body: bytes
    compressed: bytes | None
    content_type: str
    etag: str
    policy: str


@dataclass(frozen=True)
class Pages:
    """`compress`: false when Orthanc itself compresses (HttpCompressionEnabled).

    `embed_origins`: what origins may show pages in frames, besides our own.
    """

    compress: bool = True
    embed_origins: tuple[str, ...] = ()
    _assets: dict[Path, tuple[int, Asset]] = field(default_factory=dict)
    _pages: dict[tuple[Path, str], Asset] = field(default_factory=dict)
    _versions: Versions = field(default_factory=Versions)

    def answer(self, request: Request, folder: str, name: str) -> Answer:
        """A file of that folder of webassets; below `app` also one whose address has a version. Raises `NotFound`."""
        versioned = parse_versioned(name) if folder == "app" else None
        if versioned:
            version, folder, name = versioned
        path = find_file(name, WEBASSETS / folder)
        is_page = path.suffix == ".html"
        if versioned and is_page:
            raise errors.NotFound("The address of a page has no version")
        asset = self._page(path, folder) if is_page else self.asset(path)
        lasting = bool(versioned) and self._versions.has(version, path)
        return asset_answer(request, asset, compress=self.compress, lasting=lasting)

    def _page(self, path: Path, folder: str) -> Asset:
        page = self.asset(path)
        key = (path, page.etag + self._versions.current(versioned_files()))
        if key not in self._pages:
            named = with_preloads(page.body, folder, self._script)
            body = with_version(named, folder, key[1][len(page.etag) :])
            self._pages[key] = _asset_of(body, path.suffix, self.embed_origins)
        return self._pages[key]

    def _script(self, name: str) -> bytes:
        """Of a path in webassets; empty where npm parts are missing, without which the pages of forms still work."""
        try:
            return self.asset(_file_in_webassets(name)).body
        except errors.NotFound:
            return b""

    def asset(self, path: Path) -> Asset:
        changed = path.stat().st_mtime_ns
        known = self._assets.get(path)
        if known is None or known[0] != changed:
            known = self._assets[path] = (changed, _read_asset(path, self.embed_origins))
        return known[1]


def find_file(name: str, folder: Path) -> Path:
    """The file that a URL names, in `folder` or in the npm parts. Raises `NotFound`.

    A name is plain characters and slashes; no part of it begins with a dot, and what it names lies in the folder also
    after links are followed.
    """
    unknown = errors.NotFound(f"Unknown static asset: {name[:200]}")
    if not _SAFE_PATH.fullmatch(name):
        raise unknown
    root, path = folder, folder / name
    for prefix, target in VENDOR.items():
        if name == prefix or (prefix.endswith("/") and name.startswith(prefix)):
            root, path = NPM, NPM / target / name.removeprefix(prefix)
            break
    path = path.resolve()
    if not path.is_relative_to(root.resolve()) or not path.is_file() or path.suffix not in MIME_TYPES:
        raise unknown
    return path


def versioned_files() -> list[Path]:
    """What a page may load, in the same order each time: our files, and those of the npm parts that name a release."""
    ours = sorted(path for folder in ("app", "nexus", "hop") for path in (WEBASSETS / folder).rglob("*"))
    return [path for path in [*ours, *(NPM / target for target in VENDOR.values())] if path.is_file()]


def _file_in_webassets(path: str) -> Path:
    folder, _, name = path.partition("/")
    return find_file(name, WEBASSETS / folder)


def asset_answer(request: Request, asset: Asset, *, compress: bool, lasting: bool = False) -> Answer:
    """`lasting`: the address will never stand for anything else."""
    gzipped = compress and asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{asset.etag}-gz"' if gzipped else f'"{asset.etag}"'
    kept = "max-age=31536000, immutable" if lasting else "no-cache"
    headers = {"ETag": etag, "Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
    if asset.compressed is not None:
        headers["Vary"] = "Accept-Encoding"
    if asset.policy:
        headers["Content-Security-Policy"] = asset.policy
        headers["Referrer-Policy"] = "same-origin"
    if etag in request.headers.get("if-none-match", ""):
        return Answer(status=304, headers=headers)
    if gzipped and asset.compressed is not None:
        return Answer(asset.compressed, asset.content_type, headers={**headers, "Content-Encoding": "gzip"})
    return Answer(asset.body, asset.content_type, headers=headers)


def _read_asset(path: Path, embed_origins: Sequence[str]) -> Asset:
    body = path.read_bytes()
    if "three-mesh-bvh" in path.parts:
        body = _BARE_IMPORT.sub(_CORE_OF_THREE, body)
    return _asset_of(body, path.suffix, embed_origins)


def _asset_of(body: bytes, suffix: str, embed_origins: Sequence[str]) -> Asset:
    compressed = gzip.compress(body, 6, mtime=0) if suffix in _COMPRESSED and len(body) > 1000 else None
    return Asset(
        body,
        compressed,
        MIME_TYPES[suffix],
        hashlib.sha256(body).hexdigest()[:32],
        content_policy(body, embed_origins) if suffix == ".html" else "",
    )


def content_policy(page: bytes, embed_origins: Sequence[str] = ()) -> str:
    """The policy of a page of ours: everything from here, and no inline script but its import maps, by their hash."""
    hashes = (base64.b64encode(hashlib.sha256(found).digest()).decode() for found in IMPORT_MAP.findall(page))
    scripts = " ".join(["'self'", *(f"'sha256-{h}'" for h in hashes)])
    ancestors = " ".join(["'self'", *embed_origins])
    return (
        f"default-src 'self'; script-src {scripts}; img-src 'self' blob: data:; connect-src 'self' blob:; "
        "worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {ancestors}"
    )
