"""Orthanc with users, behind a proxy, watched by a monitor, and with scripts that make STL objects by themselves."""

from __future__ import annotations

import base64
import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.types import Mesh
from testing.server import OrthancServer
from tests.live import samples

ANNA = {"Authorization": "Basic " + base64.b64encode(b"anna:secret:word").decode()}


def test_with_users_it_needs_no_password_of_its_own() -> None:
    users = {"AuthenticationEnabled": True, "RegisteredUsers": {"anna": "secret:word"}}
    with OrthancServer(config=users) as server:
        assert server.get("/stl/rt-struct/0").status == 401
        assert server.post("/stl/encode-rtstruct", {}).status == 401
        instance = server.post("/instances", samples.structure_set({"Sphere": samples.ball()}), ANNA).json()["ID"]
        body = {"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 16}
        made = server.post("/stl/encode-rtstruct", body, ANNA)
        assert made.status == 200
        assert server.get(made.json()["Path"] + "/stl", ANNA).status == 200
        assert server.get(made.json()["Path"] + "/stl").status == 401
        assert f"convert of /instances/{instance} for 'anna': Success" in server.log_text()
        assert "secret" not in server.log_text()


@contextmanager
def proxy(port: int, prefix: str) -> Iterator[int]:
    """A reverse proxy that serves Orthanc under a prefix and under another name; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(prefix + "/"):
                self.send_error(418)  # what asks for an address without the prefix is lost
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection("127.0.0.1", port)
            headers = {"Host": "hospital.example", "X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
            connection.request(self.command, self.path.removeprefix(prefix), body, headers)
            reply = connection.getresponse()
            content = reply.read()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name not in ("Connection", "Keep-Alive"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_POST = do_DELETE = do_GET

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_behind_a_proxy_with_a_prefix(orthanc: OrthancServer) -> None:
    with OrthancServer() as server, proxy(server.port, "/hospital/orthanc") as port:
        server.url = f"http://127.0.0.1:{port}/hospital/orthanc"
        instance = server.upload(samples.structure_set({"Sphere": samples.ball()}))
        body = {"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 16, "Asynchronous": True}
        job = server.post("/stl/encode-rtstruct", body).json()["Path"]
        while server.get(job).json()["State"] in ("Pending", "Running"):
            pass
        model = server.get(job).json()["Answer"]["Path"]
        assert server.get(f"{model}/stl", {"Range": "bytes=0-9"}).status in (200, 206)
        assert "for '10.1.2.3': Success" in server.log_text()
        assert pages_with_absolute_addresses(server) == []


def pages_with_absolute_addresses(server: OrthancServer) -> list[str]:
    absolute = re.compile(rb"""(?:src|href|action)=["'](?:/|https?:)""")
    paths = ["/stl/app/three.html", "/stl/app/o3dv.html", "/stl/nexus/threejs.html"]
    return [path for path in paths if absolute.search(server.get(path).body)]


def test_metrics_and_one_log_line_for_each_conversion() -> None:
    with OrthancServer() as server:
        assert metrics(server)["conversions"] == 0
        instance = server.upload(samples.structure_set({"Sphere": samples.ball()}))
        body = {"Instance": instance, "RoiNames": ["Sphere"], "Resolution": 16}
        assert server.post("/stl/encode-rtstruct", body).status == 200
        assert server.post("/stl/encode-rtstruct", body | {"RoiNames": ["None"]}).status == 400
        server.get(f"/stl/rt-struct/{instance}")
        found = metrics(server)
        assert {name: found[name] for name in ("conversions", "failures", "queue", "running")} == {
            "conversions": 2, "failures": 1, "queue": 0, "running": 0,
        }  # fmt: skip
        assert 0 < found["seconds"] < 60
        assert 30 < found["peak_memory_mb"] < 3000
        lines = [line for line in server.log_text().splitlines() if f" of /instances/{instance} " in line]
        assert [": Success in " in line for line in lines] == [True, False]
        assert "Failure (InvalidInput)" in lines[1]
        assert "Sphere" not in server.log_text()


def metrics(server: OrthancServer) -> dict[str, float]:
    text = server.get("/tools/metrics-prometheus").body.decode()
    return {name: float(value) for name, value in re.findall(r"^orthanc_stl_(\w+) (\S+)", text, re.MULTILINE)}


def tetrahedron() -> bytes:
    corners = np.array([(0, 0, 0), (10, 0, 0), (0, 10, 0), (0, 0, 10)], np.float32)
    return stl_bytes(Mesh(corners, np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)], np.int32)), "a script's")


def test_the_cores_create_dicom_as_scripts_use_it(orthanc: OrthancServer) -> None:
    stl = tetrahedron()
    study = orthanc.get(f"/instances/{orthanc.upload(samples.image())}/study").json()["ID"]
    content = "data:model/stl;base64," + base64.b64encode(stl).decode()
    reply = orthanc.post(
        "/tools/create-dicom", {"Parent": study, "Tags": {"SeriesDescription": "x"}, "Content": content}
    )
    assert reply.status == 200
    assert orthanc.get(reply.json()["Path"] + "/stl").body == stl
    info = orthanc.get(reply.json()["Path"] + "/stl/info").json()
    assert (info["Triangles"], info["Closed"], round(info["VolumeMl"], 4)) == (4, True, 0.1667)


@pytest.mark.parametrize("kind", ["obj", "mtl"])
def test_the_cores_create_dicom_takes_obj_and_mtl(orthanc: OrthancServer, kind: str) -> None:
    text = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n" if kind == "obj" else b"newmtl red\nKd 1 0 0\n"
    study = orthanc.get(f"/instances/{orthanc.upload(samples.image())}/study").json()["ID"]
    content = f"data:model/{kind};base64,{base64.b64encode(text).decode()}"
    reply = orthanc.post("/tools/create-dicom", {"Parent": study, "Tags": {}, "Content": content})
    assert reply.status == 200
    assert orthanc.get(f"{reply.json()['Path']}/{kind}").body == text
