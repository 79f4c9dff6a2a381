"""What has arrived in Orthanc: the facts that rules look at, and what came while nobody looked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from orthanc_stl.dicom.sop_classes import ENCAPSULATED_MODELS, ENCAPSULATED_MTL, MODEL_MODALITY
from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.rules.rule import SERIES_TAGS, STUDY_TAGS
from orthanc_stl.sources.kinds import kind_of

OWN_MANUFACTURERS = ("Orthanc STL plugin", "ORTHANC^STL")
_PAGE = 1000  # changes that Orthanc is asked for at once


def series_facts(orthanc: Orthanc, series: str) -> dict[str, list[str]]:
    """What the conditions of rules are compared with, except for the SOP class. Raises `NotFound`."""
    found = orthanc.get_json(f"/series/{series}")
    study = orthanc.get_json(f"/studies/{found['ParentStudy']}")
    facts = {tag: [found["MainDicomTags"].get(tag, "")] for tag in SERIES_TAGS}
    facts |= {tag: [study["MainDicomTags"].get(tag, "")] for tag in STUDY_TAGS}
    return facts | {"Labels": [*found.get("Labels", ()), *study.get("Labels", ())]}


def sources_of(orthanc: Orthanc, series: str, facts: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """The instances of a series that models can be made of, with their SOP class. What was made here is none."""
    if facts["Modality"] == [MODEL_MODALITY] or facts["Manufacturer"][0] in OWN_MANUFACTURERS:
        return
    for instance in orthanc.get_json(f"/series/{series}")["Instances"]:
        sop_class = orthanc.sop_class(instance)
        if sop_class in (*ENCAPSULATED_MODELS, ENCAPSULATED_MTL):
            continue
        kind = kind_of(sop_class)
        if kind is None:
            return  # images: the others of the series are the same
        yield instance, sop_class


def arrived_since(orthanc: Orthanc, days: int) -> list[str]:
    """The series that came or became stable in the last days, the oldest first, by Orthanc's own log of changes."""
    first = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y%m%dT%H%M%S")
    end = orthanc.get_json("/changes?last")["Last"]
    found: list[str] = []
    while end > 0:
        start = max(0, end - _PAGE)
        changes = orthanc.get_json(f"/changes?since={start}&limit={_PAGE}")["Changes"]
        page = [change for change in changes if change["Seq"] <= end]
        found = [*_series(page, first), *found]
        if page and page[0]["Date"] < first:
            break
        end = start
    return list(dict.fromkeys(found))


def _series(changes: list[dict[str, Any]], first: str) -> list[str]:
    kinds = ("NewSeries", "StableSeries")
    return [one["ID"] for one in changes if one["ChangeType"] in kinds and one["Date"] >= first]
