"""A temporary folder that is removed whoever dies.

Whoever made it holds a lock in it, and so do the processes that are given the lock. Each removes the folder when it is
done; if all are killed, the next one who makes such a folder, or the next start of Orthanc, finds it without a holder.
The standard library only: Orthanc's own process uses it too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = "orthanc-stl-nexus-"
LOCK = "lock"
# Seconds that a folder may be without a lock: between being made and being locked.
UNLOCKED_SECONDS = 60.0


@contextlib.contextmanager
def work_folder() -> Iterator[tuple[Path, int]]:
    """A folder of its own for this user alone, and the open file to hand down to who works in it."""
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder, lock
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_abandoned() -> None:
    """Remove this user's folders that nobody holds any more."""
    if fcntl is None:
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else removes it at this moment
            if not folder.is_symlink() and folder.stat().st_uid == os.geteuid() and _abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > UNLOCKED_SECONDS
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
