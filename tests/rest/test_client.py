"""Who asks: what a client can make up itself is not believed."""

from __future__ import annotations

import base64

import pytest

from orthanc_stl.rest.http.client import Clients


def basic(name: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:secret".encode()).decode()}


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("made up, 10.1.2.3", "10.1.2.3"),
        ("1.1.1.1,2.2.2.2 , 10.1.2.3 ,", "10.1.2.3"),
        ("", ""),
        (" , ", ""),
        ("a\n\x00b", "ab"),
        # One client, whatever the port and the form of its address:
        ("10.1.2.3:40001", "10.1.2.3"),
        ("[2001:db8::7]:40001", "2001:db8::7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("unknown:80", "unknown:80"),
        ("x" * 500, "x" * 64),
    ],
)
def test_the_last_address_is_the_one_that_the_proxy_saw(forwarded: str, client: str) -> None:
    assert Clients().name({"x-forwarded-for": forwarded}) == client


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("made up, 7.7.7.7, 10.0.0.9", "7.7.7.7"),
        ("7.7.7.7, 10.0.0.9, 10.0.0.8:443, [fd00::1]:80, fd00::2", "7.7.7.7"),
        ("7.7.7.7, unknown, 10.0.0.9", "unknown"),
        ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
        ("7.7.7.7:5000, 10.0.0.2", "7.7.7.7"),
        ("made up, 7.7.7.7, ::ffff:10.0.0.9", "7.7.7.7"),
        ("7.7.7.7, [::ffff:10.0.0.9]:80", "7.7.7.7"),
    ],
)
def test_trusted_proxies_are_passed_over_from_the_right(forwarded: str, client: str) -> None:
    clients = Clients(trusted_proxies=["10.0.0.0/24", "fd00::/16"])
    assert clients.name({"x-forwarded-for": forwarded}) == client


@pytest.mark.parametrize("proxy", ["::ffff:10.0.0.9", "::ffff:10.0.0.0/120", "10.0.0.9"])
@pytest.mark.parametrize("seen", ["10.0.0.9", "::ffff:10.0.0.9", "[::ffff:a00:9]:80"])
def test_a_proxy_in_either_form_of_its_address(proxy: str, seen: str) -> None:
    assert Clients(trusted_proxies=[proxy]).name({"x-forwarded-for": f"7.7.7.7, {seen}"}) == "7.7.7.7"


def test_a_user_is_believed_where_somebody_checked_the_password() -> None:
    headers = basic("ward 3") | {"x-forwarded-for": "10.1.2.3"}
    assert Clients().name(headers) == "10.1.2.3"
    assert Clients(checks_passwords=True).name(headers) == "ward 3"
    assert Clients(trusted_proxies=["10.0.0.1"]).name(headers) == "ward 3"
    for broken in ("Basic %%%", "Basic", "Bearer abc", "Basic " + base64.b64encode(b"\xff:").decode()):
        assert Clients(checks_passwords=True).name({"authorization": broken}) == ""


def test_a_name_in_a_header_is_believed_of_a_proxy_that_is_known() -> None:
    for header in ("x-remote-user", "x-forwarded-user"):
        assert Clients().name({header: "made up"}) == ""
        assert Clients(checks_passwords=True).name({header: "made up"}) == ""
        assert Clients(trusted_proxies=["10.0.0.1"]).name({header: "dr. who"}) == "dr. who"


@pytest.mark.parametrize(
    ("configuration", "name"),
    [
        ({}, ""),
        ({"AuthenticationEnabled": True}, "ward 3"),
        ({"RemoteAccessAllowed": True}, "ward 3"),
        ({"RemoteAccessAllowed": True, "AuthenticationEnabled": False}, ""),
    ],
)
def test_whether_orthanc_checks_passwords(configuration: dict[str, bool], name: str) -> None:
    assert Clients.of(configuration, []).name(basic("ward 3")) == name
