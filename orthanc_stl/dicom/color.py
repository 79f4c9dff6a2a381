"""Display colors: RGB of 0..255 (sRGB, as ROI Display Color is meant) and the CIELab of PS3.3 C.10.7.1.1.

Standard: sRGB by IEC 61966-2-1, CIELab with the D50 white of the ICC profile connection space (PS3.3 C.10.7.1.1 scales
L* of 0..100 to 0..0xFFFF, a* and b* of -128..127 to 0..0xFFFF), the D65 to D50 step by Bradford, as ICC profiles do it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl.model import Color

# sRGB to XYZ under D50: the sRGB primaries adapted by Bradford (the matrix of the ICC's sRGB profile).
_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
_TO_RGB = np.linalg.inv(_TO_XYZ)
_D50 = _TO_XYZ.sum(axis=1)
_EPSILON = 6 / 29


def cielab_of(color: Color) -> list[int]:
    """The three values of Recommended Display CIELab Value (0062,000D)."""
    srgb = np.array(color) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = _TO_XYZ @ linear / _D50
    x, y, z = np.where(xyz > _EPSILON**3, np.cbrt(xyz), xyz / (3 * _EPSILON**2) + 4 / 29)
    lab = np.array([(116 * y - 16) / 100, (500 * (x - y) + 128) / 255, (200 * (y - z) + 128) / 255])
    return np.rint(lab.clip(0, 1) * 0xFFFF).astype(int).tolist()


def rgb_of(cielab: Sequence[int]) -> Color:
    """The nearest displayable color of a Recommended Display CIELab Value."""
    lightness, a, b = np.array(cielab) / 0xFFFF
    y = (lightness * 100 + 16) / 116
    f = np.array([y + (a * 255 - 128) / 500, y, y - (b * 255 - 128) / 200])
    xyz = np.where(f > _EPSILON, f**3, 3 * _EPSILON**2 * (f - 4 / 29)) * _D50
    linear = (_TO_RGB @ xyz).clip(0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(srgb * 255).astype(int).tolist()
    return red, green, blue
