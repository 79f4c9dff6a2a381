"""The tasks that a worker can do: from files to a DICOM object, or to facts. Imported in workers only.

A task takes its options (JSON), its files, and where to report progress; it gives facts (JSON) and files. It raises
StlError with a sentence. Steps name nothing from the file: they are shown under /stl/jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_stl.engine.executor import Blob, Progress

Outcome = tuple[dict[str, Any], Sequence[Blob]]


def roi_names(options: dict[str, Any], blobs: Sequence[Blob], progress: Progress) -> Outcome:
    """Blobs: the RT-STRUCT. Facts: `names`, sorted, each once."""
    from orthanc_stl.dicom.structure_set import read_roi_names

    return {"names": read_roi_names(blobs[0])}, ()


def preload() -> None:
    """Import what the tasks need, so that the first request finds a warm worker."""


TASKS = {"roi_names": roi_names}
