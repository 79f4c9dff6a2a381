"""The examples of the README, as they stand there, against a real Orthanc."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest

from runtime.common import REPOSITORY
from runtime.phantom.study import study
from testing.server import OrthancServer

README = (REPOSITORY / "README.md").read_text()
SECTION = README.partition("## The REST API")[2].partition("\n## ")[0]
REST, CREATE_DICOM = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: apt-get install curl")


@pytest.fixture(scope="module")
def server() -> object:
    with OrthancServer() as server:
        yield server


@pytest.fixture(scope="module")
def folder(server: OrthancServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the files that the examples name."""
    folder = tmp_path_factory.mktemp("readme")
    files = dict(study())
    for name in ("ct-001.dcm", "structures.dcm"):
        files[name].save_as(folder / name, enforce_file_format=True)
    volume = np.zeros((20, 20, 20), np.uint8)
    volume[5:15, 5:15, 5:15] = 5
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), folder / "seg.nii.gz")
    return folder


def shell(server: OrthancServer, folder: Path, text: str, **variables: str) -> str:
    script = "set -e\n" + text.replace("http://localhost:8042", server.url).replace("curl ", "curl -sSf ")
    env = {**os.environ, **variables}
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_examples_work(server: OrthancServer, folder: Path) -> None:
    structures = server.upload((folder / "structures.dcm").read_bytes())
    parent = server.get(f"/instances/{structures}/study").json()["ID"]
    heart = server.post("/stl/encode-rtstruct", {"Instance": structures, "RoiNames": ["Heart"]}).json()["ID"]
    printed = shell(server, folder, REST, RTSS=structures, STUDY=parent, ID=heart)
    assert '"Heart"' in printed
    assert len(server.get("/instances").json()) == 4, "the structure set, two hearts, a cube"
    stl = (folder / "heart.stl").read_bytes()
    assert len(stl) == 84 + 50 * int.from_bytes(stl[80:84], "little")

    shutil.copyfile(folder / "heart.stl", folder / "model.stl")
    before = set(server.get("/instances").json())
    shell(server, folder, CREATE_DICOM, STUDY=parent)
    (created,) = set(server.get("/instances").json()) - before
    assert server.get(f"/instances/{created}/stl").body == stl
    (folder / "created.dcm").write_bytes(server.get(f"/instances/{created}/file").body)
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed: apt-get install dicom3tools")
    checked = subprocess.run(["dciodvfy", folder / "created.dcm"], capture_output=True, text=True, check=False).stderr
    assert [line for line in checked.splitlines() if line.startswith("Error")] == []
