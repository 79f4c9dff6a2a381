"""Tasks that read a source: its structures, models of them, and files."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.choose import choice_for
from orthanc_stl.conversion.inputs import place_of
from orthanc_stl.conversion.objects import SeriesIdentity, dicom_objects
from orthanc_stl.conversion.result import ConversionResult, part_info, part_json
from orthanc_stl.dicom.encapsulated_model import check_tags
from orthanc_stl.dicom.structure_set import read_roi_names
from orthanc_stl.engine import kept_files
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.mesh.volumes.overview import overview_of
from orthanc_stl.model import Structure
from orthanc_stl.sources.base import OpenSource, Region
from orthanc_stl.tasks.common import MESHED, READ, Blob, Options, Outcome, portion, read, written


def roi_names(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: an RT-STRUCT. Facts: `names`, sorted, each once."""
    return {"names": read_roi_names(blobs[0])}, ()


def list_structures(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source. Facts: `structures`, all that is known of each, in the file's order.

    Option: `Overview`, what a volume of grey values looks like.
    """
    request, inputs = read(options, blobs)
    source = kept_files.once("source", lambda: inputs.open(request))
    structures = [structure.as_json() for structure in _structures(source)]
    if options.get("Overview"):
        structures = [_with_overview(source, facts) for facts in structures]
    return {"structures": structures}, ()


def _with_overview(source: OpenSource, facts: dict[str, Any]) -> dict[str, Any]:
    """Values are 0 to 65535, from the lowest to the highest, in base64."""
    if "Highest" not in facts:
        return facts
    region, _ = source.shape(facts["Number"])
    if not isinstance(region, Region):
        return facts
    low, high = facts["Lowest"], facts["Highest"]
    found = overview_of(region.volume, low, high)
    views = []
    for view in found.views:
        shares = ((view.values - low) / ((high - low) or 1)).clip(0, 1)
        text = base64.b64encode((shares * 65535).round().astype("<u2").tobytes()).decode()
        rows, columns = view.values.shape
        views.append({"Plane": view.plane, "Columns": columns, "Rows": rows, "SizeMm": view.size, "Values": text})
    voxel = region.volume.voxel_volume / 1000
    told = {"Lowest": low, "Highest": high, "VoxelMl": voxel, "Counts": found.counts.tolist(), "Views": views}
    return facts | {"Overview": told}


def choose_structures(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source. Facts: `structures` that the request means, each with a `Size` (a measure of the work, 0 where
    none is known), `skipped` ones, and `notes`."""
    request, inputs = read(options, blobs)
    check_tags(request.tags)
    choice = choice_for(inputs.open(request), request)
    return {
        "structures": [{"Number": one.number, "Name": one.name, "Size": _size(one)} for one in choice.structures],
        "skipped": [one.as_json() for one in choice.skipped],
        "notes": [note.as_json() for note in choice.notes],
    }, ()


def _size(structure: Structure) -> int:
    """The number of its contours, of all kinds, or of its voxels."""
    contours: dict[str, int] = structure.facts.get("Contours", {})
    return sum(contours.values()) or int(structure.facts.get("Voxels") or 0)


@reading("this file")
def _structures(source: OpenSource) -> Sequence[Structure]:
    """What a reader finds, which it may look for only now."""
    return source.structures


def convert(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source, and what inputs.py names. Facts: `answer`; `parts`, as in the answer's `Models`.

    Files that come out: the DICOM objects, one for each part. Options: `Series` (objects.SeriesIdentity as JSON).
    """
    request, inputs = read(options, blobs)
    check_tags(request.tags)
    progress(0.0, "reading the file")
    source = kept_files.once("source", lambda: inputs.open(request))
    check_tags(request.tags, inputs.study_of(source))
    others = kept_files.once("others", lambda: inputs.open_others(request))
    result = build_model(source, request, portion(progress, READ, MESHED), others=others)
    progress(MESHED, "writing the DICOM objects")
    place = place_of(source, inputs, result.model.parts[0].structures, request)
    elsewhere = [reference for other in others.values() for reference in other.references]
    place = replace(place, references=tuple(dict.fromkeys([*place.references, *elsewhere])))
    identity = SeriesIdentity.from_json(options["Series"])
    files = dicom_objects(result.model, place, identity, request)
    return {
        **_answer(result, request.format, files),
        "warnings": sum(len(part.notes) for part in result.model.parts),
    }, files


def _answer(result: ConversionResult, request_format: str, files: Sequence[bytes]) -> dict[str, Any]:
    """`objects`: in which of the files each part is; `structures`: which each file has."""
    parts = [part_json(part) for part in result.model.parts]
    notes = [note.text for note in result.notes]
    first = {key: value for key, value in parts[0].items() if key not in ("Number", "Name")}
    first["Warnings"] = [*notes, *first["Warnings"]]
    first["Notes"] = [*(note.as_json() for note in result.notes), *first["Notes"]]
    answer = first | {"Models": parts, "Skipped": [one.as_json() for one in result.skipped]}
    structures = [list(part.structures) for part in result.model.parts]
    if request_format == "stl":
        return {"answer": answer, "objects": list(range(len(parts))), "structures": structures}
    together = [number for numbers in structures for number in numbers]  # in an OBJ, to which its MTL belongs
    return {"answer": answer, "objects": [0] * len(parts), "structures": [together for _ in files]}


def scene_file(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source. Facts: `models`, on each part; `skipped`. Files that come out: one in the format `Suffix`.

    Option `Part`: only this part, counted from 1, is in the file.
    """
    request, inputs = read(options, blobs)
    source = kept_files.once("source", lambda: inputs.open(request))
    result = build_model(source, request, portion(progress, 0, MESHED), others=inputs.open_others(request))
    progress(MESHED, "writing the file")
    models = [part_info(part) for part in result.model.parts]
    models[0]["Warnings"] = [*(note.text for note in result.notes), *models[0]["Warnings"]]
    models[0]["Notes"] = [*(note.as_json() for note in result.notes), *models[0]["Notes"]]
    facts = {
        "models": models,
        "skipped": [one.as_json() for one in result.skipped],
    }
    model, part = result.model, options.get("Part")
    if part is not None:
        if part > len(model):
            raise InvalidInput(f"there is no part {part}: the model has {len(model)}")
        model = replace(model, parts=model.parts[part - 1 : part])
    return facts, [written(model, options)]
