"""Icon Image Sequence (PS3.3 C.7.6.1.1.6 with F.7): a small picture of 256 colors, since true color is not allowed."""

from __future__ import annotations

import numpy as np
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
    """A palette `(256, 3) uint8` and the picture's indices in it.

    Exact for up to 255 colors, as the shades of one structure are; of more, those alike in their upper bits become
    their mean, with as many bits as leave 255 of them.
    """
    colors, which, counts = np.unique(picture.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    groups = np.arange(len(colors))
    for dropped in range(1, 7):
        if groups.max() < _FREE:
            break
        groups = np.unique(colors >> dropped, axis=0, return_inverse=True)[1].reshape(-1)
    palette = np.full((_COLORS, 3), 255, np.uint8)
    weights = np.bincount(groups, counts)
    for channel in range(3):
        means = np.bincount(groups, counts * colors[:, channel].astype(float)) / weights
        palette[: len(weights), channel] = np.rint(means)
    return palette, groups[which]
