"""What all parts of the set-up share: the one error, the way of talking, and how other programs are called."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOCKS = Path(__file__).resolve().parent / "locks"

Say = Callable[[str], None]


class SetupError(Exception):
    """One sentence for the person at the terminal: what is missing, and what to do about it."""


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def call(command: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None) -> str:
    """What a program printed; `CalledProgramFailed` with its last lines if it failed."""
    done = subprocess.run(
        command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CalledProgramFailed(str(command[0]), done.returncode, done.stdout + done.stderr)
    return done.stdout


class CalledProgramFailed(SetupError):
    def __init__(self, program: str, code: int, output: str) -> None:
        self.output = output
        tail = [line.strip() for line in output.splitlines() if line.strip()][-3:]
        super().__init__(f"{Path(program).name} failed with code {code}: {' | '.join(tail) or 'it said nothing'}")
