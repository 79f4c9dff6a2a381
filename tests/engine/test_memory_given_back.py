"""When a worker gives memory back to the system: after each request, and between parts only where it is much."""

from __future__ import annotations

import threading

import pytest

from orthanc_stl.engine.executor import Work
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.mesh.progress import no_progress


@pytest.mark.parametrize(("mb", "key", "most"), [(40, "", 15), (40, "a request", 60), (120, "a request", 15)])
def test_memory_is_given_back(pool: LocalPool, mb: int, key: str, most: int) -> None:
    def held(mb: int) -> int:
        pool.run(Work("let_go", {"mb": mb}, (), 30.0, file_key=key), no_progress, threading.Event())
        return pool._idle[-1].resident

    before = held(1)
    grown = (held(mb) - before) / 2**20
    assert most - 30 < grown < most
