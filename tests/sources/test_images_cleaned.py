"""What is left out of images and filled in them: presets, KeepLargest, MinVolumeMl, FillHoles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orthanc_stl.conversion.build import build_model
from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import InvalidInput
from orthanc_stl.model import Part
from orthanc_stl.sources.images import PRESETS
from testing.image_phantoms import single_frame
from tests.sources.test_images import opened

SIDE = 48


Z, Y, X = np.mgrid[:SIDE, :SIDE, :SIDE].astype(float)
LARGE = np.sqrt((Z - 20) ** 2 + (Y - 20) ** 2 + (X - 20) ** 2)
SMALL = np.sqrt((Z - 38) ** 2 + (Y - 38) ** 2 + (X - 38) ** 2)
BALL, HOLLOW, BESIDE = (float(n) / 1000 for n in ((LARGE <= 12).sum(), (LARGE < 5).sum(), (SMALL <= 4).sum()))
"""mL of the voxels (of 1 mm) of a ball of 12 mm, of a hollow in it, and of a ball of 4 mm apart from it."""


def two_balls() -> list[bytes]:
    """300 HU on the surfaces, rising inwards by 400 a millimetre."""
    inside = np.maximum(np.minimum(12 - LARGE, LARGE - 5), 4 - SMALL)
    values = np.clip(300 + 400 * inside, -1000, 1000).astype(np.int16)
    return [single_frame(one, (0, 0, z), z + 1, seed="two balls") for z, one in enumerate(values)]


FILES = two_balls()


def made(fill: bool = False, **options: Any) -> Part:
    fields: dict[str, Any] = {"Threshold": 300} | ({"FillHoles": True} if fill else {})
    request = ConversionRequest(all=True, fields=fields, tolerance=0, **options)
    (part,) = build_model(opened(FILES, **fields), request).model.parts
    return part


def test_all_that_is_dense_enough() -> None:
    part = made()
    assert part.volume_ml == pytest.approx(BALL - HOLLOW + BESIDE, rel=2e-3)
    assert part.report.euler_number == 6  # two outsides and a hollow
    assert part.notes == ()


def test_keep_largest_and_its_sentence() -> None:
    part = made(keep_largest=True)
    assert part.volume_ml == pytest.approx(BALL - HOLLOW, rel=2e-3)
    (note,) = part.notes
    assert note.text.startswith("a piece of 0.2")
    assert note.text.endswith(" mL was left out, 1 is kept")


@pytest.mark.parametrize(("least", "expected"), [(0.1, BALL - HOLLOW + BESIDE), (1, BALL - HOLLOW)])
def test_pieces_below_a_volume(least: float, expected: float) -> None:
    assert made(min_volume_ml=least).volume_ml == pytest.approx(expected, rel=2e-3)


def test_no_piece_that_is_large_enough() -> None:
    with pytest.raises(InvalidInput, match=r"no piece has 100 mL: the largest has 6\.\d+ mL"):
        made(min_volume_ml=100)


def test_holes_are_filled_and_told() -> None:
    part = made(fill=True)
    assert part.volume_ml == pytest.approx(BALL + BESIDE, rel=2e-3)
    assert part.report.euler_number == 4
    assert [note.text for note in part.notes] == [f"a hole of {HOLLOW:.3g} mL was filled"]


def test_the_presets_are_the_usual_thresholds() -> None:
    bounds = {name: (preset.threshold, preset.upper) for name, preset in PRESETS.items()}
    assert bounds == {"bone": (300, None), "skin": (-300, None), "lung": (None, -400)}
    assert opened(FILES, Preset="bone").structures[0].name == "Bone"
    (part,) = build_model(opened(FILES, Preset="bone"), ConversionRequest(all=True, tolerance=0)).model.parts
    assert part.volume_ml == pytest.approx(made().volume_ml, rel=1e-6)
