"""Set-up of the runtime's parts: whole or not at all, once, and only what changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime import parts
from runtime.__main__ import _leaves_out_slow, _whole_suite, _without_npm
from runtime.common import REPOSITORY, SetupError
from runtime.parts import Part


def part(name: str = "site", *depends_on: str, log: Path | None = None) -> Part:
    def build(folder: Path) -> None:
        (folder / "file").write_text("whole")
        if log:
            with log.open("a") as file:
                file.write(f"{name} {' '.join(depends_on)}\n")

    return Part(name, f"part {name}", depends_on, build)


def quiet(line: str) -> None:
    pass


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name != "lock")


def test_a_part_is_built_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for _ in range(3):
        folders = parts.prepare(tmp_path / "r", [part("site", "1", log=log)], quiet)
    assert (folders["site"] / "file").read_text() == "whole"
    assert log.read_text() == "site 1\n"


def test_only_the_part_whose_lock_changed_is_built_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parts.prepare(tmp_path / "r", [part("site", "1", log=log), part("npm", "1", log=log)], quiet)
    parts.prepare(tmp_path / "r", [part("site", "1", log=log), part("npm", "2", log=log)], quiet)
    assert log.read_text().splitlines() == ["site 1", "npm 1", "npm 2"]
    assert len(names(tmp_path / "r")) == 2, "the old one is gone"


def test_a_folder_in_use_is_kept(tmp_path: Path) -> None:
    old = parts.prepare(tmp_path, [part("site", "1")], quiet)
    held = parts.hold(old)
    parts.prepare(tmp_path, [part("site", "2")], quiet)
    assert (old["site"] / "file").exists()
    for file in held:
        os.close(file)
    parts.prepare(tmp_path, [part("site", "3")], quiet)
    assert names(tmp_path) == [part("site", "3").folder(tmp_path).name]


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise SetupError("no network.")

    with pytest.raises(SetupError, match="no network"):
        parts.prepare(tmp_path, [Part("site", "site", ("1",), fail)], quiet)
    assert names(tmp_path) == []
    assert parts.prepare(tmp_path, [part("site", "1")], quiet)["site"].is_dir()


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder / "big"))

    with pytest.raises(SetupError, match="Packages: No space left on device"):
        parts.prepare(tmp_path, [Part("site", "Packages", ("1",), fail)], quiet)


SLOW = """
import sys, time
from pathlib import Path
from runtime import parts
def build(folder):
    (folder / "half").touch()
    with open(sys.argv[2], "a") as log:
        log.write("built\\n")
    time.sleep(float(sys.argv[3]))
    (folder / "file").touch()
folder = parts.prepare(Path(sys.argv[1]), [parts.Part("site", "site", ("1",), build)], lambda line: None)["site"]
assert (folder / "file").exists()
"""


def slow_set_up(runtime: Path, log: Path, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SLOW, runtime, log, str(seconds)], cwd=REPOSITORY)


def wait_for(file: Path) -> None:
    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_set_up_killed_in_the_middle_is_redone(tmp_path: Path) -> None:
    runtime, log = tmp_path / "r", tmp_path / "log"
    killed = slow_set_up(runtime, log, 30)
    wait_for(log)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert [name[:10] for name in names(runtime)] == [".building-"]
    assert slow_set_up(runtime, log, 0).wait(20) == 0
    assert [name[:5] for name in names(runtime)] == ["site-"]


def test_what_a_killed_set_up_still_writes_is_not_in_the_next_one(tmp_path: Path) -> None:
    """As a download of apt or pip does that outlives the launcher."""
    runtime, log = tmp_path / "r", tmp_path / "log"
    killed = slow_set_up(runtime, log, 30)
    wait_for(log)
    killed.kill()
    killed.wait()
    (abandoned,) = runtime.glob(".building-*")

    def build(folder: Path) -> None:
        abandoned.mkdir(exist_ok=True)
        (abandoned / "late").touch()
        (folder / "file").touch()

    folder = parts.prepare(runtime, [Part("site", "site", ("1",), build)], quiet)["site"]
    assert sorted(file.name for file in folder.iterdir()) == ["file", "in-use"]
    parts.prepare(runtime, [part("site", "2")], quiet)
    assert names(runtime) == [part("site", "2").folder(runtime).name]


def test_an_old_part_whose_removal_is_interrupted_is_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = parts.prepare(tmp_path, [part("site", "1")], quiet)["site"]

    def interrupt(folder: Path, **_: object) -> None:
        if folder.name.startswith(".removing"):
            (folder / "file").unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", interrupt)
        with pytest.raises(KeyboardInterrupt):
            parts.prepare(tmp_path, [part("site", "2")], quiet)
    assert not old.exists()
    assert (parts.prepare(tmp_path, [part("site", "1")], quiet)["site"] / "file").exists()
    assert names(tmp_path) == [old.name], "the rest was removed"


def test_two_at_once_build_once(tmp_path: Path) -> None:
    runtime, log = tmp_path / "r", tmp_path / "log"
    both = [slow_set_up(runtime, log, 0.5) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert log.read_text() == "built\n"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"/file/r cannot be written .*--runtime"):
        parts.prepare(tmp_path / "file" / "r", [part()], quiet)


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        ([], False),
        (["-x"], False),
        (["tests/mesh", "-m", "not slow"], True),
        (["-q", "tests/dicom/test_values.py", "tests/sources"], True),
        (["tests/mesh", "tests/browser"], False),
    ],
)
def test_tests_of_the_geometry_need_no_npm(arguments: list[str], without: bool) -> None:
    assert _without_npm(arguments) is without


@pytest.mark.parametrize(
    ("arguments", "whole"), [([], True), (["-q"], True), (["tests"], False), (["-k", "keyhole"], False)]
)
def test_a_run_that_leaves_nothing_out_prints_the_coverage(arguments: list[str], whole: bool) -> None:
    assert _whole_suite(arguments) is whole


@pytest.mark.parametrize(
    ("arguments", "leaves_out"),
    [
        (["tests/mesh"], True),
        (["tests/mesh/", "-x"], True),
        (["tests/mesh", "--durations=5"], True),
        (["tests/mesh", "tests/dicom", "-k", "gap"], True),
        ([], False),
        (["tests"], False),
        (["tests/mesh", "-m", ""], False),
        (["tests/mesh", "-mslow"], False),
        (["tests/mesh/test_build.py"], False),
        (["tests/mesh", "tests/dicom/test_values.py"], False),
    ],
)
def test_folders_leave_out_what_is_slow_unless_marks_are_given(arguments: list[str], leaves_out: bool) -> None:
    assert _leaves_out_slow(arguments) is leaves_out
