"""The demo: the phantom study made by the private Python, sent to the running Orthanc, and the links to click."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from .common import SetupError, say
from .setup import Runtime


def demo(runtime: Runtime, data: Path, port: int) -> None:
    url = f"http://localhost:{port}"
    folder = data / "phantom"
    if not folder.is_dir():
        say("Making the phantom study (once) ...")
        temporary = data / ".phantom"
        subprocess.run([runtime.python, "-m", "runtime.phantom", temporary], env=runtime.env(), check=True)
        temporary.rename(folder)
    stored = {file.stem: _ask(f"{url}/instances", file.read_bytes()) for file in sorted(folder.glob("*.dcm"))}
    structures = stored["structures"]
    heart = (
        _model(url, structures["ParentStudy"])
        or _ask(
            f"{url}/stl/encode-rtstruct", json.dumps({"Instance": structures["ID"], "RoiNames": ["Heart"]}).encode()
        )["ID"]
    )
    say(
        "\nThe demo study is in Orthanc. Open, for example:\n"
        f"  the study in Orthanc Explorer    {url}/app/explorer.html#study?uuid={structures['ParentStudy']}\n"
        f"  its heart, turning               {url}/stl/app/three.html?instance={heart}\n"
        f"  a model of any other structure   {url}/stl/app/generate.html?instance={structures['ID']}\n"
    )


def _model(url: str, study: str) -> str | None:
    """The instance of a model that an earlier demo left in the study."""
    for series in _ask(f"{url}/studies/{study}/series"):
        if series["MainDicomTags"]["Modality"] == "M3D":
            return series["Instances"][0]
    return None


def _ask(address: str, body: bytes | None = None) -> Any:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body), timeout=120) as answer:
            return json.load(answer)
    except OSError as error:
        raise SetupError(f"the demo study could not be put into Orthanc: {error} ({address}).") from error
