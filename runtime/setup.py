"""The private runtime as a whole: which parts it has, where it lies, what its programs need in their environment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import debian, parts, wheels
from .common import LOCKS, REPOSITORY, Say, say


@dataclass(frozen=True)
class Extra:
    """Packages that only some need: the lock file, the part's title with its size, and what they are for."""

    lock: str
    title: str
    purpose: str


EXTRAS = {
    "nexus": Extra("nexus.txt", "pymeshlab (280 MiB)", "pymeshlab, which makes Nexus models from STL (280 MiB)"),
}


@dataclass(frozen=True)
class Runtime:
    """The folders of a runtime that is whole. `npm`, `test` and `js_tools` are None unless they were asked for.

    `extras` are those that were asked for, now or before.
    """

    debian: Path
    site: Path
    npm: Path | None = None
    test: Path | None = None
    js_tools: Path | None = None
    extras: tuple[Path, ...] = ()

    @property
    def python(self) -> Path:
        return self.debian / "usr/bin/python3"

    @property
    def orthanc(self) -> Path:
        return self.debian / "usr/sbin/Orthanc"

    @property
    def python_plugin(self) -> Path:
        return self.debian / "usr/share/orthanc/plugins/libOrthancPython.so"

    def env(self) -> dict[str, str]:
        """For the private Python and Orthanc: our package and the wheels, and where the npm parts are."""
        folders = [REPOSITORY, self.site, *self.extras, *([self.test] if self.test else [])]
        env = wheels.python_env(self.debian, *folders)
        if self.js_tools:
            env["ORTHANC_STL_JS_TOOLS"] = str(self.js_tools / "node_modules")
        return env | {"ORTHANC_STL_NPM": str(self.npm / "node_modules")} if self.npm else env

    def folders(self) -> dict[str, Path]:
        folders = (self.debian, self.site, self.npm, self.test, self.js_tools, *self.extras)
        return {path.name: path for path in folders if path}


def default_folder() -> Path:
    """$ORTHANC_STL_RUNTIME, or orthanc-stl/runtime in the user's cache."""
    named = os.environ.get("ORTHANC_STL_RUNTIME")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(cache) / "orthanc-stl/runtime"


def prepare(
    folder: Path | None = None,
    *,
    pages: bool = True,
    tests: bool = False,
    extras: Iterable[str] = (),
    say: Say = say,
) -> Runtime:
    """The runtime in `folder`, set up if anything is missing; `SetupError` says why if it cannot be.

    `pages`: with what the web pages need; `tests`: with what the tests need, those of the pages
    only with `pages`; `extras`: names of `EXTRAS`. One that was asked for before is there again.
    """
    runtime = (folder or default_folder()).resolve()
    start = time.monotonic()
    wanted = _parts(runtime, pages, tests, extras)
    missing = [part for part in wanted if not part.folder(runtime).is_dir()]
    if missing:
        say(f"Setting up the private runtime in {runtime} (once):")
    found = parts.prepare(runtime, wanted, say)
    if missing:
        say(f"  done in {time.monotonic() - start:.0f} s.")
    return Runtime(
        found["debian"], found["site"], found.get("npm"), found.get("test"), found.get("js-tools"),
        tuple(found[name] for name in EXTRAS if name in found),
    )  # fmt: skip


def _parts(runtime: Path, pages: bool, tests: bool, extras: Iterable[str]) -> list[parts.Part]:
    architecture, *_ = debian.machine()
    system = (architecture, debian.SUITE, debian.RECIPE, *debian.PACKAGES)
    base = parts.Part("debian", "Orthanc and Python from Debian (56 MiB)", system, debian.build)
    root = base.folder(runtime)

    def site(name: str, title: str, *locks: str) -> parts.Part:
        texts = [(LOCKS / lock).read_text() for lock in locks]
        return parts.Part(name, title, (*system, *texts), lambda folder: wheels.install_wheels(root, folder, *locks))

    wanted = [base, site("site", "Python packages (190 MiB)", "run.txt")]
    if pages:
        lock = (wheels.WEBASSETS / "package-lock.json").read_text()
        title = "npm packages of the web pages"
        wanted.append(parts.Part("npm", title, (lock,), lambda folder: wheels.install_npm(root, folder)))
    for name, extra in EXTRAS.items():
        part = site(name, extra.title, extra.lock)
        if name in extras or part.folder(runtime).is_dir():
            wanted.append(part)
    if tests:
        wanted.append(site("test", "Python packages for the tests", "test.txt", "nexus.txt", "dask.txt"))
    if tests and pages:
        lock = (wheels.JS_TOOLS / "package-lock.json").read_text()
        title = "npm packages for the tests"
        wanted.append(
            parts.Part("js-tools", title, (lock,), lambda folder: wheels.install_npm(root, folder, wheels.JS_TOOLS))
        )
    return wanted
