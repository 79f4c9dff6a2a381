"""The volume of the contours beside that of the mesh, from the request to the stored object."""

from __future__ import annotations

import re

import numpy as np
import pytest

from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.errors import InvalidInput
from testing import phantoms
from tests.engine.converted import convert


def frame_of(width: float, height: float, wall: float, planes: np.ndarray) -> list[phantoms.Contour]:
    """A tube with walls of `wall` mm around a rectangle."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    outlines = [corners * size for size in ([width, height], [width - 2 * wall, height - 2 * wall])]
    return [phantoms.Contour(np.column_stack([o, np.full(4, z)])) for z in planes for o in outlines]


def test_a_wall_that_is_lost_is_told_of_with_both_volumes_and_strict_refuses() -> None:
    """A couch with walls of 1.5 mm, in so few voxels that they cannot be there."""
    contours = frame_of(530, 50, 1.5, 10.0 * np.arange(12))
    data = phantoms.structure_set([phantoms.Roi("Couch", contours)])
    truth = (530 * 50 - 527 * 47) * 120 / 1000
    answer, stored = convert(data, "", [1], Limits={"max_voxels": 100_000})
    assert answer["ContoursMl"] == pytest.approx(truth, rel=1e-3)
    assert abs(answer["VolumeMl"] / truth - 1) > 0.02
    found = [re.search(r"encloses (\S+) mL, its contours (\S+) mL", text) for text in answer["Warnings"]]
    ((enclosed, drawn),) = (figures.groups() for figures in found if figures)
    assert (float(enclosed), float(drawn)) == pytest.approx((answer["VolumeMl"], truth), rel=1e-3)
    info = read_encapsulated_stl(stored).as_json()
    assert info["ContoursMl"] == answer["ContoursMl"]
    assert info["Notes"] == [{"Rank": 1, "Roi": "Couch", "Text": text} for text in answer["Warnings"]]
    assert info["Warnings"] == answer["Warnings"]
    with pytest.raises(InvalidInput, match=r"Strict is true.*encloses"):
        convert(data, "", [1], Limits={"max_voxels": 100_000}, Strict=True)


def test_a_volume_that_fewer_triangles_change_is_told_of_and_strict_refuses() -> None:
    """40 triangles are a coarse ball; by default its volume is that of the full surface, and nothing is said."""
    data = phantoms.structure_set([phantoms.ball("Ball", 15)])
    full, small, coarse = (convert(data, "", [1], **more)[0] for more in ({"Tolerance": 0}, {}, {"Triangles": 40}))
    assert small["Triangles"] < full["Triangles"] / 3
    assert small["VolumeMl"] == pytest.approx(full["VolumeMl"], rel=0.002)
    assert full["Warnings"] == small["Warnings"] == []
    (told,) = coarse["Warnings"]
    left, whole = re.findall(r"encloses (\S+) mL, with all of them (\S+) mL", told)[0]
    assert (float(left), float(whole)) == pytest.approx((coarse["VolumeMl"], full["VolumeMl"]), rel=1e-3)
    assert float(left) < 0.98 * float(whole)
    with pytest.raises(InvalidInput, match=r"Strict is true.*with fewer triangles"):
        convert(data, "", [1], Triangles=40, Strict=True)


@pytest.mark.slow
def test_a_couch_wall_of_1_5_mm_at_256() -> None:
    contours = frame_of(530, 50, 1.5, 10.0 * np.arange(3))
    answer, _ = convert(phantoms.structure_set([phantoms.Roi("Couch", contours)]), "", [1], Resolution=256)
    assert answer["VolumeMl"] == pytest.approx((530 * 50 - 527 * 47) * 30 / 1000, rel=0.01)
    assert answer["ContoursMl"] == pytest.approx(answer["VolumeMl"], rel=0.01)
    assert answer["Warnings"] == []


@pytest.mark.parametrize("chosen", [None, [2]])
def test_a_single_slice_is_as_thick_as_the_slices_of_the_file(chosen: list[int | str] | None) -> None:
    """With "All" it was 1 mm thick in a file of slices of 3 mm."""
    planes = 3.0 * np.arange(8)
    single = phantoms.Roi("Single", [phantoms.Contour(phantoms.circle(10, 12, (60, 0)))])
    data = phantoms.structure_set([phantoms.cylinder("Body", 30, planes, 1), single])
    answer, _ = convert(data, "", chosen)
    body = np.pi * 900 * 24 / 1000 if chosen is None else 0
    assert answer["VolumeMl"] == pytest.approx(body + np.pi * 100 * 3 / 1000, rel=0.003)
    assert answer["Warnings"] == []
