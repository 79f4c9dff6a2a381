"""PostgreSQL for tests: a database of its own on a free port, and an Orthanc that keeps its index in it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from runtime import debian, parts, setup
from testing.server import private_runtime

BINARIES = next(
    (path for path in sorted(Path("/usr/lib/postgresql").glob("*/bin")) if (path / "initdb").exists()), None
)
ORTHANC_PACKAGE = "orthanc-postgresql"


@cache
def runtime_with_plugin() -> setup.Runtime:
    """The private runtime with Orthanc's plugin for PostgreSQL, set up once in a folder of its own."""
    packages = (*debian.PACKAGES, ORTHANC_PACKAGE)
    depends_on = (debian.machine()[0], debian.SUITE, debian.RECIPE, *packages)
    part = parts.Part("postgresql", ORTHANC_PACKAGE, depends_on, lambda folder: debian.build(folder, packages))
    found = parts.prepare(setup.default_folder().resolve(), [part], lambda line: None)
    return replace(private_runtime(), debian=found[part.name])


class Database:
    """`with Database() as database: OrthancServer(config=database.config(), runtime=runtime_with_plugin())`."""

    def __init__(self) -> None:
        assert BINARIES is not None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._folder = Path(tempfile.mkdtemp(prefix="orthanc-stl-postgresql-"))
        # PostgreSQL refuses to run as root.
        self._user = {"user": "postgres"} if os.getuid() == 0 else {}
        if self._user:
            shutil.chown(self._folder, "postgres")
        data = self._folder / "data"
        self._run("initdb", "--pgdata", data, "--username", "orthanc", "--auth", "trust", "--no-sync")
        command = [BINARIES / "postgres", "-D", data, "-p", str(self.port), "-k", "", "-F", "-c", "max_connections=60"]
        self._server = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._user
        )  # type: ignore[call-overload]

    def _run(self, program: str, *arguments: str | Path) -> None:
        assert BINARIES is not None
        done = subprocess.run(
            [BINARIES / program, *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            **self._user,
        )  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr

    def config(self) -> dict[str, Any]:
        """What Orthanc is told: its index here, its files where it always has them."""
        runtime = runtime_with_plugin()
        plugins = runtime.debian / "usr/share/orthanc/plugins"
        return {
            "Plugins": [str(runtime.python_plugin), str(plugins / "libOrthancPostgreSQLIndex.so")],
            "PostgreSQL": {
                "EnableIndex": True,
                "EnableStorage": False,
                "Host": "127.0.0.1",
                "Port": self.port,
                "Database": "postgres",
                "Username": "orthanc",
                "Password": "",
                "Lock": False,
                "EnableSsl": False,
                "IndexConnectionsCount": 10,
            },
        }

    def __enter__(self) -> Self:
        for _ in range(300):
            assert self._server.poll() is None, "PostgreSQL ended at once"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.1)
        raise AssertionError("PostgreSQL did not answer within 30 s")

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
