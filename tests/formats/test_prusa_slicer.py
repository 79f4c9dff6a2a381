"""PrusaSlicer, a program that prints: it takes our 3MF and STL files as they are and slices them."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import orthanc_stl as stl
from testing.data import shared_file
from testing.scenes import part, sphere

SLICER = shutil.which("prusa-slicer")
needs_slicer = pytest.mark.skipif(SLICER is None, reason="PrusaSlicer is not installed (Debian package prusa-slicer)")
ORGANS: tuple[tuple[int, dict[str, Any]], ...] = (
    (14, {"margin": {"XPlus": 3, "YMinus": 2, "ZPlus": 5}}),
    (15, {"subtract": [14], "mirror": "x"}),
    (21, {"shell": {"Wall": 2, "Drain": {"Diameter": 4}}}),
    (23, {"label": {"Text": "R", "Height": 8, "Depth": 1, "At": "right"}}),
    (25, {"smooth_mm": 3, "margin": 1}),
)
"""Of the Pinnacle file, and what is done to each: prostate, seminal vesicles, rectum, a femur's head, bulb."""

QUICK = ("--nozzle-diameter", "1", "--layer-height", "0.8", "--first-layer-height", "0.8", "--fill-density", "0%")


@pytest.fixture(scope="module")
def organs() -> list[stl.Model]:
    structures = stl.read(shared_file("rtstruct/pinnacle96-prostate/rtss.dcm"))
    printable = {"resolution": 64, "tolerance": 0.1, "keep_largest": True, "fill_cavities": True}
    return [structures.mesh(number, **printable | options) for number, options in ORGANS]


def printed() -> stl.Model:
    """Two red balls and a larger green one, of which the first in the file is in the middle."""
    red, green = (255, 0, 0), (0, 255, 0)
    return stl.Model((
        part(5, 'PTV <1> & "Größe"', sphere(6, (40, 25, -130), 8), color=red),
        part(2, "Heart", sphere(12, (0, 20, -120), 8), color=green),
        part(3, "PTV 2", sphere(5, (80, 20, -120), 8), color=red),
    ))  # fmt: skip


@needs_slicer
def test_each_color_has_its_extruder(tmp_path: Path) -> None:
    printed().save(tmp_path / "scene.3mf")
    _slicer("--export-3mf", "--output", tmp_path / "out.3mf", tmp_path / "scene.3mf")
    with zipfile.ZipFile(tmp_path / "out.3mf") as archive:
        config = ElementTree.fromstring(archive.read("Metadata/Slic3r_PE_model.config"))
        model = ElementTree.fromstring(archive.read("3D/3dmodel.model"))
    told = [{one.get("key"): one.get("value") for one in volume.iter("metadata")} for volume in config.iter("volume")]
    assert [(one["name"], one["extruder"]) for one in told] == [
        ("Heart", "1"), ('PTV <1> & "Größe"', "2"), ("PTV 2", "2"),
    ]  # fmt: skip
    counts = [len(list(mesh.iter())) for mesh in model.iter() if mesh.tag.endswith("}triangles")]
    assert counts == [1 + len(one.mesh.triangles) for one in printed()]


@needs_slicer
@pytest.mark.parametrize(("nozzles", "tools"), [("1,1", {"T0", "T1"}), ("1", set())])
def test_a_printer_changes_its_tool_if_it_has_several(nozzles: str, tools: set[str], tmp_path: Path) -> None:
    printed().save(tmp_path / "scene.3mf")
    several = ("--nozzle-diameter", nozzles, *QUICK[2:])
    _slicer("--export-gcode", *several, "--output", tmp_path / "out.gcode", tmp_path / "scene.3mf")
    assert set(re.findall(r"^T\d+", (tmp_path / "out.gcode").read_text(), re.MULTILINE)) == tools


@pytest.mark.slow
@needs_slicer
@pytest.mark.parametrize("suffix", ["3mf", "stl"])
def test_five_organs_after_operations_are_sliced_without_repair(
    suffix: str, organs: list[stl.Model], tmp_path: Path
) -> None:
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
