"""What Orthanc's own anonymization leaves of models and structure sets: docs/dicom.md says the same."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from testing.server import OrthancServer, Reply
from tests.live import samples
from tests.nexus_writer import levels, nexus_dicom, write_nexus

NEXUS = write_nexus(levels([(4, 6)]))


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer(stl={"EnableNexus": True}) as server:
        yield server


@pytest.fixture(scope="module")
def structures(server: OrthancServer) -> str:
    return server.upload(samples.structure_set({"Ball": samples.ball()}))


@pytest.fixture(scope="module")
def model(server: OrthancServer, structures: str) -> str:
    body = {"Instance": structures, "RoiNames": ["Ball"], "Resolution": 16}
    return server.post("/stl/encode-rtstruct", body).json()["ID"]


def anonymized(server: OrthancServer, instance: str, **options: Any) -> tuple[Dataset, str]:
    """The anonymized object, and Orthanc's identifier of it."""
    reply = server.post(f"/instances/{instance}/anonymize", options)
    assert reply.status == 200
    return pydicom.dcmread(BytesIO(reply.body)), server.upload(reply.body)


def stl_of(server: OrthancServer, instance: str) -> Reply:
    return server.get(f"/instances/{instance}/stl")


def test_a_model_loses_its_document_unless_it_is_kept(server: OrthancServer, model: str) -> None:
    _, emptied = anonymized(server, model)
    for path in ("stl", "stl/info", "stl/structures", "stl/scene.glb", "stl/scene/info", "stl/preview"):
        reply = server.get(f"/instances/{emptied}/{path}")
        assert reply.status == 400
        assert (
            'anonymization empties it, unless its field "Keep" names "EncapsulatedDocument"' in reply.json()["Details"]
        )
    _, kept = anonymized(server, model, Keep=["EncapsulatedDocument"])
    assert stl_of(server, kept).body == stl_of(server, model).body


@pytest.mark.parametrize("version", ["2008", "2017c", "2021b"])
def test_older_rules_keep_the_document(server: OrthancServer, model: str, version: str) -> None:
    _, kept = anonymized(server, model, DicomVersion=version)
    assert stl_of(server, kept).body == stl_of(server, model).body


def test_what_still_links_a_model_to_the_original_and_how_it_goes(server: OrthancServer, model: str) -> None:
    original = pydicom.dcmread(BytesIO(server.get(f"/instances/{model}/file").body))
    linked, _ = anonymized(server, model, Keep=["EncapsulatedDocument"])
    assert linked.ModelGroupUID == original.ModelGroupUID
    assert linked.ContentDescription == original.ContentDescription == "Ball"
    assert "ROI: Ball" in linked.DerivationAlgorithmSequence[0].AlgorithmParameters
    assert "SeriesDescription" not in linked
    removed = ["ModelGroupUID", "ContentDescription", "DerivationAlgorithmSequence"]
    clean, instance = anonymized(server, model, Keep=["EncapsulatedDocument"], Remove=removed)
    assert not any(keyword in clean for keyword in removed)
    info = server.get(f"/instances/{instance}/stl/info").json()
    assert (info["Description"], info["Rois"], info["Closed"]) == ("", [], True)


def test_a_structure_set_loses_its_names_and_keeps_its_contours(server: OrthancServer, structures: str) -> None:
    _, nameless = anonymized(server, structures)
    (roi,) = server.get(f"/instances/{nameless}/stl/structures").json()
    assert (roi["Number"], roi["Name"], roi["Usable"]) == (1, "", True)
    body = {"Instance": nameless, "RoiNumbers": [1], "Resolution": 16}
    assert server.post("/stl/encode-rtstruct", body).json()["Triangles"] > 100
    _, named = anonymized(server, structures, Keep=["ROIName"])
    assert server.get(f"/instances/{named}/stl/structures").json()[0]["Name"] == "Ball"


def test_a_nexus_model_goes_with_the_private_tags(server: OrthancServer) -> None:
    instance = server.upload(nexus_dicom(NEXUS))
    _, emptied = anonymized(server, instance)
    reply = server.get(f"/instances/{emptied}/nexus")
    assert (reply.status, 'unless its field "KeepPrivateTags" is true' in reply.json()["Details"]) == (400, True)
    _, kept = anonymized(server, instance, KeepPrivateTags=True)
    assert server.get(f"/instances/{kept}/nexus").body == NEXUS
