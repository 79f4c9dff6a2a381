from __future__ import annotations

from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from orthanc_stl.engine.fair_queue import FairQueue

Item = TypeVar("Item")


def drain(queue: FairQueue[Item]) -> list[Item]:
    return [item for _ in range(len(queue)) if (item := queue.take()) is not None]


def test_each_client_in_turn() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        queue.put(item[0], item)
    assert drain(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_client_that_comes_back_waits_its_turn() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put("a", "a1")
    queue.put("b", "b1")
    assert queue.take() == "a1"
    queue.put("a", "a2")
    assert drain(queue) == ["b1", "a2"]


def test_empty() -> None:
    queue: FairQueue[str] = FairQueue()
    assert not queue
    assert queue.take() is None


def test_what_is_not_allowed_now_keeps_its_turn() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "b1", "b2"):
        queue.put(item[0], item)
    assert queue.take(lambda item: item[0] != "a") == "b1"
    assert queue.take(lambda item: False) is None
    assert drain(queue) == ["a1", "b2", "a2"]


def test_removed_items_do_not_come() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "b1"):
        queue.put(item[0], item)
    assert queue.remove_all("a", lambda item: item == "a1") == 1
    assert queue.remove_all("a", lambda item: item == "a1") == 0
    assert queue.remove_all("b", lambda item: True) == 1
    assert queue.remove_all("nobody", lambda item: True) == 0
    assert drain(queue) == ["a2"]


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_nobody_is_served_twice_while_another_waits_and_none_is_lost(clients: list[str]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    for number, client in enumerate(clients):
        queue.put(client, (client, number))
    served = drain(queue)
    assert sorted(served) == sorted((client, number) for number, client in enumerate(clients))
    for place, (client, number) in enumerate(served):
        later = served[place + 1 :]
        assert all(other > number for name, other in later if name == client)
        if later and later[0][0] == client:
            assert all(name == client for name, _ in later)
