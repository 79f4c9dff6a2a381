"""What a worker keeps between two parts of one request: their files, and what tasks made of them.

A request with several parts sends its files to each worker once. `once` lets a task parse them once, too:

    source = kept_files.once("source", lambda: open_source(blobs))

Whatever it keeps is gone before a task of another request begins, and when the request is over. Requests that read the
same source in the same way (`Work.source_key`) count as one, which is over some seconds after the last of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_file_key = ""
_files: Sequence[bytes] = ()
_made: dict[str, Any] = {}


def once(name: str, make: Callable[[], T]) -> T:
    """What `make` gave for the files that are kept, called at most once for each `name`. It is not changed.

    Without a key of the files (`begin`), `make` is called each time.
    """
    if not _file_key:
        return make()
    if name not in _made:
        _made[name] = make()
    return _made[name]


def begin(file_key: str, files: Sequence[bytes], already_here: bool) -> Sequence[bytes]:
    """The files of the task that begins. `already_here`: they came with an earlier task of the same `file_key`."""
    global _file_key, _files
    if file_key and file_key == _file_key and already_here:
        return _files
    forget()
    _file_key = file_key
    _files = files if file_key else ()
    return files


def forget() -> None:
    global _file_key, _files
    _file_key, _files = "", ()
    _made.clear()
