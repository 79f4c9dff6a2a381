"""The configuration that Orthanc is started with: our defaults, and the person's own file merged over them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .common import REPOSITORY, SetupError
from .setup import Runtime

Config = dict[str, Any]


def defaults(runtime: Runtime, data: Path, port: int) -> Config:
    """An Orthanc with our plugin that keeps its data in `data` and is reached from this machine only."""
    return {
        "Name": "Orthanc STL",
        "StorageDirectory": str(data / "files"),
        "IndexDirectory": str(data / "index"),
        "HttpPort": port,
        "HttpThreadsCount": 100,  # who waits for a conversion holds one
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "Locale": "C.UTF-8",
        "Plugins": [str(runtime.python_plugin)],
        "Python": {"AllowThreads": True},
        "PythonScript": str(REPOSITORY / "stl_plugin.py"),
        "STL": {"EnableNIfTI": True, "EnableNexus": True},
    }


def complete(runtime: Runtime, data: Path, port: int, own: Config) -> Config:
    """The defaults with a person's own options over them. Their plugins come in addition to the one for Python."""
    below = defaults(runtime, data, port)
    plugins = own.get("Plugins", [])
    if not isinstance(plugins, list):
        raise SetupError('the option "Plugins" of the configuration must be a list of paths.')
    return merged(below, own) | {"HttpPort": port, "Plugins": below["Plugins"] + plugins}


def merged(below: Config, above: Config) -> Config:
    """`above` wins; sections (objects) are merged key by key."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def read(file: Path) -> Config:
    """A JSON file with the comments that Orthanc allows; `SetupError` says what is wrong with it."""
    try:
        value = json.loads(_without_comments(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SetupError(f"the configuration {file} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise SetupError(f"the configuration {file} is not valid JSON ({error}).") from error
    if not isinstance(value, dict):
        raise SetupError(f"the configuration {file} must be a JSON object, with braces around it.")
    return value


def _without_comments(text: str) -> str:
    """Comments become spaces, so that a line number in an error is still right."""
    token = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return token.sub(lambda m: m[0] if m[0].startswith('"') else re.sub(r"[^\n]", " ", m[0]), text)
