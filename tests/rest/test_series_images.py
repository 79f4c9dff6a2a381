"""What is known of a series is kept while the series stays as it is, and no longer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from testing.image_phantoms import single_frame
from tests.sources.fake_orthanc import SERIES, fake_app


def files(x: float) -> list[bytes]:
    values = np.zeros((4, 4), np.int16)
    return [single_frame(values, (x, 0.0, 2.0 * number), number, seed="kept") for number in range(3)]


def test_a_series_that_has_been_quiet_is_read_once() -> None:
    app = fake_app(files(0))
    first = app.images.get(app.orthanc, SERIES)
    assert app.orthanc.asked.count("simplified-tags") == 3
    app.orthanc.asked.clear()
    assert app.images.get(app.orthanc, SERIES) == first
    assert app.orthanc.asked == [SERIES]


def test_what_changes_in_the_same_second_is_seen() -> None:
    app = fake_app(files(0))
    app.orthanc.last_update = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    first = app.images.get(app.orthanc, SERIES)
    app.orthanc.asked.clear()
    assert app.images.get(app.orthanc, SERIES) == first
    assert "simplified-tags" not in app.orthanc.asked, "only the names of its files are looked at"
    app.orthanc.instances = fake_app(files(9)).orthanc.instances  # under the same identifiers
    moved = app.images.get(app.orthanc, SERIES)
    assert moved.stacks[0][0].frames[0].position[0] == 9
    assert moved.version != first.version


def test_an_instance_that_comes_while_the_series_is_read_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that were there when Orthanc described the series, a version of all would have been kept."""
    app = fake_app(files(0))
    (last, late) = app.orthanc.instances.popitem()
    answer = app.orthanc.get_json

    def comes_late(path: str) -> Any:
        answered = answer(path)
        if path == f"/series/{SERIES}" and last not in app.orthanc.instances:
            app.orthanc.instances[last], app.orthanc.last_update = late, "20260101T000001"
        return answered

    monkeypatch.setattr(app.orthanc, "get_json", comes_late)
    assert app.images.get(app.orthanc, SERIES).frames == 3
    assert app.images.get(app.orthanc, SERIES).frames == 3
