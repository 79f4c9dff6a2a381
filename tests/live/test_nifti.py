"""POST /stl/encode-nifti on a real Orthanc: the frame of reference, labels, limits, and what a client may do wrong."""

from __future__ import annotations

import base64
import gzip
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from orthanc_stl.formats.stl import read_stl
from testing.nifti_phantoms import ball_mask, nifti_file
from testing.phantoms import Study, ct_slices
from testing.server import OrthancServer, Reply

IMAGE = ct_slices(Study(seed="NIfTI"), [0], 8)[0]

ORIENTATION = [1, 0, 0, 0, 0.8, 0.6]  # a tilted stack
ROWS, COLUMNS, SLICES = 20, 24, 16
SPACING, STEP = (1.5, 2.0), 3.0
POSITION = np.array([-20.0, 15.5, 40.25])
FRAME, SERIES = generate_uid(), generate_uid()


def slice_of(number: int, series: str = SERIES, frame: str = FRAME, shift: float = 0.0) -> tuple[bytes, str]:
    """One image of a tilted series, and its SOP Instance UID."""
    ds = pydicom.dcmread(io.BytesIO(IMAGE))
    normal = np.cross(ORIENTATION[:3], ORIENTATION[3:])
    ds.SeriesInstanceUID, ds.FrameOfReferenceUID, ds.SeriesDescription = series, frame, "CT tilted"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.ImagePositionPatient = (POSITION + normal * (STEP * number + shift)).round(4).tolist()
    ds.ImageOrientationPatient, ds.PixelSpacing = ORIENTATION, list(SPACING)
    ds.Rows, ds.Columns, ds.PixelData = ROWS, COLUMNS, bytes(ROWS * COLUMNS * ds.BitsAllocated // 8)
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue(), ds.SOPInstanceUID


def affine() -> np.ndarray:
    """Index (column, row, slice) of the series to RAS, as converters write it."""
    row, column = np.array(ORIENTATION[:3]), np.array(ORIENTATION[3:])
    lps = np.eye(4)
    lps[:3] = np.column_stack([row * SPACING[1], column * SPACING[0], np.cross(row, column) * STEP, POSITION])
    return np.diag([-1, -1, 1, 1]) @ lps


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer({"MaxNiftiMB": 20, "MaxTriangles": 200_000}) as server:
        yield server


@pytest.fixture(scope="module")
def uids(server: OrthancServer) -> list[str]:
    """The images of the series, of a shifted one and of a single one, in one study; the UIDs of the first."""
    order = np.random.default_rng(0).permutation(SLICES).tolist()
    found = {}
    other, shifted = generate_uid(), generate_uid()
    for number in order:
        file, found[number] = slice_of(number)
        server.upload(file)
        server.upload(slice_of(number, other, shifted, shift=0.5)[0])
    server.upload(IMAGE)
    return [found[number] for number in range(SLICES)]


@pytest.fixture(scope="module")
def study(server: OrthancServer, uids: list[str]) -> str:
    (found,) = server.get("/studies").json()
    return found


def uri(file: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(file).decode()


def post(server: OrthancServer, study: str, file: bytes, **fields: Any) -> Reply:
    return server.post("/stl/encode-nifti", {"Nifti": uri(file), "ParentStudy": study, **fields})


def stored(server: OrthancServer, reply: Reply) -> pydicom.Dataset:
    assert reply.status == 200, reply.body
    return pydicom.dcmread(io.BytesIO(server.get(reply.json()["Path"] + "/file").body))


MASK = ball_mask((COLUMNS, ROWS, SLICES), 12, (2, 1.5, 3))


@pytest.mark.parametrize("turned", [False, True], ids=["as the series", "reoriented by a tool"])
def test_a_volume_on_a_series_is_in_its_frame_of_reference(
    server: OrthancServer, study: str, uids: list[str], turned: bool
) -> None:
    mask, place = MASK, affine()
    if turned:
        mask = mask[::-1].transpose(2, 0, 1)
        flip = np.array([[-1, 0, 0, COLUMNS - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
        place = (place @ flip)[:, [2, 0, 1, 3]]
    reply = post(server, study, nifti_file(mask, place))
    ds = stored(server, reply)
    assert ds.FrameOfReferenceUID == FRAME
    assert [item.ReferencedSOPInstanceUID for item in ds.SourceInstanceSequence] == uids
    assert ds.ReferencedSeriesSequence[0].SeriesInstanceUID == SERIES
    assert ds.SeriesDescription.startswith("CT tilted")
    assert ds.DocumentTitle == "STL model generated from NIfTI"
    assert reply.json()["ParentStudy"] == study
    mesh = read_stl(server.get(reply.json()["Path"] + "/stl").body)
    centre = affine() @ [(COLUMNS - 1) / 2, (ROWS - 1) / 2, (SLICES - 1) / 2, 1]
    far = np.linalg.norm(mesh.vertices - centre[:3] * (-1, -1, 1), axis=1)
    assert np.abs(far - 12).mean() < 0.5
    assert reply.json()["VolumeMl"] == pytest.approx(np.count_nonzero(MASK) * 9 / 1000, rel=0.01)
    assert reply.json()["Triangles"] == len(mesh.triangles)


@pytest.mark.parametrize(
    ("mask", "shift"),
    [(MASK, 0.2), (MASK[:-1], 0), (MASK[..., 1:], 0), (np.pad(MASK, 1), 0)],
    ids=["0.2 mm beside", "a column less", "a slice less", "larger"],
)
def test_another_volume_has_a_frame_of_its_own(
    server: OrthancServer, study: str, mask: np.ndarray, shift: float
) -> None:
    place = affine()
    place[0, 3] += shift
    ds = stored(server, post(server, study, nifti_file(mask, place)))
    assert ds.FrameOfReferenceUID not in (FRAME, "")
    assert "SourceInstanceSequence" not in ds


def test_an_affine_rounded_to_five_digits_matches(server: OrthancServer, study: str) -> None:
    rounded = np.vectorize(lambda value: float(f"{value:.5g}"))(affine())
    assert stored(server, post(server, study, nifti_file(MASK, rounded))).FrameOfReferenceUID == FRAME


def test_labels_and_threshold(server: OrthancServer, study: str) -> None:
    labels = MASK.astype("i2") * 2
    labels[0:3, 0:3, 0:3] = 5
    file = gzip.compress(nifti_file(labels))
    volumes = [post(server, study, file, Labels=chosen).json()["VolumeMl"] for chosen in ([2], [5], [2, 5])]
    assert volumes == pytest.approx([np.count_nonzero(MASK) / 1000, 0.027, np.count_nonzero(labels) / 1000], rel=0.01)
    unknown = post(server, study, file, Labels=[3])
    assert (unknown.status, unknown.json()["Details"]) == (
        400,
        'there is no structure 3; it has 2 "label 2", 5 "label 5"',
    )
    grey = nifti_file(MASK * np.float32(7.5))
    assert "half of their range" in post(server, study, grey).json()["Warnings"][0]
    assert post(server, study, grey, Threshold=5).json()["Warnings"] == []
    assert post(server, study, grey, Threshold=8).status == 400
    assert post(server, study, grey, Threshold=5, Labels=[1]).status == 400


def test_a_series_is_named_by_what_is_in_it(server: OrthancServer, study: str) -> None:
    """Viewers list series by their description; these files are on no series whose name could be taken."""
    title = "STL model generated from NIfTI"
    grey = nifti_file(MASK * np.float32(7.5))
    named = stored(server, post(server, study, nifti_file(MASK), LabelNames={"1": "Liver"}))
    assert named.SeriesDescription == f"{title}: Liver"
    assert stored(server, post(server, study, grey, Threshold=5)).SeriesDescription == f"{title}: values from 5 on"
    of_file = stored(server, post(server, study, nifti_file(MASK), FileName="masks/spleen.nii"))
    assert of_file.SeriesDescription == "spleen.nii: label 1"


@pytest.mark.parametrize(
    "fields", [{"Labels": []}, {"Labels": "1"}, {"Labels": [1.5]}, {"Threshold": "5"}, {"Tags": []}]
)
def test_mistyped_fields(server: OrthancServer, study: str, fields: dict[str, Any]) -> None:
    assert post(server, study, nifti_file(MASK), **fields).status == 400


def test_the_object_says_how_it_was_made(server: OrthancServer, study: str) -> None:
    made = post(server, study, nifti_file(MASK), Labels=[1], Smooth=False, Resolution=100).json()
    info = server.get(made["Path"] + "/stl/info").json()
    assert info["Closed"] is True
    assert info["VolumeMl"] == pytest.approx(made["VolumeMl"], rel=1e-4)
    assert info["Parameters"] == {"Resolution": "100", "Smooth": "false", "Labels": "[1]", "StructureNumber": "1"}


def test_asynchronous(server: OrthancServer, study: str) -> None:
    job = post(server, study, nifti_file(MASK, affine()), Asynchronous=True).json()
    for _ in range(200):
        state = server.get(job["Path"]).json()
        if state["State"] not in ("Pending", "Running"):
            break
        time.sleep(0.1)
    assert state["State"] == "Success"


HOSTILE = {
    "petabytes": (nifti_file(MASK, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]), 413, "MaxNiftiMB"),
    "over the limit, gzip": (gzip.compress(nifti_file(np.zeros((300, 300, 300), "u1"))), 413, "MaxNiftiMB"),
    "noise": (nifti_file(np.random.default_rng(0).random((100, 100, 100)).astype("f4")), 413, "MaxTriangles"),
    "truncated": (nifti_file(MASK)[:-1], 400, "truncated"),
    "wrong magic": (nifti_file(MASK, magic=b"nope"), 400, "magic"),
    "two dimensions": (nifti_file(MASK[:, :, 0]), 400, "2 dimensions"),
    "NaN affine": (nifti_file(MASK, np.full((4, 4), np.nan)), 400, "not finite"),
    "singular": (nifti_file(MASK, np.diag([1.0, 1, 0, 1])), 400, "sform"),
    "empty mask": (nifti_file(MASK * 0), 400, "no voxel that is not zero"),
    "complex": (nifti_file(MASK.astype("c8")), 400, "complex"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_sentence(server: OrthancServer, study: str, name: str) -> None:
    file, status, words = HOSTILE[name]
    before = server.get("/statistics").json()["CountInstances"]
    reply = post(server, study, file)
    assert (reply.status, words in reply.json()["Details"]) == (status, True), reply.body
    assert server.get("/statistics").json()["CountInstances"] == before


def test_a_full_mask_is_a_closed_box(server: OrthancServer, study: str) -> None:
    made = post(server, study, nifti_file(np.ones((10, 20, 30), "u1"))).json()
    assert server.get(made["Path"] + "/stl/info").json()["EulerNumber"] == 2
    assert made["VolumeMl"] == pytest.approx(6, rel=0.01)


@pytest.mark.parametrize("scheme", ["data:;base64,", "data:image/png;base64,", "data:application/gzip;name=a;base64,"])
def test_any_or_no_mime_type(server: OrthancServer, study: str, scheme: str) -> None:
    body = {"Nifti": scheme + base64.b64encode(nifti_file(MASK)).decode(), "ParentStudy": study, "Resolution": 32}
    assert server.post("/stl/encode-nifti", body).status == 200
    escaped = json.dumps(body).replace("/", "\\/").encode()
    assert server.post("/stl/encode-nifti", escaped).status == 200


@pytest.mark.parametrize("parent", ["../instances", "x", "0" * 44, "a0000000-00000000-00000000-00000000-00000000"])
def test_a_study_that_is_none(server: OrthancServer, parent: str, uids: list[str]) -> None:
    reply = post(server, parent, nifti_file(MASK))
    assert (reply.status, reply.json()["OrthancStatus"]) == (400, 2024)


def test_tags(server: OrthancServer, study: str) -> None:
    ds = stored(server, post(server, study, nifti_file(MASK), Tags={"SeriesDescription": "Mine"}))
    assert ds.SeriesDescription == "Mine"
    assert post(server, study, nifti_file(MASK), Tags={"PatientID": "x"}).status == 400
