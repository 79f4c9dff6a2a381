"""The same options, and the print check, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import orthanc_stl as stl
from orthanc_stl.cli import main
from tests.conversion.test_prepare import BALL, FILE, HALVES, SMALL, made, near


def test_print_check_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ball.stl"
    made(2, resolution=64).save(file)
    assert main(["print-check", str(file), "--bed", "220,220,250", "--wall", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["WallMm"], found["BedMm"]) == (1, [220, 220, 250])
    assert (found["Parts"][0]["Problems"], found["Parts"][0]["SolidMl"]) == ([], near(SMALL, 0.02))


def test_a_cut_on_the_command_line(tmp_path: Path) -> None:
    source = tmp_path / "rtss.dcm"
    source.write_bytes(FILE)
    flags = ["--structure", "1", "--resolution", "48", "--cut", json.dumps(HALVES), "--mirror", "x"]
    flags += ["--text", json.dumps({"Text": "L", "Height": 5, "Depth": 1})]
    assert main(["convert", str(source), "-o", str(tmp_path / "ball.glb"), *flags]) == 0
    halves = stl.read(tmp_path / "ball.glb").mesh()
    assert [part.volume_ml for part in halves] == [near(BALL / 2, 0.02)] * 2


def test_another_size_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only where it is said to be meant."""
    source, model = tmp_path / "rtss.dcm", tmp_path / "ball.stl"
    source.write_bytes(FILE)
    flags = ["convert", str(source), "-o", str(model), "--structure", "2", "--resolution", "48", "--scale", "0.5"]
    assert main(flags) != 0
    assert "1:1" in capsys.readouterr().err
    assert not model.exists()
    assert main([*flags, "--model-modification"]) == 0
    assert stl.read(model).mesh().parts[0].volume_ml == near(SMALL / 8, 0.03)
