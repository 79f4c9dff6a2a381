from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orthanc_stl.errors import Busy, NotFound
from orthanc_stl.rest.model_cache import ModelCache


def zeros(size: int) -> memoryview:
    return memoryview(bytes(size))


def never() -> memoryview:
    raise AssertionError("loaded again")


def read(
    cache: ModelCache, name: str, version: str = "1", size: int = 0, load: Callable[[], memoryview] | None = None
) -> Any:
    with cache.reading(name, version, size, load or (lambda: zeros(size))) as model:
        return model


def test_a_model_is_kept_as_it_is() -> None:
    cache, model = ModelCache(100), zeros(60)
    assert read(cache, "a", size=60, load=lambda: model) is model
    assert read(cache, "a", size=60, load=never) is model
    assert cache.size == 60


def test_another_version_replaces_the_one_before() -> None:
    cache = ModelCache(100)
    read(cache, "a", "1", 3, lambda: memoryview(b"old"))
    assert read(cache, "a", "2", 5, lambda: memoryview(b"newer")) == b"newer"
    assert read(cache, "a", "2", 5, never) == b"newer"
    assert cache.size == 5


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    cache = ModelCache(100)
    for name in "ab":
        read(cache, name, size=40)
    read(cache, "a", size=40, load=never)
    read(cache, "c", size=40)
    assert cache.size == 80
    read(cache, "a", size=40, load=never)
    read(cache, "c", size=40, load=never)
    with pytest.raises(AssertionError):
        read(cache, "b", size=40, load=never)


def test_what_is_larger_than_the_cache_is_given_alone_and_not_kept() -> None:
    cache = ModelCache(100, patience=0.05)
    read(cache, "small", size=30)
    with cache.reading("large", "1", 101, lambda: zeros(101)) as model:
        assert len(model) == cache.size == 101
        with pytest.raises(Busy, match='"NexusCacheMB"'):
            read(cache, "small", size=30)
    assert cache.size == 0


def test_a_deleted_model_is_gone() -> None:
    cache = ModelCache(100)
    read(cache, "a", size=30)
    cache.forget("a")
    cache.forget("unknown")
    assert cache.size == 0
    with pytest.raises(AssertionError):
        read(cache, "a", size=30, load=never)


def test_a_failed_load_is_tried_again() -> None:
    cache = ModelCache(100)

    def fail() -> memoryview:
        raise NotFound("gone")

    for _ in range(2):
        with pytest.raises(NotFound):
            read(cache, "a", size=90, load=fail)
    assert read(cache, "a", size=90, load=lambda: memoryview(b"back")) == b"back"
    assert cache.size == 4


def test_many_at_once_load_once_and_share_the_bytes() -> None:
    cache, loads = ModelCache(1000), []
    everybody_asks = threading.Barrier(16)
    loading = threading.Event()

    def load() -> memoryview:
        loads.append(1)
        loading.wait(0.2)
        return zeros(500)

    def ask(_: int) -> memoryview:
        everybody_asks.wait(60)
        return read(cache, "a", size=500, load=load)

    with ThreadPoolExecutor(16) as threads:
        models = list(threads.map(ask, range(16)))
    assert len(loads) == 1
    assert all(model is models[0] for model in models)


def test_what_is_deleted_during_its_load_is_not_kept() -> None:
    cache = ModelCache(1000)

    def load() -> memoryview:
        cache.forget("a")
        return zeros(500)

    assert len(read(cache, "a", size=500, load=load)) == 500
    assert cache.size == 0


def test_what_is_being_read_is_never_loaded_twice_and_counts() -> None:
    cache = ModelCache(100, patience=0.05)
    with cache.reading("a", "1", 80, lambda: zeros(80)) as first:
        with pytest.raises(Busy, match="leave no memory"):
            read(cache, "b", size=40)
        assert read(cache, "a", size=80, load=never) is first
        assert cache.size == 80
    read(cache, "b", size=40)
    assert cache.size == 40


def test_a_reader_waits_until_another_is_done() -> None:
    cache = ModelCache(100, patience=10)
    with ThreadPoolExecutor(1) as threads:
        with cache.reading("a", "1", 80, lambda: zeros(80)):
            waiting = threads.submit(read, cache, "b", size=40)
            time.sleep(0.1)
            assert not waiting.done()
        assert len(waiting.result(60)) == 40


def test_the_one_before_counts_as_long_as_it_is_read() -> None:
    cache = ModelCache(100)
    with cache.reading("a", "1", 40, lambda: zeros(40)) as old:
        assert len(read(cache, "a", "2", 50)) == 50
        assert (len(old), cache.size) == (40, 90)
    assert cache.size == 50


def test_copies_on_their_way_count_and_the_first_is_let_pass() -> None:
    cache = ModelCache(100, patience=0.05)
    with cache.reading("a", "1", 80, lambda: zeros(80)), cache.holding(160):
        with pytest.raises(Busy), cache.holding(10):
            pass
        assert cache.size == 240
    with cache.holding(10), cache.holding(10):
        assert cache.size == 100
    assert cache.size == 80
