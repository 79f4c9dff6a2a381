"""orthanc.json.example and docs/configuration.md have every option, with its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from orthanc_stl.settings import OPTIONS, Settings, read_settings
from runtime import config

REPOSITORY = Path(__file__).parents[2]
DEFAULTS = {option.key: getattr(Settings(workers=4), option.field) for option in OPTIONS} | {
    "TrustedProxies": [],
    "EmbedOrigins": [],
    "Rules": [],
}


def test_the_example_has_every_option_with_its_default() -> None:
    section = config.read(REPOSITORY / "orthanc.json.example")["STL"]
    assert read_settings(section, pytest.fail) == Settings(workers=4)
    assert flat(section) == DEFAULTS


def flat(section: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in section.items():
        found |= {f"{key}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {key: value}
    return found


def test_the_page_has_every_option_with_its_default() -> None:
    page = (REPOSITORY / "docs/configuration.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([\w.]+)` \| [^`|]*`([^`]*)` \|", page, re.MULTILINE))
    words = {"True": "true", "False": "false", "": '""'}
    assert rows == {key: words.get(str(value), str(value)) for key, value in DEFAULTS.items()}
