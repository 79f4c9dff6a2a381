"""What the original plugin answered to 261 requests, against what ours answers: the same, or better for a reason.

All but two are sent; those two name a model that is not there, as two others do. Where the answers differ, the
row says why.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from testing.server import OrthancServer, Reply
from tests.live import samples
from tests.live.original import Requests, Row, rows
from tests.live.samples_nifti import data_uri, nifti_files
from tests.nexus_writer import box, nexus_dicom, write_nexus

NEXUS_BYTES = 216832
NOBODY = "00000000-00000000-00000000-00000000-00000000"
ROWS = rows()


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer() as server:
        yield server


@pytest.fixture(scope="module")
def requests(server: OrthancServer) -> Requests:
    ball, box = samples.ball(), samples.box()
    known = {
        "I": server.upload(samples.structure_set({"Body": box, "Sphere": ball})),
        "rth": server.upload(samples.structure_set({"Sphere": ball, "Body": box, "Ellipsoid": ball, "Ring": box})),
        "thin": server.upload(samples.structure_set({"Sphere": samples.ball(5, 0.3)})),
        "other": server.upload(samples.structure_set({"Sphere": samples.ball(20, 2.5)})),
        "CT": server.upload(samples.image()),
        "nobody": NOBODY,
    }
    known["UPPERCASE"] = known["I"].upper()
    body: dict[str, Any] = {"Instance": known["I"], "RoiNames": ["Sphere"], "Resolution": 32}
    made = server.post("/stl/encode-rtstruct", body).json()
    known |= {"S": made["ID"], "study": made["ParentStudy"]}
    known["etag"] = server.get("/stl/app/three.html").headers.get("etag", ["none"])[0]
    model = nexus_model()
    known |= {"X": server.upload(nexus_dicom(model)), "gargo": base64.b64encode(model).decode()}
    niftis = dict(nifti_files())
    known |= {name: data_uri(file) for name, file in niftis.items()}
    known["base64"] = data_uri(niftis["sphere_u8.nii"]).split(",")[1]
    known["mime image/png"] = data_uri(niftis["sphere_u8.nii"], "image/png")
    nifti: dict[str, Any] = {"Nifti": known["sphere_u8.nii"], "ParentStudy": known["study"], "Resolution": 32}
    nexus: dict[str, Any] = {"Content": known["gargo"], "Parent": known["study"], "Tags": {}}
    bases = {"/stl/encode-rtstruct": body, "/stl/encode-nifti": nifti, "/stl/create-nexus": nexus}
    return Requests(known, bases)


def nexus_model() -> bytes:
    """As large as the model that the original was asked for, so that the same ranges can be."""
    padding = NEXUS_BYTES - len(write_nexus([box()]))
    return write_nexus([box()], padding=padding)


def test_every_request_is_there_and_every_difference_has_a_reason() -> None:
    assert [row.n for row in ROWS] == [str(n) for n in range(261)]
    for row in ROWS:
        assert (row.original == row.ours) == (not row.reason), row


@pytest.mark.parametrize("row", [row for row in ROWS if row.ours != "-"], ids=lambda row: row.name)
def test_request(server: OrthancServer, requests: Requests, row: Row) -> None:
    path, body, headers = requests.of(row)
    before = server.get("/statistics").json()["CountInstances"]
    reply = server.request(row.method, path, body, headers)
    assert [str(reply.status), *codes(row, reply)] == row.ours.split(), reply.body[:500]
    assert all(len(values) == 1 for values in reply.headers.values()), reply.headers
    if reply.status in (206, 416):
        check_range(server, path, reply)
    created = row.method == "POST" and reply.status == 200
    assert server.get("/statistics").json()["CountInstances"] == before + created
    if created:
        check_created(server, reply)
    elif row.says.startswith("Allow: "):
        assert reply.headers["allow"] == [row.says.removeprefix("Allow: ")]
    elif reply.status >= 400 and row.method not in ("HEAD", "OPTIONS") and not row.path.startswith("/plugins"):
        check_error(row, reply)


def codes(row: Row, reply: Reply) -> list[str]:
    """OrthancStatus of an error, if the row names it: a client may tell errors apart by it."""
    return [str(reply.json()["OrthancStatus"])] if " " in row.ours else []


def check_created(server: OrthancServer, reply: Reply) -> None:
    answer = reply.json()
    assert {"ID", "ParentPatient", "ParentSeries", "ParentStudy", "Path", "Status"} <= answer.keys()
    assert answer["Path"] == f"/instances/{answer['ID']}"
    if "Triangles" in answer:
        stl = server.get(answer["Path"] + "/stl").body
        assert len(stl) == 84 + 50 * answer["Triangles"]
        assert answer["Triangles"] > 0
        assert math.isfinite(answer["VolumeMl"])
        assert answer["VolumeMl"] > 0


def check_range(server: OrthancServer, path: str, reply: Reply) -> None:
    whole = server.get(path).body
    asked, size = reply.headers["content-range"][0].removeprefix("bytes ").split("/")
    assert int(size) == len(whole)
    if reply.status == 206:
        first, last = map(int, asked.split("-"))
        assert reply.body == whole[first : last + 1]


def check_error(row: Row, reply: Reply) -> None:
    error: dict[str, Any] = json.loads(reply.body)
    assert reply.headers["content-type"] == ["text/plain"]
    assert (error["HttpStatus"], error["Method"]) == (reply.status, row.method)
    assert {"HttpError", "Message", "OrthancError", "OrthancStatus", "Uri"} <= error.keys()
    assert error.get("Details", "").startswith(row.says)
