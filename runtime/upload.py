"""The demo: the phantom study made by the private Python, sent to a running Orthanc, and the links to click.

`python -m runtime.upload FOLDER URL SHOWN` sends a study that lies in FOLDER to the Orthanc at URL, once it answers,
and prints the links below SHOWN, the address that a browser uses: how the demo of docker-compose.yml does it.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .common import SetupError, call, say

if TYPE_CHECKING:
    from .setup import Runtime

PATIENCE_SECONDS = 60


def demo(runtime: Runtime, data: Path, port: int) -> None:
    url = f"http://localhost:{port}"
    folder = data / "phantom"
    if not folder.is_dir():
        say("Making the phantom study (once) ...")
        temporary = data / ".phantom"
        call([runtime.python, "-P", "-m", "runtime.phantom", temporary], runtime.env())
        temporary.rename(folder)
    send(folder, url, url)


def send(folder: Path, url: str, shown: str) -> None:
    """Stores the study, makes a model of its heart if there is none yet, and prints the links."""
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
        f"  the study in Orthanc Explorer    {shown}/app/explorer.html#study?uuid={structures['ParentStudy']}\n"
        f"  its heart, turning               {shown}/stl/app/three.html?instance={heart}\n"
        f"  a model of any other structure   {shown}/stl/app/generate.html?instance={structures['ID']}\n"
    )


def wait_for(url: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _ask(f"{url}/system")
            return
        except SetupError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


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


if __name__ == "__main__":
    wait_for(sys.argv[2])
    send(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
