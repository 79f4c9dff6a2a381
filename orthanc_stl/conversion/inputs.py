"""The files that a conversion comes with, told apart by their roles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.dicom.series import ImageSeries, image_series, matching
from orthanc_stl.dicom.study_context import Reference, StudyContext, read_study_context
from orthanc_stl.dicom.tags import tag_of
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.encapsulated import document_title
from orthanc_stl.sources.base import ContourSource, LatticeSource, OpenSource, ReadOptions
from orthanc_stl.sources.masks import without_folders
from orthanc_stl.sources.registry import open_files

Blob = bytes | bytearray | memoryview

_DOCUMENT_TITLE = 0x00420010

SOURCE, STUDY, IMAGES = "source", "study", "images"
"""Roles: the object itself and what it needs; an instance of the study that the model goes to, for a file that is no
DICOM object; the study's image series, as JSON for dicom/series.py."""


@dataclass(frozen=True)
class Inputs:
    """`name` is the name of the file as the client gave it, to tell kinds apart that look alike.

    `names` are those of all files of the source, if several came. `kind` is the key of the only kind that it may be;
    empty: any. `others`: the files of other instances, by their identifiers in Orthanc.
    """

    source: tuple[Blob, ...]
    study: Blob | None = None
    images: Sequence[Mapping[str, Any]] = ()
    name: str = ""
    kind: str = ""
    names: tuple[str, ...] = ()
    others: Mapping[str, tuple[Blob, ...]] = field(default_factory=dict)

    @staticmethod
    def of(roles: Sequence[str], blobs: Sequence[Blob], name: str = "", kind: str = "") -> Inputs:
        """`roles` has a role for each of `blobs`."""
        by_role: dict[str, list[Blob]] = {SOURCE: [], STUDY: [], IMAGES: []}
        for role, blob in zip(roles, blobs, strict=True):
            by_role[role].append(blob)
        images = json.loads(bytes(by_role[IMAGES][0])) if by_role[IMAGES] else ()
        return Inputs(tuple(by_role[SOURCE]), next(iter(by_role[STUDY]), None), images, name, kind)

    def open(self, request: ConversionRequest) -> OpenSource:
        """The source. Raises InvalidInput for what no reader knows, and for what is damaged."""
        fields = {**request.fields, "FileNames": self.names} if self.names else request.fields
        return open_files(self.source, ReadOptions(fields, request.limits), name=self.name, kind=self.kind)

    def open_others(self, request: ConversionRequest) -> dict[str, OpenSource]:
        """The sources that operands of the request are of, by instance. Raises InvalidInput as `open` does."""
        options = ReadOptions(request.fields, request.limits)
        return {instance: open_files(files, options) for instance, files in self.others.items()}

    def study_of(self, source: OpenSource) -> StudyContext:
        """The patient and the study that models of the source go to. Raises InvalidInput if nobody said which."""
        if source.study is not None:
            return source.study
        if self.study is None:
            raise InvalidInput("a file that is no DICOM object needs the study that its model goes to")
        return read_study_context(self.study)


@dataclass(frozen=True)
class Place:
    """Where a model belongs in DICOM: study, frame of reference (empty: a new one), and what it is made from."""

    study: StudyContext
    frame_of_reference_uid: str = ""
    references: Sequence[Reference] = field(default_factory=tuple)


def place_of(source: OpenSource, inputs: Inputs, numbers: Sequence[int], request: ConversionRequest) -> Place:
    """The place of a model of `source`. A file that is no DICOM object joins the images that it lies on, if any.

    `numbers` are those of its structures that the model has. What stands before their names in the Series Description
    of such a file is that of these images, else the file's name, else the document's title.
    """
    if source.study is not None:
        own = source.frame_of(numbers)[0] if isinstance(source, ContourSource) else ""
        return Place(source.study, own or source.frame_of_reference_uid, source.references)
    images = _images_of(source, inputs)
    # Without such images the description would be that of whichever series the instance comes from.
    described = images.description if images else _name_of_file(source, inputs, request)
    study = replace(inputs.study_of(source), series_description=described)
    return Place(study, images.frame_of_reference_uid if images else "", images.references if images else ())


def _name_of_file(source: OpenSource, inputs: Inputs, request: ConversionRequest) -> str:
    """A Document Title among the `Tags` counts more than the file's name, which a page gives by itself."""
    given = next((value for name, value in request.tags.items() if tag_of(name) == _DOCUMENT_TITLE), "")
    return str(given).strip() or without_folders(inputs.name) or document_title(source.title, request.format.upper())


def _images_of(source: OpenSource, inputs: Inputs) -> ImageSeries | None:
    """The image series whose voxels the volume has."""
    lattice = source.lattice if inputs.images and isinstance(source, LatticeSource) else None
    return matching(image_series(inputs.images), lattice.affine, lattice.size) if lattice else None
