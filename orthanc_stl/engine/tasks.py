"""The tasks that a worker can do: from files to a DICOM object, or to facts. Imported in workers only.

A task takes its options (JSON), its files, and where to report progress; it gives facts (JSON) and files. It raises
StlError with a sentence. Facts with an `answer` are of a conversion: that is what the client gets, besides where the
object is stored. Steps name nothing from the file: they are shown under /stl/jobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from orthanc_stl import __version__
from orthanc_stl.dicom.encapsulated_stl import (
    TITLE_NIFTI,
    TITLE_RTSTRUCT,
    Description,
    check_tags,
    encapsulate,
    read_encapsulated_stl,
)
from orthanc_stl.dicom.nexus import nexus_object
from orthanc_stl.dicom.series import image_series, matching
from orthanc_stl.dicom.structure_set import StructureSet, read_roi_names, read_structure_set
from orthanc_stl.dicom.study_context import Reference, StudyContext, read_study_context
from orthanc_stl.engine import nexus_builder
from orthanc_stl.engine.executor import Progress
from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.formats.nexus_index import read_index
from orthanc_stl.formats.stl import read_stl, stl_bytes
from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Report, Surface
from orthanc_stl.mesh.volumes.build import surface_from_volume
from orthanc_stl.sources.nifti_file import MAX_BYTES, read_nifti

Options = dict[str, Any]
Outcome = tuple[dict[str, Any], Sequence[bytes]]

STL_HEADER = f"orthanc-stl {__version__} UNITS=mm SPACE=LPS"

# Where the parts of a conversion end, as a fraction of its time. Measured: the mesh takes nearly all of it.
READ, MESHED, WRITTEN = 0.1, 0.9, 0.95


def preload() -> None:
    """Nothing more than importing this module does: all that the tasks need."""


def roi_names(options: Options, blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Blobs: an RT-STRUCT. Facts: `names`, sorted, each once."""
    return {"names": read_roi_names(blobs[0])}, ()


def structures(options: Options, blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Blobs: an RT-STRUCT. Facts: `structures`, all that is known of each ROI, in the file's order."""
    structure_set = _structure_set(options, blobs[0])
    return {"structures": [roi.as_json() for roi in structure_set.rois]}, ()


def encode_rtstruct(options: Options, blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Blobs: an RT-STRUCT. Facts: `answer`. Files: the DICOM object of the chosen ROIs' model.

    Options: `roi_names` or `roi_numbers`, `resolution`, `smooth`, `end_caps`, `strict`, `tags`, `limits`.
    """
    check_tags(options["tags"])
    progress(0.0, "reading the structure set")
    structure_set = _structure_set(options, blobs[0])
    check_tags(options["tags"], structure_set.source)
    model, numbers = model_of_structures(structure_set, options, _part(progress, READ, MESHED))
    chosen = [structure_set.roi(number) for number in numbers]
    frame, _ = structure_set.frame_of(numbers)
    source = structure_set.source
    description = Description(
        title=TITLE_RTSTRUCT,
        names=tuple(roi.name for roi in chosen),
        color=next((roi.color for roi in chosen if roi.color), None),
        parameters=_parameters(options, "resolution", "smooth", "end_caps"),
        warnings=model.report.warnings,
    )
    return _stored(model, source, description, frame, [source.reference], options, progress)


def encode_nifti(options: Options, blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Blobs: a NIfTI file; an instance of the study that the model goes to; the study's image series, as JSON for
    dicom/series.py, to find the images that the volume lies on. Facts: `answer`. Files: the DICOM object.

    Options: `labels`, `threshold`, `resolution`, `smooth`, `tags`, `limits`.
    """
    check_tags(options["tags"])
    labels = options.get("labels")
    max_mb = options.get("limits", {}).get("max_nifti_mb")
    progress(0.0, "reading the volume")
    context = read_study_context(blobs[1])
    check_tags(options["tags"], context)
    volume = read_nifti(blobs[0], max_bytes=max_mb << 20 if max_mb else MAX_BYTES)
    model = surface_from_volume(
        volume,
        labels=labels,
        threshold=options.get("threshold"),
        resolution=options["resolution"],
        smooth=options["smooth"],
        progress=_part(progress, READ, MESHED),
        **_limits(options, "max_voxels", "max_triangles"),
    )
    nx, ny, nz = volume.stored.shape
    images = matching(image_series(json.loads(blobs[2])), volume.affine, (nx, ny, nz))
    # Without such images the description would be that of whichever series the instance comes from.
    source = replace(context, series_description=images.description if images else "")
    description = Description(
        title=TITLE_NIFTI,
        names=tuple(f"label {label}" for label in labels or ()),
        parameters=_parameters(options, "resolution", "smooth", "labels", "threshold"),
        warnings=model.report.warnings,
    )
    frame = images.frame_of_reference_uid if images else ""
    return _stored(model, source, description, frame, images.references if images else (), options, progress)


def model_of_structures(structure_set: StructureSet, options: Options, progress: Progress) -> tuple[Surface, list[int]]:
    """The model of the ROIs that the options choose, and their numbers. Its warnings are those of all steps.

    Raises InvalidInput for ROIs that are unknown or of no use, and with `strict` if there is anything to warn about.
    """
    if options.get("roi_numbers"):
        numbers = list(dict.fromkeys(options["roi_numbers"]))
        notes = []
    else:
        numbers, notes = structure_set.numbers_of(options.get("roi_names") or ())
    if not numbers:
        raise InvalidInput("no ROI was chosen: RoiNames or RoiNumbers names at least one")
    rois, told = structure_set.contours(numbers)
    warnings = [note.text for note in (*notes, *told, *structure_set.frame_of(numbers)[1])]
    _refuse_if_strict(options, warnings)
    model = surface_from_contours(
        rois,
        surroundings=structure_set.surroundings(numbers),
        resolution=options["resolution"],
        smooth=options["smooth"],
        end_caps=options["end_caps"],
        progress=progress,
        **_limits(options, "max_voxels", "max_triangles"),
    )
    return _with_warnings(model, warnings, options), numbers


def stl_info(options: Options, blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Blobs: an encapsulated STL. Facts: what the object says, and what its mesh shows."""
    stored = read_encapsulated_stl(blobs[0])
    report = report_of(read_stl(bytes(stored.stl)))
    return {
        "Triangles": report.triangles,
        "VolumeMl": _millilitres(report),
        "AreaMm2": round(report.area, 3),
        "BoundingBox": [list(corner) for corner in report.box],
        "Closed": report.closed,
        "EulerNumber": report.euler_number,
        **stored.as_json(),
    }, ()


def create_nexus(options: Options, blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Blobs: a Nexus file; an instance of what the model joins, if anything. Files: the DICOM object.

    Options: `level`: what it joins, "patient", "study" or "series"; `instance_number` in that series; `tags`.
    """
    progress(0.0, "checking the model")
    read_index(blobs[0])
    progress(READ, "writing the DICOM object")
    parent = read_study_context(blobs[1]) if len(blobs) > 1 else None
    return {"answer": {}, "warnings": 0}, [_nexus_file(blobs[0], parent, options, {})]


def build_nexus(options: Options, blobs: Sequence[bytes], progress: Progress) -> Outcome:
    """Blobs: an encapsulated STL; an instance of what the model joins, if that is not the STL's study.

    Facts: `answer`. Files: the DICOM object of a Nexus model of the same surface. Options as for `create_nexus`.
    """
    progress(0.0, "reading the STL")
    mesh = read_stl(bytes(read_encapsulated_stl(blobs[0]).stl))
    most = options.get("limits", {}).get("max_triangles", len(mesh.triangles))
    if len(mesh.triangles) > most:
        raise TooLarge(f'The model has {len(mesh.triangles)} triangles, the option "MaxTriangles" allows {most}')
    content = nexus_builder.build_nexus(mesh, _part(progress, READ, WRITTEN))
    progress(WRITTEN, "writing the DICOM object")
    source = read_study_context(blobs[0])
    parent = read_study_context(blobs[1]) if len(blobs) > 1 else source
    described = {"SeriesDescription": source.series_description} if options.get("level") != "series" else {}
    file = _nexus_file(content, parent, options, described)
    return {"answer": {"Triangles": len(mesh.triangles)}, "warnings": 0}, [file]


def _nexus_file(content: bytes, parent: StudyContext | None, options: Options, tags: dict[str, Any]) -> bytes:
    return nexus_object(
        content,
        version=__version__,
        parent=parent,
        level=options.get("level") or "study",
        instance_number=options.get("instance_number") or 1,
        tags={**tags, **options["tags"]},
    )


def _stored(
    model: Surface, source: StudyContext, description: Description, frame: str, references: Sequence[Reference],
    options: Options, progress: Progress,
) -> Outcome:  # fmt: skip
    """The outcome of a conversion: the answer, and the model as a DICOM object."""
    progress(MESHED, "writing the STL")
    stl = stl_bytes(model.mesh, STL_HEADER)
    progress(WRITTEN, "writing the DICOM object")
    file = encapsulate(
        stl,
        source=source,
        description=description,
        version=__version__,
        frame_of_reference_uid=frame,
        references=references,
        tags=options["tags"],
    )
    report = model.report
    answer = {"Triangles": report.triangles, "VolumeMl": _millilitres(report), "Warnings": list(report.warnings)}
    return {"answer": answer, "warnings": len(report.warnings)}, [file]


def _structure_set(options: Options, data: bytes) -> StructureSet:
    return read_structure_set(data, **_limits(options, "max_contour_points", "max_rois"))


def _limits(options: Options, *names: str) -> dict[str, int]:
    """Those of the limits that the request came with; the rooms have defaults for the others."""
    given = options.get("limits", {})
    return {name: given[name] for name in names if name in given}


def _part(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a step that takes the whole from `start` to `end`."""
    return lambda fraction, step: progress(start + (end - start) * fraction, step)


def _parameters(options: Options, *names: str) -> dict[str, str]:
    """What the object says of its making, under the names of the request's fields."""
    given = {name: options[name] for name in names if options.get(name) is not None}
    return {name.title().replace("_", ""): json.dumps(value) for name, value in given.items()}


def _with_warnings(model: Surface, earlier: Sequence[str], options: Options) -> Surface:
    _refuse_if_strict(options, model.report.warnings)
    return replace(model, report=replace(model.report, warnings=(*earlier, *model.report.warnings)))


def _refuse_if_strict(options: Options, warnings: Sequence[str]) -> None:
    if options.get("strict") and warnings:
        raise InvalidInput(f"Strict is true, and this would have to be skipped or guessed: {'; '.join(warnings)}")


def _millilitres(report: Report) -> float:
    return round(report.volume / 1000, 4)


TASKS: dict[str, Callable[[Options, Sequence[bytes], Progress], Outcome]] = {
    task.__name__: task
    for task in (roi_names, structures, encode_rtstruct, encode_nifti, stl_info, create_nexus, build_nexus)
}
