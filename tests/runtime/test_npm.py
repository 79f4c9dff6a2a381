"""What npm is told when the packages of the web pages are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import wheels


def test_npm_trusts_the_certificates_that_this_machine_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bin", "folder"):
        (tmp_path / name).mkdir()
    certificates = tmp_path / "certificates.crt"
    certificates.touch()
    npm = tmp_path / "bin/npm"
    npm.write_text('#!/bin/sh\necho "$NODE_EXTRA_CA_CERTS" > told\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(wheels, "CERTIFICATES", certificates)
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    wheels.install_npm(tmp_path, tmp_path / "folder")
    assert (tmp_path / "folder/told").read_text() == f"{certificates}\n"
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/a/persons/own.crt")
    wheels.install_npm(tmp_path, tmp_path / "folder")
    assert (tmp_path / "folder/told").read_text() == "/a/persons/own.crt\n"
