"""Who is next: each client in turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """A queue that takes one item of each client in turn; a client's own items keep their order. Not thread-safe."""

    def __init__(self) -> None:
        self._clients: OrderedDict[str, deque[T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._clients.values()))

    def __iter__(self) -> Iterator[T]:
        return (item for items in self._clients.values() for item in items)

    def count(self, client: str) -> int:
        """How many items of that client wait."""
        return len(self._clients.get(client, ()))

    def put(self, client: str, item: T) -> None:
        self._clients.setdefault(client, deque()).append(item)

    def take(self, allowed: Callable[[T], bool] = lambda item: True) -> T | None:
        """The next item; a client whose first one is not `allowed` now keeps its place. None if no other waits."""
        client = next((client for client, items in self._clients.items() if allowed(items[0])), None)
        if client is None:
            return None
        items = self._clients.pop(client)
        item = items.popleft()
        if items:
            self._clients[client] = items  # at the end: the others come first
        return item

    def remove_all(self, client: str, condition: Callable[[T], bool]) -> int:
        """Take out the client's items for which that holds. Returns how many there were."""
        items = self._clients.get(client, deque())
        kept = deque(item for item in items if not condition(item))
        if kept:
            self._clients[client] = kept
        else:
            self._clients.pop(client, None)
        return len(items) - len(kept)

    def clear(self) -> list[T]:
        """Take all items out."""
        items = list(self)
        self._clients.clear()
        return items
