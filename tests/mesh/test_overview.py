"""Seen along each axis of the body, and how often each value is there."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.volumes.overview import BINS, MOST_PIXELS, overview_of
from orthanc_stl.mesh.volumes.volume import Volume

SIZES = (1.0, 2.0, 4.0)  # mm of a voxel along x, y, z


def torso(axes: tuple[int, int, int] = (0, 1, 2), flipped: tuple[bool, bool, bool] = (False,) * 3) -> Volume:
    """A box that reaches from the middle to the patient's left, back and head, stored in any order and direction."""
    stored = np.full((40, 20, 10), -1000.0)
    stored[20:30, 10:15, 5:8] = 500
    affine = np.diag([*SIZES, 1.0])
    for axis, turned in enumerate(flipped):
        if turned:
            stored = np.flip(stored, axis)
            affine[:3, 3] += affine[:3, axis] * (stored.shape[axis] - 1)
            affine[:3, axis] *= -1
    order = [*axes, 3]
    return Volume(np.transpose(stored, axes), affine[:, order])


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
@pytest.mark.parametrize("flipped", [(False, False, False), (True, False, True), (True, True, False)])
def test_views_are_as_on_a_screen(axes: tuple[int, int, int], flipped: tuple[bool, bool, bool]) -> None:
    """Left is on the right, the back is below, and the head above."""
    found = overview_of(torso(axes, flipped), -1000, 500)
    boxes = {}
    for view in found.views:
        rows, columns = np.nonzero(view.values > 0)
        ends = [int(end) for side in (rows, columns) for end in (np.min(side), np.max(side) + 1)]
        boxes[view.plane] = (*ends, view.size)
    assert boxes == {
        "axial": (10, 15, 20, 30, (40, 40)),
        "coronal": (2, 5, 20, 30, (40, 40)),
        "sagittal": (2, 5, 10, 15, (40, 40)),
    }
    assert found.counts.sum() == 40 * 20 * 10
    assert found.counts[BINS // 2 :].sum() == 10 * 5 * 3


def test_of_large_volumes_no_bright_voxel_is_lost() -> None:
    stored = np.zeros((500, 30, 30))
    stored[250, 15, 15] = 1
    stored[0] = np.nan
    found = overview_of(Volume(stored, np.eye(4)), 0, 1)
    axial = found.views[0]
    assert axial.values.shape == (10, 167)
    assert max(axial.values.shape) <= MOST_PIXELS
    assert axial.size == (500, 30)
    assert [view.values.max() for view in found.views] == [1, 1, 1]
    assert np.isfinite(found.views[2].values).all(), "behind what is no number there are numbers"
    assert found.counts.sum() == 499 * 30 * 30
