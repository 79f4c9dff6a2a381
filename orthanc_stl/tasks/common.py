"""What the tasks share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from orthanc_stl.conversion.inputs import SOURCE, Inputs
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.registry import writer_of
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.model import Model

Options = dict[str, Any]
Outcome = tuple[dict[str, Any], Sequence[bytes]]
Blob = bytes | bytearray | memoryview

# Where the parts of a conversion end, as a fraction of its time. Measured: the meshes take nearly all of it.
READ, MESHED = 0.05, 0.95


def written(model: Model, options: Options) -> bytes:
    writer = writer_of(options["Suffix"])
    if writer is None:
        raise InvalidInput(f"no format has the suffix {options['Suffix']!r}")
    return writer.write(model, WriteOptions(compress=options.get("Compress", False)))


def read(options: Options, blobs: Sequence[Blob]) -> tuple[ConversionRequest, Inputs]:
    others: dict[str, tuple[Blob, ...]] = {}
    for instance, count in reversed(options.get("Others", [])):  # the files of operands come last
        blobs, others[instance] = blobs[:-count], tuple(blobs[-count:])
    roles = options.get("Roles") or [SOURCE] * len(blobs)
    request = ConversionRequest.from_json(options.get("Request", {}))
    inputs = Inputs.of(roles, blobs, options.get("Name", ""), options.get("Kind", ""))
    return request, replace(inputs, names=tuple(options.get("Names", ())), others=others)


def portion(progress: Progress, start: float, end: float) -> Progress:
    return lambda fraction, step: progress(start + (end - start) * fraction, step)


def chosen_parts(model: Model, wanted: Sequence[int | str]) -> Model:
    """All parts if none is wanted. Raises InvalidInput for one that is not there."""
    if not wanted:
        return model
    try:
        return replace(model, parts=tuple(model[key] for key in wanted))
    except KeyError as error:
        raise InvalidInput(error.args[0]) from None
