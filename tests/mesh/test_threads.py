"""Work in slices: each place once, whatever their number."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.threads import in_slices


@pytest.mark.parametrize("count", [0, 1, 9, 10, 19, 20, 21, 1003])
def test_each_place_is_in_one_slice(count: int) -> None:
    seen = np.zeros(count, int)
    sizes = []

    def look(chosen: slice) -> None:
        seen[chosen] += 1
        sizes.append(chosen.stop - chosen.start)

    in_slices(look, count, 10)
    assert (seen == 1).all()
    assert min(sizes) >= min(count, 10)


def test_an_error_in_a_slice_is_an_error() -> None:
    def look(chosen: slice) -> None:
        if chosen.stop == 100:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_slices(look, 100, 10)
