"""What the geometry is given: the contours of the chosen ROIs.

Frame: DICOM patient coordinates (LPS), millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

XOR = "CLOSEDPLANAR_XOR"


@dataclass(frozen=True)
class Contour:
    """One closed polygon of a ROI, as the file has it.

    `points` is (n, 3) float64; `number` is its place in the ROI's list in the file, from 1, for messages; `kind` its
    Contour Geometric Type (PS3.3 C.8.8.6.1): outlines of the kind XOR take out what they have in common.
    """

    points: np.ndarray
    number: int
    kind: str = "CLOSED_PLANAR"


@dataclass(frozen=True)
class RoiContours:
    """The closed contours of one ROI (CLOSED_PLANAR, CLOSEDPLANAR_XOR, INTERPOLATED_PLANAR), in the file's order."""

    number: int
    name: str
    contours: tuple[Contour, ...]
