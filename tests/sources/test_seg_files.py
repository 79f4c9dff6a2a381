"""DICOM segmentations that others wrote: every encoding gives the same voxels; what has no volume gives its reason."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_stl.conversion.meshing import mesh_shape, united
from orthanc_stl.errors import InvalidInput
from orthanc_stl.sources.base import Region
from testing.data import shared_file
from tests.sources.test_seg import CENTRE, meshed, middle, opened


@pytest.mark.parametrize(
    "path",
    ["dcmqi/liver.dcm"]
    + [f"pydicom-liver/liver{n}.dcm" for n in ("", "_expb", "_rle", "_deflate", "_nonbyte_aligned")],
)
def test_the_liver_in_every_encoding(path: str) -> None:
    source = opened(shared_file(f"seg/{path}").read_bytes())
    (liver,) = source.structures
    assert (liver.name, liver.color, liver.facts["Voxels"]) == ("Liver", (221, 130, 101), 107_098)
    assert liver.facts["VolumeMl"] == pytest.approx(70.362, abs=1e-3)
    assert liver.anatomy is not None
    assert (liver.anatomy.value, liver.anatomy.scheme, liver.anatomy.meaning) == ("T-62000", "SRT", "Liver")
    surface = meshed(source)
    assert surface.report.closed
    assert surface.report.volume / 1000 == pytest.approx(70.362, rel=1e-3)
    low, high = surface.report.box
    assert (*low, *high) == pytest.approx((-171.45, -109.53, -129.30, 48.76, 70.14, -126.05), abs=0.1)


def test_segments_that_overlap_are_five_bodies() -> None:
    source = opened(shared_file("seg/dcmqi/partial_overlaps.dcm").read_bytes())
    assert [s.facts["Voxels"] for s in source.structures] == [9602, 11888, 10743, 6693, 4713]
    for structure in source.structures:
        assert meshed(source, structure.number).report.volume / 1000 == pytest.approx(
            structure.facts["VolumeMl"], rel=1e-3
        )


def test_a_plane_that_is_missing_is_empty_and_never_bridged() -> None:
    source = opened(shared_file("seg/dcmqi/sparse-labelmap-noppv.dcm").read_bytes())
    assert [(s.number, s.facts["Voxels"]) for s in source.structures] == [(1, 630)]
    surface = meshed(source)
    assert surface.report.euler_number == 4
    assert surface.report.volume / 1000 == pytest.approx(0.772, rel=2e-3)


def test_frames_that_end_within_a_byte() -> None:
    source = opened(shared_file("seg/dcmqi/23x38x3/label.seg.dcm").read_bytes())
    assert [int(source.frames.frame(number).sum()) for number in range(3)] == [4, 314, 4]
    assert source.structures[0].facts["Voxels"] == 322


@pytest.mark.parametrize("name", ["seg_image_ct_binary", "seg_image_ct_binary_fractional"])
def test_fractions_of_0_and_all_are_a_mask(name: str) -> None:
    source = opened(shared_file(f"seg/highdicom/{name}.dcm").read_bytes())
    assert source.structures[0].facts["Voxels"] == 638
    assert meshed(source).report.volume / 1000 == pytest.approx(0.1901, rel=2e-3)


def test_planes_202_mm_apart_stay_apart() -> None:
    source = opened(shared_file("seg/highdicom/seg_image_ct_binary_overlap.dcm").read_bytes())
    assert [s.facts["Voxels"] for s in source.structures] == [64, 16]
    assert [meshed(source, n).report.euler_number for n in (1, 2)] == [4, 4]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("seg_image_cr_binary", "projection image"),
        ("seg_image_sm_control", "slide microscopy"),
        ("seg_image_sm_control_labelmap", "slide microscopy"),
        ("seg_image_sm_dots", "slide microscopy"),
        ("seg_image_grayscale_labeled", "type LABELED"),
    ],
)
def test_what_has_no_volume_is_refused_with_the_reason(name: str, reason: str) -> None:
    data = shared_file(f"seg/highdicom/{name}.dcm").read_bytes()
    with pytest.raises(InvalidInput, match=reason):
        opened(data)


@pytest.mark.parametrize(
    "name",
    ["binary_all_frames", "binary_overlap_axial", "binary_overlap_sagittal", "fractional_jls", "fractional_rle"],
)
def test_the_made_balls(name: str) -> None:
    source = opened(shared_file(f"seg/made/seg_{name}.dcm").read_bytes())
    assert [(s.name, s.color) for s in source.structures] == [("Ball 20", (220, 20, 60)), ("Ball 12", (0, 128, 255))]
    for number, centre, millilitres in ((1, CENTRE, 33.510), (2, (28, -15, 30), 7.238)):
        surface = meshed(source, number)
        assert surface.report.volume / 1000 == pytest.approx(millilitres, rel=0.01)
        assert np.abs(middle(surface) - centre).max() < 0.1
        assert (surface.report.closed, surface.report.euler_number) == (True, 2)
    shape = united([source.shape(1)[0], source.shape(2)[0]])
    assert isinstance(shape, Region)
    assert mesh_shape(shape).report.volume / 1000 == pytest.approx(37.088, rel=0.01)


@pytest.mark.parametrize(("name", "second"), [("raw", 2), ("rle", 2), ("uint16_number300", 300)])
def test_the_made_label_maps(name: str, second: int) -> None:
    source = opened(shared_file(f"seg/made/seg_labelmap_{name}.dcm").read_bytes())
    assert [s.number for s in source.structures] == [1, second]  # segment 0 is the background
    assert meshed(source, 1).report.volume / 1000 == pytest.approx(33.510, rel=0.01)
    assert meshed(source, second).report.volume / 1000 == pytest.approx(3.486, rel=0.01)
