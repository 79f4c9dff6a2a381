"""Display colours to CIELab and back."""

from __future__ import annotations

from itertools import product

import pytest

from orthanc_stl.dicom.color import cielab_of, rgb_of

# PS3.3 C.10.7.1.1: L* 0..100 is 0..0xFFFF, a* and b* -128..127 are 0..0xFFFF; white and black by definition, the
# primaries as the ICC's sRGB profile has them under D50 (L*, a*, b* in the comment).
KNOWN = {
    (0, 0, 0): (0, 0x8080, 0x8080),
    (255, 255, 255): (0xFFFF, 0x8080, 0x8080),
    (255, 0, 0): (35587, 53663, 50860),  # 54.29, 80.81, 69.89
    (0, 0, 255): (19378, 50443, 4105),  # 29.57, 68.30, -112.03
}


@pytest.mark.parametrize("colour", KNOWN)
def test_known_colours(colour: tuple[int, int, int]) -> None:
    assert cielab_of(colour) == pytest.approx(KNOWN[colour], abs=40)


def test_every_colour_comes_back() -> None:
    for colour in product(range(0, 256, 15), range(0, 256, 15), range(0, 256, 15)):
        assert rgb_of(cielab_of(colour)) == colour


def test_colours_that_no_display_has_are_clipped() -> None:
    assert rgb_of((0xFFFF, 0, 0)) == pytest.approx((0, 255, 255), abs=255)
    assert all(0 <= channel <= 255 for lab in product((0, 0x8000, 0xFFFF), repeat=3) for channel in rgb_of(lab))
