"""Format, lint and types of the whole repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


TOOLS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",))


@pytest.mark.parametrize("tool", TOOLS, ids=" ".join)
def test_tool(tool: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *tool], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
