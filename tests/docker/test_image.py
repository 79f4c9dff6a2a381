"""The image, and the compose file of one machine."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.engine import REPOSITORY, Client, Compose, docker, free_port, needs_docker, state, wait_until
from tests.docker.study import stored_heart


def test_the_image_keeps_what_the_conversions_import_of_vtk() -> None:
    source = ast.parse((REPOSITORY / "docker/prune_vtk.py").read_text())
    kept = next(
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "USED"
    )
    assert sorted(kept) == sorted(_vtk_modules_imported())


def _vtk_modules_imported() -> set[str]:
    found = set()
    for file in (REPOSITORY / "orthanc_stl").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vtkmodules"):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {name for name in names if _is_module(name)} or {str(node.module)}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names if alias.name.startswith("vtkmodules")}
    return found


def _is_module(name: str) -> bool:
    parent, _, child = name.rpartition(".")
    spec = importlib.util.find_spec(parent)
    folders = spec.submodule_search_locations if spec else None
    return any(list(Path(folder).glob(f"{child}.*")) for folder in folders or ())


def test_what_the_container_stores_is_read_by_nobody_else() -> None:
    lines = (REPOSITORY / "docker/Dockerfile").read_text()
    assert "install -d -m 0700 -o orthanc -g orthanc /var/lib/orthanc/db" in lines
    assert 'CMD ["/bin/sh", "-c", "umask 077 && exec /usr/sbin/Orthanc /etc/orthanc"]' in lines


@pytest.fixture(scope="module")
def image() -> str:
    docker("build", "-f", "docker/Dockerfile", "--build-arg", "VERSION=9.9.9", "-t", "orthanc-stl", ".")
    return "orthanc-stl"


@pytest.fixture(scope="module")
def alone(image: str) -> Iterator[tuple[Compose, Client]]:
    port = free_port()
    with Compose("docker-compose.yml", "stl-test-alone", {"ORTHANC_PORT": port}) as compose:
        compose("up", "-d")
        client = Client(f"http://127.0.0.1:{port}")
        wait_until(client.answers, "Orthanc answers")
        yield compose, client


@needs_docker
def test_the_labels_name_version_and_licence(image: str) -> None:
    labels = state(image)["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "9.9.9"
    assert labels["org.opencontainers.image.licenses"] == "AGPL-3.0-or-later"


@needs_docker
def test_a_container_converts_without_privileges(alone: tuple[Compose, Client]) -> None:
    compose, client = alone
    assert stored_heart(client)["Warnings"] == []
    container = state(compose.container("orthanc"))
    assert container["Config"]["User"] == "orthanc"
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert container["HostConfig"]["CapDrop"] == ["ALL"]
    assert docker("exec", container["Id"], "id", "-u").strip() != "0"
    status = Path(f"/proc/{container['State']['Pid']}/status").read_text()
    assert "CapEff:\t0000000000000000" in status


@needs_docker
def test_it_is_published_on_the_loopback_alone(alone: tuple[Compose, Client]) -> None:
    compose, _ = alone
    ports = state(compose.container("orthanc"))["NetworkSettings"]["Ports"]
    assert [p["HostIp"] for p in ports["8042/tcp"]] == ["127.0.0.1"]


@needs_docker
def test_the_pages_have_their_npm_parts(alone: tuple[Compose, Client]) -> None:
    _, client = alone
    for path in ("three.html", "vendor/three/build/three.module.js", "vendor/o3dv.min.js"):
        status, body = client(f"/stl/app/{path}")
        assert status == 200, path
        assert len(body) > 100


@needs_docker
def test_the_demo_prints_a_link_to_a_heart(alone: tuple[Compose, Client]) -> None:
    compose, client = alone
    compose("--profile", "demo", "up", "-d", "--no-recreate", "demo")
    demo = compose("--profile", "demo", "ps", "-q", "demo").split()[0]
    wait_until(lambda: not state(demo)["State"]["Running"], "the demo's study is stored", 120)
    said = docker("logs", demo, errors=True)
    link = next(word for word in said.split() if "three.html?instance=" in word)
    assert link.startswith(client.url.replace("127.0.0.1", "localhost"))
    assert client(f"/instances/{link.partition('=')[2]}/stl")[0] == 200


@needs_docker
def test_it_becomes_healthy(alone: tuple[Compose, Client]) -> None:
    compose, _ = alone
    container = compose.container("orthanc")
    wait_until(lambda: state(container)["State"]["Health"]["Status"] == "healthy", "the health check passes")


@needs_docker
def test_it_stops_cleanly_and_keeps_its_data(alone: tuple[Compose, Client]) -> None:
    compose, client = alone
    made = stored_heart(client)
    container = compose.container("orthanc")
    compose("stop", "--timeout", "30")
    assert state(container)["State"]["ExitCode"] == 0
    compose("up", "-d")
    wait_until(client.answers, "Orthanc answers again")
    assert client(f"/instances/{made['ID']}/stl")[0] == 200
