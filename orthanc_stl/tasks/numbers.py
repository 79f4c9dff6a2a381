"""Tables and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.comparison import colored_by_distance, compare_models
from orthanc_stl.conversion.inputs import Inputs
from orthanc_stl.conversion.printing import print_checks
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.conversion.statistics import as_csv, statistics
from orthanc_stl.conversion.stored import stored_model
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.model import Model
from orthanc_stl.tasks.common import Blob, Options, Outcome, portion, read


def source_statistics(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source. Facts: `rows`, one for each structure; `skipped`. Files that come out: the same as CSV."""
    request, inputs = read(options, blobs)
    source = inputs.open(request)
    result = build_model(source, request, progress)
    rows = statistics(result.model, source)
    return {"rows": rows, "skipped": [one.as_json() for one in result.skipped]}, [as_csv(rows)]


def stored_statistics(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models. Facts: `rows`, one for each. Files that come out: the same as CSV."""
    rows = statistics(stored_model(blobs))
    return {"rows": rows, "skipped": []}, [as_csv(rows)]


def stored_print_check(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models. Facts: what print_checks gives. Options: `Wall`, `Bed`, `Hollow`, in mm."""
    progress(0.0, "measuring walls")
    return print_checks(stored_model(blobs), wall=options["Wall"], bed=options["Bed"], hollow=options["Hollow"]), ()


def compare(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: those of A, then those of B. Facts: what compare_models gives; `scale` (mm) with `File`.

    Options: `A` and `B`, each with `Request` and `Files`, how many of the files are its own, and `Stored` for stored
    models. `File`: "ply" for A colored by its distance to B, where both are one structure.
    """
    count = options["A"]["Files"]
    first = _compared(options["A"], blobs[:count], portion(progress, 0.0, 0.4))
    second = _compared(options["B"], blobs[count:], portion(progress, 0.4, 0.8))
    progress(0.8, "comparing")
    found = compare_models(first, second)
    if options.get("File") != "ply":
        return found, ()
    if len(first) != 1 or len(second) != 1:
        raise InvalidInput("a file is made of two single structures: Structure names one of A and one of B")
    file, scale = colored_by_distance(first.parts[0], second.parts[0])
    return found | {"ScaleMm": round(scale, 4)}, [file]


def _compared(side: Mapping[str, Any], files: Sequence[Blob], progress: Progress) -> Model:
    if side.get("Stored"):
        return stored_model(files)
    request = ConversionRequest.from_json(side["Request"])
    return build_model(Inputs(tuple(files)).open(request), request, progress).model
