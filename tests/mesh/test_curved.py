"""Values between those of a lattice: right on smooth curves, straight where they are coarse, never beyond a jump."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.volumes.curved import halved


def test_parabolas_come_out_as_they_are() -> None:
    z, y, x = np.mgrid[:6, :7, :8].astype(np.float32) / 2
    finer = np.mgrid[:11, :13, :15].astype(np.float32) / 4
    inner = (slice(2, -2),) * 3  # the outermost stretches are straight
    expected = 3 - (finer**2).sum(axis=0)
    assert halved(3 - (z**2 + y**2 + x**2))[inner] == pytest.approx(expected[inner], abs=1e-5)


def test_a_jump_makes_nothing_beyond_it() -> None:
    step = np.zeros((4, 4, 8), np.float32)
    step[..., 4:] = 14
    assert np.unique(halved(step)).tolist() == [0, 7, 14]
    step[..., 6:] = 13
    assert (halved(step).min(), halved(step).max()) == (0, pytest.approx(14, abs=0.25))  # a cubic: -0.9 and 14.9


@pytest.mark.parametrize(
    ("bends", "bent"), [((1, 0.6), 0), ((1, -1), 0), ((1, 0), 0), ((1, 0.775), 0.05546875), ((0.9, 1), 0.11875)]
)
def test_values_bend_where_both_sides_agree(bends: tuple[float, float], bent: float) -> None:
    """Half of the cubic at 0.775, all of it from 0.85 on: an eighth of the mean of the second differences."""
    values = np.cumsum(np.cumsum((0, 0, *bends))).astype(np.float32)
    middle = halved(values.reshape(1, 1, 4))[0, 0, 3]
    assert (values[1] + values[2]) / 2 - middle == pytest.approx(bent, abs=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_few_values_are_joined_by_lines(size: int) -> None:
    values = np.arange(size, dtype=np.float32).reshape(1, 1, size) ** 2
    places = np.arange(2 * size - 1) / 2
    assert halved(values)[0, 0] == pytest.approx(np.interp(places, np.arange(size), values[0, 0]))
