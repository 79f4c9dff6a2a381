"""`python -m runtime.phantom FOLDER` writes the demo's study as DICOM files."""

from __future__ import annotations

import sys
from pathlib import Path

from .study import study

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name, dataset in study():
    dataset.save_as(folder / name, enforce_file_format=True)
