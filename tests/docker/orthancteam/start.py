"""ORTHANC__PYTHON__ALLOW_THREADS=true becomes {"Python": {"AllowThreads": true}}, as that image documents it."""

import json
import os
from typing import Any


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


configuration: dict[str, Any] = {
    "Plugins": ["/usr/share/orthanc/plugins/libOrthancPython.so"],
    "RemoteAccessAllowed": True,
    "AuthenticationEnabled": False,
    "Locale": "C.UTF-8",
}
for name, value in os.environ.items():
    if name.startswith("ORTHANC__"):
        *sections, key = name.removeprefix("ORTHANC__").split("__")
        inside = configuration
        for section in sections:
            inside = inside.setdefault(camel(section), {})
        inside[camel(key)] = {"true": True, "false": False}.get(value, value)
with open("/tmp/orthanc.json", "w") as file:
    json.dump(configuration, file)
environment = {key: value for key, value in os.environ.items() if not key.startswith("ORTHANC__")}
os.execvpe("Orthanc", ["Orthanc", "/tmp/orthanc.json"], environment)
