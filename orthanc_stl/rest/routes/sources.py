"""What is read here, what is stored and what is shown beside it: one table for pages and scripts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orthanc_stl.dicom import sop_classes
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http.messages import Answer, Request, json_answer
from orthanc_stl.sources.kinds import KINDS, SHOWN_MODALITIES


def sources(app: App, request: Request) -> Answer:
    """GET /stl/sources: the kinds of input, classes and modalities of what is stored, modalities of images shown."""
    return replace(json_answer(table()), headers={"Cache-Control": "no-cache"})


def table() -> dict[str, Any]:
    kinds = [
        {
            "Key": kind.key,
            "Label": kind.label,
            "SOPClasses": kind.sop_classes,
            "Modalities": kind.modalities,
            "Suffixes": kind.suffixes,
        }
        for kind in KINDS
    ]
    stored = {
        "STL": sop_classes.ENCAPSULATED_STL,
        "OBJ": sop_classes.ENCAPSULATED_OBJ,
        "MTL": sop_classes.ENCAPSULATED_MTL,
        "Nexus": sop_classes.RAW_DATA,
    }
    return {
        "Sources": kinds,
        "Stored": stored,
        "StoredModalities": sop_classes.STORED_MODALITIES,
        "ShownModalities": SHOWN_MODALITIES,
        "NexusCreator": sop_classes.NEXUS_CREATOR,
    }
