"""The parts of the private runtime: each is built once, in a folder that gets its name only when it is whole.

A part is the folder `<runtime>/<name>-<key>`; the key is a hash of everything that decides what is in it (a lock file,
a list of packages). So a changed lock file asks for another folder, and only for that one. What is being made or
removed is called `.building-*` or `.removing-*`: nothing half-made or half-removed is ever used, and what an
interrupted set-up left of such folders, the next one removes. A folder in use never changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .common import Say, SetupError

IN_USE = "in-use"


@dataclass(frozen=True)
class Part:
    """`build(folder)` fills an empty folder; `depends_on` are the texts that decide what it will hold."""

    name: str
    title: str
    depends_on: tuple[str, ...]
    build: Callable[[Path], None]

    def folder(self, runtime: Path) -> Path:
        key = hashlib.sha256("\0".join(self.depends_on).encode()).hexdigest()[:12]
        return runtime / f"{self.name}-{key}"


def prepare(runtime: Path, parts: list[Part], say: Say) -> dict[str, Path]:
    """The folder of each part, built where it is missing. Several may do this at once: one builds, the others wait."""
    folders = {part.name: part.folder(runtime) for part in parts}
    if any(not folder.is_dir() for folder in folders.values()):
        with _lock(runtime, say):
            for part in parts:
                if not folders[part.name].is_dir():
                    say(f"  {part.title} ...")
                    _build(runtime, part)
    return folders


def hold(folders: dict[str, Path]) -> list[int]:
    """Open files that keep these folders from being removed while this process, or what it becomes, lives."""
    held = []
    for folder in folders.values():
        file = os.open(folder / IN_USE, os.O_RDONLY)
        fcntl.flock(file, fcntl.LOCK_SH)
        os.set_inheritable(file, True)
        held.append(file)
    return held


@contextmanager
def _lock(runtime: Path, say: Say) -> Iterator[None]:
    try:
        runtime.mkdir(parents=True, exist_ok=True)
        file = os.open(runtime / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise SetupError(
            f"the private runtime's folder {runtime} cannot be written ({error.strerror}); name another by --runtime."
        ) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  another set-up is at work in this folder; waiting for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _build(runtime: Path, part: Part) -> None:
    folder = part.folder(runtime)
    # The number: a program of a set-up that was killed may still be writing into its own folder.
    temporary = runtime / f".building-{folder.name}-{os.getpid()}"
    try:
        for left_over in (*runtime.glob(f".building-{part.name}-*"), *runtime.glob(f".removing-{part.name}-*")):
            shutil.rmtree(left_over, ignore_errors=True)
        temporary.mkdir()
        part.build(temporary)
        (temporary / IN_USE).touch()
        temporary.rename(folder)
    except OSError as error:
        raise SetupError(f"{part.title}: {error.strerror or error} ({error.filename or folder}).") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _remove_old(runtime, part, folder)


def _remove_old(runtime: Path, part: Part, current: Path) -> None:
    for folder in runtime.glob(f"{part.name}-" + "?" * 12):
        if folder != current:
            with suppress(OSError):  # a running Orthanc still reads from it: a later set-up removes it
                _remove(folder)


def _remove(folder: Path) -> None:
    file = os.open(folder / IN_USE, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder.rename(folder.with_name(f".removing-{folder.name}")), ignore_errors=True)
    finally:
        os.close(file)
