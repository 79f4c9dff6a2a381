"""The command `orthanc-stl` as a person uses it: start, stop, configuration, and without root."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.common import REPOSITORY
from testing.server import alive, private_runtime

NOBODY = 65534


class Launched:
    """A launcher; its output is in `log`."""

    def __init__(
        self, folder: Path, *arguments: str | Path, script: Path, prefix: list[str], env: dict[str, str]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.log = folder / "log"
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        with self.log.open("wb") as log:
            command = [*prefix, script, *arguments, "--port", str(self.port), "--data", folder / "data"]
            self.process = subprocess.Popen(
                command, env=clean | env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)

    def orthanc(self) -> int:
        """The process that the launcher started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        assert len(children) == 1, children
        return int(children[0])

    def wait_for_line(self, words: str) -> None:
        end = time.monotonic() + 200  # making the phantom takes 6 s alone, and a minute beside a dozen others
        while words not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < end, self.text()
            time.sleep(0.05)

    def end(self) -> None:
        """As a person who is impatient: a second signal spares the 2.5 s that Orthanc takes to end in order."""
        end = time.monotonic() + 60
        self.process.terminate()
        while self.process.poll() is None:
            assert time.monotonic() < end, self.text()
            if "Orthanc is stopping" in self.text():
                self.process.terminate()
            time.sleep(0.05)


@contextmanager
def launched(
    folder: Path,
    *arguments: str | Path,
    script: Path = REPOSITORY / "orthanc-stl",
    prefix: list[str] | None = None,
    env: dict[str, str] | None = None,
) -> Iterator[Launched]:
    private_runtime()
    launcher = Launched(folder, *arguments, script=script, prefix=prefix or [], env=env or {})
    try:
        launcher.wait_for_line("Orthanc answers")
        yield launcher
    finally:
        launcher.end()


def gone(pid: int, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)


def test_a_second_start_sets_up_nothing(tmp_path: Path) -> None:
    """That is what makes it take 0.6 s on an idle machine."""
    with launched(tmp_path, "run") as first:
        assert f"Orthanc answers: http://localhost:{first.port}/app/explorer.html" in first.text()
    parts = private_runtime().site.parent
    before = sorted(parts.iterdir())
    with launched(tmp_path, "run") as second:
        assert "Setting up" not in second.text()
    assert sorted(parts.iterdir()) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_with_0_and_no_process_left(tmp_path: Path, number: signal.Signals) -> None:
    with launched(tmp_path, "run") as launcher:
        orthanc = launcher.orthanc()
        launcher.process.send_signal(number)
        assert launcher.process.wait(60) == 0
        assert not alive(orthanc)
        assert "Traceback" not in launcher.text()


def test_ctrl_c_of_a_terminal_reaches_all_and_still_ends_in_order(tmp_path: Path) -> None:
    with launched(tmp_path, "run") as launcher:
        orthanc = launcher.orthanc()
        os.killpg(launcher.process.pid, signal.SIGINT)
        assert launcher.process.wait(60) == 0
        assert not alive(orthanc)
        assert "Orthanc has stopped" in launcher.text()


def test_a_killed_launcher_takes_orthanc_along(tmp_path: Path) -> None:
    with launched(tmp_path, "run") as launcher:
        orthanc = launcher.orthanc()
        launcher.process.kill()
        assert gone(orthanc)


def test_orthanc_that_is_killed_is_an_error(tmp_path: Path) -> None:
    with launched(tmp_path, "run") as launcher:
        os.kill(launcher.orthanc(), signal.SIGKILL)
        assert launcher.process.wait(60) == 1
        assert "with code -9" in launcher.text().splitlines()[-1]


def test_shutdown_by_the_rest_api_is_a_good_end(tmp_path: Path) -> None:
    with launched(tmp_path, "run") as launcher:
        request = urllib.request.Request(f"http://127.0.0.1:{launcher.port}/tools/shutdown", b"")
        urllib.request.urlopen(request, timeout=30).read()
        assert launcher.process.wait(60) == 0


def test_a_configuration_goes_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{ "Name": "Mine", // a comment\n "STL": {"EnableNIfTI": false} }')
    with launched(tmp_path, "run", "--config", tmp_path / "mine.json") as launcher:
        assert launcher.get("/system")["Name"] == "Mine"
        written = json.loads((tmp_path / "data/orthanc.json").read_text())
        assert written["STL"] == {"EnableNIfTI": False, "EnableNexus": True}
        assert (tmp_path / "data/orthanc.json").stat().st_mode & 0o077 == 0, "it may hold passwords"


def test_nobody_else_reads_what_is_stored(tmp_path: Path) -> None:
    """The folder of an earlier version, which everybody could read, is closed as well."""
    for existing in (False, True):
        data = tmp_path / "data"
        if existing:
            for folder in (data, data / "files", data / "index"):
                folder.chmod(0o755)
        with launched(tmp_path, "run") as launcher:
            body = {"Tags": {"PatientName": f"Doe^{existing}"}, "Content": "data:application/pdf;base64,JVBERi0="}
            url = f"http://127.0.0.1:{launcher.port}/tools/create-dicom"
            request = urllib.request.Request(url, json.dumps(body).encode())
            urllib.request.urlopen(request, timeout=30).read()
        for folder in (data, data / "files", data / "index"):
            assert folder.stat().st_mode & 0o777 == 0o700, folder
        files = [file for file in data.rglob("*") if file.is_file()]
        assert len(files) >= 4
        assert all(file.stat().st_mode & 0o077 == 0 for file in files), files


def test_a_folder_of_a_persons_own_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data/notes.txt").touch()
    with launched(tmp_path, "run"):
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o755
        assert (tmp_path / "data/files").stat().st_mode & 0o777 == 0o700


def test_two_on_one_data_folder_are_refused(tmp_path: Path) -> None:
    with launched(tmp_path, "run"):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command: list[str | Path] = [
            REPOSITORY / "orthanc-stl",
            "run",
            "--port",
            str(port),
            "--data",
            tmp_path / "data",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "another orthanc-stl runs on the data in" in done.stderr


def test_the_demo_shows_its_links_and_they_work(tmp_path: Path) -> None:
    with launched(tmp_path, "demo") as launcher:
        launcher.wait_for_line("a model of any other structure")
        links = [word for word in launcher.text().split() if word.startswith(f"http://localhost:{launcher.port}/")]
        for link in links:
            with urllib.request.urlopen(link.split("#")[0], timeout=30) as answer:
                assert answer.status == 200, link
        modalities = [series["MainDicomTags"]["Modality"] for series in launcher.get("/series?expand")]
        assert sorted(modalities) == ["CT", "M3D", "RTSTRUCT"]
        instance = links[2].rpartition("=")[2]
        with urllib.request.urlopen(f"http://127.0.0.1:{launcher.port}/instances/{instance}/stl", timeout=30) as answer:
            stl = answer.read()
        assert len(stl) == 84 + 50 * int.from_bytes(stl[80:84], "little")
    with launched(tmp_path, "demo") as again:
        again.wait_for_line("a model of any other structure")
        assert len(again.get("/series")) == 3, "a second demo adds nothing"


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that everybody may read, with a checkout and the runtime, and a `home` of the user nobody."""
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/orthanc-stl-nobody-XXXXXX"], text=True).strip())
    folder.chmod(0o755)
    for name in ("orthanc-stl", "runtime", "orthanc_stl", "stl_plugin.py"):
        source, ignore = REPOSITORY / name, shutil.ignore_patterns("__pycache__", "node_modules")
        if source.is_dir():
            shutil.copytree(source, folder / "checkout" / name, ignore=ignore)
        else:
            (folder / "checkout").mkdir(exist_ok=True)
            shutil.copy2(source, folder / "checkout" / name)
    for part in private_runtime().folders().values():
        # Hard links where they can be made: the files are many.
        if subprocess.run(["cp", "-al", part, folder], stderr=subprocess.DEVNULL, check=False).returncode:
            subprocess.run(["cp", "-a", part, folder], check=True)
    (folder / "home").mkdir()
    os.chown(folder / "home", NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the user nobody: run the tests as root")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed: apt-get install util-linux")
def test_an_ordinary_user_with_a_checkout_and_runtime_that_cannot_be_written(shared: Path) -> None:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("the user nobody has no Python: apt-get install python3")
    prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    env = {"HOME": str(shared / "home"), "PATH": "/usr/bin:/bin", "ORTHANC_STL_RUNTIME": str(shared)}
    home = shared / "home"
    with launched(home, "run", script=shared / "checkout/orthanc-stl", prefix=prefix, env=env) as launcher:
        assert launcher.get("/plugins/python")["ID"] == "python"
        assert "orthanc-stl" in launcher.text()
        orthanc = launcher.orthanc()
        assert Path(f"/proc/{orthanc}").stat().st_uid == NOBODY
        launcher.process.terminate()
        assert launcher.process.wait(60) == 0
        assert not alive(orthanc)
