"""The tasks that a worker can do: from files to DICOM objects, to files of other formats, or to facts.

A task takes its options (JSON), its files, and where to report progress; it gives facts (JSON) and files. It raises
StlError with a sentence. Facts with an `answer` are of a conversion: that is what the client gets, besides where the
objects are stored. Steps name nothing from the file: they are shown under /stl/jobs. Imported in workers only.

Options of the tasks that read a source: `Request` (ConversionRequest as JSON), `Roles` (of the files, see inputs.py),
`Name` (of the file, if it has one), `Kind` (the key of the only kind it may be), `Others` (instances of operands, each
with how many of the files, the last ones, are its own), and what the task's docstring says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orthanc_stl.mesh.progress import Progress
from orthanc_stl.tasks import images, nexus, numbers, sources, stored
from orthanc_stl.tasks.common import Blob, Options, Outcome

Task = Callable[[Options, Sequence[Blob], Progress], Outcome]

TASKS: Mapping[str, Task] = {
    task.__name__: task
    for task in (
        sources.roi_names,
        sources.list_structures,
        sources.choose_structures,
        sources.convert,
        sources.scene_file,
        stored.stored_file,
        stored.stored_info,
        stored.stored_picture,
        numbers.source_statistics,
        numbers.stored_statistics,
        numbers.stored_print_check,
        numbers.source_print_check,
        numbers.compare,
        images.image_slices,
        nexus.create_nexus,
        nexus.build_nexus,
        nexus.build_nexus_of_file,
    )
}


def preload() -> None:
    """Nothing more than importing this package does: all that the tasks need."""
