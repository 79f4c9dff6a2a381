"""Models to DICOM files: a series of Encapsulated STL objects, one a part, or an Encapsulated OBJ with its MTL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from pydicom.uid import generate_uid

from orthanc_stl.dicom.encapsulated_model import (
    STL,
    Description,
    Series,
    encapsulated,
    series_description,
)
from orthanc_stl.dicom.encapsulated_obj import encapsulate_obj
from orthanc_stl.dicom.study_context import Reference, StudyContext
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.obj import MTL_NAME, obj_and_mtl
from orthanc_stl.formats.scene import color_of, shown_name, written_parts
from orthanc_stl.formats.stl import STL_HEADER, stl_bytes
from orthanc_stl.model import Code, Model, Part

ANATOMICAL_CATEGORIES = frozenset((("123037004", "SCT"), ("T-D000A", "SRT"), ("85756007", "SCT"), ("T-D0050", "SRT")))
"""Of CID 7150: Anatomical Structure and Tissue. Only their property types are regions of the body; a type such as
"Neoplasm" is none. The SRT codes are those of older files."""


def encapsulate_parts(
    model: Model,
    *,
    study: StudyContext,
    references: Sequence[Reference],
    version: str,
    title: str = "",
    series_number: int = 1,
    icons: Sequence[np.ndarray | None] = (),
    tags: Mapping[str, Any] | None = None,
    now: datetime | None = None,
    series: Series | None = None,
    first_number: int = 1,
    count: int | None = None,
) -> list[bytes]:
    """The DICOM files of all parts, in their order: one series, one Model Group UID, one Frame of Reference.

    Parts of one series that are made in several places have the same `series` (its description is set here) and
    `count`, how many they are together; `first_number` is the Instance Number of the first part.

    `study` gives patient, study and character set, `references` the instances that the model was made from. `title` is
    the Document Title, the model's own if empty. `icons`: a picture `(height, width, 3) uint8` for each part, or None.
    An empty frame of the model makes a new one. Raises InvalidInput for a part without triangles, and UnknownTag,
    Overridden or InvalidField for what `tags` may not hold.
    """
    if len(written_parts(model)) < len(model.parts):
        empty = next(part for part in model.parts if not len(part.mesh.triangles))
        raise InvalidInput(f'part {empty.number} "{shown_name(empty)}" has no triangles; each part is to have some')
    now = now or datetime.now().astimezone()
    frame = model.frame_of_reference_uid or str(generate_uid(prefix=None))
    count = len(model.parts) if count is None else count
    names = [name for part in model for name in ((part.given_name,) if part.given_name else names_of(part))]
    title = title or document_title(model.title, "STL")
    told = series_description(study, (f"{count} models",) if count > 1 else names, title)
    series = replace(series or Series(series_number), description=told)
    pictures = [*icons, *[None] * (len(model.parts) - len(icons))]
    return [
        encapsulated(
            STL,
            stl_bytes(part.mesh, STL_HEADER),
            source=study,
            description=_description(model, part, title, icon),
            version=version,
            series=series,
            now=now,
            instance_number=place,
            frame_of_reference_uid=frame,
            references=references,
            tags=tags,
        ).content
        for place, (part, icon) in enumerate(zip(model.parts, pictures, strict=True), first_number)
    ]


def encapsulate_as_obj(
    model: Model,
    *,
    study: StudyContext,
    references: Sequence[Reference],
    version: str,
    title: str = "",
    series_number: int = 1,
    icon: np.ndarray | None = None,
    tags: Mapping[str, Any] | None = None,
    now: datetime | None = None,
    series: Series | None = None,
) -> tuple[bytes, bytes]:
    """The DICOM files of an OBJ with all parts and of its MTL. Arguments and errors as of `encapsulate_parts`."""
    obj, mtl = obj_and_mtl(model)
    description = Description(
        title=title or document_title(model.title, "OBJ"),
        names=tuple(shown_name(part) for part in written_parts(model)),
        parameters=model.parameters,
        notes=tuple(note for part in model for note in part.notes),
        icon=icon,
        modified=any(part.modified for part in model),
        mirrored=any(part.mirrored for part in model),
    )
    return encapsulate_obj(
        obj,
        mtl,
        MTL_NAME,
        source=study,
        description=description,
        version=version,
        series=series or Series(series_number),
        frame_of_reference_uid=model.frame_of_reference_uid,
        references=references,
        tags=tags,
        now=now,
    )


def document_title(title: str, kind: str) -> str:
    """The Document Title of a model with that title: "STL model generated from ...", as the C++ plugin has it.

    >>> document_title("Model generated from NIfTI", "STL")
    'STL model generated from NIfTI'
    """
    return re.sub("^Model ", f"{kind} model ", title)


def _description(model: Model, part: Part, title: str, icon: np.ndarray | None) -> Description:
    return Description(
        title=title,
        names=names_of(part),
        given_name=part.given_name,
        color=color_of(part),
        parameters={**model.parameters, **_structure(part)},
        notes=part.notes,
        contours_volume=part.report.contours_volume,
        opacity=part.opacity,
        anatomy=part.anatomy if _is_anatomical(part.category) else None,
        segment=part.number if len(part.structures) < 2 else None,
        icon=icon,
        modified=part.modified,
        mirrored=part.mirrored,
    )


def names_of(part: Part) -> tuple[str, ...]:
    """The names of all structures that a part was made of."""
    return part.names or (shown_name(part),)


def _structure(part: Part) -> dict[str, str]:
    """What the standard has no attribute for in such an object, in its Algorithm Parameters."""
    told = {"StructureNumber": str(part.number)} if len(part.structures) < 2 else {}
    if part.kind:
        told["StructureType"] = part.kind
    for key, code in (("PropertyCategory", part.category), ("PropertyType", part.anatomy)):
        if code:
            told[key] = f"({code.value}, {code.scheme}, {code.meaning})"
    return told


def _is_anatomical(category: Code | None) -> bool:
    return category is None or (category.value, category.scheme) in ANATOMICAL_CATEGORIES
