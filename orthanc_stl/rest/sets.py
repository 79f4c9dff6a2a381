"""Stored models together: those of a series or of a study."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_stl import errors
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_MODELS, MODEL_MODALITY
from orthanc_stl.rest.app import App
from orthanc_stl.rest.inputs import instance_files
from orthanc_stl.rest.parents import is_orthanc_id
from orthanc_stl.rest.running import SourceFiles

MOST_MODELS = 500
"""In one answer."""


def models_of(app: App, level: str, identifier: str) -> list[str]:
    """The stored models of a series ("series") or of a study ("studies").

    Raises `InvalidInput` if there is none, `NotFound` for what is no identifier.
    """
    if not is_orthanc_id(identifier):
        raise errors.NotFound(
            f"{identifier[:80]!r} is not the Orthanc identifier of a {level.replace('studies', 'study')}"
        )
    found = app.orthanc.get_json(f"/{level}/{identifier}{'/series' if level == 'studies' else ''}")
    series = found if isinstance(found, list) else [found]
    of_models = [one["ID"] for one in series if one["MainDicomTags"].get("Modality") == MODEL_MODALITY]
    candidates = [instance for one in of_models for instance in _in_order(app, one)]
    models = [instance for instance in candidates if app.orthanc.sop_class(instance) in ENCAPSULATED_MODELS]
    if not models:
        raise errors.InvalidInput(f"there is no stored model in /{level}/{identifier}")
    return models


def _in_order(app: App, series: str) -> list[str]:
    """The instances of a series by their Instance Number."""
    found = app.orthanc.get_json(f"/series/{series}/instances")
    return [one["ID"] for one in sorted(found, key=lambda one: (one.get("IndexInSeries") or 0, one["ID"]))]


def stored_files(app: App, instances: Sequence[str]) -> SourceFiles:
    """The files of stored models; with an OBJ comes its MTL. Raises `TooLarge` for too many."""
    if len(instances) > MOST_MODELS:
        raise errors.TooLarge(f"there are {len(instances)} models, at most {MOST_MODELS} go into one answer")
    each = [instance_files(app, instance) for instance in instances]
    return SourceFiles(
        roles=("source",) * sum(len(files.roles or ()) for files in each),
        fetch=lambda: [file for files in each for file in files.fetch()],
        parent=f"/instances/{instances[0]}",
        version=" ".join(files.version for files in each),
    )
