"""Damaged files over HTTP: each is converted, or refused with a sentence, and never a 500.

Some end Orthanc itself while they are uploaded, without any plugin: these are left out.

The suite sends a few of each kind. Two thousand of each:

    ORTHANC_STL_MUTANTS=2000 ./orthanc-stl test tests/live/test_mutants.py
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from testing.data import shared_file
from testing.server import OrthancServer, Reply
from tests.live import samples
from tests.mutants import mutant
from tests.sources.test_mutants import FILES

COUNT = int(os.environ.get("ORTHANC_STL_MUTANTS", "12"))
DICOM = ("rtstruct", "encapsulated", "seg", "seg-labelmap", "rtdose", "surfaces")
OTHERS = {"nifti": "nii", "nrrd": "nrrd", "stl": "stl", "ply": "ply", "obj": "obj", "glb": "glb", "3mf": "3mf"}
"""Names among `FILES`, and how a file's name ends."""


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer(
        stl={"EnableNexus": True, "MaxNiftiMB": 16, "MaxVoxels": 5_000_000, "MaxTriangles": 100_000}
    ) as server:
        yield server


@pytest.fixture(scope="module")
def study(server: OrthancServer) -> str:
    image = server.upload(samples.image())
    return str(server.get(f"/instances/{image}/study").json()["ID"])


class PlainOrthanc:
    """An Orthanc without the plugin, for files that end Orthanc while they are uploaded; then it is started again."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "nothing.py"
        self._script.write_text("import orthanc\n")
        self._server = OrthancServer(plugin=self._script)

    def survives(self, data: bytes) -> bool:
        try:
            stored = self._server.post("/instances", data)
        except OSError:
            self.close()
            self._server = OrthancServer(plugin=self._script)
            return False
        if stored.status == 200:
            self._server.delete(f"/instances/{stored.json()['ID']}")
        return True

    def close(self) -> None:
        with self._server:
            pass


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainOrthanc]:
    with contextlib.closing(PlainOrthanc(tmp_path_factory.mktemp("plain"))) as plain:
        yield plain


def of_dicom(server: OrthancServer, data: bytes) -> list[Reply]:
    """The answers for a file that Orthanc stores; none if it refuses it."""
    stored = server.post("/instances", data)
    if stored.status != 200:
        return []
    instance = stored.json()["ID"]
    try:
        return [
            server.get(f"/instances/{instance}/stl/structures"),
            server.post("/stl/encode", {"Instance": instance, "All": True, "Resolution": 8, "Levels": ["50%"]}),
            server.get(f"/instances/{instance}/stl/statistics?resolution=8"),
        ]
    finally:
        server.delete(f"/instances/{instance}")


def of_content(server: OrthancServer, study: str, data: bytes, suffix: str) -> list[Reply]:
    content = "data:;base64," + base64.b64encode(data).decode()
    body = {"Content": content, "FileName": f"damaged.{suffix}"}
    return [
        server.post("/stl/structures", body),
        server.post("/stl/encode", body | {"Parent": study, "All": True, "Resolution": 8}),
    ]


def check(replies: list[Reply]) -> None:
    for reply in replies:
        assert reply.status in (200, 400, 404, 413), reply.body
        if reply.status != 200:
            assert reply.json()["Details"]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", DICOM)
def test_dicom(server: OrthancServer, plain: PlainOrthanc, name: str) -> None:
    data, chance = FILES[name][1](), Random(f"http {name}")
    assert [reply.status for reply in of_dicom(server, data)] == [200, 200, 200]
    for _ in range(COUNT):
        damaged = mutant(data, chance)
        if plain.survives(damaged):
            check(of_dicom(server, damaged))


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", OTHERS)
def test_other_files(server: OrthancServer, study: str, name: str) -> None:
    data, chance = FILES[name][1](), Random(f"http {name}")
    assert {reply.status for reply in of_content(server, study, data, OTHERS[name])} <= {200, 400}
    for _ in range(COUNT):
        check(of_content(server, study, mutant(data, chance), OTHERS[name]))


@pytest.mark.timeout(7200)
def test_nexus_files(server: OrthancServer) -> None:
    data, chance = shared_file("nexus/box12.nxs").read_bytes(), Random("http nexus")
    for damaged in [data, *(mutant(data, chance) for _ in range(COUNT))]:
        content = base64.b64encode(damaged).decode()
        reply = server.post("/stl/create-nexus", {"Content": content, "Tags": {"SeriesDescription": "damaged"}})
        assert reply.status == 200 or damaged != data
        check([reply])


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("path", ["/stl/encode", "/stl/encode-nifti", "/stl/create-nexus", "/stl/compare"])
def test_bodies(server: OrthancServer, study: str, path: str) -> None:
    file = "data:;base64,AAAA"
    body = {
        "Parent": study, "ParentStudy": study, "Resolution": 8, "Labels": [1], "All": True, "Tags": {"0018,1030": "x"},
        "Content": file, "Nifti": file, "A": {"Content": file}, "B": {"Instance": study},
    }  # fmt: skip
    data, chance = json.dumps(body).encode(), Random(f"http {path}")
    for _ in range(COUNT):
        check([server.post(path, mutant(data, chance))])
