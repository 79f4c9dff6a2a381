"""What the launcher says when it cannot work: one sentence, and a code that is not 0. The real script is run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from runtime.common import REPOSITORY

# What the script itself and the start of the set-up call, besides apt and dpkg.
NEEDED = ("sh", "env", "dirname", "readlink", "uname")


def launch(*arguments: str | Path, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "ORTHANC_STL"))}
    command = [REPOSITORY / "orthanc-stl", *arguments]
    return subprocess.run(command, env=clean | env, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def host_python() -> str:
    """The Python that the launcher finds on this machine."""
    found = subprocess.run(
        ["python3", "-c", "import sys; print(sys.executable)"],
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return found.stdout.strip()


def path_with(folder: Path, *programs: str) -> str:
    """A folder with these programs and no others, for PATH."""
    folder.mkdir()
    for program in programs:
        target = host_python() if program == "python3" else shutil.which(program)
        assert target, program
        (folder / program).symlink_to(target)
    return str(folder)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The last line; there is no traceback."""
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_no_python(tmp_path: Path) -> None:
    done = launch("run", PATH=path_with(tmp_path / "bin", *NEEDED))
    assert "no Python 3.11 or later was found" in sentence(done)


def test_no_apt(tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", *NEEDED, "python3")
    done = launch("structures", "x", "--runtime", tmp_path / "r", PATH=path)
    assert "this machine has no apt-get" in sentence(done)
    assert "Docker" in done.stderr


@pytest.mark.skipif(shutil.which("setarch") is None, reason="setarch is not installed: apt-get install util-linux")
def test_an_unknown_processor(tmp_path: Path) -> None:
    command: list[str | Path] = [
        "setarch",
        "linux32",
        REPOSITORY / "orthanc-stl",
        "structures",
        "x",
        "--runtime",
        tmp_path / "r",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "the processor 'i686' is not supported (x86_64 and aarch64 are)" in sentence(done)


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is not here: run this on Debian")
def test_no_network(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    done = launch("structures", "x", "--runtime", tmp_path / "r", http_proxy=nowhere, https_proxy=nowhere, no_proxy="")
    assert "could not be downloaded; is there a network?" in sentence(done)
    assert [file.name for file in (tmp_path / "r").iterdir()] == ["lock"]


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = launch("run", "--port", str(port), "--data", tmp_path)
    assert f"port {port} cannot be used (Address already in use)" in sentence(done)


@pytest.mark.parametrize("port", ["0", "99999", "-1"])
def test_a_port_that_is_none(port: str, tmp_path: Path) -> None:
    assert f"port {port} cannot be used" in sentence(launch("run", "--port", port, "--data", tmp_path))


def test_bad_configuration(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"Name": }')
    assert "bad.json is not valid JSON" in sentence(launch("run", "--config", tmp_path / "bad.json"))


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "cannot be used" in sentence(launch("run", "--port", str(port), "--data", tmp_path / "file"))


def test_unknown_arguments(tmp_path: Path) -> None:
    assert "unknown argument '--prot'" in sentence(launch("run", "--prot", "1", "--data", tmp_path))


def test_python_files_in_the_current_folder_are_not_taken_for_ours(tmp_path: Path) -> None:
    for name in ("runtime", "orthanc_stl", "json", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not this one')")
    assert "port 0 cannot be used" in sentence(launch("run", "--port", "0", cwd=tmp_path))
    assert "no.dcm: No such file" in sentence(launch("structures", "no.dcm", cwd=tmp_path))
