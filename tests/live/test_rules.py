"""Rules on a real Orthanc: once per source, whatever happens in between."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testing import phantoms
from testing.server import OrthancServer
from testing.source_phantoms import ball_frames, file_of, seg_dataset
from tests.live import samples

DOCUMENT = (Path(__file__).parents[2] / "docs/automation.md").read_text()
# By their names, as docs/automation.md has them.
RECIPES = {
    rule["Name"]: rule
    for text in re.findall(r"```json\n(\"Rules\": .*?)```", DOCUMENT, re.DOTALL)
    for rule in json.loads(f"{{{text}}}")["Rules"]
}
NIGHTLY = re.findall(r"curl -X POST http://localhost:8042(\S+) -d '(.*)'", DOCUMENT)
EVERY_RTSTRUCT = {"Name": "structures", "When": {"Modality": "RTSTRUCT"}, "Options": {"Resolution": 32}}
SOON = {"StableAge": 1}


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return found


def wait_until_stable(*servers: OrthancServer) -> None:
    """All series have had their `StableAge`: what is done then has begun or waits."""
    for server in servers:
        while not all(series["IsStable"] for series in server.get("/series?expand").json()):
            time.sleep(0.1)
    time.sleep(0.5)  # what Orthanc says of it comes a moment later


def runs(server: OrthancServer, instance: str, state: str = "Success") -> list[dict[str, Any]]:
    listed = server.get("/stl/rules").json()["Runs"]
    return [run for run in listed if (run["Instance"], run["State"]) == (instance, state)]


def wait_for_metric(server: OrthancServer, line: str) -> None:
    wait_for(lambda: line in server.get("/tools/metrics-prometheus").body.decode())


def made_of_before(server: OrthancServer, file: bytes) -> list[str]:
    """Of which instances models were made before those of `file`, which is sent now."""
    last = server.upload(file)
    wait_for(lambda: runs(server, last))
    return [run["Instance"] for run in server.get("/stl/rules").json()["Runs"] if run["Instance"] != last]


def models(server: OrthancServer) -> list[str]:
    found = server.post("/tools/find", {"Level": "Instance", "Query": {"Modality": "M3D"}}).json()
    return sorted(found)


def two_balls() -> bytes:
    return samples.structure_set({"Ball": samples.ball(), "Couch top": samples.ball(10)})


def test_once_sent_again_and_restarted(tmp_path: Path) -> None:
    file, late = two_balls(), two_balls()
    stl = {"Rules": [{**RECIPES["structures"], "Options": {"Resolution": 32}}]}
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
        for line in ("orthanc_stl_rules_made 1", "orthanc_stl_rules_waiting 0", "orthanc_stl_rules_failed 0"):
            wait_for_metric(server, line)
        missed = server.upload(late)  # Orthanc ends before the series is stable
    with OrthancServer(stl, {**SOON, "OverwriteInstances": True}, data=tmp_path, last=True) as server:
        wait_for(lambda: runs(server, missed))  # missed, and found at the start
        assert len(models(server)) == 2
        assert set(first) < set(models(server))
        assert f"on instance {source}:" not in server.log_text()  # looked at before the missed one, and remembered
        server.upload(file)  # again: its metadata is gone with the old copy, and the models are the same
        own = server.get(f"/instances/{first[0]}/file").body
        server.upload(own)  # what we made, sent back
        wait_until_stable(server)
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
    with OrthancServer(config=SOON, data=tmp_path) as server:
        source = server.upload(file_of(ds))
        wait_until_stable(server)  # before there is a rule
        assert server.get("/stl/rules").json() == {"Rules": [], "Runs": [], "Waiting": 0}
        assert server.post("/stl/rules/run", {"Days": 1}).status == 400
    with OrthancServer({"Rules": [RECIPES["organs"]], "CatchUpDays": 0}, SOON, data=tmp_path, last=True) as server:
        assert models(server) == []
        server.put("/peers/workstation", {"Url": server.url})  # it sends the models back at once
        ((path, body),) = NIGHTLY
        assert server.post(path, body.encode()).status == 200
        (run,) = wait_for(lambda: runs(server, source))
        (model,) = run["Models"]
        wait_for(lambda: runs(server, source)[0]["Sent"][0]["State"] == "Success")
        assert [row["Name"] for row in server.get(f"{model}/stl/statistics").json()] == ["segment 1"]
        assert server.get("/stl/app/rules.html").status == 200


def test_a_failure_is_listed_without_its_reason() -> None:
    """A catch-up leaves it alone, and does what another rule does since its label is there."""
    when = {"Labels": "urgent", "SOPClass": "*.481.3", "StudyDescription": "phantom*", "SeriesDescription": "*"}
    labelled = EVERY_RTSTRUCT | {"Name": "labelled", "When": when}
    stl = {"Rules": [{**EVERY_RTSTRUCT, "Structures": {"Include": ["Heart"]}}, labelled]}
    with OrthancServer(stl, SOON) as server:
        source = server.upload(two_balls())
        (run,) = wait_for(lambda: runs(server, source, "Failure"))
        assert (run["Error"], run["Models"]) == ("InvalidInput", [])
        details = server.get(run["Details"]).json()["structures"]
        assert "Include" in details["Reason"]
        wait_for_metric(server, "orthanc_stl_rules_failed 1")
        assert f'Rule "structures" on instance {source}: Failure (InvalidInput)' in server.log_text()
        assert "Reason" not in run  # which may name structures: it is told to who may see the instance
        assert server.post("/stl/rules/run", {}).status == 400
        assert server.post("/stl/rules/run", {"Instance": "0" * 8}).status == 404
        assert models(server) == []
        study = server.get(f"/instances/{source}/study").json()["ID"]
        assert server.put(f"/studies/{study}/labels/urgent", b"").status == 200
        assert server.post("/stl/rules/run", {"Days": 1}).status == 200
        wait_for(lambda: runs(server, source))
        assert [one["Rule"] for one in server.get("/stl/rules").json()["Runs"]] == ["labelled", "structures"]
        assert server.get(run["Details"]).json()["structures"]["Time"] == run["Time"]


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


def test_what_could_not_be_sent_is_sent_when_asked_for() -> None:
    """The peer is switched off at first."""
    with OrthancServer() as other:
        stl = {"Rules": [{**EVERY_RTSTRUCT, "Then": {"SendTo": ["other"]}}]}
        with OrthancServer(stl, SOON | {"OrthancPeers": {"other": ["http://127.0.0.1:9"]}}) as server:
            source = server.upload(two_balls())
            wait_for(lambda: runs(server, source) and runs(server, source)[0]["Sent"][0]["State"] == "Failure")
            made = models(server)
            assert server.put("/peers/other", {"Url": other.url}).status == 200
            assert server.post("/stl/rules/run", {"Instance": source}).status == 200
            wait_for(lambda: runs(server, source)[0]["Sent"][0]["State"] == "Success")
            assert models(other) == models(server) == made


def test_sent_to_a_peer_and_back() -> None:
    """The other Orthanc has the same rule; it makes nothing of what it gets, nor does this one when it comes back."""
    with OrthancServer({"Rules": [{**EVERY_RTSTRUCT, "When": {"Modality": "*"}}]}, SOON) as other:
        stl = {"Rules": [{**EVERY_RTSTRUCT, "Then": {"SendTo": ["other"]}}]}
        with OrthancServer(stl, SOON | {"OrthancPeers": {"other": [other.url]}}) as server:
            source = server.upload(two_balls())
            wait_for(lambda: runs(server, source) and runs(server, source)[0]["Sent"][0]["State"] == "Success")
            made = models(server)
            assert models(other) == made
            assert len(made) == 2
            other.put("/peers/first", {"Url": server.url})
            assert other.post("/peers/first/store", made).status == 200
            wait_until_stable(server, other)
            later = two_balls()  # rules do one after the other: when this one is done, those before it are
            assert made_of_before(server, later) == [source]
            assert made_of_before(other, later) == []
            assert len(models(server)) == 2 * len(made)


def test_before_its_images_and_anonymised() -> None:
    """The structure set comes first. Later its images come, and an anonymised copy, which is a new source."""
    study = phantoms.Study(seed="early", patient_name="Doe^Jane")
    stl = {"Rules": [EVERY_RTSTRUCT]}
    with OrthancServer(stl, SOON) as server:
        source = server.upload(phantoms.structure_set([phantoms.ball("Ball", 15)], study))
        wait_for(lambda: runs(server, source))
        (model,) = models(server)
        image = server.upload(phantoms.ct_slices(study, planes=(0,))[0])
        tags, of_image, of_source = (
            server.get(f"/instances/{id}/tags?simplify").json() for id in (model, image, source)
        )
        for same in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
            assert tags[same] == of_image[same]
        named = [one["ReferencedSOPInstanceUID"] for one in tags["SourceInstanceSequence"]]
        assert of_source["SOPInstanceUID"] in named
        origin = server.get(f"/instances/{source}/study").json()["ID"]
        copy = server.post(f"/studies/{origin}/anonymize", {"Replace": {"PatientName": "Nobody"}}).json()["ID"]
        found = wait_for(lambda: made_in(server, copy, but=1))
        assert {server.get(f"/instances/{id}/tags?simplify").json()["PatientName"] for id in found} == {"Nobody"}
        wait_until_stable(server)
        wait_for(lambda: server.get("/stl/rules").json()["Waiting"] == 0)
        assert len(made_in(server, copy, but=1)) == 2  # the anonymised model, and that of the anonymised source
        assert len(models(server)) == 3
        server.delete(f"/studies/{copy}")
        assert models(server) == [model]
        assert server.get(f"/instances/{source}/stl/rules").json()["structures"]["State"] == "Success"


def made_in(server: OrthancServer, study: str, but: int) -> list[str]:
    """The models of a study, once there are more than `but`."""
    series = server.get(f"/studies/{study}/series").json()
    found = [id for one in series if one["MainDicomTags"]["Modality"] == "M3D" for id in one["Instances"]]
    return found if len(found) > but else []


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
