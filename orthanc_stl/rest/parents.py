"""What a new object joins: a patient, a study or a series that Orthanc has, and a file to copy its attributes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_stl import errors
from orthanc_stl.rest.orthanc import ORTHANC_ID, Orthanc

# Series looked at in a study, and instances asked for the size of their file. It bounds the time that a study of
# thousands of series takes.
MOST_SERIES = 32


def is_orthanc_id(text: str) -> bool:
    return ORTHANC_ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Parent:
    """`level` is "patient", "study" or "series"; `series` are those in it, as Orthanc describes them."""

    level: str
    path: str
    series: tuple[dict[str, Any], ...]


def find_parent(orthanc: Orthanc, identifier: str, field: str) -> Parent:
    """What has that Orthanc identifier. Raises `ParentMissing`, also for an instance, which nothing can join."""
    if is_orthanc_id(identifier):
        for level, plural in (("study", "studies"), ("series", "series"), ("patient", "patients")):
            path = f"/{plural}/{identifier}"
            try:
                found = orthanc.get_json(path)
            except errors.NotFound:
                continue
            return Parent(level, path, (found,) if level == "series" else tuple(all_series(orthanc, path)))
    raise errors.ParentMissing(
        f"{field} must be the Orthanc identifier of a patient, a study or a series, but is {identifier[:80]!r}"
    )


def all_series(orthanc: Orthanc, path: str) -> list[dict[str, Any]]:
    """The series of a study or patient that have instances. Orthanc answers this from its database."""
    series = orthanc.get_json(f"{path}/series")
    return [one for one in series if one["Instances"]]


def smallest_file(orthanc: Orthanc, series: Sequence[dict[str, Any]], whose: str) -> bytes:
    """An instance of the study, for the patient's and the study's attributes: which one makes no difference."""
    if not series:
        raise errors.ParentMissing(f"{whose} has no instances any more")
    instances = [one["Instances"][0] for one in series[:MOST_SERIES]]
    return orthanc.file(min(instances, key=lambda instance: orthanc.version(instance)[1]))
