"""PrusaSlicer, a program that prints: it takes our 3MF and STL files as they are and slices them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import orthanc_stl as stl
from testing.data import shared_file

SLICER = shutil.which("prusa-slicer")
ORGANS = (14, 15, 21, 23, 25)
"""Of the Pinnacle file: prostate, seminal vesicles, rectum, a femur's head, bulb."""

QUICK = ("--nozzle-diameter", "1", "--layer-height", "0.8", "--first-layer-height", "0.8", "--fill-density", "0%")


@pytest.fixture(scope="module")
def organs() -> list[stl.Model]:
    structures = stl.read(shared_file("rtstruct/pinnacle96-prostate/rtss.dcm"))
    return [structures.mesh(n, resolution=64, tolerance=0.1, keep_largest=True, fill_cavities=True) for n in ORGANS]


@pytest.mark.slow
@pytest.mark.skipif(SLICER is None, reason="PrusaSlicer is not installed (Debian package prusa-slicer)")
@pytest.mark.parametrize("suffix", ["3mf", "stl"])
def test_five_organs_are_sliced_without_repair(suffix: str, organs: list[stl.Model], tmp_path: Path) -> None:
    for model in organs:
        path = tmp_path / f"organ.{suffix}"
        model.save(path)
        facts = _slicer("--info", path)
        assert "manifold = yes" in facts
        assert f"number_of_facets = {len(model.parts[0].mesh.triangles)}" in facts
        assert re.search(r"number_of_parts = +1\n", facts)
        volume = re.search(r"volume = ([\d.]+)", facts)
        assert volume is not None
        assert float(volume[1]) / 1000 == pytest.approx(model.parts[0].volume_ml, rel=1e-3)
        told = facts + _slicer("--export-gcode", *QUICK, "--output", tmp_path / "out.gcode", path)
        assert not re.search("repair|open.edges|error|warning", told, re.IGNORECASE), told
        assert "G1 " in (tmp_path / "out.gcode").read_text()


def _slicer(*arguments: str | Path) -> str:
    done = subprocess.run(
        [str(SLICER), "--loglevel", "2", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
