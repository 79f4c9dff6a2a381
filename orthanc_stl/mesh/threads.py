"""Work in parts on several threads. Results come in order, so what is made of them does not depend on the threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

Result = TypeVar("Result")

MOST_THREADS = 4
"""numpy holds Python's lock between its operations; more threads than this gain nothing (measured)."""

FEW = 8
"""Parts: for no more than these, threads cost more than they save (measured)."""


def in_order(function: Callable[[int], Result], parts: range) -> Iterator[Result]:
    """`function` of each part, in the order of the parts."""
    if len(parts) <= FEW:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as threads:
        yield from threads.map(function, parts)


def in_slices(function: Callable[[slice], None], count: int, least: int) -> None:
    """`function` of slices that together hold `count` places, one for each thread; of a single one where they would
    hold fewer than `least`."""
    slices = max(min(MOST_THREADS, os.cpu_count() or 1, count // least), 1)
    ends = [count * number // slices for number in range(slices + 1)]
    parts = [slice(start, end) for start, end in pairwise(ends)]
    if slices == 1:
        function(parts[0])
        return
    with ThreadPoolExecutor(slices) as threads:
        list(threads.map(function, parts))
