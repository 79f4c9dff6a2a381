from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from orthanc_stl.errors import NotFound
from orthanc_stl.rest.model_cache import ModelCache


def zeros(size: int) -> memoryview:
    return memoryview(bytes(size))


def never() -> memoryview:
    raise AssertionError("loaded again")


def test_a_model_is_kept_as_it_is() -> None:
    cache, model = ModelCache(100), zeros(60)
    assert cache.get("a", "1", lambda: model) is model
    assert cache.get("a", "1", never) is model
    assert cache.size == 60


def test_another_version_replaces_the_one_before() -> None:
    cache = ModelCache(100)
    cache.get("a", "1", lambda: memoryview(b"old"))
    assert cache.get("a", "2", lambda: memoryview(b"newer")) == b"newer"
    assert cache.get("a", "2", never) == b"newer"
    assert cache.size == 5


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    cache = ModelCache(100)
    for name in "ab":
        cache.get(name, "1", lambda: zeros(40))
    cache.get("a", "1", never)
    cache.get("c", "1", lambda: zeros(40))
    assert cache.size == 80
    cache.get("a", "1", never)
    cache.get("c", "1", never)
    with pytest.raises(AssertionError):
        cache.get("b", "1", never)


def test_what_is_larger_than_the_cache_is_given_but_not_kept() -> None:
    cache = ModelCache(100)
    cache.get("small", "1", lambda: zeros(30))
    assert len(cache.get("large", "1", lambda: zeros(101))) == 101
    assert cache.size == 30
    cache.get("small", "1", never)


def test_a_deleted_model_is_gone() -> None:
    cache = ModelCache(100)
    cache.get("a", "1", lambda: zeros(30))
    cache.forget("a")
    cache.forget("unknown")
    assert cache.size == 0
    with pytest.raises(AssertionError):
        cache.get("a", "1", never)


def test_a_failed_load_is_tried_again() -> None:
    cache = ModelCache(100)

    def fail() -> memoryview:
        raise NotFound("gone")

    for _ in range(2):
        with pytest.raises(NotFound):
            cache.get("a", "1", fail)
    assert cache.get("a", "1", lambda: memoryview(b"back")) == b"back"


def test_many_at_once_load_once_and_share_the_bytes() -> None:
    cache, loads = ModelCache(1000), []
    everybody_asks = threading.Barrier(16)
    loading = threading.Event()

    def load() -> memoryview:
        loads.append(1)
        loading.wait(0.2)
        return zeros(500)

    def ask(_: int) -> memoryview:
        everybody_asks.wait(10)
        return cache.get("a", "1", load)

    with ThreadPoolExecutor(16) as threads:
        models = list(threads.map(ask, range(16)))
    assert len(loads) == 1
    assert all(model is models[0] for model in models)


def test_what_is_deleted_during_its_load_is_not_kept() -> None:
    cache = ModelCache(1000)

    def load() -> memoryview:
        cache.forget("a")
        return zeros(500)

    assert len(cache.get("a", "1", load)) == 500
    assert cache.size == 0
