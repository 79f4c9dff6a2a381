"""What a union is said to be made of, once pieces of it were left out."""

from __future__ import annotations

import numpy as np

import orthanc_stl as stl
from testing import phantoms
from testing.nifti_phantoms import nifti_file


def test_a_structure_of_which_nothing_is_left_is_not_in_the_name() -> None:
    """Of contours and of voxels: the large ball is all that `KeepLargest` leaves of two that lie apart."""
    balls = [phantoms.ball("Small", 8, (0, 0, 0), 2.0), phantoms.ball("Large", 12, (0, 0, 40), 2.0)]
    (alone,) = stl.read(phantoms.structure_set(balls)).mesh(union=True, resolution=32, keep_largest=True)
    assert (alone.name, alone.structures) == ("Large", (2,))
    assert 'nothing of "Small" is in the model: the pieces that were left out held all of it' in alone.warnings
    labels = np.zeros((30, 12, 12), np.uint8)
    labels[2:6, 2:6, 2:6], labels[10:28, 2:10, 2:10] = 1, 2
    (alone,) = stl.read(nifti_file(labels)).mesh([1, 2], union=True, keep_largest=True)
    assert alone.structures == (2,)
    near = phantoms.structure_set([phantoms.ball("One", 8, (0, 0, 0), 2.0), phantoms.ball("Two", 8, (9, 0, 0), 2.0)])
    (both,) = stl.read(near).mesh(union=True, resolution=32, keep_largest=True)
    assert (both.name, both.structures) == ("One, Two", (1, 2))
