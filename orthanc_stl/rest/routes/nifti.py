"""POST /stl/encode-nifti, as the original has it: a NIfTI volume becomes one model."""

from __future__ import annotations

from dataclasses import replace

from orthanc_stl import errors
from orthanc_stl.rest.app import App
from orthanc_stl.rest.conversion import convert
from orthanc_stl.rest.http import body as bodies
from orthanc_stl.rest.http import fields
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.http.options import conversion_request
from orthanc_stl.rest.inputs import NO_NIFTI, content_files, require_study
from orthanc_stl.sources.kinds import NIFTI


def encode_nifti(app: App, request: Request) -> Answer:
    """POST /stl/encode-nifti: a volume becomes a model in the study `ParentStudy`.

    Without `Labels`, `Threshold` or `Structures` the model is of all that is not zero, or of the upper half of the
    values of a volume that is no mask, as in the original.
    """
    body = bodies.read_object(request.body, file="Nifti")
    source = content_files(app, body, field="Nifti", parent="ParentStudy", missing=NO_NIFTI)
    conversion = conversion_request(body)
    labels = conversion.fields.get("Labels")
    if labels and "Threshold" in conversion.fields:
        raise errors.InvalidInput("Labels are for a label map and a Threshold is for a grey volume: give one of them")
    if not conversion.structures:
        conversion = replace(conversion, structures=tuple(labels or ()), all=not labels)
    asynchronous = fields.boolean(body, "Asynchronous", False)
    require_study(app.orthanc, source.parent.removeprefix("/studies/"), "ParentStudy")
    return convert(app, request, replace(source, kind=NIFTI.key), conversion, asynchronous=asynchronous)
