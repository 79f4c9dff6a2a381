"""What the tests store: the structure set of the demo's phantom."""

from __future__ import annotations

import io
import json
from functools import cache

from runtime.phantom.study import study
from tests.docker.engine import Client


@cache
def structure_set() -> bytes:
    dataset = next(d for _, d in study() if d.Modality == "RTSTRUCT")
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def stored_heart(client: Client) -> dict[str, object]:
    """Uploads the structure set, makes a model of the heart and gives the facts on it, and its size in bytes."""
    status, answer = client("/instances", structure_set())
    assert status == 200, answer
    instance = json.loads(answer)["ID"]
    status, answer = client("/stl/encode-rtstruct", {"Instance": instance, "RoiNames": ["Heart"], "Resolution": 64})
    assert status == 200, answer
    made = json.loads(answer)
    status, stl = client(f"/instances/{made['ID']}/stl")
    assert status == 200
    assert len(stl) == 84 + 50 * made["Triangles"]
    return made
