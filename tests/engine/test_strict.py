"""`Strict` refuses what matters to those who measure, and not what is lost of specks."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput
from testing import phantoms
from tests.engine.converted import convert

SQUARE = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]])


@pytest.mark.parametrize(("side", "height", "refused"), [(0.15, 2, False), (1.2, 20, True)])
def test_parts_smaller_than_a_voxel(side: float, height: int, refused: bool) -> None:
    """A ball of 33.5 mL with a speck of 0.0001 mL beside it, or with a rod of 0.086 mL."""
    rings = [*(phantoms.ball("Ball", 20).contours or ())]
    rings += [phantoms.Contour(SQUARE * [side, side, 1] + [40, 0, 3.0 * k]) for k in range(height // 2)]
    data = phantoms.structure_set([phantoms.Roi("Ball", rings)])
    coarse = {"Resolution": 16, "Limits": {"max_voxels": 12_000}}
    told = convert(data, "", [1], **coarse)[0]["Warnings"]
    assert any("1 of its 2 parts lost" in text for text in told)
    if refused:
        with pytest.raises(InvalidInput, match=r"Strict is true, .* 1 of its 2 parts lost"):
            convert(data, "", [1], Strict=True, **coarse)
    else:
        assert convert(data, "", [1], Strict=True, **coarse)[0]["Warnings"] == told


def test_a_gap_of_two_planes() -> None:
    rings = [phantoms.Contour(SQUARE * [10, 10, 1] + [0, 0, 3.0 * k]) for k in (0, 1, 2, 3, 6, 7, 8, 9)]
    data = phantoms.structure_set([phantoms.Roi("Box", rings)])
    told = "falls into 2 pieces, gaps at z = 9 to 18"
    assert any(told in text for text in convert(data, "", [1])[0]["Warnings"])
    with pytest.raises(InvalidInput, match=f"Strict is true, .* {told}"):
        convert(data, "", [1], Strict=True)
