"""The command `orthanc-stl` of the source tree: run, demo, test, bench, and those of the package."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from . import config as orthanc_config
from . import parts, setup, upload
from .common import REPOSITORY, SetupError, say
from .serve import ENDING_SIGNALS, OrthancProcess, check_port, make_private

DEFAULT_PORT = 8042

# Commands that the private Python runs with all further arguments: the module, and whether it needs all parts.
DELEGATED = {
    "test": (("pytest",), True),
    "bench": (("benchmarks",), True),
    "convert": (("orthanc_stl", "convert"), False),
    "structures": (("orthanc_stl", "structures"), False),
    "statistics": (("orthanc_stl", "statistics"), False),
    "compare": (("orthanc_stl", "compare"), False),
    "print-check": (("orthanc_stl", "print-check"), False),
    "plugin-path": (("orthanc_stl", "plugin-path"), False),
}

# Folders of tests that need no npm packages: `orthanc-stl test` with nothing but paths in them sets up none.
WITHOUT_NPM = tuple(f"tests/{name}" for name in ("conversion", "dicom", "engine", "mesh", "nexus", "sources"))


class Stopped(BaseException):
    """SIGTERM, SIGHUP or Ctrl-C arrived."""


def main(arguments: list[str]) -> int:
    for number in ENDING_SIGNALS:
        signal.signal(number, _stop)
    try:
        options, rest = _parser().parse_known_args(arguments)
        if options.command in DELEGATED:
            _delegate(options, rest)
        if rest:
            raise SetupError(f"unknown argument {rest[0]!r}; see orthanc-stl {options.command} --help.")
        return _run(options)
    except SetupError as error:
        say(f"orthanc-stl: {error}")
        return 1
    except Stopped:
        return 1 if arguments[0] in DELEGATED else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orthanc-stl",
        description="3D models in Orthanc. The first command sets up a private Orthanc in the user's cache folder.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("run", "run Orthanc with the plugin on this machine"),
        ("demo", "the same, with a synthetic study to try"),
    ):
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        command.add_argument("--port", type=int, help=f"the HTTP port (default {DEFAULT_PORT})")
        command.add_argument("--data", type=Path, help="the folder of the database and the files")
        command.add_argument("--config", type=Path, help="a JSON file of Orthanc's options, merged over the defaults")
        command.add_argument("--runtime", type=Path, help="the folder of the private runtime")
        command.add_argument(
            "--with", choices=sorted(setup.EXTRAS), action="append", default=[], dest="extras", metavar="EXTRA",
            help="also install: " + "; ".join(f"{name}, {extra.purpose}" for name, extra in setup.EXTRAS.items()),
        )  # fmt: skip
    for name, text in (
        ("test", "the test suite; further arguments go to pytest"),
        ("bench", "the benchmarks; further arguments go to them"),
        ("convert", "models without a server: convert FILE -o OUT.glb ..."),
        ("structures", "what is in a file"),
        ("statistics", "a table of the structures of a file"),
        ("compare", "Dice and surface distances of the structures of two files"),
        ("print-check", "what makes a print of the structures of a file fail"),
        ("plugin-path", "the lines that orthanc.json needs for the plugin"),
    ):
        command = commands.add_parser(name, help=text, add_help=False, allow_abbrev=False)
        command.add_argument("--runtime", type=Path, help=argparse.SUPPRESS)
    return parser


def _delegate(options: argparse.Namespace, rest: list[str]) -> NoReturn:
    """Becomes the private Python, running a module."""
    module, all_parts = DELEGATED[options.command]
    pages = all_parts and not (options.command == "test" and _without_npm(rest))
    runtime = setup.prepare(options.runtime, pages=pages, tests=all_parts)
    parts.hold(runtime.folders())
    env = runtime.env()
    if options.runtime:
        env["ORTHANC_STL_RUNTIME"] = str(options.runtime.resolve())
    if options.command == "test":
        os.chdir(REPOSITORY)
        if _whole_suite(rest):
            rest = ["--cov", *rest]
        elif _leaves_out_slow(rest):
            print('Slow tests are left out; -m "" runs them too.')
            rest = ["-m", "not slow", *rest]
    sys.stdout.flush()
    os.execve(runtime.python, [str(runtime.python), "-P", "-m", *module, *rest], env)


def _whole_suite(arguments: list[str]) -> bool:
    """Whether pytest's arguments leave nothing out: such a run ends with the coverage."""
    return all(argument in ("-q", "-v", "-x") for argument in arguments)


def _leaves_out_slow(arguments: list[str]) -> bool:
    """Whether the paths among pytest's arguments are folders, and no -m is there: what is tried often is quick."""
    paths = [argument for argument in arguments if argument.startswith("tests/")]
    marked = any(argument.startswith("-m") for argument in arguments)
    return bool(paths) and not marked and all((REPOSITORY / path).is_dir() for path in paths)


def _without_npm(arguments: list[str]) -> bool:
    """Whether the paths among pytest's arguments are all in folders that need no npm packages."""
    paths = [argument for argument in arguments if argument.startswith("tests")]
    return bool(paths) and all(path.startswith(WITHOUT_NPM) for path in paths)


def _run(options: argparse.Namespace) -> int:
    own = orthanc_config.read(options.config) if options.config else {}
    port = own.get("HttpPort", DEFAULT_PORT) if options.port is None else options.port
    check_port(port)
    data = (options.data or _default_data(options.command)).resolve()
    locked = _lock_data(data)
    runtime = setup.prepare(options.runtime, extras=options.extras)
    config = orthanc_config.complete(runtime, data, port, own)
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    orthanc = OrthancProcess(runtime, config, data)
    try:
        with _signals_arrive():
            orthanc.wait_until_it_answers()
            scheme = "https" if config.get("SslEnabled") else "http"
            say(f"\nOrthanc answers: {scheme}://localhost:{port}/app/explorer.html   (Ctrl-C ends it)")
            if options.command == "demo":
                upload.demo(runtime, data, port)
            orthanc.wait_for_its_end()
    except Stopped:
        say("Stopping Orthanc ...")
        return 0
    finally:
        code = orthanc.stop()
        os.close(locked)
    if code:
        raise SetupError(f"Orthanc ended with code {code}; its last lines above say why.")
    return 0


def _default_data(command: str) -> Path:
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(home) / "orthanc-stl" / ("demo" if command == "demo" else "data")


def _lock_data(data: Path) -> int:
    """An open file that keeps a second Orthanc away from this database."""
    try:
        # A folder of an earlier version is closed as well; one with other things in it is a person's own.
        if not data.exists() or (data / "lock").exists() or not any(data.iterdir()):
            make_private(data)
        file = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SetupError(
            f"another orthanc-stl runs on the data in {data}; choose another folder with --data."
        ) from error
    except OSError as error:
        raise SetupError(
            f"the data folder {data} cannot be used ({error.strerror}); choose another one with --data."
        ) from error
    return file


@contextmanager
def _signals_arrive() -> Iterator[None]:
    """Outside of it they are blocked: Orthanc is started and stopped without being interrupted at any step."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)


def _stop(number: int, frame: FrameType | None) -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    if number not in blocked:  # otherwise another one came at the same moment
        raise Stopped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
