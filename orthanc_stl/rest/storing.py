"""Models stored in Orthanc: all of a request or none, numbered, and known by what they were made of."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from orthanc_stl import errors
from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.parents import all_series

MADE_OF = 4205
"""The number of the user-defined metadata of a model: JSON, the Orthanc id of its source and its structures."""


def store_all(orthanc: Orthanc, files: Sequence[bytes]) -> list[dict[str, Any]]:
    """Stores all files or none: what was stored is taken back when a later one is refused."""
    stored: list[dict[str, Any]] = []
    try:
        for file in files:
            stored.append(orthanc.store(file))
    except errors.StlError:
        for one in stored:
            orthanc.delete(one["Path"])
        raise
    return stored


def remember(
    orthanc: Orthanc, stored: Sequence[dict[str, Any]], instance: str, structures: Sequence[list[int]], *,
    replace_old: bool,
) -> None:  # fmt: skip
    """Notes at each model what it was made of; with `replace_old`, removes those that were made of the same before."""
    if not instance:
        return
    made = {json.dumps({"Source": instance, "Structures": sorted(numbers)}) for numbers in structures}
    if replace_old and stored:
        new = {one["ID"] for one in stored}
        for old in list(_made_of(orthanc, stored[0]["ParentStudy"], made)):
            if old not in new:
                orthanc.delete(f"/instances/{old}")
    for one, numbers in zip(stored, structures, strict=True):
        value = json.dumps({"Source": instance, "Structures": sorted(numbers)})
        if orthanc.metadata(one["ID"], MADE_OF) != value:  # a model that was there already has it
            orthanc.put(f"{one['Path']}/metadata/{MADE_OF}", value.encode())


def _made_of(orthanc: Orthanc, study: str, wanted: set[str]) -> Iterator[str]:
    """The models of a study that were made of one of these."""
    for series in all_series(orthanc, f"/studies/{study}"):
        if series["MainDicomTags"].get("Modality") == "M3D":
            for instance in series["Instances"]:
                if orthanc.metadata(instance, MADE_OF) in wanted:
                    yield instance


def series_identity(orthanc: Orthanc, parent: str) -> dict[str, Any]:
    """What the objects of one conversion have in common, wherever each is made (conversion/objects.py)."""
    return {
        "SeriesInstanceUID": f"2.25.{uuid.uuid4().int}",
        "ModelGroupUID": f"2.25.{uuid.uuid4().int}",
        "FrameOfReferenceUID": f"2.25.{uuid.uuid4().int}",
        "SeriesNumber": next_series_number(orthanc, parent),
        "Moment": datetime.now().astimezone().isoformat(),
        "Place": 1,
        "Of": 1,
    }


def next_series_number(orthanc: Orthanc, parent: str) -> int:
    """One more than the largest Series Number of the study's models, so that they can be told apart."""
    path = parent if parent.startswith("/studies/") or not parent else f"{parent}/study"
    study = orthanc.get_json(path)["ID"] if path else ""
    series = all_series(orthanc, f"/studies/{study}") if study else []
    numbers = [
        s["MainDicomTags"].get("SeriesNumber", "") for s in series if s["MainDicomTags"].get("Modality") == "M3D"
    ]
    return max((int(number) for number in numbers if number.isdecimal() and len(number) < 10), default=0) + 1
