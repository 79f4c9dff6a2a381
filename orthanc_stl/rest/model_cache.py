"""Models in memory, so that each of a viewer's hundreds of small requests need not read a whole file.

Bounded in bytes; a model is loaded once however many ask for it at the same time; no copy is ever made of it here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass


@dataclass(frozen=True)
class _Entry:
    version: str
    model: Future[memoryview]


class ModelCache:
    """`limit`: the bytes of all models together. One that alone has more is given, but not kept."""

    def __init__(self, limit: int):
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def get(self, instance: str, version: str, load: Callable[[], memoryview]) -> memoryview:
        """The model of an instance. Another `version` than the one kept is loaded anew.

        `load` is called by the first who asks; whoever comes meanwhile waits for it, and gets its error if it raises.
        """
        with self._lock:
            entry = self._entries.get(instance)
            first = entry is None or entry.version != version
            if entry is None or entry.version != version:
                entry = self._entries[instance] = _Entry(version, Future())
            self._entries.move_to_end(instance)
        if first:
            self._load(instance, entry, load)
        return entry.model.result()

    def forget(self, instance: str) -> None:
        """The instance was deleted: its memory is free once those who are reading it are done."""
        with self._lock:
            self._entries.pop(instance, None)

    @property
    def size(self) -> int:
        """Bytes of the models that are kept."""
        with self._lock:
            return sum(entry.model.result().nbytes for entry in self._entries.values() if _loaded(entry))

    def _load(self, instance: str, entry: _Entry, load: Callable[[], memoryview]) -> None:
        try:
            entry.model.set_result(load())
        except BaseException as error:
            with self._lock:
                self._drop(instance, entry)
            entry.model.set_exception(error)
            return
        with self._lock:
            self._shrink()

    def _shrink(self) -> None:
        """Drops models until the rest fit, those that nobody asked for the longest first."""
        sizes = {name: entry.model.result().nbytes for name, entry in self._entries.items() if _loaded(entry)}
        excess = sum(sizes.values()) - self._limit
        for name, size in sizes.items():
            if size > self._limit:
                self._entries.pop(name)
                excess -= size
        for name, size in sizes.items():
            if excess <= 0:
                return
            if name in self._entries:
                self._entries.pop(name)
                excess -= size

    def _drop(self, instance: str, entry: _Entry) -> None:
        if self._entries.get(instance) is entry:
            self._entries.pop(instance)


def _loaded(entry: _Entry) -> bool:
    return entry.model.done() and entry.model.exception() is None
