"""Tasks on models that are stored."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_stl.conversion.result import part_json
from orthanc_stl.conversion.stored import stored_facts, stored_model
from orthanc_stl.formats.picture import picture, png
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.tasks.common import READ, Blob, Options, Outcome, chosen_parts, written


def stored_file(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models. Facts: `models`, on each part. Files that come out: one in the format `Suffix`.

    Option `Structures`: only these parts, by their numbers, which count from 1 through all models.
    """
    model = chosen_parts(stored_model(blobs), options.get("Structures", ()))
    progress(READ, "writing the file")
    return {"models": [part_json(part) for part in model.parts], "skipped": []}, [written(model, options)]


def stored_info(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: an encapsulated model, and the MTL of an OBJ. Facts: what the object says, and what its mesh shows."""
    return stored_facts(blobs), ()


def stored_picture(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models. Files that come out: a PNG picture, `Width` pixels wide and high."""
    model = stored_model(blobs)
    progress(READ, "drawing")
    return {}, [png(picture(model, options["Width"], options["Width"]))]
