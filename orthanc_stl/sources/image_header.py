"""The first of the files of a series of images: where its slices lie, and what their numbers mean.

Imported in Orthanc's own process: the standard library only.
"""

from __future__ import annotations

import json

from orthanc_stl.dicom.image_series import Encoding, Stack

HEADING = 2
"""Files before the pixels, this one and the head of an instance: enough to list structures."""

TOLD_SHIFT = 0.1
"""A fraction of a pixel's side: slices that lie farther beside their line are told."""


_NO_UNIT = ("", "US", "NONE")
"""Rescale Types (PS3.3 C.11.1.1.2) and Units (C.8.9.1.1.3) that say none: in CT they stand for HU."""

_HOUNSFIELD = (*_NO_UNIT, "HU", "HU_MOD", "HOUNSFIELD")


def unit_of(modality: str, named: str) -> str:
    """In CT "HU", unless its values are something else (a map of iodine: "MGML"); in PET what Units says; else empty.

    `named`: the Rescale Type or the Units of the images.

    >>> unit_of("CT", ""), unit_of("CT", "MGML"), unit_of("PT", "BQML"), unit_of("PT", "NONE"), unit_of("MR", "")
    ('HU', 'MGML', 'BQML', '', '')
    """
    if modality == "CT" and named.upper() in _HOUNSFIELD:
        return "HU"
    return named if modality in ("CT", "PT") and named.upper() not in _NO_UNIT else ""


def header_of(stack: Stack, encoding: Encoding, *, modality: str, series_instance_uid: str, other_stacks: int) -> bytes:
    """JSON, as sources/images.py reads it. `other_stacks`: how many the series has besides."""
    references = {frame.sop_instance_uid: frame.sop_class_uid for frame in stack.frames}
    padding = {frame.padding for frame in stack.frames}
    header = {
        "Modality": modality,
        "Unit": unit_of(modality, stack.frames[0].unit),
        "SeriesInstanceUID": series_instance_uid,
        "FrameOfReferenceUID": stack.frames[0].frame_of_reference_uid,
        "Size": stack.size,
        "Affine": stack.affine,
        "Even": stack.even,
        "Places": stack.places,
        "Positions": stack.positions,
        "Encoding": [encoding.slope, encoding.intercept],
        "Frames": [[frame.path, frame.slope, frame.intercept] for frame in stack.frames],
        "References": [[sop_class, uid] for uid, sop_class in references.items()],
        "OtherStacks": other_stacks,
        "Shift": stack.shift if stack.shift > TOLD_SHIFT * min(stack.frames[0].spacing) else 0.0,
        "Padding": padding.pop() if len(padding) == 1 else None,
        "Table": any(frame.table for frame in stack.frames),
    }
    return json.dumps(header).encode()
