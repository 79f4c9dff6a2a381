"""Packages that only some need are parts of their own, asked for once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import parts, setup, wheels
from runtime.__main__ import main


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The lock files that would be installed."""
    locks: list[tuple[str, ...]] = []
    monkeypatch.setattr("runtime.debian.build", lambda folder: (folder / "usr").mkdir())
    monkeypatch.setattr(wheels, "install_wheels", lambda root, folder, *names: locks.append(names))
    return locks


def prepare(runtime: Path, *extras: str) -> setup.Runtime:
    return setup.prepare(runtime, pages=False, extras=extras, say=lambda line: None)


def test_without_being_asked_for_it_is_not_installed(built: list[tuple[str, ...]], tmp_path: Path) -> None:
    assert prepare(tmp_path).extras == ()
    assert built == [("run.txt",)]


def test_once_asked_for_it_is_there_at_every_start(built: list[tuple[str, ...]], tmp_path: Path) -> None:
    first = prepare(tmp_path, "nexus")
    assert built == [("run.txt",), ("nexus.txt",)]
    assert str(first.extras[0]) in first.env()["PYTHONPATH"].split(":")
    parts.hold(first.folders())  # whose files are there
    assert prepare(tmp_path) == first
    assert len(built) == 2


def test_the_help_says_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "pymeshlab, which makes Nexus models from STL (280 MiB)" in " ".join(capsys.readouterr().out.split())
