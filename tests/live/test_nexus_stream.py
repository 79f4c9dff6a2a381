"""GET /instances/{id}/nexus on a real Orthanc: ranges, memory, deletion, and what is no model."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import generate_uid

from testing import phantoms
from testing.server import OrthancServer, Reply
from tests.nexus_writer import box, levels, nexus_dicom, write_nexus

MODEL = write_nexus(levels([(4, 6), (16, 24), (60, 90)]))


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer(stl={"EnableNexus": True, "NexusCacheMB": 700}) as running:
        yield running


@pytest.fixture(scope="module")
def path(server: OrthancServer) -> str:
    return f"/instances/{server.upload(nexus_dicom(MODEL))}/nexus"


def part(server: OrthancServer, path: str, header: str, **headers: str) -> Reply:
    return server.get(path, {"Range": header, **{name.replace("_", "-"): value for name, value in headers.items()}})


def test_the_whole_model_without_a_range(server: OrthancServer, path: str) -> None:
    reply = server.get(path)
    assert (reply.status, reply.body) == (200, MODEL)
    assert reply.headers["accept-ranges"] == ["bytes"]
    assert reply.headers["content-type"] == ["application/octet-stream"]
    assert reply.headers["content-length"] == [str(len(MODEL))]


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=0-", slice(0, None)),
        ("bytes=500-", slice(500, None)),
        ("bytes=-100", slice(-100, None)),
        ("bytes=7-99999999", slice(7, None)),
    ],
)
def test_a_part_of_the_model(server: OrthancServer, path: str, header: str, wanted: slice) -> None:
    for url in (path, f"/stl/3dhop-instances/{path.split('/')[2]}.nxz"):
        reply = part(server, url, header)
        first, last, _ = wanted.indices(len(MODEL))
        assert (reply.status, reply.body) == (206, MODEL[wanted])
        assert reply.headers["content-range"] == [f"bytes {first}-{last - 1}/{len(MODEL)}"]
        assert {name for name, values in reply.headers.items() if len(values) > 1} == set()


def test_a_part_that_is_not_there(server: OrthancServer, path: str) -> None:
    reply = part(server, path, f"bytes={len(MODEL)}-")
    assert reply.status == 416
    assert reply.headers["content-range"] == [f"bytes */{len(MODEL)}"]
    assert str(len(MODEL)) in reply.json()["Details"]


def test_validators(server: OrthancServer, path: str) -> None:
    etag = server.get(path).headers["etag"][0]
    assert server.get(path, {"If-None-Match": etag}).status == 304
    assert part(server, path, "bytes=0-9", If_Range=etag).status == 206
    assert part(server, path, "bytes=0-9", If_Range='"another"').body == MODEL


def test_a_deleted_model_is_gone_and_an_id_that_comes_back_gives_its_new_content(server: OrthancServer) -> None:
    uids = tuple(generate_uid() for _ in range(3))
    first, second = MODEL, write_nexus([box()])
    instance = server.upload(nexus_dicom(first, uids=uids))
    path = f"/instances/{instance}/nexus"
    etag = server.get(path).headers["etag"]
    server.delete(f"/instances/{instance}")
    assert server.get(path).status == 404
    assert part(server, path, "bytes=0-9").status == 404
    assert server.upload(nexus_dicom(second, uids=uids)) == instance
    reply = server.get(path)
    assert reply.body == second
    assert reply.headers["etag"] != etag
    server.delete(f"/instances/{instance}")


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ({"creator": "Somebody else"}, "holds no Nexus model"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.2"}, "a CT image, but a Raw Data object is needed"),
    ],
)
def test_only_a_nexus_object_is_served(server: OrthancServer, variant: dict[str, Any], words: str) -> None:
    reply = server.get(f"/instances/{server.upload(nexus_dicom(MODEL, **variant))}/nexus")
    assert reply.status == 400
    assert words in reply.json()["Details"]


def test_an_unknown_instance_is_not_found(server: OrthancServer) -> None:
    unknown = "-".join(["00000000"] * 5)
    assert server.get(f"/instances/{unknown}/nexus").status == 404
    assert server.get(f"/stl/3dhop-instances/{unknown}Xnxz").status == 404


def test_other_methods_are_not_allowed(server: OrthancServer, path: str) -> None:
    reply = server.post(path, b"")
    assert (reply.status, reply.headers["allow"]) == (405, ["GET"])


def test_500_megabytes_come_soon_and_are_in_memory_once(server: OrthancServer) -> None:
    model = write_nexus([box()], padding=500 << 20)
    instance = server.upload(nexus_dicom(model))
    path = f"/instances/{instance}/nexus"

    def piece(number: int) -> bytes:
        return part(server, path, f"bytes={10_000 * number}-{10_000 * number + 9999}").body

    with ThreadPoolExecutor(6) as threads:
        assert b"".join(threads.map(piece, range(6))) == model[:60_000]
    assert _resident(server.pid) < 1.4 * len(model)
    assert piece(3) == model[30_000:40_000]
    _first_byte(server.url + path)
    assert server.get(path).body == model
    assert _resident(server.pid) < 1.4 * len(model)
    server.delete(f"/instances/{instance}")
    deadline = time.monotonic() + 60  # Orthanc tells of deletions a little later
    while _resident(server.pid) > 0.4 * len(model) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _resident(server.pid) < 0.4 * len(model)


def _first_byte(url: str) -> None:
    with urllib.request.urlopen(url) as answer:
        assert answer.read(1) == b" "


def test_an_stl_comes_by_ranges_too(server: OrthancServer) -> None:
    study = phantoms.Study(seed="ranges")
    rtstruct = server.upload(phantoms.structure_set([phantoms.ball("Ball", 20, (0, 0, 0))], study))
    model = server.post("/stl/encode-rtstruct", {"Instance": rtstruct, "RoiNames": ["Ball"], "Resolution": 16}).json()
    path = f"/instances/{model['ID']}/stl"
    whole = server.get(path)
    assert len(whole.body) == 84 + 50 * model["Triangles"]
    assert (whole.headers["content-type"], whole.headers["accept-ranges"]) == (["model/stl"], ["bytes"])
    tail = part(server, path, "bytes=-50", If_Range=whole.headers["etag"][0])
    assert (tail.status, tail.body) == (206, whole.body[-50:])
    assert part(server, path, f"bytes={len(whole.body)}-").status == 416
    assert server.get(path, {"If-None-Match": whole.headers["etag"][0]}).status == 304


def test_a_model_larger_than_the_cache_names_the_option() -> None:
    with OrthancServer(stl={"EnableNexus": True, "NexusCacheMB": 1}) as small:
        instance = small.upload(nexus_dicom(write_nexus([box()], padding=2 << 20)))
        reply = small.get(f"/instances/{instance}/nexus")
        assert reply.status == 413
        assert '"NexusCacheMB"' in reply.json()["Details"]


def test_without_the_option_there_is_no_route() -> None:
    with OrthancServer(stl={"EnableNexus": False}) as plain:
        instance = plain.upload(nexus_dicom(MODEL))
        for path in (f"/instances/{instance}/nexus", f"/stl/3dhop-instances/{instance}.nxz", "/stl/nexus/threejs.html"):
            assert plain.get(path).status == 404


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) << 10
