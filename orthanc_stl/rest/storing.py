"""Models stored in Orthanc: all of a request or none, numbered, and known by what they were made of."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from orthanc_stl import errors
from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.dicom.sop_classes import MODEL_MODALITY, STORED_MODALITIES
from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.parents import all_series

MADE_OF = 4205
"""The number of the user-defined metadata of a model: JSON, the Orthanc id of its source and its structures."""

STORING = 4205
"""The number of the global property that says what is being stored: JSON, SOP Instance UIDs by request."""

_MEDIA_STORAGE_UID = b"\x02\x00\x03\x00UI"
_noting = threading.Lock()


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


def sop_instance_uid(file: bytes | memoryview) -> str:
    """Of a DICOM file as our workers write them: from its file meta information (PS3.10 section 7.1)."""
    start = bytes(file[:1024])
    place = start.find(_MEDIA_STORAGE_UID, 132)
    length = int.from_bytes(start[place + 6 : place + 8], "little")
    return "" if place < 0 else ascii_value(bytes(start[place + 8 : place + 8 + length]))


@contextlib.contextmanager
def whole_set(orthanc: Orthanc, files: Sequence[bytes]) -> Iterator[None]:
    """While the files of one request are stored, Orthanc's database knows of which: should Orthanc be killed in
    between, `remove_half_sets` takes away at its next start what was in.
    """
    uids = [sop_instance_uid(file) for file in files] if len(files) > 1 else []  # one is whole, or not there
    new = [uid for uid in uids if uid and not orthanc.lookup_instance(uid)]
    key = uuid.uuid4().hex
    if new:
        _note(orthanc, key, new)
    try:
        yield
    finally:
        if new:
            _note(orthanc, key, [])


def _note(orthanc: Orthanc, key: str, uids: list[str]) -> None:
    with _noting:
        pending = _pending(orthanc)
        pending.pop(key, None)
        orthanc.set_property(STORING, json.dumps(pending | ({key: uids} if uids else {})))


def _pending(orthanc: Orthanc) -> dict[str, list[str]]:
    return dict(json.loads(orthanc.property(STORING) or "{}"))


def remove_half_sets(orthanc: Orthanc, log: Callable[[str], None]) -> None:
    """At the start, before any request: takes away what is there of sets that were being stored when Orthanc ended."""
    pending = _pending(orthanc)
    for uids in pending.values():
        there = [instance for uid in uids for instance in orthanc.lookup_instance(uid)]
        for instance in there:
            orthanc.delete(f"/instances/{instance}")
        if there:
            log(
                f"Orthanc ended while it stored the {len(uids)} models of one request: "
                f"the {len(there)} that were in are taken away, so ask for them again"
            )
    if pending:
        orthanc.set_property(STORING, "{}")


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
        if series["MainDicomTags"].get("Modality") == MODEL_MODALITY:
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
    return number_after([one["MainDicomTags"] for one in series])


def number_after(series: Sequence[Mapping[str, str]]) -> int:
    """One more than the largest Series Number of models, by the tags of each series of the study.

    The page that stores an STL counts alike (webassets/app/forms/series-number.js); tests/series_numbers.json holds
    both to it.
    """
    numbers = [tags.get("SeriesNumber", "") for tags in series if tags.get("Modality") in STORED_MODALITIES]
    return max((int(number) for number in numbers if re.fullmatch("[0-9]{1,9}", number)), default=0) + 1
