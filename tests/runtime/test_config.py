"""The configuration file of a person, and how it goes over the defaults."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import config
from runtime.common import REPOSITORY, SetupError
from runtime.setup import Runtime

RUNTIME = Runtime(Path("/r/debian"), Path("/r/site"), Path("/r/npm"))
TEXT = st.text(alphabet=st.sampled_from('ab/*"\\ \n{}[],:é'), max_size=12)


def written(folder: Path, text: str) -> Path:
    file = folder / "orthanc.json"
    file.write_text(text, encoding="utf-8")
    return file


def test_comments_are_allowed_as_orthanc_allows_them(tmp_path: Path) -> None:
    text = '// first\n{ "Name": "a // b /* c */", /* two\nlines */ "HttpPort": 1 } // last'
    assert config.read(written(tmp_path, text)) == {"Name": "a // b /* c */", "HttpPort": 1}


@given(st.dictionaries(TEXT, TEXT))
def test_what_looks_like_a_comment_in_a_string_stays(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, str]
) -> None:
    assert config.read(written(tmp_path_factory.getbasetemp(), json.dumps(value, ensure_ascii=False))) == value


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_our_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with suppress(SetupError):
        config.read(written(tmp_path_factory.getbasetemp(), text))


def test_bad_json_says_where(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"is not valid JSON .*line 3"):
        config.read(written(tmp_path, '{\n// comment\n"Name" "x"}'))


def test_no_object_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="must be a JSON object"):
        config.read(written(tmp_path, "[1, 2]"))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SetupError, match=r"/no/where\.json cannot be read"):
        config.read(Path("/no/where.json"))


def test_sections_are_merged_and_values_replaced() -> None:
    below = {"Name": "a", "STL": {"Workers": 1, "QueueSize": 2}, "Plugins": ["x"]}
    above = {"Name": "b", "STL": {"Workers": 3}, "Plugins": ["y"]}
    assert config.merged(below, above) == {"Name": "b", "STL": {"Workers": 3, "QueueSize": 2}, "Plugins": ["y"]}


def test_the_defaults_serve_this_machine_only(tmp_path: Path) -> None:
    default = config.defaults(RUNTIME, tmp_path, 8042)
    assert default["RemoteAccessAllowed"] is False
    assert default["DicomServerEnabled"] is False
    assert default["Python"] == {"AllowThreads": True}


def test_plugins_of_a_person_come_in_addition(tmp_path: Path) -> None:
    complete = config.complete(RUNTIME, tmp_path, 1234, {"Plugins": ["/x.so"], "HttpPort": 9, "Name": "mine"})
    assert complete["Plugins"] == [str(RUNTIME.python_plugin), "/x.so"]
    assert (complete["HttpPort"], complete["Name"]) == (1234, "mine")


def test_the_example_is_read_and_names_every_option_with_its_default() -> None:
    from orthanc_stl.settings import OPTIONS, Settings

    example = config.read(REPOSITORY / "orthanc.json.example")
    written_options = {
        f"{key}.{inner}" if isinstance(value, dict) else key: inner_value if isinstance(value, dict) else value
        for key, value in example["STL"].items()
        for inner, inner_value in (value.items() if isinstance(value, dict) else [("", None)])
    }
    defaults = Settings()
    expected = {option.key: getattr(defaults, option.field) for option in OPTIONS} | {
        "TrustedProxies": [],
        "EmbedOrigins": [],
        "Rules": [],
    }
    assert written_options.pop("Workers") == 4, "the default is the number of cores, at most 4"
    expected.pop("Workers")
    assert written_options == expected
