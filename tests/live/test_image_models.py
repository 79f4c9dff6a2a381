"""Models of images on a real Orthanc: thresholds, where they are stored, memory."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from testing.data import shared_files
from testing.image_phantoms import single_frame
from testing.server import OrthancServer
from tests.live.test_images import described, level, truth, upload

MEMORY_MB = 50
"""What a CT of 500 slices may cost Orthanc, besides its own cache of files."""


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as server:
        yield server


def test_a_threshold_of_a_real_ct_becomes_a_model(server: OrthancServer) -> None:
    files = [file.read_bytes() for file in shared_files("rtstruct/mim-ibsi-STS_019/CT/image/*.dcm")]
    if not files:
        pytest.skip("the images of STS_019 are not here")
    series = upload(server, files)
    expected = truth(files)
    voxels = np.stack([values for _, values, _ in expected])
    each = 0.976562**2 * 3.27 / 1000
    assert [one["Name"] for one in server.get(f"/series/{series}/stl/structures").json()] == ["Bone", "Skin", "Lungs"]
    full = {"Series": series, "Tolerance": 0}
    reply = server.post("/stl/encode", full | {"Threshold": 300, "Upper": 1000, "MinVolumeMl": 0.1})
    assert reply.status == 200, reply.body
    answer = reply.json()
    assert answer["VolumeMl"] < ((voxels >= 300) & (voxels <= 1000)).sum() * each
    assert any("left out" in warning for warning in answer["Warnings"])
    for threshold in (300, -300):
        answer = server.post("/stl/encode", full | {"Threshold": threshold}).json()
        assert answer["VolumeMl"] == pytest.approx((voxels >= threshold).sum() * each, rel=0.01)
    model = pydicom.dcmread(io.BytesIO(server.get(f"/instances/{answer['ID']}/file").body))
    assert model.FrameOfReferenceUID == expected[0][2].FrameOfReferenceUID
    assert model.StudyInstanceUID == expected[0][2].StudyInstanceUID
    references = {item.ReferencedSOPInstanceUID for item in model.SourceInstanceSequence}
    assert references == {ds.SOPInstanceUID for _, _, ds in expected}
    both = server.post("/stl/encode", full | {"Structures": ["Bone", "Skin"], "Separate": True}).json()
    assert [one["Name"] for one in both["Models"]] == ["Bone", "Skin"]
    for body, words in (
        ({"Series": series, "Threshold": 99_999}, "HU, as the images are"),
        ({"Series": series, "Preset": "liver"}, "bone, skin, lung"),
        ({"Series": series, "Instance": answer["ID"], "Threshold": 1}, "Instance and Series"),
    ):
        reply = server.post("/stl/encode", body)
        assert reply.status == 400
        assert words in reply.json()["Details"]


def test_500_slices_cost_orthanc_little_memory(tmp_path: Path) -> None:
    """Besides Orthanc's own cache of files, which is switched off here; it fills whenever images are looked at."""
    j, i = np.mgrid[:512, :512] - 255.5
    noise = np.random.default_rng(0).normal(0, 20, (512, 512))
    rod = (noise + 1000 * np.clip(60.5 - np.hypot(i, j), 0, 1)).astype(np.int16)
    with OrthancServer(config={"MaximumStorageCacheSize": 0}, data=tmp_path, last=True) as server:
        for z in range(500):
            instance = server.upload(single_frame(rod, (0, 0, z), z, seed="long"))
        series = server.get(f"/instances/{instance}").json()["ParentSeries"]
        before = resident_mb(server.pid)
        found = described(server, series)
        coarse = level(server, found, 8)
        assert coarse.shape == (63, 64, 64)
        reply = server.post("/stl/encode", {"Series": series, "Threshold": 500, "Resolution": 128, "Tolerance": 0})
        assert reply.status == 200, reply.body
        assert reply.json()["VolumeMl"] == pytest.approx((rod >= 500).sum() * 500 / 1000, rel=0.01)
        assert resident_mb(server.pid) - before < MEMORY_MB


def resident_mb(pid: int) -> float:
    """The most that a process ever had."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024
