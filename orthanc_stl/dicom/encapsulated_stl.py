"""Encapsulated STL objects (1.2.840.10008.5.1.4.1.1.104.3): written, and read back whoever wrote them.

Modules of PS3.3 A.85.1, in its order; C.24.1 Encapsulated Document Series, C.24.2 Encapsulated Document, C.35.1
Manufacturing 3D Model. Only binary STL is allowed in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from orthanc_stl.dicom import provenance
from orthanc_stl.dicom import tags as user_tags
from orthanc_stl.dicom.color import cielab_of
from orthanc_stl.dicom.elements import Buffer
from orthanc_stl.dicom.modules import (
    MODEL_NAME,
    code,
    common_instance_reference,
    date_and_time,
    date_time,
    enhanced_general_equipment,
    patient_and_study,
    sop_common,
    sop_instance,
)
from orthanc_stl.dicom.sop_classes import ENCAPSULATED_STL
from orthanc_stl.dicom.stored_model import StoredModel, read_encapsulated_stl
from orthanc_stl.dicom.study_context import Reference, StudyContext
from orthanc_stl.dicom.text import described, long_string, plain_text
from orthanc_stl.dicom.values import LENGTHS
from orthanc_stl.dicom.writing import file_bytes
from orthanc_stl.model import Color

__all__ = ["Description", "StoredModel", "check_tags", "encapsulate", "read_encapsulated_stl", "series_description"]

# The titles of the original plugin.
TITLE_RTSTRUCT = "STL model generated from DICOM RT-STRUCT"
TITLE_NIFTI = "STL model generated from NIfTI"

_ENCAPSULATED_DOCUMENT = 0x00420011
# These describe the bytes that we write; another value would make the object unreadable.
_DOCUMENT = frozenset((_ENCAPSULATED_DOCUMENT, 0x00420012, 0x00420015))


@dataclass(frozen=True)
class Description:
    """What an object says about the model in it.

    `names`: of the ROIs or labels in the model; `parameters`: what the conversion was told, by name; `warnings`: each
    thing that was skipped or guessed, a sentence each.
    """

    title: str
    names: tuple[str, ...] = ()
    color: Color | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


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
    """The DICOM file of a binary STL model.

    `source` gives patient, study and character set; `references` are the instances that the model was made from (none:
    then it is not derived from any); an empty `frame_of_reference_uid` makes a new frame; `now` is the moment of making
    with its offset from UTC. Raises UnknownTag, Overridden or InvalidField for what `tags` may not hold.
    """
    now = now or datetime.now().astimezone()
    ds = Dataset()
    patient_and_study(ds, source)
    _series(ds, source, description, now)
    ds.FrameOfReferenceUID = frame_of_reference_uid or generate_uid(prefix=None)
    ds.PositionReferenceIndicator = ""
    enhanced_general_equipment(ds, version)
    _document(ds, description, references, now)
    ds.EncapsulatedDocumentLength = memoryview(stl).nbytes
    _manufacturing_3d_model(ds, description, version)
    common_instance_reference(ds, references)
    sop_common(ds, ENCAPSULATED_STL, now)
    character_set = user_tags.apply_tags(ds, tags or {}, _refused, source.stated)
    return file_bytes(ds, _ENCAPSULATED_DOCUMENT, stl, character_set or source.character_set)


def check_tags(tags: Mapping[str, Any], source: StudyContext | None = None) -> None:
    """Whether `encapsulate` will take these: before a mesh is made in vain. Raises what it raises.

    Without the `source` what repeats the patient's and the study's attributes cannot be told from what changes them:
    that is left to `encapsulate` then.
    """
    if source is None:
        tags = {name: value for name, value in tags.items() if not user_tags.places(user_tags.tag_of(name))}
    ds = Dataset()
    if source:
        patient_and_study(ds, source)
    user_tags.apply_tags(ds, tags, _refused, source.stated if source else None)


def _refused(tag: int) -> bool:
    return tag in _DOCUMENT or user_tags.refuse_placing(tag)


def _series(ds: Dataset, source: StudyContext, description: Description, now: datetime) -> None:
    """C.24.1"""
    ds.Modality = "M3D"
    ds.SeriesInstanceUID = generate_uid(prefix=None)
    ds.SeriesNumber = "1"
    ds.SeriesDescription = series_description(source, description.names, description.title)
    ds.SeriesDate, ds.SeriesTime = date_and_time(now)


def series_description(source: StudyContext, names: Sequence[str], title: str = "") -> str:
    """`<description of the source>: <names>`, in 64 characters; `title` where there is neither: viewers list series by
    their description."""
    return described(source.series_description, names) or long_string(title)


def _document(ds: Dataset, description: Description, references: Sequence[Reference], now: datetime) -> None:
    """C.24.2, except for the document itself, which is written last."""
    ds.InstanceNumber = "1"
    ds.ContentDate, ds.ContentTime = date_and_time(now)
    ds.AcquisitionDateTime = date_time(now)
    ds.BurnedInAnnotation = "NO"
    if references:
        ds.SourceInstanceSequence = [sop_instance(reference) for reference in references]
    ds.DocumentTitle = plain_text(description.title, LENGTHS["ST"])
    ds.ConceptNameCodeSequence = []
    ds.MIMETypeOfEncapsulatedDocument = "model/stl"


def _manufacturing_3d_model(ds: Dataset, description: Description, version: str) -> None:
    """C.35.1; Algorithm Identification Macro: PS3.3 table 10-19, with a family of CID 7162."""
    ds.MeasurementUnitsCodeSequence = [code("mm", "UCUM", "mm")]
    ds.ContentDescription = described("", description.names)
    if description.color:
        ds.RecommendedDisplayCIELabValue = cielab_of(description.color)
    algorithm = Dataset()
    algorithm.AlgorithmFamilyCodeSequence = [code("123101", "DCM", "Neighborhood Analysis")]
    algorithm.AlgorithmName = MODEL_NAME
    algorithm.AlgorithmVersion = version
    algorithm.AlgorithmParameters = provenance.write(description.parameters, description.names, description.warnings)
    ds.DerivationAlgorithmSequence = [algorithm]
    ds.ModelGroupUID = generate_uid(prefix=None)
