from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_stl.engine.fair_queue import Turns


def drain(turns):
    return [turns.take() for _ in range(len(turns))]


def test_each_client_in_turn():
    turns = Turns()
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        turns.put(item[0], item)
    assert drain(turns) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_client_that_comes_back_waits_its_turn():
    turns = Turns()
    turns.put("a", "a1")
    turns.put("b", "b1")
    assert turns.take() == "a1"
    turns.put("a", "a2")
    assert drain(turns) == ["b1", "a2"]


def test_empty():
    turns = Turns()
    assert not turns
    with pytest.raises(IndexError):
        turns.take()


def test_removed_items_do_not_come():
    turns = Turns()
    for item in ("a1", "a2", "b1"):
        turns.put(item[0], item)
    assert turns.remove("a", "a1")
    assert not turns.remove("a", "a1")
    assert turns.remove("b", "b1")
    assert not turns.remove("nobody", "b1")
    assert drain(turns) == ["a2"]


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_nobody_is_served_twice_while_another_waits_and_none_is_lost(clients):
    turns = Turns()
    for number, client in enumerate(clients):
        turns.put(client, (client, number))
    served = drain(turns)
    assert sorted(served) == sorted((client, number) for number, client in enumerate(clients))
    for place, (client, number) in enumerate(served):
        later = served[place + 1 :]
        assert all(other > number for name, other in later if name == client)
        if later and later[0][0] == client:
            assert all(name == client for name, _ in later)
