"""The interpreter of the workers is found, and asked who it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orthanc_stl.engine import python as finder


def test_ours_is_found() -> None:
    assert finder.why_not(finder.find_python()) is None


def test_the_configured_one_is_taken(python: str) -> None:
    assert finder.find_python(python) == python


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "no executable file"),
        ("#!/bin/sh\necho python 2 7\n", "not a Python 3."),
        ("#!/nonexistent/interpreter\n", "does not run"),
        ("#!/bin/sh\nexit 1\n", "not a Python 3."),
    ],
)
def test_a_wrong_one_is_refused_with_the_reason(tmp_path: Path, script: str, reason: str) -> None:
    path = tmp_path / "python"
    if script is not None:
        path.write_text(script)
        path.chmod(0o755)
    with pytest.raises(FileNotFoundError, match=reason) as caught:
        finder.find_python(str(path))
    assert '"PythonExecutable"' in str(caught.value)


@pytest.mark.parametrize("executable", ["", "/usr/sbin/Orthanc", "/lib64/ld-linux-x86-64.so.2", "/nowhere/python3"])
def test_in_the_embedded_interpreter_sys_executable_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert finder.why_not(finder.find_python()) is None


def test_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("prefix", "exec_prefix", "base_prefix", "base_exec_prefix"):
        monkeypatch.setattr(sys, name, "/nowhere")
    monkeypatch.setattr(sys, "executable", "")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FileNotFoundError, match='set the option "PythonExecutable"'):
        finder.find_python()


def test_a_worker_imports_what_we_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), "/not/there", *sys.path])
    path = finder.environment()["PYTHONPATH"].split(":")
    assert path[0] == str(tmp_path)
    assert "/not/there" not in path
