"""The examples of docs/rest.md, run one after the other in a shell, against a real Orthanc."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_stl.formats import glb
from orthanc_stl.formats.base import WriteOptions
from testing import phantoms
from testing.server import OrthancServer
from tests.live.samples_nifti import nifti_files
from tests.sources import test_mutants as mutants
from tests.sources.test_meshes import two_parts
from tests.sources.test_places import UPLOADED

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(sh|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = "--- end of an example ---"


def examples() -> list[tuple[str, str]]:
    """Each command, and the answer that the page shows after it, if any."""
    found: list[tuple[str, str]] = []
    for kind, text in _FENCE.findall((DOCS / "rest.md").read_text("utf-8")):
        if kind == "sh":
            found.append((text, ""))
        else:
            found[-1] = (found[-1][0], text)
    return found


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OrthancServer, list[str]]]:
    """What each command printed. All run in one shell, so that variables are kept."""
    if shutil.which("jq") is None or shutil.which("curl") is None:
        pytest.skip("jq or curl is not here: install them")
    folder = tmp_path_factory.mktemp("docs")
    (folder / "mask.nii.gz").write_bytes(dict(nifti_files())["sphere_u8.nii.gz"])
    (folder / "organs.nrrd").write_bytes(mutants.nrrd())
    (folder / "kidneys.glb").write_bytes(glb.write(two_parts(), WriteOptions()))
    with OrthancServer() as server:
        instance = server.upload(phantoms.structure_set())
        study = server.get(f"/instances/{instance}/study").json()["ID"]
        for image in phantoms.ct_slices():
            series = server.get(f"/instances/{server.upload(image)}/series").json()["ID"]
        script = ["set -euo pipefail", 'curl() { command curl --fail-with-body "$@"; }']
        script += [f"INSTANCE={instance}", f"STUDY={study}", f"SERIES={series}"]
        for variable, name in UPLOADED.items():
            script += [f"{variable}={server.upload(mutants.FILES[name][1]())}"]
        script += [f"{{\n{command}}}{allowed(shown)}\necho; echo '{_MARK}'" for command, shown in examples()]
        done = subprocess.run(
            ["bash", "-c", "\n".join(script).replace("http://localhost:8042", server.url)],
            cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        yield server, done.stdout.split(_MARK)


def allowed(shown: str) -> str:
    """One example shows an error."""
    return " || true" if "HttpError" in shown else ""


def test_every_example_runs(outputs: tuple[OrthancServer, list[str]]) -> None:
    assert len(outputs[1]) == len(examples()) + 1


@pytest.mark.parametrize("number", range(len(examples())))
def test_answers_are_laid_out_as_the_page_says(outputs: tuple[OrthancServer, list[str]], number: int) -> None:
    shown = examples()[number][1]
    printed = outputs[1][number].strip()
    if shown:
        assert layout(json.loads(printed)) == layout(json.loads(shown))
    elif printed:
        json.loads(printed)


def layout(value: Any) -> Any:
    """The names of fields, in lists those of the first item."""
    if isinstance(value, dict):
        return {key: layout(inner) for key, inner in value.items() if key not in ("Contours", "Parameters")}
    return layout(value[0]) if isinstance(value, list) and value and isinstance(value[0], dict) else None


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not here: install dicom3tools")
def test_the_tags_for_create_dicom_make_it_conformant(outputs: tuple[OrthancServer, list[str]], tmp_path: Path) -> None:
    server, printed = outputs
    number = next(n for n, (command, _) in enumerate(examples()) if "create-dicom" in command)
    path = json.loads(printed[number])["Path"]
    (tmp_path / "model.dcm").write_bytes(server.get(path + "/file").body)
    said = subprocess.run(["dciodvfy", tmp_path / "model.dcm"], capture_output=True, text=True, check=False).stderr
    assert "EncapsulatedSTL" in said
    assert not [line for line in said.splitlines() if line.startswith("Error")], said


def test_every_route_is_on_the_page() -> None:
    from orthanc_stl.rest.routes.table import NEXUS_ROUTES, ROUTES

    page = (DOCS / "rest.md").read_text("utf-8")
    for route in ROUTES + NEXUS_ROUTES:
        assert shape_of_url(route.pattern) in shape_of_url(page), route.pattern


def shape_of_url(text: str) -> str:
    """Groups of a pattern, and what a page calls them, as `*`."""
    text = re.sub(r"\{[a-z]+\}", "*", text.replace("(.*)", ""))
    return re.sub(r"\((?:[^()]|\([^()]*\))*\)", "*", text).replace("\\", "")
