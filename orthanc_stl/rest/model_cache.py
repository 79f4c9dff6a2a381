"""Models in memory: one copy of each, shared by all who read it, whole or by ranges.

Bounded in bytes, those that are being read included. A viewer's hundreds of small requests read a file once, and thirty
slow readers of a model hold it once.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from orthanc_stl import errors

# Seconds that a reader waits for others to be done when there is no memory for its model.
PATIENCE = 10.0
# Files that are read at once: Orthanc holds each a second time while it hands it over.
LOADS_AT_ONCE = 2


@dataclass(eq=False)
class _Entry:
    instance: str
    version: str
    size: int
    model: Future[memoryview] = field(default_factory=Future)
    readers: int = 0


class ModelCache:
    """`limit`: the bytes of all models together. One that alone has more is given while no other is, and not kept."""

    def __init__(self, limit: int, patience: float = PATIENCE, loads_at_once: int = LOADS_AT_ONCE) -> None:
        self._limit, self._patience = limit, patience
        self._changed = threading.Condition()
        self._kept: OrderedDict[str, _Entry] = OrderedDict()  # by instance; the one asked for last at the end
        self._loaded: set[_Entry] = set()  # all that memory is taken for, kept or not
        self._loads = threading.Semaphore(loads_at_once)

    @contextmanager
    def reading(self, instance: str, version: str, size: int, load: Callable[[], memoryview]) -> Iterator[memoryview]:
        """The model of an instance, for as long as it is read. Another `version` than the one kept is loaded anew.

        `size`: bytes that the model needs at most. `load` is called by the first who asks; whoever comes meanwhile
        waits for it, and gets its error if it raises. Raises `Busy` when others read models that leave no memory.
        """
        with self._changed:
            entry = self._kept.get(instance)
            first = entry is None or entry.version != version
            if entry is None or first:
                entry = self._kept[instance] = _Entry(instance, version, size)
            entry.readers += 1
            self._kept.move_to_end(instance)
        try:
            if first:
                self._load(entry, load)
            yield entry.model.result()
        finally:
            with self._changed:
                entry.readers -= 1
                self._let_go()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Take memory for a copy on its way; one at a time may be too large. Raises `Busy` as `reading` does."""
        entry = _Entry("", "", size, readers=1)
        self._make_space(entry)
        try:
            yield
        finally:
            with self._changed:
                self._loaded.discard(entry)
                self._changed.notify_all()

    def get(self, name: str, version: str, load: Callable[[], memoryview]) -> memoryview:
        """As `reading`, for small things whose size is not known before: what is held afterwards does not count."""
        with self.reading(name, version, 0, load) as model:
            return model

    def forget(self, instance: str) -> None:
        """The instance was deleted: its memory is free once those who are reading it are done."""
        with self._changed:
            for name in [name for name in self._kept if name.partition(" ")[0] == instance]:
                del self._kept[name]
            self._let_go()

    @property
    def size(self) -> int:
        """Bytes of the models in memory."""
        with self._changed:
            return sum(entry.size for entry in self._loaded)

    def _load(self, entry: _Entry, load: Callable[[], memoryview]) -> None:
        try:
            self._make_space(entry)
            with self._loads:
                model = load()
        except BaseException as error:
            with self._changed:
                if self._kept.get(entry.instance) is entry:
                    del self._kept[entry.instance]
                self._loaded.discard(entry)
                self._changed.notify_all()
            entry.model.set_exception(error)
            return
        with self._changed:
            entry.size = model.nbytes
            self._drop_unread(0)
        entry.model.set_result(model)

    def _make_space(self, entry: _Entry) -> None:
        """Drop what nobody reads, and then wait for those who read."""
        deadline = time.monotonic() + self._patience
        with self._changed:
            while True:
                self._drop_unread(entry.size)
                # A copy is of something that is loaded, so the first of its kind is the first copy.
                first = all(bool(one.instance) != bool(entry.instance) for one in self._loaded)
                if first or self._fits(entry.size):
                    self._loaded.add(entry)
                    return
                left = deadline - time.monotonic()
                if left <= 0:
                    raise errors.Busy(
                        f"The models that others read now leave no memory for one of {entry.size >> 20} MB (the option "
                        f'"NexusCacheMB" gives {self._limit >> 20} MB to all): try again later'
                    )
                self._changed.wait(left)

    def _drop_unread(self, size: int) -> None:
        """Drop what nobody reads until so many bytes are free, the one that nobody asked for the longest first."""
        for other in [one for one in self._kept.values() if one.readers == 0]:
            if self._fits(size):
                return
            del self._kept[other.instance]
            self._loaded.discard(other)

    def _fits(self, size: int) -> bool:
        return sum(one.size for one in self._loaded) + size <= self._limit

    def _let_go(self) -> None:
        """Free what nobody reads and what is not kept, or is too large to be kept."""
        for entry in list(self._loaded):
            if entry.readers == 0 and entry.size > self._limit:
                self._kept.pop(entry.instance, None)
            if entry.readers == 0 and self._kept.get(entry.instance) is not entry:
                self._loaded.discard(entry)
        self._changed.notify_all()
