"""What Encapsulated STL, OBJ and MTL objects have in common: all modules of PS3.3 A.85 but the document itself.

C.24.1 Encapsulated Document Series, C.24.2 Encapsulated Document, C.35.1 Manufacturing 3D Model. The three differ in
their SOP class, their media type, and in that an MTL has no Frame of Reference.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from orthanc_stl.dicom import provenance, sop_classes
from orthanc_stl.dicom import tags as user_tags
from orthanc_stl.dicom.color import cielab_of
from orthanc_stl.dicom.elements import Buffer
from orthanc_stl.dicom.icon import icon_image
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
from orthanc_stl.dicom.study_context import Reference, StudyContext
from orthanc_stl.dicom.text import described, long_string, plain_text
from orthanc_stl.dicom.values import LENGTHS
from orthanc_stl.dicom.writing import file_bytes
from orthanc_stl.errors import InvalidField
from orthanc_stl.mesh.types import Note
from orthanc_stl.model import Code, Color

_ENCAPSULATED_DOCUMENT = 0x00420011
# These describe the bytes that we write; another value would make the object unreadable.
_DOCUMENT = frozenset((_ENCAPSULATED_DOCUMENT, 0x00420012, 0x00420015))

# SOP classes with segments, whose number a reference names: Segmentation, Label Map Segmentation.
_WITH_SEGMENTS = (sop_classes.SEGMENTATION, sop_classes.LABEL_MAP_SEGMENTATION)


@dataclass(frozen=True)
class Kind:
    """One of the three: its SOP class, the media type of its document, and whether it has a Frame of Reference."""

    sop_class_uid: str
    media_type: str
    has_frame: bool = True


STL = Kind(sop_classes.ENCAPSULATED_STL, "model/stl")
OBJ = Kind(sop_classes.ENCAPSULATED_OBJ, "model/obj")
MTL = Kind(sop_classes.ENCAPSULATED_MTL, "model/mtl", has_frame=False)


@dataclass(frozen=True)
class Description:
    """What an object says about the model in it.

    `names`: of the structures in the model, `given_name`: what a person calls it instead; `parameters`: what the
    conversion was told, by name; `notes`: what was changed, guessed or left out; `contours_volume` (mm³): that of the
    contours themselves. `opacity` of 0..1 and `anatomy` are left out where None; `segment` is the number of the one
    segment of the source that the model is of;
    `icon` is a picture `(height, width, 3) uint8`. `modified` and `mirrored`: the model is not the body as it is.
    """

    title: str
    names: tuple[str, ...] = ()
    color: Color | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    contours_volume: float | None = None
    opacity: float | None = None
    anatomy: Code | None = None
    segment: int | None = None
    icon: np.ndarray | None = None
    modified: bool = False
    mirrored: bool = False
    given_name: str = ""


@dataclass(frozen=True)
class Series:
    """The series that objects are put into together, and the group of models that belong to one another.

    `fixed_uids`: the SOP Instance UIDs follow from `uid`, the SOP class and the Instance Number (PS3.5 B.2, by a UUID
    of version 5), so that the same objects made again have the same UIDs.
    """

    number: int = 1
    description: str = ""
    uid: str = field(default_factory=lambda: str(generate_uid(prefix=None)))
    model_group_uid: str = field(default_factory=lambda: str(generate_uid(prefix=None)))
    fixed_uids: bool = False

    def instance_uid(self, sop_class_uid: str, instance_number: int) -> str:
        """The SOP Instance UID of an object of this series, with `fixed_uids`."""
        return self._derived_uid(f"{sop_class_uid}/{instance_number}")

    def next(self, description: str) -> Series:
        """The series after this one, of the same group of models; made again, it has the same UID."""
        return replace(self, number=self.number + 1, description=description, uid=self._derived_uid("next"))

    def _derived_uid(self, of: str) -> str:
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{self.uid}/{of}').int}"


@dataclass(frozen=True)
class DocumentReference:
    """Another object that the document names: `uri` is how, as in `mtllib model.mtl`."""

    reference: Reference
    uri: str


@dataclass(frozen=True)
class Written:
    """A DICOM file, and how others refer to it."""

    content: bytes
    reference: Reference


def encapsulated(
    kind: Kind,
    document: Buffer,
    *,
    source: StudyContext,
    description: Description,
    version: str,
    series: Series,
    now: datetime,
    instance_number: int = 1,
    frame_of_reference_uid: str = "",
    references: Sequence[Reference] = (),
    documents: Sequence[DocumentReference] = (),
    tags: Mapping[str, Any] | None = None,
) -> Written:
    """The DICOM file of one document.

    `source` gives patient, study and character set; `references` are the instances that the model was made from (none:
    then it is not derived from any); `documents` those that the document itself names. An empty
    `frame_of_reference_uid` makes a new frame. Raises UnknownTag, Overridden or InvalidField for what `tags` may not
    hold.
    """
    ds = Dataset()
    patient_and_study(ds, source)
    _encapsulated_document_series(ds, series, now)
    if kind.has_frame:
        ds.FrameOfReferenceUID = frame_of_reference_uid or generate_uid(prefix=None)
        ds.PositionReferenceIndicator = ""
    enhanced_general_equipment(ds, version)
    _encapsulated_document(ds, description, references, now)
    ds.InstanceNumber = str(instance_number)
    ds.MIMETypeOfEncapsulatedDocument = kind.media_type
    ds.EncapsulatedDocumentLength = memoryview(document).nbytes
    if documents:
        ds.ReferencedInstanceSequence = [_named(other) for other in documents]
    _manufacturing_3d_model(ds, description, version)
    ds.ModelGroupUID = series.model_group_uid
    common_instance_reference(ds, [*references, *(other.reference for other in documents)])
    sop_common(ds, kind.sop_class_uid, now)
    if series.fixed_uids:
        ds.SOPInstanceUID = series.instance_uid(kind.sop_class_uid, instance_number)
    character_set = user_tags.apply_tags(ds, tags or {}, _refused, source.stated)
    for said, keyword in ((description.modified, "ModelModification"), (description.mirrored, "ModelMirroring")):
        if said and ds[keyword].value != "YES":
            raise InvalidField(f"Tags may not set {keyword} to {ds[keyword].value!r}: it is YES of this model")
    content = file_bytes(ds, _ENCAPSULATED_DOCUMENT, document, character_set or source.character_set)
    return Written(content, Reference(kind.sop_class_uid, str(ds.SOPInstanceUID), str(ds.SeriesInstanceUID)))


def check_tags(tags: Mapping[str, Any], source: StudyContext | None = None) -> None:
    """Whether `encapsulated` will take these: before a mesh is made in vain. Raises what it raises.

    Without the `source` what repeats the patient's and the study's attributes cannot be told from what changes them:
    that is left to `encapsulated` then.
    """
    if source is None:
        tags = {name: value for name, value in tags.items() if not user_tags.places(user_tags.tag_of(name))}
    ds = Dataset()
    if source:
        patient_and_study(ds, source)
    user_tags.apply_tags(ds, tags, _refused, source.stated if source else None)


def series_description(source: StudyContext, names: Sequence[str], title: str = "") -> str:
    """`<description of the source>: <names>`, in 64 characters; `title` where there is neither: viewers list series by
    their description."""
    return described(source.series_description, names) or long_string(title)


def _refused(tag: int) -> bool:
    return tag in _DOCUMENT or user_tags.refuse_placing(tag)


def _encapsulated_document_series(ds: Dataset, series: Series, now: datetime) -> None:
    """C.24.1"""
    ds.Modality = sop_classes.MODEL_MODALITY
    ds.SeriesInstanceUID = series.uid
    ds.SeriesNumber = str(series.number)
    ds.SeriesDescription = series.description
    ds.SeriesDate, ds.SeriesTime = date_and_time(now)


def _encapsulated_document(
    ds: Dataset, description: Description, references: Sequence[Reference], now: datetime
) -> None:
    """C.24.2, except for the document itself, which is written last."""
    ds.ContentDate, ds.ContentTime = date_and_time(now)
    ds.AcquisitionDateTime = date_time(now)
    ds.BurnedInAnnotation = "NO"
    if references:
        ds.SourceInstanceSequence = [_source_instance(reference, description.segment) for reference in references]
    ds.DocumentTitle = plain_text(description.title, LENGTHS["ST"])
    ds.ConceptNameCodeSequence = []


def _source_instance(reference: Reference, segment: int | None) -> Dataset:
    """With the segment's number, which the standard's other references to segmentations have (table 10-3)."""
    item = sop_instance(reference)
    if segment is not None and reference.sop_class_uid in _WITH_SEGMENTS:
        item.ReferencedSegmentNumber = segment
    return item


def _named(other: DocumentReference) -> Dataset:
    item = sop_instance(other.reference)
    item.RelativeURIReferenceWithinEncapsulatedDocument = other.uri
    return item


def _manufacturing_3d_model(ds: Dataset, description: Description, version: str) -> None:
    """C.35.1; Algorithm Identification Macro: PS3.3 table 10-19, with a family of CID 7162."""
    ds.MeasurementUnitsCodeSequence = [code("mm", "UCUM", "mm")]
    ds.ContentDescription = described("", (description.given_name,) if description.given_name else description.names)
    if description.color:
        ds.RecommendedDisplayCIELabValue = cielab_of(description.color)
    if description.opacity is not None:
        ds.RecommendedPresentationOpacity = description.opacity
    if description.anatomy:
        anatomy = description.anatomy
        ds.AnatomicRegionSequence = [code(anatomy.value, anatomy.scheme, long_string(anatomy.meaning))]
    if description.icon is not None:
        ds.IconImageSequence = [icon_image(description.icon)]
    if description.modified:
        ds.ModelModification = "YES"
    if description.mirrored:
        ds.ModelMirroring = "YES"
    algorithm = Dataset()
    algorithm.AlgorithmFamilyCodeSequence = [code("123101", "DCM", "Neighborhood Analysis")]
    algorithm.AlgorithmName = MODEL_NAME
    algorithm.AlgorithmVersion = version
    parameters = dict(description.parameters)
    if description.contours_volume is not None:
        parameters[provenance.CONTOURS_ML] = f"{description.contours_volume / 1000:.4f}"
    algorithm.AlgorithmParameters = provenance.write(parameters, description.names, description.notes)
    ds.DerivationAlgorithmSequence = [algorithm]
