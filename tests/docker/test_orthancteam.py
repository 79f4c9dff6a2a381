"""docker/orthancteam on a stand-in for that image: the same environment, Debian's Orthanc."""

from __future__ import annotations

import json

from tests.docker.engine import Client, docker, free_port, needs_docker, state, wait_until
from tests.docker.study import stored_heart


@needs_docker
def test_the_added_lines_turn_the_plugin_on_and_the_original_off() -> None:
    docker("build", "-t", "orthanc-stl-stand-in", "tests/docker/orthancteam")
    docker(
        "build", "-f", "docker/orthancteam/Dockerfile", "--build-arg", "BASE=orthanc-stl-stand-in",
        "-t", "orthanc-stl-orthancteam", ".",
    )  # fmt: skip
    assert "STL_PLUGIN_ENABLED=false" in state("orthanc-stl-orthancteam")["Config"]["Env"]
    port = free_port()
    container = docker("run", "-d", "--init", "-p", f"127.0.0.1:{port}:8042", "orthanc-stl-orthancteam").strip()
    try:
        client = Client(f"http://127.0.0.1:{port}")
        wait_until(client.answers, "Orthanc answers with the plugin that the environment names")
        stored_heart(client)
        assert client("/stl/app/vendor/o3dv.min.js")[0] == 200
        assert json.loads(client("/plugins")[1])
    finally:
        docker("rm", "-f", container)
