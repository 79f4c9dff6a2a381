"""What rules have done: at each source in full, and in one list without anything that names a patient."""

from __future__ import annotations

import json
import threading
from typing import Any

from orthanc_stl import errors
from orthanc_stl.rest.orthanc import Orthanc

RUNS = range(4206, 4222)
"""The numbers of the user-defined metadata of a source: JSON, by the name of the rule its last run; the last counts."""

LISTED = 4206
"""The number of the global property of Orthanc that lists the last runs."""

MOST_LISTED = 200


class History:
    """Kept by Orthanc: `/instances/{id}/metadata/4206` goes with its source, and the list outlives a restart."""

    def __init__(self, orthanc: Orthanc) -> None:
        self._orthanc = orthanc
        self._lock = threading.Lock()

    def of(self, instance: str) -> dict[str, dict[str, Any]]:
        """By the name of each rule, its last run on this instance."""
        found: dict[str, dict[str, Any]] = {}
        for number in RUNS:
            text = self._orthanc.metadata(instance, number)
            if not text:
                break
            found |= _object(text)
        return found

    def add(self, instance: str, rule: str, run: dict[str, Any]) -> None:
        """Remember a run. One whose source was deleted meanwhile, or has no room for it, is only listed."""
        with self._lock:
            try:
                self._write(instance, self.of(instance) | {rule: run})
            except errors.NotFound:
                run = run | {"Gone": True}
            except errors.StorageFailed:
                pass  # all numbers are taken; if it is made again, it has the same UIDs
            entry: dict[str, Any] = {key: run[key] for key in ("State", "Time", "Error", "Gone", "Sent") if key in run}
            entry |= {
                "Rule": rule,
                "Instance": instance,
                "Models": [f"/instances/{one}" for one in run.get("Models", ())],
                "Details": f"/instances/{instance}/stl/rules",
            }
            others = [one for one in self.listed() if (one["Rule"], one["Instance"]) != (rule, instance)]
            self._orthanc.set_property(LISTED, json.dumps(_newest([entry, *others])))

    def _write(self, instance: str, runs: dict[str, Any]) -> None:
        """With Orthanc's "CheckRevisions" a plugin in Python can write a metadata once only: then the next number is
        taken. Raises `NotFound` without the instance, `StorageFailed` when all numbers are taken."""
        for number in RUNS:
            try:
                return self._orthanc.put(f"/instances/{instance}/metadata/{number}", json.dumps(runs).encode())
            except errors.StorageFailed:
                if number == RUNS[-1]:
                    raise
        return None

    def listed(self) -> list[dict[str, Any]]:
        """The last runs, the newest first."""
        return list(json.loads(self._orthanc.property(LISTED) or "[]"))


def _object(text: str) -> dict[str, Any]:
    """Nothing for somebody else's metadata."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _newest(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of them; failures stay longer than what went well."""
    failed = [one for one in entries if one["State"] == "Failure"][:MOST_LISTED]
    well = [one for one in entries if one["State"] != "Failure"][: max(0, MOST_LISTED - len(failed))]
    kept = {id(one) for one in (*failed, *well)}
    return [one for one in entries if id(one) in kept]
