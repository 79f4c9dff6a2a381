"""Icon Image Sequence (PS3.3 C.7.6.1.1.6 with F.7): a small picture of 256 colors, since true color is not allowed."""

from __future__ import annotations

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset

_COLORS = 256
_FREE = 255
"""Of the picture's colors. The last is white, used or not: validators want the entries to have their highest bit."""


def icon_image(picture: np.ndarray) -> Dataset:
    """The item for a picture `(height, width, 3) uint8` of at most 65,535 pixels a side."""
    palette, indices = _with_palette(picture)
    pixels = indices.astype(np.uint8).tobytes()
    item = Dataset()
    item.SamplesPerPixel = 1
    item.PhotometricInterpretation = "PALETTE COLOR"
    item.Rows, item.Columns = picture.shape[:2]
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 8, 8, 7, 0
    for name, values in zip(("Red", "Green", "Blue"), palette.T, strict=True):
        setattr(item, f"{name}PaletteColorLookupTableDescriptor", [_COLORS, 0, 8])
        setattr(item, f"{name}PaletteColorLookupTableData", values.tobytes())
    item.add_new(0x7FE00010, "OB", pixels + b"\0" * (len(pixels) % 2))
    return item


def _with_palette(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A palette `(256, 3) uint8` and the picture's indices in it; exact where the picture has no more colors."""
    image = Image.fromarray(np.ascontiguousarray(picture, dtype=np.uint8))
    small = image.quantize(_FREE, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    known = np.array(small.getpalette(), np.uint8).reshape(-1, 3)[:_FREE]
    palette = np.full((_COLORS, 3), 255, np.uint8)
    palette[: len(known)] = known
    return palette, np.asarray(small)
