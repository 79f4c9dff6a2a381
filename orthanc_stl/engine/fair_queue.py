"""Who is next: quick listings before conversions, and each client in turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A queue that takes one item of each client in turn; a client's own items keep their order. Not thread-safe."""

    def __init__(self) -> None:
        self._clients: OrderedDict[str, deque[T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._clients.values()))

    def put(self, client: str, item: T) -> None:
        self._clients.setdefault(client, deque()).append(item)

    def take(self) -> T:
        """The next item. Raises IndexError when there is none."""
        if not self._clients:
            raise IndexError("nobody is waiting")
        client, items = self._clients.popitem(last=False)
        item = items.popleft()
        if items:
            self._clients[client] = items  # at the end: the others come first
        return item

    def remove(self, client: str, item: T) -> bool:
        """Take an item out; False when it is not there any more."""
        items = self._clients.get(client)
        if items is None or item not in items:
            return False
        items.remove(item)
        if not items:
            del self._clients[client]
        return True

    def clear(self) -> list[T]:
        """Take all items out."""
        items = [item for waiting in self._clients.values() for item in waiting]
        self._clients.clear()
        return items
