"""Many clients at once: everybody gets the right answer, and Orthanc stays quick for everybody else."""

from __future__ import annotations

import json
import struct
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from testing.server import OrthancServer, Reply
from tests.live import samples

CLIENTS = 40
SECONDS = 5  # all of them go on that long, and through all routes at least once


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer(stl={"Workers": 2}) as server:
        yield server


@pytest.fixture(scope="module")
def instance(server: OrthancServer) -> str:
    return server.upload(samples.structure_set({"Body": samples.box(), "Sphere": samples.ball()}))


@pytest.fixture(scope="module")
def model(server: OrthancServer, instance: str) -> str:
    body = {"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 64}
    return server.post("/stl/encode-rtstruct", body).json()["Path"]


def patiently(server: OrthancServer, body: dict[str, Any]) -> Any:
    """The answer to a conversion, asked for again as long as the queue is full."""
    while (reply := server.post("/stl/encode-rtstruct", body)).status == 503:
        time.sleep(0.2)
    assert reply.status == 200, reply.body
    return reply.json()


@pytest.mark.timeout(600)
def test_forty_clients_mix_all_routes(server: OrthancServer, instance: str, model: str) -> None:
    stl = server.get(f"{model}/stl").body
    triangles = struct.unpack("<I", stl[80:84])[0]

    def convert(client: int) -> bool:
        body = {"Instance": instance, "RoiNames": [["Body", "Sphere"][client % 2]], "Resolution": 24 + client}
        answer = patiently(server, body)
        made = server.get(answer["Path"] + "/stl").body
        return len(made) == 84 + 50 * answer["Triangles"] and abs(answer["VolumeMl"] - [180, 33.5][client % 2]) < 9

    def convert_in_background(client: int) -> bool:
        body = {"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 24, "Asynchronous": True}
        path = patiently(server, body)["Path"]
        while server.get(path).json()["State"] in ("Pending", "Running"):
            time.sleep(0.1)
        return abs(server.get(path).json()["Answer"]["VolumeMl"] - 33.5) < 9

    routes: list[Callable[[int], bool]] = [
        lambda client: server.get(f"/stl/rt-struct/{instance}").json() == ["Body", "Sphere"],
        lambda client: server.get(f"{model}/stl").body == stl,
        lambda client: (
            server.get(f"{model}/stl", {"Range": f"bytes={client}-{client + 99}"}).body == stl[client:][:100]
        ),
        lambda client: server.get(f"{model}/stl/info").json()["Triangles"] == triangles,
        lambda client: [roi["Number"] for roi in server.get(f"/instances/{instance}/stl/structures").json()] == [1, 2],
        lambda client: server.get("/stl/app/three.html").status == 200,
        lambda client: server.post("/stl/encode-rtstruct", {"Instance": instance}).status == 400,
        lambda client: server.get("/system").status == 200,
        convert,
        convert_in_background,
    ]

    end = time.monotonic() + SECONDS

    def client(number: int) -> tuple[int, list[int]]:
        """Rounds through all routes until the time is over, and which of them were answered wrongly."""
        rounds, wrong = 0, []
        while rounds == 0 or time.monotonic() < end:
            rounds += 1
            wrong += [n for turn in range(len(routes)) if not routes[n := (number + turn) % len(routes)](number)]
        return rounds, wrong

    before = server.get("/statistics").json()["CountInstances"]
    with ThreadPoolExecutor(CLIENTS) as threads:
        rounds, wrong = zip(*threads.map(client, range(CLIENTS)), strict=True)
    assert list(wrong) == [[]] * CLIENTS
    assert server.get("/statistics").json()["CountInstances"] == before + 2 * sum(rounds)
    assert len(server.children()) <= 2 + 2  # the workers, one for listings, one kept warm


def test_quick_routes_stay_quick_while_conversions_run(server: OrthancServer, instance: str, model: str) -> None:
    big = server.upload(samples.structure_set({"Box": samples.box(200, 200, 1)}))
    body = {"Instance": big, "RoiNames": ["Box"], "Resolution": 400, "Asynchronous": True}
    jobs = [server.post("/stl/encode-rtstruct", body).json()["Path"] for _ in range(4)]
    for _ in range(20):
        for path in ("/system", f"/stl/rt-struct/{instance}", f"{model}/stl", "/stl/app/three.html", jobs[0]):
            assert server.get(path).status == 200
    assert server.get(jobs[-1]).json()["State"] in ("Pending", "Running")
    for path in jobs:
        server.delete(path)


def test_those_who_wait_leave_threads_to_others(instance: str) -> None:
    with OrthancServer(config={"HttpThreadsCount": 10}) as server, ThreadPoolExecutor(20) as threads:
        instance = server.upload(samples.structure_set({"Sphere": samples.ball(), "Box": samples.box(200, 200, 1)}))
        long = {"Instance": instance, "RoiNames": ["Box"], "Resolution": 400, "Asynchronous": True}
        job = server.post("/stl/encode-rtstruct", long).json()["Path"]
        short = {"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 16}
        assert server.get(f"/stl/rt-struct/{instance}").status == 200  # its worker is warm from here on
        waiting = [threads.submit(server.post, "/stl/encode-rtstruct", short) for _ in range(20)]
        refused = _first(waiting)
        assert refused.status == 503
        assert '"Asynchronous": true' in refused.json()["Details"]
        assert server.get("/system").status == 200
        assert server.get(f"/stl/rt-struct/{instance}").status == 200
        assert server.get(job).json()["State"] == "Running"
        server.delete(job)
        statuses = sorted(future.result().status for future in waiting)
        assert statuses == [200] * 7 + [503] * 13


def _first(futures: list) -> Reply:  # type: ignore[type-arg]
    end = time.monotonic() + 60
    while not (done := [future for future in futures if future.done()]):
        assert time.monotonic() < end
        time.sleep(0.02)
    return done[0].result()


def test_a_full_queue_is_a_503(instance: str) -> None:
    with OrthancServer(stl={"QueueSize": 1}) as server:
        instance = server.upload(samples.structure_set({"Box": samples.box(200, 200, 1)}))
        body = {"Instance": instance, "RoiNames": ["Box"], "Resolution": 400, "Asynchronous": True}
        replies = [server.post("/stl/encode-rtstruct", body)]
        while server.get(replies[0].json()["Path"]).json()["State"] == "Pending":
            time.sleep(0.01)
        replies += [server.post("/stl/encode-rtstruct", body) for _ in range(2)]
        assert [reply.status for reply in replies] == [200, 200, 503]
        assert '"QueueSize"' in replies[2].json()["Details"]
        for reply in replies[:2]:
            path = reply.json()["Path"]
            assert server.delete(path).json()["State"] == "Cancelled"
        assert server.get("/statistics").json()["CountInstances"] == 1


def test_a_client_that_goes_away_blocks_nobody(server: OrthancServer, instance: str) -> None:
    body = json.dumps({"Instance": instance, "RoiNames": ["Body"], "Resolution": 64}).encode()
    gone = threading.Event()

    def leave() -> None:
        with pytest.raises((TimeoutError, urllib.error.URLError)):
            server.post("/stl/encode-rtstruct", body, timeout=0.01)
        gone.set()

    for _ in range(3):
        leave()
    assert gone.is_set()
    assert server.get(f"/stl/rt-struct/{instance}").json() == ["Body", "Sphere"]
    assert server.post("/stl/encode-rtstruct", body).status == 200
