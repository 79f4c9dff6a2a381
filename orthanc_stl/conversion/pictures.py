"""Small pictures of models, for lists."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orthanc_stl.formats.picture import picture
from orthanc_stl.model import Model, Part

ICON_PIXELS = 128
WHITE = (255, 255, 255)


def icon_of(*parts: Part) -> np.ndarray:
    """`(128, 128, 3) uint8` for the Icon Image Sequence (C.7.6.1.1.6). A single part is opaque, whatever it says."""
    shown = tuple(replace(part, opacity=1.0) for part in parts) if len(parts) == 1 else parts
    return picture(Model(shown), ICON_PIXELS, ICON_PIXELS, WHITE)
