"""How many of Orthanc's HTTP threads the plugin holds, and each client of them."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from orthanc_stl.errors import Busy
from orthanc_stl.rest.http.waiting import Use, Waiting


class Crowd(ExitStack):
    """Requests that hold a place; `count` of them got one."""

    count = 0


def taken(waiting: Waiting, use: Use, client: str = "", most: int = 1000) -> Crowd:
    """All the places that there are."""
    places = Crowd()
    while places.count < most:
        try:
            places.enter_context(waiting.place(use, client))
        except Busy:
            break
        places.count += 1
    return places


@pytest.mark.parametrize(("use", "count"), [(Use.CONVERSION, 35), (Use.LISTING, 40), (Use.ANY, 45)])
def test_some_threads_are_always_left(use: Use, count: int) -> None:
    waiting = Waiting(50, patience=0.01)
    with taken(waiting, use) as places:
        assert places.count == count
    assert taken(waiting, use).count == count


def test_listings_find_places_beside_conversions_and_pages_beside_both() -> None:
    waiting = Waiting(50, patience=0.01)
    with taken(waiting, Use.CONVERSION), taken(waiting, Use.LISTING) as listings:
        assert listings.count == 5
        with waiting.place(Use.ANY):
            pass


def test_one_client_takes_half_and_each_other_gets_in() -> None:
    waiting = Waiting(100, patience=0.01)
    with taken(waiting, Use.CONVERSION, "greedy") as places:
        assert places.count == 35
        with ExitStack() as others:
            for number in range(80 - 35):
                others.enter_context(waiting.place(Use.CONVERSION, f"modest {number}"))
            with pytest.raises(Busy, match="no thread left"):
                others.enter_context(waiting.place(Use.CONVERSION, "one too many"))


def test_a_server_of_few_threads() -> None:
    for threads in (1, 2):
        with Waiting(threads).place(Use.CONVERSION, "a"):
            pass


def test_what_is_quick_waits_a_moment_for_a_place_and_a_conversion_does_not() -> None:
    waiting = Waiting(10, patience=5)
    places = taken(waiting, Use.LISTING, most=8)
    released = threading.Event()

    def release() -> None:
        released.set()
        places.close()

    threading.Timer(0.2, release).start()
    with pytest.raises(Busy), waiting.place(Use.CONVERSION):
        pass
    assert not released.is_set()
    with waiting.place(Use.LISTING):
        assert released.is_set()
