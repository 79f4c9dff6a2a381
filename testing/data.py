"""The real files that some tests use in addition to the phantoms: looked for beside the repository, never needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("ORTHANC_STL_DATA") or Path(__file__).resolve().parents[2] / "shared/data")

needs_shared_data = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the shared data files are not here: name their folder by ORTHANC_STL_DATA"
)


def shared_file(path: str) -> Path:
    """That file of the shared data, `rtstruct/innereye/rtss.dcm`; the test is skipped if it is not on this machine."""
    file = FOLDER / path
    if not file.exists():
        pytest.skip(f"the shared data file {path} is not here: name the folder of the data by ORTHANC_STL_DATA")
    return file


def shared_files(pattern: str) -> list[Path]:
    """The files of the shared data that match, `rtstruct/**/*.dcm`, in a fixed order; none if they are not here."""
    return sorted(file for file in FOLDER.glob(pattern) if file.is_file())
