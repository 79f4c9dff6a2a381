"""Encapsulated OBJ with its Encapsulated MTL (DICOM Supplement 208).

Both are of modality M3D, as Encapsulated STL is, and readers that take every M3D series for STL exist: so each has a
series of its own. The MTL has no Frame of Reference (PS3.3 table A.85.3-1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydicom.uid import generate_uid

from orthanc_stl.dicom.elements import Buffer
from orthanc_stl.dicom.encapsulated_model import (
    MTL,
    OBJ,
    Description,
    DocumentReference,
    Series,
    encapsulated,
    series_description,
)
from orthanc_stl.dicom.study_context import Reference, StudyContext


def encapsulate_obj(
    obj: Buffer,
    mtl: Buffer,
    mtl_name: str,
    *,
    source: StudyContext,
    description: Description,
    version: str,
    series: Series,
    frame_of_reference_uid: str = "",
    references: Sequence[Reference] = (),
    tags: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> tuple[bytes, bytes]:
    """The DICOM files of the OBJ and of the MTL, in two series of one model group.

    `mtl_name` is what the OBJ calls the MTL (`mtllib`); the object of the OBJ has it as Relative URI Reference Within
    Encapsulated Document (C.24.2). `series` is that of the OBJ; its description is set here. The MTL's has the next
    number. Other arguments and errors are those of `encapsulate`.
    """
    now = now or datetime.now().astimezone()
    frame = frame_of_reference_uid or str(generate_uid(prefix=None))
    series = replace(series, description=series_description(source, description.names, description.title))
    of_mtl = series.next(series_description(source, ("materials",)))
    colors = encapsulated(
        MTL,
        mtl,
        source=source,
        description=replace(description, icon=None),
        version=version,
        series=of_mtl,
        now=now,
        references=references,
        tags=tags,
    )
    surfaces = encapsulated(
        OBJ,
        obj,
        source=source,
        description=description,
        version=version,
        series=series,
        now=now,
        frame_of_reference_uid=frame,
        references=references,
        documents=[DocumentReference(colors.reference, mtl_name)],
        tags=tags,
    )
    return surfaces.content, colors.content
