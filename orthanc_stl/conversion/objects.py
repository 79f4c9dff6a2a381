"""Models as DICOM objects: one for each part, in one series, with one Model Group UID (PS3.17 RRRR.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from orthanc_stl import __version__
from orthanc_stl.conversion.inputs import Place
from orthanc_stl.conversion.pictures import icon_of
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.dicom.encapsulated_model import Series
from orthanc_stl.formats.encapsulated import encapsulate_as_obj, encapsulate_parts
from orthanc_stl.model import Model


@dataclass(frozen=True)
class SeriesIdentity:
    """What the objects of one conversion have in common, wherever each is made. `moment` has its offset from UTC.

    `place` is the Instance Number of the first of these objects, `of` how many the series will have.
    `frame_of_reference_uid` is for models that join no other frame. `fixed_uids`: the SOP Instance UIDs follow from the
    series and the Instance Number, so that what is made twice is the same object.
    """

    series_instance_uid: str
    model_group_uid: str
    frame_of_reference_uid: str
    series_number: int
    moment: datetime
    place: int = 1
    of: int = 1
    fixed_uids: bool = False

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> SeriesIdentity:
        return SeriesIdentity(
            data["SeriesInstanceUID"],
            data["ModelGroupUID"],
            data["FrameOfReferenceUID"],
            data["SeriesNumber"],
            datetime.fromisoformat(data["Moment"]),
            data["Place"],
            data["Of"],
            data.get("FixedUIDs", False),
        )


def dicom_objects(model: Model, place: Place, identity: SeriesIdentity, request: ConversionRequest) -> list[bytes]:
    """The DICOM files of the parts of `model`, in their order; in the format "obj" the OBJ of all, and its MTL.

    Raises InvalidInput for what `Tags` may not hold.
    """
    model = replace(model, frame_of_reference_uid=place.frame_of_reference_uid or identity.frame_of_reference_uid)
    series = Series(
        identity.series_number,
        uid=identity.series_instance_uid,
        model_group_uid=identity.model_group_uid,
        fixed_uids=identity.fixed_uids,
    )
    if request.format == "obj":
        obj, mtl = encapsulate_as_obj(
            model,
            study=place.study,
            references=place.references,
            version=__version__,
            icon=icon_of(*model.parts),
            tags=request.tags,
            now=identity.moment,
            series=series,
        )
        return [obj, mtl]
    return encapsulate_parts(
        model,
        study=place.study,
        references=place.references,
        version=__version__,
        icons=[icon_of(part) for part in model],
        tags=request.tags,
        now=identity.moment,
        series=series,
        first_number=identity.place,
        count=max(identity.of, len(model)),
    )
