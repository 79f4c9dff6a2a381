"""Independent readers of what we write: dciodvfy (package dicom3tools) and dcmdump (package dcmtk)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

# dciodvfy's tables are older than the standard in these.
KNOWN = (
    "Recommended Display CIELab Value",
    "Recommended Presentation Opacity",
    "Model Group UID",
    "this is a Standard Extended SOP Class",  # the summary of the three above
)
# About the source's values, or what an optional thing would want: the object is none the worse for it.
HARMLESS = (
    "Retired Person Name form",
    "needed to build DICOMDIR",
    "Unrecognized tag - assuming explicit value representation OK",
    "attribute <Laterality>",
)


def assert_valid(dicom: bytes, *extensions: str) -> None:
    """No Error by dciodvfy, and no Warning but the known ones and those of `extensions`; dcmdump reads it."""
    complaints = dciodvfy(dicom)
    assert [line for line in complaints if "Error" in line] == []
    assert [line for line in complaints if not any(known in line for known in (*KNOWN, *HARMLESS, *extensions))] == []
    dcmdump(dicom)


def dciodvfy(dicom: bytes) -> list[str]:
    return [line for line in _run("dciodvfy", "dicom3tools", dicom)[0] if "Error" in line or "Warning" in line]


def dcmdump(dicom: bytes) -> list[str]:
    lines, code = _run("dcmdump", "dcmtk", dicom)
    assert code == 0
    assert not [line for line in lines if line.startswith(("E:", "W:"))]
    return lines


def _run(program: str, package: str, dicom: bytes) -> tuple[list[str], int]:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed: it is in the package {package}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "object.dcm")
        file.write_bytes(dicom)
        done = subprocess.run([program, str(file)], capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace").splitlines(), done.returncode
