"""The compose profile "cluster": conversions on two Dask workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.docker.engine import REPOSITORY, Client, Compose, docker, free_port, needs_docker, wait_until
from tests.docker.study import structure_set

pytestmark = needs_docker
CONVERSIONS = 20


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Compose, Client]]:
    port = free_port()
    lines = (REPOSITORY / "docker/cluster.env").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    with Compose("docker-compose.yml", "stl-test-cluster", {**environment, "ORTHANC_PORT": port}, "cluster") as compose:
        compose("up", "-d", "--build", "--scale", "worker=2")
        client = Client(f"http://127.0.0.1:{port}")
        wait_until(client.answers, "Orthanc answers")
        for worker in compose("ps", "-q", "worker").split():
            wait_until(
                lambda worker=worker: "Registered to" in docker("logs", worker, errors=True), "a worker is there"
            )
        yield compose, client


def test_twenty_conversions_on_both_workers_and_none_is_lost_with_one(cluster: tuple[Compose, Client]) -> None:
    compose, client = cluster
    instance = json.loads(client("/instances", structure_set())[1])["ID"]
    workers = compose("ps", "-q", "worker").split()
    assert len(workers) == 2

    def convert(number: int) -> int:
        body = {"Instance": instance, "RoiNames": ["Heart"], "Resolution": 128, "Tags": {"SeriesNumber": str(number)}}
        return client("/stl/encode-rtstruct", body)[0]

    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(convert, number) for number in range(CONVERSIONS)]
        wait_until(lambda: all(_conversions_under_way(worker) for worker in workers), "both workers convert", 60)
        docker("kill", workers[0])
        assert [answer.result() for answer in answers] == [200] * CONVERSIONS
    series = [s for s in json.loads(client("/series?expand")[1]) if s["MainDicomTags"]["Modality"] == "M3D"]
    assert sorted(int(s["MainDicomTags"]["SeriesNumber"]) for s in series) == list(range(CONVERSIONS))


def _conversions_under_way(worker: str) -> bool:
    return "orthanc_stl.engine.worker" in docker("top", worker)


def test_without_the_cluster_orthanc_converts_itself(cluster: tuple[Compose, Client]) -> None:
    compose, client = cluster
    compose("kill", "scheduler", "worker")
    instance = json.loads(client("/instances", structure_set())[1])["ID"]
    status, answer = client("/stl/encode-rtstruct", {"Instance": instance, "RoiNames": ["Heart"], "Resolution": 64})
    assert status == 200, answer
