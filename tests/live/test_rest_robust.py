"""Errors as a client sees them, and requests that are meant to do harm, on a real Orthanc."""

from __future__ import annotations

import http.client
import json
import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from runtime.common import SetupError
from testing.server import OrthancServer
from tests.live import samples

NOBODY = "00000000-00000000-00000000-00000000-00000000"
NASTY_NAMES = [
    "a\r\nX-Evil: 1",
    "<script>alert(1)</script>",
    'quo"te',
    "back\\slash",
    "Prostata groß",
    "前立腺",
    "\u202eabc",
]


@pytest.fixture(scope="module")
def server() -> Iterator[OrthancServer]:
    with OrthancServer(stl={"MaxBodyMB": 8}) as server:
        yield server


def test_an_error_is_laid_out_as_the_originals(server: OrthancServer) -> None:
    reply = server.get(f"/stl/rt-struct/{NOBODY}")
    assert reply.body.decode() == (
        "{\n"
        f'\t"Details" : "no instance {NOBODY} is stored in Orthanc",\n'
        '\t"HttpError" : "Not Found",\n'
        '\t"HttpStatus" : 404,\n'
        '\t"Message" : "Unknown resource",\n'
        '\t"Method" : "GET",\n'
        '\t"OrthancError" : "Unknown resource",\n'
        '\t"OrthancStatus" : 17,\n'
        f'\t"Uri" : "/stl/rt-struct/{NOBODY}"\n'
        "}\n"
    )


def test_it_says_what_an_instance_is(server: OrthancServer) -> None:
    image = server.upload(samples.image())
    reply = server.get(f"/instances/{image}/stl").json()
    assert reply["Details"] == f"instance {image} is a CT image, but an encapsulated STL is needed"
    reply = server.post("/stl/encode-rtstruct", {"Instance": image, "RoiNames": ["x"]}).json()
    assert reply["Details"] == f"instance {image} is a CT image, but an RT-STRUCT is needed"


def test_an_unknown_roi_lists_the_known_ones(server: OrthancServer) -> None:
    instance = server.upload(samples.structure_set({"Heart": samples.ball(), "Lung_L": samples.ball()}))
    reply = server.post("/stl/encode-rtstruct", {"Instance": instance, "RoiNames": ["Liver"]})
    assert reply.status == 400
    assert all(name in reply.json()["Details"] for name in ("Liver", "Heart", "Lung_L"))


def test_orthanc_may_want_errors_undescribed() -> None:
    with OrthancServer(config={"HttpDescribeErrors": False}) as server:
        reply = server.get(f"/stl/rt-struct/{NOBODY}")
        assert (reply.status, reply.body) == (404, b"")
        reply = server.post("/stl/encode-rtstruct", b"nope")
        assert (reply.status, reply.body) == (400, b"")


@pytest.mark.parametrize(
    "part",
    ['Content-Disposition: form-data; name="a"; filename="b"', "Host: here\r\nContent-Type: application/json"],
)
def test_a_multipart_form_reaches_no_route(server: OrthancServer, part: str) -> None:
    """Orthanc would run the route for each part, with that part's headers only, which another site may choose."""
    source = server.upload(samples.structure_set({"Ball": samples.ball()}))
    stored = server.get("/statistics").json()["CountInstances"]
    order = json.dumps({"Instance": source, "Structures": [1], "Resolution": 32})
    form = f"--x\r\n{part}\r\n\r\n{order}\r\n--x--\r\n".encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Origin": "https://evil.example"}
    for path in ("/stl/encode", "/stl/encode/", "/stl//encode/.", "/stl/%65ncode/"):
        assert server.post(path, form, headers).status == 403
    assert server.get("/statistics").json()["CountInstances"] == stored
    assert server.post("/stl/encode", order.encode(), {"Content-Type": "application/json"}).status == 200


def test_a_form_of_another_site_reaches_no_route(server: OrthancServer) -> None:
    """The same body is taken from a script, from a page of this Orthanc, and as JSON, which a browser asks about."""
    instance = server.upload(samples.structure_set({"Sphere": samples.ball(4, 2)}))
    body = json.dumps({"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 16}).encode()
    text, other = {"Content-Type": "text/plain"}, {"Origin": "https://evil.example"}
    reply = server.post("/stl/encode-rtstruct", body, text | other)
    assert reply.status == 403
    assert "https://evil.example" in reply.json()["Details"]
    picture = {"Sec-Fetch-Site": "cross-site"}  # <img>, of which Orthanc makes another method
    assert server.get(f"/stl/jobs/{NOBODY}?_method=DELETE", picture).status == 403
    own = {"Origin": f"http://127.0.0.1:{server.port}"}
    for headers in (text, text | own, other | {"Content-Type": "application/json"}):
        assert server.post("/stl/encode-rtstruct", body, headers).status == 200


def test_a_body_over_the_limit(server: OrthancServer) -> None:
    reply = server.post("/stl/encode-rtstruct", bytes(9 << 20))
    assert reply.status == 413
    assert reply.json()["HttpError"] == "Request Entity Too Large"
    assert reply.json()["Details"] == 'The body has 9 MB, more than the 8 MB of the option "MaxBodyMB"'


def test_json_over_the_limit(server: OrthancServer) -> None:
    reply = server.post("/stl/encode-rtstruct", b'{"RoiNames": [' + b'"a",' * (6 << 18) + b'"a"]}')
    assert (reply.status, "JSON" in reply.json()["Details"]) == (413, True)


@pytest.mark.parametrize(
    "body", [b"\xff\xfe{}", b'{"Instance": "\xc3\x28"}', b"\x00", b"PK\x03\x04", b'{"Resolution": 1e999}']
)
def test_bytes_that_are_no_json(server: OrthancServer, body: bytes) -> None:
    reply = server.post("/stl/encode-rtstruct", body)
    assert reply.status == 400
    assert reply.json()["Details"]


def test_the_last_of_two_equal_keys_counts(server: OrthancServer) -> None:
    body = f'{{"Instance": 1, "Instance": "{NOBODY}", "RoiNames": ["a"]}}'
    assert server.post("/stl/encode-rtstruct", body.encode()).status == 404


@pytest.mark.parametrize(
    "instance",
    [
        "nope",
        "../system",
        f"{NOBODY}/../../system",
        f"{NOBODY}?x",
        f"{NOBODY}\0",
        "%2e%2e",
        "a" * 100_000,
        "é",
    ],
)
def test_ids_that_are_no_ids(server: OrthancServer, instance: str) -> None:
    reply = server.post("/stl/encode-rtstruct", {"Instance": instance, "RoiNames": ["a"]})
    assert reply.status == 404
    assert len(reply.body) < 1000


@pytest.mark.parametrize("path", ["/stl/jobs/x", "/stl/jobs/0-0", "/stl/jobs/" + "a" * 5000, f"/stl/jobs/{NOBODY}"])
def test_unknown_jobs(server: OrthancServer, path: str) -> None:
    assert server.get(path).status == 404
    assert server.delete(path).status == 404


def test_names_go_out_as_they_are_and_only_in_json(server: OrthancServer) -> None:
    instance = server.upload(samples.structure_set({name: samples.ball() for name in NASTY_NAMES}))
    names = server.get(f"/stl/rt-struct/{instance}")
    assert "x-evil" not in names.headers
    assert names.json() == sorted(NASTY_NAMES)
    for name in names.json():
        reply = server.post("/stl/encode-rtstruct", {"Instance": instance, "RoiNames": [name], "Resolution": 16})
        assert reply.status == 200, reply.body
        model = server.get(reply.json()["Path"] + "/stl")
        assert not {"x-evil", "content-disposition"} & (reply.headers.keys() | model.headers.keys())
    missing = server.post("/stl/encode-rtstruct", {"Instance": instance, "RoiNames": ["b\r\nX-Evil: 2"]})
    assert (missing.status, "x-evil" in missing.headers) == (400, False)
    assert "X-Evil: 2" not in server.log_text().replace(r"\r\nX-Evil: 2", "")


TRAVERSALS = [
    "/stl/app/../../settings.py", "/stl/app/..%2f..%2fsettings.py", "/stl/app/%2e%2e/%2e%2e/settings.py",
    "/stl/app/..%5c..%5csettings.py", "/stl/app/%252e%252e/settings.py", "/stl/app//etc/passwd",
    "/stl/app/%2fetc%2fpasswd", "/stl/app/....//....//settings.py", "/stl/app/vendor/three/build/../../package.json",
    "/stl/app/vendor/three/build/%2e%2e/package.json", "/stl/app/.", "/stl/app/..",
    "/stl/app/C:/windows/win.ini", "/stl/app/package.json%0d%0aX-Evil:1",
]  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_paths_that_lead_out(server: OrthancServer, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)  # sends the path as it is
    connection.putrequest("GET", path, skip_host=False)
    connection.endheaders()
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    assert reply.status in (400, 404)
    assert b"import" not in body
    assert b"root:" not in body
    assert reply.getheader("X-Evil") is None


def test_damaged_bodies_are_refused_or_work(server: OrthancServer) -> None:
    """300 bodies of good fields with a few bytes changed, taken out or doubled; the same each time."""
    instance = server.upload(samples.structure_set({"Sphere": samples.ball(4, 2)}))
    good = {
        "Instance": instance, "RoiNames": ["Sphere"], "Resolution": 16, "Smooth": False, "Strict": True,
        "EndCaps": True, "Tags": {"SeriesDescription": "x", "0018,1030": "y"}, "Asynchronous": False,
    }  # fmt: skip
    random = Random(None if os.environ.get("ORTHANC_STL_RANDOM") else 4)
    statuses = Counter(
        server.post("/stl/encode-rtstruct", damaged(json.dumps(good), random)).status for _ in range(300)
    )
    assert statuses.keys() <= {200, 400, 404}, statuses
    assert statuses[400] > 100


def damaged(text: str, random: Random) -> bytes:
    data = bytearray(text.encode())
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data))
        match random.randrange(3):
            case 0:
                data[at] = random.randrange(256)
            case 1:
                del data[at : at + random.randint(1, 9)]
            case 2:
                data[at:at] = data[at : at + random.randint(1, 9)]
    return bytes(data)


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"Workers": "2"}, "\"Workers\" must be an integer from 1 to 256, not '2'"),
        ({"EnableNexus": 1}, '"EnableNexus" must be true or false, not 1'),
        ({"PythonExecutable": "/nowhere/python"}, '"PythonExecutable"'),
    ],
)
def test_a_wrong_configuration_stops_the_start_with_one_line(section: dict[str, object], sentence: str) -> None:
    with pytest.raises(SetupError) as caught:
        OrthancServer(stl=section).stop()
    log = "".join(caught.value.__notes__)
    assert len([line for line in log.splitlines() if line.startswith("E") and sentence in line]) == 1


def test_an_unknown_option_is_a_warning() -> None:
    with OrthancServer(stl={"Wrokers": 2}) as server:
        assert 'has the unknown option "Wrokers", which is ignored' in server.log_text()


def test_no_header_comes_twice(server: OrthancServer) -> None:
    """Also those that Orthanc writes by itself; seen in the raw answer."""
    instance = server.upload(samples.structure_set({"Sphere": samples.ball()}))
    body = {"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 16}
    path = server.post("/stl/encode-rtstruct", body).json()["Path"] + "/stl"
    etag = server.get(path).headers["etag"][0]
    cases = {200: {}, 206: {"Range": "bytes=0-9"}, 416: {"Range": "bytes=999999999-"}, 304: {"If-None-Match": etag}}
    for status, headers in cases.items():
        reply = server.get(path, headers)
        assert reply.status == status
        assert {name: values for name, values in reply.headers.items() if len(values) > 1} == {}


def test_errors_are_json_in_the_cores_own_shape(server: OrthancServer) -> None:
    ours = server.get(f"/stl/rt-struct/{NOBODY}").json()
    core = server.post("/tools/find", b"nope").json()
    assert core.keys() - {"Details"} <= ours.keys()


def test_orthanc_is_well_after_all_that(server: OrthancServer) -> None:
    assert server.get("/system").status == 200
    assert server.stop() == 0
