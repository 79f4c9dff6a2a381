"""A conversion as a worker does it, from the bytes of a file to the stored object."""

from __future__ import annotations

from typing import Any

from orthanc_stl.engine import kept_files
from orthanc_stl.tasks import TASKS
from testing.phantoms import ct_slices
from tests.mutants import SERIES


def convert(data: bytes, name: str, structures: list[int | str] | None, **more: Any) -> tuple[dict[str, Any], bytes]:
    """The answer, and the first DICOM file. `structures`: numbers or names, None for all; `more`: of the request."""
    chosen = {"Structures": structures} if structures else {"All": True}
    request = chosen | {"Resolution": 96, "Limits": {"max_nifti_mb": 64}} | more
    options = {"Request": request, "Roles": ["source", "study"], "Name": name, "Series": SERIES}
    kept_files.forget()  # as a worker does between two requests
    facts, files = TASKS["convert"](options, [data, ct_slices(planes=[0], size=4)[0]], lambda *now: None)
    return facts["answer"], bytes(files[0])
