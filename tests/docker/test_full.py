"""The deployment of docker-compose.full.yml: users, PostgreSQL, nginx with TLS under a prefix."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator

import pytest

from tests.docker.engine import Client, Compose, docker, free_port, needs_docker, wait_until
from tests.docker.study import stored_heart

pytestmark = needs_docker


@pytest.fixture(scope="module")
def full() -> Iterator[tuple[Compose, str]]:
    port = free_port()
    with Compose("docker-compose.full.yml", "stl-test-full", {"HTTPS_PORT": port}) as compose:
        compose("up", "-d", "--build", "--scale", "orthanc=2")
        url = f"https://127.0.0.1:{port}/orthanc"
        wait_until(Client(url, "physicist:change-me").answers, "Orthanc answers behind nginx", 120)
        yield compose, url


def test_it_asks_for_a_password(full: tuple[Compose, str]) -> None:
    _, url = full
    assert Client(url)("/stl/app/three.html")[0] == 401
    assert Client(url)("/stl/encode-rtstruct", {"Instance": "x"})[0] == 401


def test_it_converts_behind_tls_and_a_prefix(full: tuple[Compose, str]) -> None:
    _, url = full
    client = Client(url, "physicist:change-me")
    stored_heart(client)
    assert client("/stl/app/three.html")[0] == 200
    assert client("/app/explorer.html")[0] == 200


def test_two_orthancs_share_one_index(full: tuple[Compose, str]) -> None:
    compose, url = full
    client = Client(url, "physicist:change-me")
    made = stored_heart(client)
    assert "postgresql" in json.loads(client("/system")[1])["DatabaseBackendPlugin"].lower()
    containers = compose("ps", "-q", "orthanc").split()
    assert len(containers) == 2
    question = f"""
from urllib.request import Request, urlopen
secret = {b64encode(b"physicist:change-me").decode()!r}
url = "http://127.0.0.1:8042/instances/{made["ID"]}/stl/info"
print(urlopen(Request(url, headers={{"Authorization": "Basic " + secret}})).read().decode())
"""
    facts = [json.loads(docker("exec", container, "python3", "-c", question)) for container in containers]
    assert facts[0] == facts[1]
    assert facts[0]["Triangles"] == made["Triangles"]
