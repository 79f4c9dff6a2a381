"""The tasks that a worker can do: from files to DICOM objects, to files of other formats, or to facts.

A task takes its options (JSON), its files, and where to report progress; it gives facts (JSON) and files. It raises
StlError with a sentence. Facts with an `answer` are of a conversion: that is what the client gets, besides where the
objects are stored. Steps name nothing from the file: they are shown under /stl/jobs. Imported in workers only.

Options of the tasks that read a source: `Request` (ConversionRequest as JSON), `Roles` (of the files, see inputs.py),
`Name` (of the file, if it has one), `Kind` (the key of the only kind it may be), and what the task's docstring says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orthanc_stl import __version__
from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.choose import choose
from orthanc_stl.conversion.images import FrameValues, gzipped, packed, piece_of
from orthanc_stl.conversion.inputs import SOURCE, Inputs, place_of
from orthanc_stl.conversion.nexus_surfaces import surface_of_file, surface_of_model
from orthanc_stl.conversion.objects import SeriesIdentity, dicom_objects
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.conversion.result import ConversionResult, part_info, part_json
from orthanc_stl.conversion.stored import stored_facts, stored_model
from orthanc_stl.dicom.encapsulated_model import check_tags
from orthanc_stl.dicom.image_series import Encoding
from orthanc_stl.dicom.nexus import nexus_object
from orthanc_stl.dicom.structure_set import read_roi_names
from orthanc_stl.dicom.study_context import StudyContext, read_study_context
from orthanc_stl.engine import kept_files, nexus_builder
from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.nexus_index import read_index
from orthanc_stl.formats.picture import picture, png
from orthanc_stl.formats.registry import writer_of
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.model import Model, Structure
from orthanc_stl.sources.base import OpenSource
from orthanc_stl.sources.mesh_parts import MAX_TRIANGLES

Options = dict[str, Any]
Outcome = tuple[dict[str, Any], Sequence[bytes]]
Blob = bytes | bytearray | memoryview

# Where the parts of a conversion end, as a fraction of its time. Measured: the meshes take nearly all of it.
READ, MESHED = 0.05, 0.95


def preload() -> None:
    """Nothing more than importing this module does: all that the tasks need."""


def roi_names(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: an RT-STRUCT. Facts: `names`, sorted, each once."""
    return {"names": read_roi_names(blobs[0])}, ()


def list_structures(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source. Facts: `structures`, all that is known of each, in the file's order."""
    request, inputs = _read(options, blobs)
    return {"structures": [structure.as_json() for structure in _structures(inputs.open(request))]}, ()


def choose_structures(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source. Facts: `structures` that the request means, `skipped` ones, and `notes`."""
    request, inputs = _read(options, blobs)
    check_tags(request.tags)
    choice = choose(_structures(inputs.open(request)), request)
    return {
        "structures": [{"Number": structure.number, "Name": structure.name} for structure in choice.structures],
        "skipped": [one.as_json() for one in choice.skipped],
        "notes": [note.text for note in choice.notes],
    }, ()


@reading("this file")
def _structures(source: OpenSource) -> Sequence[Structure]:
    """What a reader finds, which it may look for only now."""
    return source.structures


def convert(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source, and what inputs.py names. Facts: `answer`; `parts`, as in the answer's `Models`.

    Files that come out: the DICOM objects, one for each part. Options: `Series` (objects.SeriesIdentity as JSON).
    """
    request, inputs = _read(options, blobs)
    check_tags(request.tags)
    progress(0.0, "reading the file")
    source = kept_files.once("source", lambda: inputs.open(request))
    check_tags(request.tags, inputs.study_of(source))
    result = build_model(source, request, _portion(progress, READ, MESHED))
    progress(MESHED, "writing the DICOM objects")
    place = place_of(source, inputs, result.model.parts[0].structures)
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
    answer = first | {"Models": parts, "Skipped": [one.as_json() for one in result.skipped]}
    structures = [list(part.structures) for part in result.model.parts]
    if request_format == "stl":
        return {"answer": answer, "objects": list(range(len(parts))), "structures": structures}
    together = [number for numbers in structures for number in numbers]  # in an OBJ, to which its MTL belongs
    return {"answer": answer, "objects": [0] * len(parts), "structures": [together for _ in files]}


def scene_file(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a source. Facts: `models`, on each part; `skipped`. Files that come out: one in the format `Suffix`."""
    request, inputs = _read(options, blobs)
    result = build_model(inputs.open(request), request, _portion(progress, 0, MESHED))
    progress(MESHED, "writing the file")
    facts = {
        "models": [part_info(part) for part in result.model.parts],
        "skipped": [one.as_json() for one in result.skipped],
    }
    return facts, [_written(result.model, options)]


def stored_file(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models. Facts: `models`, on each part. Files that come out: one in the format `Suffix`."""
    model = stored_model(blobs)
    progress(READ, "writing the file")
    return {"models": [part_json(part) for part in model.parts], "skipped": []}, [_written(model, options)]


def _written(model: Model, options: Options) -> bytes:
    writer = writer_of(options["Suffix"])
    if writer is None:
        raise InvalidInput(f"no format has the suffix {options['Suffix']!r}")
    return writer.write(model, WriteOptions(compress=options.get("Compress", False)))


def stored_picture(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models. Files that come out: a PNG picture, `Width` pixels wide and high."""
    model = stored_model(blobs)
    progress(READ, "drawing")
    return {}, [png(picture(model, options["Width"], options["Width"]))]


def stored_info(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: an encapsulated model. Facts: what the object says, and what its mesh shows."""
    return stored_facts(blobs[0]), ()


def image_slices(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: decoded frames. Files that come out: slices of one level of a stack, int16 or as `layout` says."""
    values = piece_of(
        blobs,
        [FrameValues(*frame) for frame in options["frames"]],
        encoding=Encoding(*options["encoding"]),
        size=(options["columns"], options["rows"]),
        step=options["step"],
        slices=options["slices"],
    )
    data = packed(values) if options["layout"] == "packed" else values.astype("<i2").tobytes()
    return {}, [gzipped(data) if options["gzip"] else data]


def create_nexus(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a Nexus file; an instance of what the model joins, if anything. Files that come out: the DICOM object.

    Options: `level`: what it joins, "patient", "study" or "series"; `instance_number` in that series; `tags`.
    """
    progress(0.0, "checking the model")
    read_index(blobs[0])
    progress(READ, "writing the DICOM object")
    parent = read_study_context(blobs[1]) if len(blobs) > 1 else None
    return {"answer": {}, "warnings": 0}, [_nexus_file(blobs[0], parent, options, {})]


def build_nexus(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models; with `joins`, as the last an instance of what the Nexus model joins, else their study.

    Facts: `answer`. Files that come out: the DICOM object of a Nexus model of the same surfaces, with their colors if
    there are several. Options as for `create_nexus`.
    """
    progress(0.0, "reading the models")
    stored = blobs[:-1] if options.get("joins") else blobs
    model = stored_model(stored)
    mesh, colors = surface_of_model(model)
    _check_triangles(len(mesh.triangles), options)
    content = nexus_builder.build_nexus(mesh, _portion(progress, READ, MESHED), colors)
    progress(MESHED, "writing the DICOM object")
    source = read_study_context(stored[0])
    parent = read_study_context(blobs[-1]) if options.get("joins") else source
    described = {"SeriesDescription": source.series_description} if options.get("level") != "series" else {}
    file = _nexus_file(content, parent, options, described)
    return {"answer": {"Triangles": len(mesh.triangles)}, "warnings": 0}, [file]


def build_nexus_of_file(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a GLB file, or a zip with an OBJ; an instance of what the Nexus model joins, if anything.

    Facts: `answer`, with `Warnings`. Files that come out: the DICOM object. Options as for `create_nexus`.
    """
    progress(0.0, "reading the file")
    most = options.get("limits", {}).get("max_triangles", MAX_TRIANGLES)
    mesh, colors, warnings = surface_of_file(blobs[0], most)
    content = nexus_builder.build_nexus(mesh, _portion(progress, READ, MESHED), colors)
    progress(MESHED, "writing the DICOM object")
    parent = read_study_context(blobs[1]) if len(blobs) > 1 else None
    answer = {"Triangles": len(mesh.triangles), "Warnings": list(warnings)}
    return {"answer": answer, "warnings": len(warnings)}, [_nexus_file(content, parent, options, {})]


def _check_triangles(count: int, options: Options) -> None:
    most = options.get("limits", {}).get("max_triangles", count)
    if count > most:
        raise TooLarge(f'The model has {count} triangles, the option "MaxTriangles" allows {most}')


def _nexus_file(content: Blob, parent: StudyContext | None, options: Options, tags: dict[str, Any]) -> bytes:
    return nexus_object(
        content,
        version=__version__,
        parent=parent,
        level=options.get("level") or "study",
        instance_number=options.get("instance_number") or 1,
        tags={**tags, **options["tags"]},
    )


def _read(options: Options, blobs: Sequence[Blob]) -> tuple[ConversionRequest, Inputs]:
    roles = options.get("Roles") or [SOURCE] * len(blobs)
    request = ConversionRequest.from_json(options.get("Request", {}))
    return request, Inputs.of(roles, blobs, options.get("Name", ""), options.get("Kind", ""))


def _portion(progress: Progress, start: float, end: float) -> Progress:
    return lambda fraction, step: progress(start + (end - start) * fraction, step)


Task = Callable[[Options, Sequence[Blob], Progress], Outcome]

TASKS: Mapping[str, Task] = {
    task.__name__: task
    for task in (
        roi_names,
        list_structures,
        choose_structures,
        convert,
        scene_file,
        stored_file,
        stored_info,
        stored_picture,
        image_slices,
        create_nexus,
        build_nexus,
        build_nexus_of_file,
    )
}
