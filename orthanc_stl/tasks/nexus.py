"""Nexus models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_stl import __version__
from orthanc_stl.conversion.nexus_surfaces import surface_of_file, surface_of_model
from orthanc_stl.conversion.stored import stored_model
from orthanc_stl.dicom.nexus import nexus_object
from orthanc_stl.dicom.study_context import StudyContext, read_study_context
from orthanc_stl.errors import TooLarge
from orthanc_stl.formats.nexus_index import read_index
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.model import Model
from orthanc_stl.nexus import builder
from orthanc_stl.sources.mesh_parts import MAX_TRIANGLES
from orthanc_stl.tasks.common import MESHED, READ, Blob, Options, Outcome, portion


def create_nexus(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a Nexus file; an instance of what the model joins, if anything. Files that come out: the DICOM object.

    Options: `level`: what it joins, "patient", "study" or "series"; `series_number` of a new series;
    `instance_number` in that series; `tags`.
    """
    progress(0.0, "checking the model")
    read_index(blobs[0])
    progress(READ, "writing the DICOM object")
    parent = read_study_context(blobs[1]) if len(blobs) > 1 else None
    return {"answer": {}, "warnings": 0}, [_nexus_file(blobs[0], parent, options, {})]


def build_nexus(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: stored models; with `joins`, as the last an instance of what the Nexus model joins, else their study.

    Facts: `answer`, with `Warnings`. Files that come out: the DICOM object of a Nexus model of the same surfaces, with
    their colors if there are several. Options as for `create_nexus`.
    """
    progress(0.0, "reading the models")
    stored = blobs[:-1] if options.get("joins") else blobs
    model = stored_model(stored)
    mesh, colors = surface_of_model(model)
    _check_triangles(len(mesh.triangles), options)
    content = builder.build_nexus(mesh, portion(progress, READ, MESHED), colors)
    progress(MESHED, "writing the DICOM object")
    source = read_study_context(stored[0])
    parent = read_study_context(blobs[-1]) if options.get("joins") else source
    described = {"SeriesDescription": source.series_description} if options.get("level") != "series" else {}
    file = _nexus_file(content, parent, options, described)
    warnings = _warnings(model)
    return {"answer": {"Triangles": len(mesh.triangles), "Warnings": warnings}, "warnings": len(warnings)}, [file]


def _warnings(model: Model) -> list[str]:
    """What is known of the parts, and what our pages do not show."""
    told = list(dict.fromkeys(warning for part in model for warning in part.warnings))
    seen_through = [part.name for part in model if part.opacity < 1]
    if seen_through:
        shown = ", ".join(f'"{name}"' for name in seen_through[:5]) + (" and others" if len(seen_through) > 5 else "")
        told.append(f"The viewers of Nexus models here draw {shown} opaque, which are to be seen through")
    return told


def _nexus_file(content: Blob, parent: StudyContext | None, options: Options, tags: dict[str, Any]) -> bytes:
    return nexus_object(
        content,
        version=__version__,
        parent=parent,
        level=options.get("level") or "study",
        series_number=options.get("series_number") or 1,
        instance_number=options.get("instance_number") or 1,
        tags={**tags, **options["tags"]},
    )


def build_nexus_of_file(options: Options, blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Files: a GLB file, or a zip with an OBJ; an instance of what the Nexus model joins, if anything.

    Facts: `answer`, with `Warnings`. Files that come out: the DICOM object. Options as for `create_nexus`.
    """
    progress(0.0, "reading the file")
    most = options.get("limits", {}).get("max_triangles", MAX_TRIANGLES)
    mesh, colors, warnings = surface_of_file(blobs[0], most)
    content = builder.build_nexus(mesh, portion(progress, READ, MESHED), colors)
    progress(MESHED, "writing the DICOM object")
    parent = read_study_context(blobs[1]) if len(blobs) > 1 else None
    answer = {"Triangles": len(mesh.triangles), "Warnings": list(warnings)}
    return {"answer": answer, "warnings": len(warnings)}, [_nexus_file(content, parent, options, {})]


def _check_triangles(count: int, options: Options) -> None:
    most = options.get("limits", {}).get("max_triangles", count)
    if count > most:
        raise TooLarge(f'The model has {count} triangles, the option "MaxTriangles" allows {most}')
