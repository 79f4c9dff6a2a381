"""An outline that runs to a hole and back: the slit between is closed where it is narrow, else told of."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.mesh.contours.build import surface_from_contours
from orthanc_stl.mesh.types import Surface
from testing.solids import roi_of


def model(*outlines: np.ndarray) -> Surface:
    return surface_from_contours([roi_of(outlines)], resolution=96)


@pytest.mark.parametrize("width", [0.0, 0.001, 0.02])
def test_keyhole(width: float) -> None:
    """A hole joined to the outline by a bridge of two lines, on or just beside each other."""
    angles = np.linspace(0.0, 2 * np.pi, 200)
    outer, inner = (r * np.stack([np.cos(angles), np.sin(angles)], axis=1) for r in (20, 12))
    bridge = np.vstack([outer, inner[::-1] + np.array([[0, width]])])
    report = model(*[np.column_stack((bridge, np.full(len(bridge), z))) for z in range(10)]).report
    assert report.volume == pytest.approx(10 * np.pi * (400 - 144), rel=0.01)
    assert report.euler_number == 0


@pytest.mark.parametrize("width", [1.3, 2, 4, 5, 6])
def test_a_slit_too_wide_to_be_closed_is_told_of(width: float) -> None:
    """Without the sentence, 1.3 to 6 % of the volume was missing without a word, and the surface had openings. 5 mm
    and 6 mm were silent, and 4 mm told as 3.1."""
    angles = np.linspace(0.02, 2 * np.pi - 0.02, 200)
    outer, inner = (r * np.stack([np.cos(angles), np.sin(angles)], axis=1) for r in (20, 10))
    outer[[0, -1], 1], inner[[0, -1], 1] = (width / 2, -width / 2), (width / 2, -width / 2)
    outer, inner = (loop[(np.abs(loop[:, 1]) >= width / 2) | (loop[:, 0] < 0)] for loop in (outer, inner))
    outline = np.vstack([outer, inner[::-1]])
    report = model(*[np.column_stack((outline, np.full(len(outline), z))) for z in range(10)]).report
    assert report.volume == pytest.approx(10 * (300 * np.pi - 10 * width), rel=0.01)
    told = next(text for text in report.warnings if "slits" in text)
    figure = float(told.partition("of up to ")[2].partition(" mm")[0])
    assert figure == pytest.approx(width, rel=0.04)
    assert "10 contours" in told
    assert "to holes: they are kept open, as they are drawn" in told


@pytest.mark.parametrize(("widest", "figure"), [(1, "0.825"), (4, "2.3")])
def test_a_slit_whose_sides_cross_is_told_of(widest: float, figure: str) -> None:
    """Two triangles that meet in a point, `widest` mm wide at their ends: both are open, which nothing told."""
    outer, inner = (
        r * np.stack([np.cos(t), np.sin(t)], axis=1)
        for r in (20, 10)
        for t in [np.linspace(widest / (2 * r), 2 * np.pi - widest / (2 * r), 100)]
    )
    outline = np.vstack([outer, inner])
    report = model(*[np.column_stack((outline, np.full(len(outline), z))) for z in range(4)]).report
    (told,) = report.warnings
    assert f'4 contours of ROI "ROI" have slits of up to {figure}' in told
    assert "mm to holes: they are kept open" in told


@pytest.mark.parametrize("mouth", [3.0, 8.0, 25.0])
def test_an_outline_that_is_only_concave_has_no_slit(mouth: float) -> None:
    """A U: its inner space is as wide as its opening."""
    low = np.array([(-20, 0), (20, 0), (20, 30), (mouth / 2, 30), (mouth / 2, 5), (-mouth / 2, 5), (-mouth / 2, 30)])
    outline = np.vstack([low, [(-20, 30)]]).astype(float)
    report = model(*[np.column_stack((outline, np.full(len(outline), z))) for z in range(4)]).report
    assert not any("slit" in text for text in report.warnings)
