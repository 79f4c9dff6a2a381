"""Rules on a real Orthanc: once per source, whatever happens in between."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing.server import OrthancServer
from tests.live import samples
from tests.sources.dicom_files import ball_frames, file_of, seg_dataset

EVERY_RTSTRUCT = {"Name": "structures", "When": {"Modality": "RTSTRUCT"}, "Options": {"Resolution": 32}}
SOON = {"StableAge": 1}


def wait_for(condition: Callable[[], Any], seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return found


def runs(server: OrthancServer, instance: str, state: str = "Success") -> list[dict[str, Any]]:
    listed = server.get("/stl/rules").json()["Runs"]
    return [run for run in listed if (run["Instance"], run["State"]) == (instance, state)]


def models(server: OrthancServer) -> list[str]:
    found = server.post("/tools/find", {"Level": "Instance", "Query": {"Modality": "M3D"}}).json()
    return sorted(found)


def two_balls() -> bytes:
    return samples.structure_set({"Ball": samples.ball(), "Couch top": samples.ball(10)})


def test_once_sent_again_and_restarted(tmp_path: Path) -> None:
    file, late = two_balls(), two_balls()
    stl = {"Rules": [{**EVERY_RTSTRUCT, "Structures": {"Exclude": ["*couch*"]}, "Then": {"Label": "models"}}]}
    with OrthancServer(stl, {**SOON, "OverwriteInstances": True}, data=tmp_path) as server:
        source = server.upload(file)
        (run,) = wait_for(lambda: runs(server, source))
        first = models(server)
        assert [f"/instances/{one}" for one in first] == run["Models"]
        assert len(first) == 1  # not the couch
        study = server.get(f"/instances/{source}/study").json()
        assert study["Labels"] == ["models"]
        log = server.log_text()
        assert 'Rule "structures" on instance' in log
        assert "orthanc_stl_rules_made 1" in server.get("/tools/metrics-prometheus").body.decode()
        missed = server.upload(late)  # Orthanc ends before the series is stable
    with OrthancServer(stl, {**SOON, "OverwriteInstances": True}, data=tmp_path) as server:
        wait_for(lambda: runs(server, missed))  # missed, and found at the start
        assert len(models(server)) == 2
        assert set(first) < set(models(server))
        server.upload(file)  # again: its metadata is gone with the old copy, and the models are the same
        own = server.get(f"/instances/{first[0]}/file").body
        server.upload(own)  # what we made, sent back
        time.sleep(3)
        wait_for(lambda: server.get("/stl/rules").json()["Waiting"] == 0)
        assert len(models(server)) == 2
        server.delete(f"/instances/{missed}")
        server.upload(late)  # nothing is remembered any more, and the same models are made
        wait_for(lambda: "structures" in server.get(f"/instances/{missed}/stl/rules").json())
        assert len(models(server)) == 2


def test_segmentation_without_the_body_and_a_nightly_catch_up(tmp_path: Path) -> None:
    frames, places = ball_frames((0, 0, 0), 12, places=range(-13, 14))
    ds = seg_dataset(np.concatenate([frames, frames]), [(n, place) for n in (1, 2) for place in places], numbers=(1, 2))
    ds.SegmentSequence[1].SegmentLabel = "Body trunc"
    ds.SeriesDescription = "TotalSegmentator"
    rule = {
        "Name": "organs",
        "When": {"Modality": "SEG", "SeriesDescription": "*totalseg*"},
        "Structures": {"Exclude": ["*body*"]},
    }
    with OrthancServer(config=SOON, data=tmp_path) as server:
        source = server.upload(file_of(ds))
        time.sleep(2.5)  # stable before there is a rule
        assert server.get("/stl/rules").json() == {"Rules": [], "Runs": [], "Waiting": 0}
        assert server.post("/stl/rules/run", {"Days": 1}).status == 400
    with OrthancServer({"Rules": [rule], "CatchUpDays": 0}, SOON, data=tmp_path) as server:
        assert models(server) == []
        assert server.post("/stl/rules/run", {"Days": 1}).status == 200
        (run,) = wait_for(lambda: runs(server, source))
        (model,) = run["Models"]
        assert [row["Name"] for row in server.get(f"{model}/stl/statistics").json()] == ["segment 1"]
        assert server.get("/stl/app/rules.html").status == 200


def test_a_failure_is_listed_without_its_reason() -> None:
    stl = {"Rules": [{**EVERY_RTSTRUCT, "Structures": {"Include": ["Heart"]}}]}
    with OrthancServer(stl, SOON) as server:
        source = server.upload(two_balls())
        (run,) = wait_for(lambda: runs(server, source, "Failure"))
        assert (run["Error"], run["Models"]) == ("InvalidInput", [])
        details = server.get(run["Details"]).json()["structures"]
        assert "Include" in details["Reason"]
        assert "Reason" not in run  # which may name structures: it is told to who may see the instance
        assert server.post("/stl/rules/run", {}).status == 400
        assert server.post("/stl/rules/run", {"Instance": "0" * 8}).status == 404


def test_what_failed_is_repeated_also_where_orthanc_checks_revisions() -> None:
    stl = {"Rules": [{**EVERY_RTSTRUCT, "Then": {"SendTo": ["late"]}}]}
    with OrthancServer(stl, SOON | {"CheckRevisions": True}) as server:
        source = server.upload(two_balls())
        wait_for(lambda: runs(server, source, "Failure"))
        first = models(server)
        reason = server.get(f"/instances/{source}/stl/rules").json()["structures"]["Reason"]
        assert "no modality and no peer 'late'" in reason
        assert server.put("/peers/late", {"Url": server.url}).status == 200
        assert server.post("/stl/rules/run", {"Instance": source}).status == 200
        wait_for(lambda: runs(server, source))
        assert models(server) == first
        assert runs(server, source, "Failure") == []
        assert server.get(f"/instances/{source}/stl/rules").json()["structures"]["State"] == "Success"


def test_sent_to_a_peer_and_people_first() -> None:
    """The other Orthanc has the same rule, and makes nothing of what it gets."""
    with OrthancServer({"Rules": [{**EVERY_RTSTRUCT, "When": {"Modality": "*"}}]}, SOON) as other:
        stl = {"Rules": [{**EVERY_RTSTRUCT, "Then": {"SendTo": ["other"]}}]}
        with OrthancServer(stl, SOON | {"OrthancPeers": {"other": [other.url]}}) as server:
            sources = [server.upload(two_balls()) for _ in range(8)]
            wait_for(lambda: runs(server, sources[0]))  # the worker is warm
            assert server.get("/stl/rules").json()["Waiting"] > 0
            body = {"Instance": sources[-1], "Structures": [1], "Resolution": 32}
            assert server.post("/stl/encode", body).status == 200
            assert server.get("/stl/rules").json()["Waiting"] > 0
            for source in sources:
                (run,) = wait_for(lambda source=source: runs(server, source))  # type: ignore[misc]
            wait_for(lambda: runs(server, sources[0])[0]["Sent"][0]["State"] == "Success")
            assert len(run["Models"]) == 2
            wait_for(lambda: len(models(other)) == 16)
        time.sleep(2.5)
        assert other.get("/stl/rules").json()["Runs"] == []


@pytest.mark.skipif(shutil.which("storescp") is None, reason="DCMTK is not installed")
def test_from_a_modality_to_a_modality(tmp_path: Path) -> None:
    """It arrives by C-STORE, and its models leave by C-STORE."""
    received = tmp_path / "received"
    received.mkdir()
    (tmp_path / "source.dcm").write_bytes(two_balls())
    port, to_port = free_port(), free_port()
    scp = subprocess.Popen(["storescp", "--promiscuous", "-od", str(received), str(to_port)])
    try:
        stl = {"Rules": [{**EVERY_RTSTRUCT, "Then": {"SendTo": ["scp"]}}]}
        dicom = {
            "DicomServerEnabled": True,
            "DicomPort": port,
            "DicomCheckCalledAet": False,
            "DicomAlwaysAllowStore": True,
            "DicomModalities": {"scp": ["ANY", "127.0.0.1", to_port]},
        }
        with OrthancServer(stl, SOON | dicom) as server:
            subprocess.run(["storescu", "127.0.0.1", str(port), str(tmp_path / "source.dcm")], check=True)
            wait_for(lambda: len(list(received.iterdir())) == 2)
            assert len(models(server)) == 2
    finally:
        scp.terminate()
        scp.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
