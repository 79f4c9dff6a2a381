"""The standard's own tables (PS3.3 as JSON in highdicom), against which an object is held."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import highdicom
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

TABLES = Path(highdicom.__file__).parent / "_standard"


@cache
def table(name: str) -> Any:
    return json.loads((TABLES / f"{name}.json").read_text())


def departures(ds: Dataset, iod: str, allowed: frozenset[str] = frozenset()) -> list[str]:
    """What `ds` lacks of the mandatory modules of an IOD ("encapsulated-obj"), and what it has that no module has.

    `allowed`: paths that a Standard Extended SOP Class has besides.
    """
    modules = table("iod_module_map")[iod]
    attributes = table("module_attribute_map")
    known = {
        (*attribute["path"], attribute["keyword"]): attribute["type"]
        for module in modules
        for attribute in attributes[module["key"]]
    }
    required = {
        (*attribute["path"], attribute["keyword"]): attribute["type"]
        for module in modules
        if module["usage"] == "M"
        for attribute in attributes[module["key"]]
        if attribute["type"] in ("1", "2")
    }
    return [*_missing(ds, (), required), *_unknown(ds, (), known, allowed)]


def _missing(ds: Dataset, path: tuple[str, ...], required: dict[tuple[str, ...], str]) -> list[str]:
    found = []
    for place, kind in required.items():
        if place[:-1] != path:
            continue
        if place[-1] not in ds:
            found.append(f"{'.'.join(place)} (type {kind}) is missing")
        elif kind == "1" and not ds[place[-1]].value and ds[place[-1]].value != 0:
            found.append(f"{'.'.join(place)} (type 1) is empty")
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                found += _missing(item, (*path, keyword_for_tag(element.tag)), required)
    return found


def _unknown(
    ds: Dataset, path: tuple[str, ...], known: dict[tuple[str, ...], str], allowed: frozenset[str]
) -> list[str]:
    found = []
    for element in ds:
        place = (*path, keyword_for_tag(element.tag))
        if place not in known and ".".join(place) not in allowed:
            found.append(f"{'.'.join(place)} is in no module")
        if element.VR == "SQ":
            for item in element.value:
                found += _unknown(item, place, known, allowed)
    return found
