"""Encapsulated STL objects of one model, as the tests of their modules need them.

The package writes them by formats/encapsulated.py, several in a series; what is in each is that of
dicom/encapsulated_model.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from orthanc_stl.dicom.elements import Buffer
from orthanc_stl.dicom.encapsulated_model import STL, Description, Series, encapsulated, series_description
from orthanc_stl.dicom.study_context import Reference, StudyContext

TITLE_RTSTRUCT = "STL model generated from DICOM RT-STRUCT"


def encapsulate(
    stl: Buffer,
    *,
    source: StudyContext,
    description: Description,
    version: str,
    frame_of_reference_uid: str = "",
    references: Sequence[Reference] = (),
    tags: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> bytes:
    """The DICOM file of a binary STL model, in a series of its own.

    `source` gives patient, study and character set; `references` are the instances that the model was made from (none:
    then it is not derived from any); an empty `frame_of_reference_uid` makes a new frame; `now` is the moment of making
    with its offset from UTC. Raises UnknownTag, Overridden or InvalidField for what `tags` may not hold.
    """
    return encapsulated(
        STL,
        stl,
        source=source,
        description=description,
        version=version,
        series=Series(description=series_description(source, description.names, description.title)),
        now=now or datetime.now().astimezone(),
        frame_of_reference_uid=frame_of_reference_uid,
        references=references,
        tags=tags,
    ).content
