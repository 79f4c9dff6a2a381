"""Format, lint and types of the whole repository."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from tests.beside import REPOSITORY, Beside


def test_project_says_who_made_it_and_for_which_python() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["authors"]
    assert all(address.startswith("https://") for address in project["urls"].values())
    versions = {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)}
    assert versions < set(project["classifiers"])


TYPES = Beside(sys.executable, "-m", "mypy")


@pytest.mark.beside(TYPES)
def test_types() -> None:
    done = TYPES.done()
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.mark.parametrize("tool", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff(tool: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "ruff", *tool]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
