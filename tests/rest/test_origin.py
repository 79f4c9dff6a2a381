"""Forms of other sites are refused; everything that is sent today by browsers of this site and by scripts passes."""

from __future__ import annotations

import pytest

from orthanc_stl.errors import CrossSite
from orthanc_stl.rest.http.messages import Request
from orthanc_stl.rest.http.origin import no_form_for, require_same_site


def post(**headers: str) -> Request:
    return Request("POST", "/stl/create-nexus", headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize("kind", ["text/plain", "text/plain;charset=UTF-8", "multipart/form-data; boundary=x", ""])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://orthanc:8043", "http://orthanc"])
def test_a_form_of_another_site(kind: str, origin: str) -> None:
    with pytest.raises(CrossSite, match="another site"):
        require_same_site(post(host="orthanc:8042", origin=origin, content_type=kind))
    with pytest.raises(CrossSite):
        require_same_site(post(host="orthanc:8042", origin=origin, content_type=kind, sec_fetch_site="cross-site"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": ""},
    ],
)
def test_any_method_that_orthanc_makes_of_a_form(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(CrossSite):
        require_same_site(Request(method, "/stl/jobs/1", headers={"host": "orthanc:8042"} | headers))


@pytest.mark.parametrize(
    "request_",
    [
        post(host="orthanc:8042", content_type="application/x-www-form-urlencoded"),  # curl -d
        post(host="orthanc:8042", origin="http://orthanc:8042", content_type="application/x-www-form-urlencoded"),
        post(host="ORTHANC:8042", origin="http://orthanc:8042", content_type="text/plain"),
        post(host="orthanc:8042", origin="https://hospital.example", content_type="application/json"),
        post(host="orthanc:8042", origin="https://h.example", x_forwarded_host="h.example", content_type="text/plain"),
        post(host="orthanc:8042", origin="https://h.example", sec_fetch_site="same-origin", content_type="text/plain"),
        post(host="orthanc:8042", sec_fetch_site="none"),
        Request("DELETE", "/stl/jobs/1", headers={"host": "orthanc:8042", "origin": "http://orthanc:8042"}),
        Request("GET", "/stl/app/three.html", headers={"origin": "https://other.example"}),
        Request("GET", "/stl/app/three.html", headers={"sec-fetch-site": "cross-site"}),
    ],
)
def test_what_passes(request_: Request) -> None:
    require_same_site(request_)


@pytest.mark.parametrize(
    ("uri", "kind", "comes_in"),
    [
        ("/stl/encode", "multipart/form-data; boundary=x", False),
        ("/stl/encode", " Multipart/Form-Data; boundary=x", False),
        ("/stl/encode/", "multipart/form-data; boundary=x", False),
        ("/stl/encode//", "multipart/form-data; boundary=x", False),
        ("/stl/encode", "application/json", True),
        ("/stl/encode", "", True),
        ("/instances", "multipart/form-data; boundary=x", True),
    ],
)
def test_multipart_forms_come_in_to_routes_of_others_only(uri: str, kind: str, comes_in: bool) -> None:
    may_come_in = no_form_for(["/stl/encode", "/stl/jobs/(.*)"])
    assert may_come_in(uri, method="POST", ip="", headers={"content-type": kind} if kind else {}) is comes_in
