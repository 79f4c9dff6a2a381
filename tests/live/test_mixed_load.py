"""Fifty clients that each do one thing at a time: all are answered, all in their turn, and memory stays level.

How long they wait is measured by `./orthanc-stl bench --only load`.
"""

from __future__ import annotations

import pytest

from testing.load import CLIENTS, Load, thirds, under_load

SECONDS = 20


@pytest.fixture(scope="module")
def load() -> Load:
    return under_load(SECONDS)


@pytest.mark.timeout(900)
def test_everybody_is_answered(load: Load) -> None:
    assert {status for _, status in load.statuses} <= {200, 206}, load.statuses
    assert {kind for kind, _ in load.statuses} == set(CLIENTS)


@pytest.mark.timeout(900)
def test_clients_have_their_turn_equally_often(load: Load) -> None:
    """Each asks again as soon as it has its answer, so that who is passed over has fewer of them than the others."""
    assert len(load.converted) == CLIENTS["convert"]
    assert max(load.converted.values()) - min(load.converted.values()) <= 2, load.converted


@pytest.mark.timeout(900)
def test_memory_stays_level(load: Load) -> None:
    _, middle, last = thirds(load.orthanc)
    assert last < middle * 1.1 + 30
    _, middle, last = thirds(load.workers)
    assert last < middle * 1.1 + 30


@pytest.mark.timeout(900)
def test_what_is_in_use_of_the_heap_stays_level(load: Load) -> None:
    """What grows besides is memory that malloc keeps for later, and Orthanc's cache of files."""
    _, middle, last = thirds(load.in_use)
    assert last < middle + 6
