"""Small pictures of models, for lists."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orthanc_stl.formats.picture import picture
from orthanc_stl.model import Model, Part

ICON_PIXELS = 128
WHITE = (255, 255, 255)


def icon_of(part: Part) -> np.ndarray:
    """`(128, 128, 3) uint8` for the Icon Image Sequence (C.7.6.1.1.6). It is opaque, whatever the part's opacity."""
    return picture(Model((replace(part, opacity=1.0),)), ICON_PIXELS, ICON_PIXELS, WHITE)
