"""DICOM files with a change that the builders of phantoms have no knob for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset

from testing.phantoms import Study, file_of


def edited(data: bytes, edit: Callable[[Dataset], object]) -> bytes:
    """The file with its data set changed by `edit`, in explicit VR little endian."""
    ds = pydicom.dcmread(BytesIO(data), force=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong in the data set is meant to be
        edit(ds)
        return file_of(ds, Study())
