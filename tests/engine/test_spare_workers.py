"""One worker more than is busy is kept warm."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from orthanc_stl.engine.pool import LocalPool
from tests.engine.conftest import perform, wait_for


def test_a_spare_worker_is_warm_while_another_is_busy(make_pool: Callable[..., LocalPool]) -> None:
    pool = make_pool(size=3, spare=True)
    perform(pool, "echo")
    wait_for(lambda: len(pool.pids()) == 2)
    perform(pool, "echo")
    assert len(pool.pids()) == 2


def test_a_spare_worker_does_not_start_beside_a_short_request(
    make_pool: Callable[..., LocalPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its start takes as long as most requests, and the processor's time from them. Those that follow do not put it
    off: it is due some time after the first that found no other."""
    monkeypatch.setattr("orthanc_stl.engine.pool.SPARE_DELAY", 3600)
    pool = make_pool(size=3, spare=True)
    perform(pool, "echo")
    due = pool._spare_due
    assert due is not None
    perform(pool, "echo")
    assert pool._spare_due == due
    assert len(pool.pids()) == 1
    pool._spare_due = time.monotonic()  # that time has come
    wait_for(lambda: len(pool.pids()) == 2)
    assert pool._spare_due is None
