"""Small conversions on a real Orthanc, and what is stored of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from testing.server import OrthancServer, Reply
from tests.live import samples

SMALL = {"Separate": True, "Resolution": 32}


def upload(server: OrthancServer) -> str:
    return server.upload(samples.structure_set({"Box": samples.box(200, 200, 2)}))


def upload_ball(server: OrthancServer) -> str:
    """Of 27 MB at resolution 400 and Tolerance 0, since nothing of it is flat."""
    return server.upload(samples.structure_set({"Box": samples.ball()}))


def convert(server: OrthancServer, instance: str, resolution: int = 32, **more: Any) -> Reply:
    body = {"Instance": instance, "RoiNames": ["Box"], "Resolution": resolution, **more}
    return server.post("/stl/encode-rtstruct", body)


def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def models(server: OrthancServer) -> list[str]:
    """The stored models, each checked to be whole."""
    query = {"Level": "Instance", "Query": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.3"}}
    found = server.post("/tools/find", query).json()
    for model in found:
        stl = server.get(f"/instances/{model}/stl").body
        assert len(stl) == 84 + 50 * int.from_bytes(stl[80:84], "little")
    return found
