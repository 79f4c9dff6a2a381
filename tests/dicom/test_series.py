"""A volume is found to lie on the voxels of a series, or not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_stl.dicom.series import image_series, matching

ROWS, COLUMNS, SLICES = 5, 7, 4
TILTED = "0.8\\0.6\\0\\-0.6\\0.8\\0"


def text(values: Iterable[float]) -> str:
    return "\\".join(f"{value:.6f}" for value in values)


def candidate(
    orientation: str = "1\\0\\0\\0\\1\\0",
    step: float = 3.0,
    frame: str = "1.2.9",
    count: int = SLICES,
    jitter: float = 0.0,
) -> dict[str, Any]:
    cosines = np.array([float(part) for part in orientation.split("\\")])
    normal = np.cross(cosines[:3], cosines[3:])
    positions = {n: text((-10, 20, 30) + normal * (step * n + jitter * (n == 1))) for n in [2, 0, 3, 1][:count]}
    return {
        "SeriesInstanceUID": "1.2.3", "SeriesDescription": "thorax", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "FrameOfReferenceUID": frame, "PixelSpacing": "2.0\\1.5", "Rows": str(ROWS), "Columns": str(COLUMNS),
        "Slices": [[f"1.2.3.{number}", position, orientation] for number, position in positions.items()],
    }  # fmt: skip


@pytest.mark.parametrize("orientation", ["1\\0\\0\\0\\1\\0", "0\\1\\0\\0\\0\\-1", TILTED])
def test_a_series_is_read_with_its_geometry_in_the_order_of_its_slices(orientation: str) -> None:
    (series,) = image_series([candidate(orientation)])
    assert series.shape == (COLUMNS, ROWS, SLICES)
    assert (series.frame_of_reference_uid, series.description) == ("1.2.9", "thorax")
    assert [reference.sop_instance_uid[-1] for reference in series.references] == ["0", "1", "2", "3"]
    assert np.linalg.norm(series.affine[:3, :3], axis=0) == pytest.approx([1.5, 2.0, 3.0])
    assert series.affine[:3, 3] == pytest.approx([-10, 20, 30])


@pytest.mark.parametrize("orientation", ["1\\0\\0\\0\\1\\0", TILTED])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product((False, True), repeat=3)))
def test_the_same_voxels_match_however_they_are_turned(
    orientation: str, order: tuple[int, int, int], flips: tuple[bool, ...]
) -> None:
    (series,) = image_series([candidate(orientation)])
    affine = series.affine.copy()
    for axis, flipped in enumerate(flips):
        if flipped:
            affine[:3, 3] += affine[:3, axis] * (series.shape[axis] - 1)
            affine[:3, axis] *= -1
    affine[:, :3] = affine[:, list(order)]
    shape = series.shape[order[0]], series.shape[order[1]], series.shape[order[2]]
    assert matching([series], affine, shape) is series


@pytest.mark.parametrize(("shift", "found"), [(0.05, True), (0.14, True), (0.16, False), (1.5, False)])
def test_within_a_tenth_of_a_pixel(shift: float, found: bool) -> None:
    (series,) = image_series([candidate()])
    affine = series.affine.copy()
    affine[0, 3] += shift
    assert (matching([series], affine, series.shape) is series) == found


def test_other_sizes_do_not_match() -> None:
    (series,) = image_series([candidate()])
    for shape in ((COLUMNS + 1, ROWS, SLICES), (ROWS, COLUMNS, SLICES), (1, 1, 1)):
        assert matching([series], series.affine, shape) is None
    finer = series.affine @ np.diag([(COLUMNS - 1) / (2 * COLUMNS - 1), 1, 1, 1])  # the same corners, twice the voxels
    assert matching([series], finer, (2 * COLUMNS, ROWS, SLICES)) is None


def test_the_matching_one_of_several_is_taken() -> None:
    series = image_series([candidate(step=2.0), candidate(frame="1.2.8")])
    assert len(series) == 2
    found = matching(series, series[1].affine, series[1].shape)
    assert found is not None
    assert found.frame_of_reference_uid == "1.2.8"


@pytest.mark.parametrize("made", [candidate(count=1), candidate(jitter=0.5), candidate(step=0.0), candidate(frame="")])
def test_what_is_no_volume_is_left_out(made: dict[str, Any]) -> None:
    assert image_series([made]) == []


def test_a_scout_in_the_series_is_left_out() -> None:
    scout = candidate("0\\1\\0\\0\\0\\-1", count=1)
    both = candidate() | {"Slices": scout["Slices"] + candidate()["Slices"]}
    (series,) = image_series([both])
    assert series.shape == (COLUMNS, ROWS, SLICES)
    assert len(series.references) == SLICES


ODD = st.text(max_size=20) | st.none() | st.integers() | st.sampled_from(["nan", "1e999", "2\\0", "-2\\1"])


@given(st.sampled_from(sorted(candidate().keys() - {"Slices"})), ODD)
def test_odd_values_are_no_error(name: str, value: object) -> None:
    for series in image_series([candidate() | {name: value}]):
        assert matching([series], series.affine, series.shape) is series


@given(st.integers(0, SLICES - 1), st.integers(0, 2), ODD)
def test_odd_slices_are_no_error(number: int, place: int, value: object) -> None:
    odd = candidate()
    odd["Slices"][number][place] = value
    for series in image_series([odd]):
        assert matching([series], series.affine, series.shape) is series


def test_a_micro_ct_is_a_series_too() -> None:
    """Slices of 0.03 mm were taken for none."""
    small = candidate()
    small["PixelSpacing"] = "0.03\\0.03"
    small["Slices"] = [
        (uid, "\\".join(str(float(part) / 100) for part in at.split("\\")), turn) for uid, at, turn in small["Slices"]
    ]
    (series,) = image_series([small])
    assert matching([series], series.affine, series.shape) is series
    affine = series.affine.copy()
    affine[0, 3] += 0.03
    assert matching([series], affine, series.shape) is None
