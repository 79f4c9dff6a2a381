"""Tables and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.comparison import Side, colored_by_distance, compared, only_parts
from orthanc_stl.conversion.inputs import Inputs
from orthanc_stl.conversion.printing import check_parts, colored_by_check, print_checks
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.conversion.statistics import as_csv, statistics
from orthanc_stl.conversion.stored import stored_model
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.model import Model
from orthanc_stl.tasks.common import Blob, Options, Outcome, chosen_parts, portion, read

CHECKED = 0.7
"""Where the print check begins, as a fraction of the time that it takes together with making the model."""


def source_statistics(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source. Facts: `rows`, one for each structure. Files that come out: the same as CSV."""
    request, inputs = read(options, blobs)
    source = inputs.open(request)
    result = build_model(source, request, progress)
    rows = statistics(result.model, source, result.skipped)
    return {"rows": rows}, [as_csv(rows)]


def stored_statistics(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models. Facts: `rows`, one for each. Files that come out: the same as CSV."""
    rows = statistics(stored_model(blobs))
    return {"rows": rows}, [as_csv(rows)]


def stored_print_check(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models. Facts: what print_checks gives. Files that come out: the models colored by it, as PLY.

    Options: `Wall`, `Bed`, `Hollow`, in mm.
    """
    return _print_check(stored_model(blobs), options, progress)


def source_print_check(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """The same of what `Request` makes of a source."""
    request, inputs = read(options, blobs)
    others = inputs.open_others(request)
    result = build_model(inputs.open(request), request, portion(progress, 0, CHECKED), others=others)
    return _print_check(result.model, options, portion(progress, CHECKED, 1))


def _print_check(model: Model, options: Options, progress: Progress) -> Outcome:
    progress(0.0, "measuring walls")
    sizes = {"wall": options["Wall"], "bed": options["Bed"], "hollow": options["Hollow"]}
    checks = check_parts(model, **sizes)
    return print_checks(model, **sizes, checks=checks), [colored_by_check(model, checks, options["Wall"])]


def compare(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: those of A, then those of B. Facts: what `compared` gives; `ScaleMm` and `Warnings` with `File`.

    Options: `A` and `B`, each with `Request` and `Files`, how many of the files are its own, and `Stored` for stored
    models, of which `Structures` chooses by number or name. `File`: "ply" or "glb" for A colored by its distance to B,
    where both are one structure.
    """
    count = options["A"]["Files"]
    a, b = _side(options["A"], blobs[:count]), _side(options["B"], blobs[count:])
    if "File" not in options:
        return compared(a, b, progress), ()
    one, other, told = only_parts(a, b, progress)
    file, scale = colored_by_distance(one, other, options["File"], told)
    return {"ScaleMm": round(scale, 4), "Warnings": [note.text for note in told]}, [file]


def _side(side: Mapping[str, Any], files: Sequence[Blob]) -> Side:
    if side.get("Stored"):
        return Side(chosen_parts(stored_model(files), side.get("Structures", ())))
    request = ConversionRequest.from_json(side["Request"])
    return Side(Inputs(tuple(files)).open(request), request)
