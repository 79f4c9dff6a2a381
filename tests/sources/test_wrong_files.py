"""Wrong files, each with another kind of mistake: a sentence says what came, and what is expected."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import numpy as np
import pytest

from orthanc_stl.errors import StlError
from orthanc_stl.sources.base import ReadOptions, Shape
from orthanc_stl.sources.registry import open_files
from testing.image_phantoms import single_frame
from testing.nifti_phantoms import nifti_file
from testing.source_phantoms import a_dataset, ball_frames, dose_dataset, file_of, item, seg_dataset
from tests.sources.test_meshes import surfaces

FRAMES, POSITIONS = ball_frames((0, 0, 0), 6, places=range(-7, 8), size=16)
PLACED = [(1, position) for position in POSITIONS]


def seg_without_frames() -> bytes:
    ds = seg_dataset(FRAMES, PLACED)
    ds.NumberOfFrames = 0
    return file_of(ds)


def label_map_of_fractions() -> bytes:
    ds = seg_dataset(FRAMES, PLACED, kind="LABELMAP")
    ds.BitsAllocated = 32
    return file_of(ds)


def seg_cut_short() -> bytes:
    return file_of(seg_dataset(FRAMES, PLACED))[:-100]


def dose_of_one_plane() -> bytes:
    return file_of(dose_dataset(np.ones((1, 8, 8)), offsets=[0], position=(0, 0, 0)))


def dose_without_a_unit() -> bytes:
    ds = dose_dataset(np.ones((4, 8, 8)), offsets=[0, 3, 6, 9], position=(0, 0, 0))
    del ds.DoseUnits
    return file_of(ds)


def dose_of_twelve_bits() -> bytes:
    ds = dose_dataset(np.ones((4, 8, 8)), offsets=[0, 3, 6, 9], position=(0, 0, 0))
    ds.BitsAllocated = 12
    return file_of(ds)


def surface_of_points() -> bytes:
    return file_of(surfaces(item()))


WRONG: tuple[tuple[Callable[[], bytes], str], ...] = (
    (seg_without_frames, "has no frames"),
    (label_map_of_fractions, "a LABELMAP segmentation has 8 or 16 bits a pixel, this one has 32"),
    (seg_cut_short, "this DICOM file"),
    (dose_of_one_plane, "a single plane, which encloses nothing"),
    (dose_without_a_unit, "a dose in GY or RELATIVE units is expected, this one has none"),
    (dose_of_twelve_bits, "Bits Allocated 12; one sample of 1, 8, 16 or 32 bits is expected"),
    (surface_of_points, "it has no surface with triangles"),
    (lambda: file_of(a_dataset("1.2.840.10008.5.1.4.1.1.481.5", "RTPLAN")), "an object of the class RT Plan Storage"),
    (lambda: gzip.compress(nifti_file(FRAMES))[:60], "gzip"),
    (
        lambda: b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 4\nencoding: raw\n\n",
        "has 4 x 4 voxels; three dimensions",
    ),
    (lambda: single_frame(np.zeros((8, 8), np.int16), (0, 0, 0), 1, seed="alone"), "a single slice"),
)


def first_shape(data: bytes) -> Shape:
    source = open_files([data], ReadOptions())
    return source.shape(source.structures[0].number)[0]


@pytest.mark.parametrize(("made", "sentence"), WRONG, ids=[str(number) for number in range(1, len(WRONG) + 1)])
def test_a_wrong_file_gives_a_sentence(made: Callable[[], bytes], sentence: str) -> None:
    with pytest.raises(StlError) as told:
        first_shape(made())
    assert sentence in str(told.value)
    assert 400 <= told.value.status < 500


def test_a_label_map_of_16_bits_with_a_palette_is_read_and_told() -> None:
    ds = seg_dataset(FRAMES.astype(np.uint16) * 300, PLACED, kind="LABELMAP", numbers=(300,))
    ds.PhotometricInterpretation = "PALETTE COLOR"
    source = open_files([file_of(ds)], ReadOptions())
    assert source.structures[0].facts["Voxels"] == FRAMES.sum()
    assert "the palette of the label map was left out" in source.shape(300)[1][0].text
