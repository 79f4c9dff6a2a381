"""The section "STL": every option is checked at load, with a sentence that names it."""

from __future__ import annotations

from typing import Any

import pytest

from orthanc_stl.settings import OPTIONS, InvalidConfiguration, Settings, read_settings


def test_nothing_said_is_the_defaults() -> None:
    assert read_settings(None, pytest.fail) == read_settings({}, pytest.fail) == Settings()


def test_every_field_has_an_option_that_sets_it() -> None:
    assert {option.field for option in OPTIONS} == set(Settings.__dataclass_fields__)
    for option in OPTIONS:
        default = getattr(Settings(), option.field)
        default = list(default) if isinstance(default, tuple) else default
        assert read_settings({option.key: default}, pytest.fail) == Settings()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
@pytest.mark.parametrize("value", [None, [], {}, {"a": 1}, 1.5, "7", 7, True])
def test_a_wrong_type_names_the_option(option: Any, value: Any) -> None:
    if type(value) is type(getattr(Settings(), option.field)) or (
        option.key in ("TrustedProxies", "EmbedOrigins", "Rules") and value == []
    ):
        return
    with pytest.raises(InvalidConfiguration, match=f'"{option.key}" must be '):
        read_settings({option.key: value}, pytest.fail)


def test_proxies_are_addresses_and_networks() -> None:
    read = read_settings({"TrustedProxies": ["10.0.0.0/24", "::1"]}, pytest.fail)
    assert read.trusted_proxies == ("10.0.0.0/24", "::1")
    for wrong in (["proxy.example"], [1], ["10.0.0.0/40"]):
        with pytest.raises(InvalidConfiguration, match='"TrustedProxies" must be a list of addresses'):
            read_settings({"TrustedProxies": wrong}, pytest.fail)


def test_origins_have_a_scheme_a_host_and_no_path() -> None:
    read = read_settings({"EmbedOrigins": ["https://Board.example.org", "http://localhost:8080"]}, pytest.fail)
    assert read.embed_origins == ("https://board.example.org", "http://localhost:8080")
    for wrong in ("*", "https://a.example/", "https://a.example; script-src *", "a.example", "data:x"):
        with pytest.raises(InvalidConfiguration, match='"EmbedOrigins" must be a list of origins'):
            read_settings({"EmbedOrigins": [wrong]}, pytest.fail)


@pytest.mark.parametrize("value", [0, -1, 10**9])
def test_a_number_has_a_range(value: int) -> None:
    with pytest.raises(InvalidConfiguration, match='"Workers" must be an integer from 1 to 256'):
        read_settings({"Workers": value}, pytest.fail)


def test_an_unknown_option_is_a_warning() -> None:
    warnings: list[str] = []
    section = {"Worker": 2, "3DHOP": {"Pfad": ""}, "Nexus": {}}
    assert read_settings(section, warnings.append) == Settings()
    named = zip(warnings, ('"Worker"', '"3DHOP.Pfad"', '"Nexus"'), strict=True)
    assert all(name in warning for warning, name in named)


def test_3dhop_as_a_section_or_with_a_dot() -> None:
    nested = read_settings({"3DHOP": {"CanvasStyle": "a"}}, pytest.fail)
    assert nested == read_settings({"3DHOP.CanvasStyle": "a"}, pytest.fail) == Settings(hop_canvas_style="a")


@pytest.mark.parametrize("value", [None, [], "/opt/3dhop", 1, True])
def test_3dhop_is_an_object(value: Any) -> None:
    with pytest.raises(InvalidConfiguration, match='"3DHOP" must be an object'):
        read_settings({"3DHOP": value}, pytest.fail)
    assert read_settings({"3DHOP": {}}, pytest.fail) == Settings()


@pytest.mark.parametrize("section", [[], "x", 1, True])
def test_the_section_is_an_object(section: Any) -> None:
    with pytest.raises(InvalidConfiguration, match="must be an object"):
        read_settings(section, pytest.fail)
