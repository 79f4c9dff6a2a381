"""Rules where there is more to do than can be done: people come first, and nothing is lost."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from pydicom import dcmread

from testing import phantoms
from testing.server import OrthancServer
from tests.live.test_rules import EVERY_RTSTRUCT, SOON, models, runs, two_balls, wait_for


def long_work(structures: int) -> bytes:
    """A structure set of which each structure takes seconds at a Resolution of 384."""
    large = [phantoms.cylinder(f"Large {n}", 150, range(-150, 151, 2), points=12) for n in range(structures)]
    return phantoms.structure_set(large, phantoms.Study(seed="long"), series_description="Long")


def copies(file: bytes, count: int) -> Iterator[bytes]:
    """The same structure set of so many studies."""
    ds = dcmread(io.BytesIO(file), stop_before_pixels=True)
    for number in range(count):
        copy = file
        for uid in (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID):
            copy = copy.replace(uid.encode(), f"{uid[:-3]}{number:03}".encode())
        yield copy


@pytest.mark.slow
def test_a_person_comes_before_100_studies() -> None:
    """She asks 24 times, and one set of a rule is made meanwhile at most: a worker is hers. Else she would wait nearly
    each time until one of the six structures of a set is made on either worker, and three sets would be."""
    rule = {"Name": "structures", "When": {"SeriesDescription": "Long"}, "Options": {"Resolution": 384}}
    with OrthancServer({"Rules": [rule], "Workers": 2}, SOON) as server:
        ball = server.upload(two_balls())
        for file in copies(long_work(6), 100):
            server.upload(file)
        wait_for(lambda: server.get("/stl/rules").json()["Waiting"] > 90)
        before = len(server.get("/stl/rules").json()["Runs"])
        for _ in range(24):
            reply = server.post("/stl/encode", {"Instance": ball, "Structures": [1], "Resolution": 32})
            assert reply.status == 200
            told = server.get("/stl/rules").json()
            assert len(told["Runs"]) - before <= 1, "the person waited for the rules"
        assert told["Waiting"] > 90


def test_a_full_queue_only_makes_it_later() -> None:
    """Three sources: nothing is made of them while people fill the queue, and all is made of each, once, afterwards."""
    rule = EVERY_RTSTRUCT | {"When": {"Modality": "RTSTRUCT", "SeriesDescription": "Contours"}}
    with OrthancServer({"Rules": [rule], "QueueSize": 1}, SOON) as server:
        long = server.upload(long_work(8))
        body = {"Instance": long, "All": True, "Format": "obj", "Resolution": 384, "Asynchronous": True}
        paths = []
        while (answer := server.post("/stl/encode", body)).status == 200:
            paths.append(answer.json()["Path"])
        assert (answer.status, len(paths)) == (503, 2)  # one runs, one waits
        sources = [server.upload(two_balls()) for _ in range(3)]
        wait_for(lambda: " waits: a request is waiting already" in server.log_text())
        wait_for(lambda: server.get("/stl/rules").json()["Waiting"] == 3)
        assert server.get("/stl/rules").json()["Runs"] == []
        for path in paths:
            server.delete(path)
        wait_for(lambda: server.get("/stl/rules").json()["Waiting"] == 0)
        assert [len(runs(server, source)) for source in sources] == [1, 1, 1]
        assert len(models(server)) == 6
