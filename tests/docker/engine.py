"""Docker as the tests use it: the command line alone, each container removed at the end."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BASE_IMAGE = "debian:trixie-slim"


@cache
def why_not() -> str | None:
    """Why nothing can be built here; None if it can."""
    if shutil.which("docker") is None:
        return "no Docker is installed: apt-get install docker.io docker-compose"
    if subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
        return "no Docker engine runs: start dockerd (.ci/docker-engine does it)"
    if not compose_command():
        return "no docker compose is installed: apt-get install docker-compose"
    known = subprocess.run(["docker", "image", "inspect", BASE_IMAGE], capture_output=True).returncode == 0
    if not known and subprocess.run(["docker", "pull", BASE_IMAGE], capture_output=True).returncode != 0:
        return f"the image {BASE_IMAGE} is not here and cannot be pulled (.ci/docker-engine makes it)"
    return None


@cache
def compose_command() -> tuple[str, ...]:
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True).returncode == 0:
            return command
    return ()


needs_docker = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


def docker(*arguments: str | Path, timeout: float = 900, errors: bool = False) -> str:
    """What the command printed, with `errors` what it printed there too. Raises with its errors when it fails."""
    done = _run(("docker", *map(str, arguments)), timeout)
    return done.stdout + (done.stderr if errors else "")


def _run(
    command: tuple[str, ...], timeout: float, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, cwd=REPOSITORY)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


class Compose:
    """One project of a compose file: `up` to start, gone with its volumes after the `with`."""

    def __init__(self, file: str, project: str, environment: dict[str, str], *profiles: str):
        self._command = (*compose_command(), "-f", str(REPOSITORY / "docker" / file), "-p", project)
        self._command += tuple(word for profile in profiles for word in ("--profile", profile))
        self._environment = environment

    def __call__(self, *arguments: str, timeout: float = 900) -> str:
        return _run((*self._command, *arguments), timeout, {**os.environ, **self._environment}).stdout

    def container(self, service: str) -> str:
        return self("ps", "-q", service).split()[0]

    def __enter__(self) -> Compose:
        return self

    def __exit__(self, *_: object) -> None:
        self("down", "-v", "--timeout", "20")


def state(container: str) -> dict[str, Any]:
    return json.loads(docker("inspect", container))[0]


def wait_until(true: Any, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.3)


class Client:
    """HTTP to a container; certificates are not checked, since the one in the tests is self-signed."""

    def __init__(self, url: str, user: str = ""):
        self.url = url
        self._headers = {"Authorization": "Basic " + b64encode(user.encode()).decode()} if user else {}

    def __call__(self, path: str, body: bytes | dict[str, Any] | None = None) -> tuple[int, bytes]:
        """Status and body of a GET, or of a POST when there is something to send; status 0 when nobody answers."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(self.url + path, data, self._headers)
        unchecked = ssl._create_unverified_context()
        try:
            with urllib.request.urlopen(request, timeout=120, context=unchecked) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def answers(self) -> bool:
        return self("/system")[0] == 200


def free_port() -> str:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])
