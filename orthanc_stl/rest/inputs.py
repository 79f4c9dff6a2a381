"""Where the files of a conversion come from: an instance that Orthanc has, or a file in the body of the request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from orthanc_stl import errors
from orthanc_stl.conversion.preparation import other_instances
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.dicom import sop_classes
from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.engine.executor import Blob
from orthanc_stl.rest.app import App
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.body import MOST_FILES
from orthanc_stl.rest.http.content import Content, content
from orthanc_stl.rest.image_files import image_files
from orthanc_stl.rest.orthanc import Orthanc, what
from orthanc_stl.rest.parents import all_series, is_orthanc_id, smallest_file
from orthanc_stl.rest.running import SourceFiles
from orthanc_stl.rest.volume_images import BEGINNING, images_of_size, sizes_of
from orthanc_stl.sources.image_header import HEADING
from orthanc_stl.sources.kinds import IMAGES, KINDS, Kind, kind_of

_NO_FILE = 'Missing the "{0}" argument containing the file: a data URI such as "data:;base64,H4sI" is expected'
NO_NIFTI = 'Missing the "{0}" argument containing the NIfTI file: a data URI such as "data:;base64,H4sI" is expected'

# Where an object names another that belongs to it: an RT Dose its RT Plan, an OBJ its MTL.
_COMPANION = {
    sop_classes.RT_DOSE: "300c-0002/0/0008-1155",
    sop_classes.ENCAPSULATED_OBJ: "0008-114a/0/0008-1155",
}


def require_source(orthanc: Orthanc, instance: str, *kinds: Kind) -> Kind:
    """The kind of an instance: one of `kinds`, or of all that are read here.

    Raises `NotFound` without such an instance, `InvalidInput` that says what it is if it is of another kind.
    """
    found = orthanc.sop_class(instance)
    kind = kind_of(found)
    if kind is None or (kinds and kind not in kinds):
        wanted = " or ".join(one.name for one in kinds) if kinds else "an object that says where structures are"
        known = "" if kinds else f" ({', '.join(one.name for one in KINDS if one.sop_classes)})"
        raise errors.InvalidInput(f"instance {instance} is {what(found)}, but {wanted} is needed{known}")
    return kind


def instance_files(app: App, instance: str) -> SourceFiles:
    """The file of an instance, and of what belongs to it and is in Orthanc."""
    companion = _COMPANION.get(app.orthanc.sop_class(instance))
    instances = [instance]
    if companion:
        uid = ascii_value(app.orthanc.tag(instance, companion))
        instances += app.orthanc.lookup_instance(uid)[:1] if uid else []
    return SourceFiles(
        roles=("source",) * len(instances),
        fetch=lambda: [app.orthanc.file(one) for one in instances],
        parent=f"/instances/{instance}",
        instance=instance,
        version=" ".join(app.orthanc.version(one)[0] for one in instances),
    )


def with_operands(app: App, source: SourceFiles, conversion: ConversionRequest) -> SourceFiles:
    """With the files of the other instances that the request unites, subtracts or intersects.

    Raises `NotFound` and `InvalidInput` for an instance that is not there or has no structures.
    """
    others = other_instances(conversion)
    if not others:
        return source
    for instance in others:
        require_source(app.orthanc, instance)
    files = [instance_files(app, instance) for instance in others]
    return replace(
        source,
        fetch=lambda: [*source.fetch(), *(file for one in files for file in one.fetch())],
        heading=source.heading or source,
        others=tuple((one.instance, len(one.roles or ())) for one in files),
    )


def series_files(app: App, series: str, stack: int = 0) -> SourceFiles:
    """The images of a series, whose pixels Orthanc decodes one after the other. `stack`: the first is the largest."""
    if not is_orthanc_id(series):
        raise errors.NotFound(f"{series[:80]!r} is not the Orthanc identifier of a series")
    found = app.images.get(app.orthanc, series)
    if found.reason:
        raise errors.InvalidInput(f"no model can be made of the series {series}: {found.reason}")
    found.stack(stack)
    parent, kind = f"/series/{series}", IMAGES.key
    heading = SourceFiles(None, lambda: image_files(app, series, stack)[:HEADING], parent, kind=kind)
    return SourceFiles(None, lambda: image_files(app, series, stack), parent, kind=kind, heading=heading)


def content_files(
    app: App, body: fields.Body, *, field: str = "Content", parent: str = "Parent", missing: str = _NO_FILE
) -> SourceFiles:
    """The file in the body, and the study that its models go to."""
    file = content(body, field, missing=missing.format(field))
    study = fields.text(body, parent)
    name = fields.text(body, "FileName") if "FileName" in body else ""
    return _files_for(app, [file], [name], study, parent)


def several_contents(app: App, body: fields.Body) -> SourceFiles:
    """The files of `Contents`, and the study that their models go to."""
    return _files_for(app, *_several(body), fields.text(body, "Parent"), "Parent")


def file_alone(body: fields.Body) -> SourceFiles:
    """The file in the body, of which nothing is stored."""
    file = content(body, "Content", missing=_NO_FILE.format("Content"))
    name = fields.text(body, "FileName") if "FileName" in body else ""
    return SourceFiles(roles=("source",), fetch=lambda: [file.whole()], parent="", name=name)


def files_alone(body: fields.Body) -> SourceFiles:
    """The files of `Contents`, of which nothing is stored."""
    files, names = _several(body)
    return SourceFiles(
        roles=("source",) * len(files),
        fetch=lambda: [file.whole() for file in files],
        parent="",
        name=names[0],
        names=tuple(names),
    )


def _several(body: fields.Body) -> tuple[list[Content], list[str]]:
    """The files of `Contents`, each a `Content` and its `FileName`."""
    given = fields.mappings(body, "Contents")
    if not 1 <= len(given) <= MOST_FILES:
        raise errors.OutOfRange(f"Contents must be a list of 1 to {MOST_FILES} files, but has {len(given)}")
    files, names = [], []
    for place, one in enumerate(given, 1):
        try:
            files.append(content(one, "Content", missing=_NO_FILE.format("Content")))
            names.append(fields.text(one, "FileName") if "FileName" in one else f"file {place}")
        except errors.StlError as error:
            raise type(error)(f"file {place} of Contents: {error}") from None
    return files, names


def _files_for(app: App, files: list[Content], names: list[str], study: str, parent: str) -> SourceFiles:
    return SourceFiles(
        roles=(*("source",) * len(files), "study", "images"),
        fetch=lambda: _fetched(app.orthanc, files, study, parent),
        parent=f"/studies/{study}",
        name=names[0],
        names=tuple(names) if len(files) > 1 else (),
    )


def _fetched(orthanc: Orthanc, files: Sequence[Content], study: str, field: str) -> Sequence[Blob]:
    series = all_series(orthanc, f"/studies/{study}")
    images = json.dumps(images_of_size(orthanc, series, sizes_of(files[0].beginning(BEGINNING)))).encode()
    return [*(file.whole() for file in files), smallest_file(orthanc, series, f"the study {field}"), images]


def require_study(orthanc: Orthanc, study: str, field: str) -> None:
    """Raises `ParentMissing` for what is not the Orthanc identifier of a study."""
    try:
        if is_orthanc_id(study):
            orthanc.get(f"/studies/{study}")
            return
    except errors.NotFound:
        pass
    raise errors.ParentMissing(f"{field} must be the Orthanc identifier of a study, but is {study[:80]!r}")
