"""The wheel: built as for a release, installed by pip in a clean container beside Debian's Orthanc."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beside import Beside
from tests.docker.engine import REPOSITORY, Client, docker, free_port, needs_docker, wait_until
from tests.docker.study import stored_heart

DIST = tempfile.TemporaryDirectory()
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
BUILD = Beside("release/build.sh", "HEAD", DIST.name, env=CLEAN | {"TMPDIR": DIST.name})

pytestmark = pytest.mark.beside(BUILD)


@pytest.fixture(scope="module")
def wheel() -> Path:
    if shutil.which("npm") is None:
        pytest.skip("no npm is installed, which puts the viewers' parts into the wheel: apt-get install npm")
    built = BUILD.done()
    assert built.returncode == 0, built.stdout
    assert list(Path(DIST.name).glob("orthanc_stl-*.tar.gz"))
    return next(Path(DIST.name).glob("orthanc_stl-*.whl"))


def test_the_wheel_holds_script_pages_and_npm_parts_with_their_licences(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    web = "orthanc_stl/webassets"
    for needed in (
        "stl_plugin.py",
        f"{web}/explorer.js",
        f"{web}/app/three.html",
        f"{web}/node_modules/three/build/three.module.js",
        f"{web}/node_modules/three/LICENSE",
        f"{web}/node_modules/online-3d-viewer/build/engine/o3dv.min.js",
        f"{web}/node_modules/online-3d-viewer/LICENSE.md",
    ):
        assert needed in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "testing/", "runtime/", "benchmarks/"))]


def test_the_installed_program_says_where_run_and_demo_work(wheel: Path, tmp_path: Path) -> None:
    subprocess.run(["python3", "-m", "venv", tmp_path / "venv"], check=True)
    binaries = tmp_path / "venv/bin"
    subprocess.run([binaries / "pip", "install", "--quiet", "--no-deps", wheel], env=CLEAN, check=True)
    for command in ("run", "demo"):
        done = subprocess.run(
            [binaries / "orthanc-stl", command], env=CLEAN, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        (told,) = done.stderr.splitlines()
        assert told.startswith(f'orthanc-stl: "{command}" works with a private Orthanc that the source tree sets up')
    listed = subprocess.run([binaries / "orthanc-stl", "--help"], env=CLEAN, capture_output=True, text=True, check=True)
    assert {"run", "demo", "convert", "structures"} <= set(listed.stdout.split())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    context = tmp_path_factory.mktemp("pip")
    shutil.copy(wheel, context)
    shutil.copy(REPOSITORY / "tests/docker/pip/Dockerfile", context)
    docker("build", "-t", "orthanc-stl-pip-test", context)
    port = free_port()
    container = docker("run", "-d", "--init", "-p", f"127.0.0.1:{port}:8042", "orthanc-stl-pip-test").strip()
    try:
        client = Client(f"http://127.0.0.1:{port}")
        wait_until(client.answers, "Orthanc answers with the plugin installed by pip")
        yield client
    finally:
        docker("rm", "-f", container)


@needs_docker
def test_debians_orthanc_converts_with_the_plugin_from_pip(installed: Client) -> None:
    stored_heart(installed)
    assert installed("/stl/app/vendor/three/build/three.module.js")[0] == 200
