"""Programs that a test does nothing but wait for: begun with the first test, they run beside the others.

TYPES = Beside("mypy")

@pytest.mark.beside(TYPES)
def test_types() -> None:
    assert TYPES.done().returncode == 0
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


class Beside:
    """A command in the repository's folder, with whatever it starts, at the lowest priority."""

    def __init__(self, *command: str, env: dict[str, str] | None = None) -> None:
        self._command = command
        self._env = env
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (it is open for as long as the program runs)
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                ["nice", "-n", "19", *self._command],
                cwd=REPOSITORY,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process

    def done(self) -> subprocess.CompletedProcess[str]:
        """What it came to, once it is over."""
        status = self.begin().wait()
        self._output.seek(0)
        return subprocess.CompletedProcess(self._command, status, self._output.read())

    def stop(self) -> None:
        """Ends it if it still runs: nobody waits for it."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
