"""Small DICOM objects for the tests of the routes: each call makes another instance, of another study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

import numpy as np

from testing import phantoms
from testing.phantoms import Contour, Roi, Study

_seeds = count()


def ball(radius: float = 20.0, spacing: float = 2.0) -> Roi:
    return phantoms.ball(radius=radius, spacing=spacing, points=48)


def box(half: float = 30.0, height: float = 25.0, spacing: float = 2.0) -> Roi:
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    planes = np.arange(-height + spacing / 2, height, spacing)
    return Roi("Box", [Contour(np.column_stack([corners, np.full(4, z)])) for z in planes])


def structure_set(rois: Mapping[str, Roi]) -> bytes:
    """ROIs by their names, numbered from 1."""
    return phantoms.structure_set([replace(roi, name=name) for name, roi in rois.items()], _study())


def image() -> bytes:
    """One CT slice of 8 x 8 pixels."""
    return phantoms.ct_slices(_study(), [0], 8)[0]


def _study() -> Study:
    return Study(seed=f"sample {next(_seeds)}", character_set="ISO_IR 192")
