"""Format, lint and types of the whole repository."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def test_project_says_who_made_it_and_for_which_python() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["authors"]
    assert all(address.startswith("https://") for address in project["urls"].values())
    versions = {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)}
    assert versions < set(project["classifiers"])


TOOLS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",))


@pytest.mark.parametrize("tool", TOOLS, ids=" ".join)
def test_tool(tool: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *tool], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
