"""Running Orthanc: start it, wait until it answers, end it, and leave nothing behind."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import IO

from . import parts
from .common import SetupError
from .config import Config
from .setup import Runtime

START_SECONDS = 60.0
STOP_SECONDS = 20.0  # Orthanc ends in 2 s with a busy worker; more than this and it is stuck
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_PR_SET_PDEATHSIG = 1


class OrthancProcess:
    """An Orthanc that this process started. `log` is where its output goes (None: the terminal).

    Its configuration is written to `folder`/orthanc.json, where it stays: /tools/reset reads it again.
    Who may get an exception from a signal handler blocks `ENDING_SIGNALS` while it is made, and while it is stopped.
    """

    def __init__(
        self,
        runtime: Runtime,
        config: Config,
        folder: Path,
        log: IO[bytes] | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        self.port = int(config["HttpPort"])
        for key in ("StorageDirectory", "IndexDirectory"):
            make_private(Path(config[key]), within=folder)
        self._held = parts.hold(runtime.folders())
        self.process = subprocess.Popen(
            [runtime.orthanc, _write_private(folder / "orthanc.json", json.dumps(config, indent=4))],
            env=runtime.env() | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            umask=0o077,  # what it stores is of patients
            process_group=0,  # Ctrl-C reaches us alone; we end Orthanc in order
            preexec_fn=_prepare_child,
        )

    def wait_for_its_end(self) -> None:
        self._exit_code(0)

    def stop(self, at_once: bool = False) -> int:
        """Ends Orthanc and returns its exit code.

        It is killed if it does not end in time, or if a blocked one of `ENDING_SIGNALS` came: the person means it.
        """
        self.process.terminate()
        end = time.monotonic() + STOP_SECONDS
        while not at_once and self.process.poll() is None:
            time.sleep(0.005)
            at_once = time.monotonic() > end or not signal.sigpending().isdisjoint(ENDING_SIGNALS)
        self.process.kill()  # does nothing if it has ended
        code = self.process.wait()
        for file in self._held:
            os.close(file)
        self._held = []
        return code

    def wait_until_it_answers(self) -> None:
        """`SetupError` if it ends before, or takes too long."""
        end = time.monotonic() + START_SECONDS
        while not answers(self.port):
            code = self._exit_code(os.WNOHANG)
            if code is not None:
                raise SetupError(f"Orthanc ended at once with code {code}; its last lines above say why.")
            if time.monotonic() > end:
                raise SetupError(f"Orthanc did not answer within {START_SECONDS:.0f} s.")
            time.sleep(0.02)

    def _exit_code(self, options: int) -> int | None:
        """That of an Orthanc that has ended. `Popen.poll` and `wait` keep a lock if a signal's exception ends them."""
        ended = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT | options)
        return ended and (ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)


def answers(port: int) -> bool:
    """Whether a server answers on that port of this machine. Any answer counts: it may want a password, or TLS."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/system")
        connection.getresponse().read()
    except (ConnectionRefusedError, TimeoutError):
        return False
    except (OSError, http.client.HTTPException):
        return True
    finally:
        connection.close()
    return True


def check_port(port: int) -> None:
    """`SetupError` if that is no port, or something listens on it already."""
    if not isinstance(port, int) or not 1 <= port <= 65535:
        raise SetupError(f"port {port} cannot be used (it must be a number from 1 to 65535).")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = error.strerror
            raise SetupError(f"port {port} cannot be used ({reason}); choose another one with --port.") from error


def make_private(folder: Path, within: Path | None = None) -> None:
    """A folder for the owner's eyes only, made if need be. One of a person's own outside `within` stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if within is None or folder.is_relative_to(within):
        folder.chmod(0o700)


def _write_private(file: Path, text: str) -> Path:
    """A file for the owner's eyes only, since a configuration may hold passwords."""
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_text(text)
    return file


def _prepare_child() -> None:
    """In the new process, before it becomes Orthanc."""
    # If this launcher is killed outright, the kernel ends Orthanc as SIGTERM would. It watches the thread that started
    # Orthanc: that has to be one that stays.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
