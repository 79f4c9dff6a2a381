"""A source and a format that nobody knew: a file each, as docs/adding-a-format.md shows them, and an entry each.

They are driven through the API, the command line and, on a real Orthanc, through REST, without another change.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.server import OrthancServer
from tests.live import samples

FOLDER = Path(__file__).parent / "toys"
PATH = f"{FOLDER}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
SPHERES = b"SPHERES\n1 Left 10 0 0 0\n2 Right 5 30 0 0\n"


def run(code: str, *arguments: str) -> str:
    """Python with the toys in its registries: toys/sitecustomize.py has the two lines."""
    environment = os.environ | {"PYTHONPATH": PATH}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_each_is_short() -> None:
    for name in ("toy_source.py", "toy_format.py"):
        assert (FOLDER / name).read_text("utf-8").count("\n") < 60


def test_the_page_has_them_as_they_stand() -> None:
    page = (FOLDER.parents[1] / "docs/adding-a-format.md").read_text("utf-8")
    entry, source, write, line = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    entries, reader, writer = (
        (FOLDER / f"{name}.py").read_text("utf-8") for name in ("sitecustomize", "toy_source", "toy_format")
    )
    assert entry.replace("orthanc_stl.sources.spheres", "toy_source") in entries.replace("kinds.", "")
    assert line.replace("orthanc_stl.formats.points", "toy_format").strip(" \n,") in entries
    assert write in writer
    assert [name for name in re.findall(r"(?:class|def) \w+", source) if name not in reader] == []


def test_by_the_api(tmp_path: Path) -> None:
    (tmp_path / "two.spheres").write_bytes(SPHERES)
    code = """
import sys, orthanc_stl as stl
structures = stl.read(sys.argv[1])
model = structures.mesh(["Left"], resolution=64)
model.save(sys.argv[2])
print(structures.names, round(model["Left"].volume_ml, 2), model["Left"].closed)
"""
    out = run(code, str(tmp_path / "two.spheres"), str(tmp_path / "left.xyz"))
    assert out.startswith("['Left', 'Right'] 4.")
    assert out.endswith("True\n")
    assert (tmp_path / "left.xyz").read_text("utf-8").startswith("# Left\n")


def test_by_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "two.spheres").write_bytes(SPHERES)
    code = "import sys; from orthanc_stl.cli import main; sys.exit(main(sys.argv[1:]))"
    assert "Right" in run(code, "structures", str(tmp_path / "two.spheres"))
    run(code, "convert", str(tmp_path / "two.spheres"), "--resolution", "64", "-o", str(tmp_path / "both.xyz"))
    assert (tmp_path / "both.xyz").read_text("utf-8").count("#") == 2


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer(env={"PYTHONPATH": PATH}) as server:
        yield server


def test_by_rest(server: OrthancServer) -> None:
    study = server.get(f"/instances/{server.upload(samples.image())}/study").json()["ID"]
    found = server.post("/stl/structures", {"Content": data_uri(SPHERES)}).json()
    assert [one["Name"] for one in found] == ["Left", "Right"]
    made = server.post("/stl/encode", {"Content": data_uri(SPHERES), "Parent": study, "All": True, "Separate": True})
    assert [one["VolumeMl"] for one in made.json()["Models"]] == pytest.approx([4.19, 0.52], rel=0.03)
    assert "xyz" in [one["Suffix"] for one in server.get("/stl/formats").json()]
    scene = server.get(f"/series/{made.json()['ParentSeries']}/stl/scene.xyz")
    assert (scene.status, scene.body.count(b"#")) == (200, 2)


def data_uri(file: bytes) -> str:
    return "data:;base64," + base64.b64encode(file).decode()
