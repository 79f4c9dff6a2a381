"""DICOM segmentations: every encoding gives the same voxels, every placement the same body, the rest its reason."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pydicom.dataset import Dataset

from orthanc_stl.conversion.meshing import mesh_shape
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.types import Rank, Surface
from orthanc_stl.sources.base import ReadOptions, Region
from orthanc_stl.sources.dicom_object import srgb_of_d65
from orthanc_stl.sources.pixel_frames import PixelFrames
from orthanc_stl.sources.seg import OpenSegmentation, Seg
from testing.source_phantoms import (
    AXIAL,
    OBLIQUE,
    SAGITTAL,
    ball_frames,
    file_of,
    item,
    seg_dataset,
    segment,
)

CENTRE = (10.0, -15.0, 30.0)


def opened(data: bytes | Dataset, syntax: str = "1.2.840.10008.1.2.1") -> OpenSegmentation:
    return Seg().open([data if isinstance(data, bytes) else file_of(data, syntax)], ReadOptions())


def meshed(source: OpenSegmentation, number: int = 1) -> Surface:
    shape, _ = source.shape(number)
    return mesh_shape(shape)


def notes_of(source: OpenSegmentation, number: int = 1) -> list[str]:
    return [note.text for note in source.shape(number)[1]]


def middle(surface: Surface) -> np.ndarray:
    corners = surface.mesh.vertices[surface.mesh.triangles].astype(float)
    parts = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return (corners.sum(axis=1) / 4 * parts[:, None]).sum(axis=0) / parts.sum()


def test_separate_segments_read_each_frame_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SEG of 11 segments: the work goes with the frames and the boxes of the segments, not with their product."""
    places = np.arange(-12, 13)
    frames, positions = ball_frames(CENTRE, 11, places=places.tolist(), size=64)
    numbers = range(1, 12)
    many = np.concatenate([np.roll(frames, 2 * n - 12, axis=2) for n in numbers])
    source = opened(file_of(seg_dataset(many, [(n, p) for n in numbers for p in positions], numbers=list(numbers))))
    read: list[int] = []
    frame = PixelFrames.frame

    def counted(self: PixelFrames, number: int) -> np.ndarray:
        read.append(number)
        return frame(self, number)

    monkeypatch.setattr(PixelFrames, "frame", counted)
    filled = np.argwhere(frames)
    box = np.prod(filled.max(axis=0) - filled.min(axis=0) + 1)
    for number in numbers:
        shape = source.shape(number)[0]
        assert isinstance(shape, Region)
        assert shape.volume.stored.size <= 1.2 * box
    assert sorted(read) == list(range(len(many)))


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, OBLIQUE, (-1, 0, 0, 0, -1, 0)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_ball_in_any_orientation_with_its_frames_in_any_order(orientation: tuple[float, ...], turned: bool) -> None:
    places = [2.5 * n for n in range(-8, 9)]
    frames, positions = ball_frames(CENTRE, 18, orientation=orientation, places=places)
    order = np.random.default_rng(1).permutation(len(places)) if turned else np.arange(len(places))
    placed = [(1, positions[n]) for n in order]
    source = opened(seg_dataset(frames[order], placed, orientation=orientation, step=2.5, thickness=2.5))
    surface = meshed(source)
    assert surface.report.volume == pytest.approx(frames.sum() * 2.5, rel=1e-3)
    assert np.abs(middle(surface) - CENTRE).max() < 0.1
    assert surface.report.euler_number == 2


def fractional_ball(radius: float, ramp: float) -> Dataset:
    """Fractions of 200 that fall from all to none over `ramp` mm, with half of it at `radius` mm from the origin."""
    places = np.arange(-20.0, 21.0)
    grid = np.arange(41) - 20.0
    distance = np.sqrt(grid[None, None] ** 2 + grid[None, :, None] ** 2 + places[:, None, None] ** 2)
    fractions = np.rint(np.clip(0.5 + (radius - distance) / ramp, 0, 1) * 200).astype(np.uint8)
    return seg_dataset(fractions, [(1, (-20.0, -20.0, z)) for z in places], kind="FRACTIONAL", maximum=200)


@pytest.mark.parametrize("kind", ["PROBABILITY", "OCCUPANCY"])
def test_fractions_have_their_surface_at_half(kind: str) -> None:
    ds = fractional_ball(12.3, 4)
    ds.SegmentationFractionalType = kind
    region, notes = opened(ds).shape(1)
    surface = mesh_shape(region, smooth=False)
    assert np.abs(np.linalg.norm(surface.mesh.vertices, axis=1) - 12.3).max() < 0.05
    assert surface.report.euler_number == 2
    assert not notes


def test_fractions_that_fall_at_once_have_their_surface_between_them_and_the_zeros_around() -> None:
    """200 and 0 of 255: half lies 0.3625 of the way out, on all sides, also beyond the last planes of the file."""
    frames = np.zeros((10, 20, 20), np.uint8)
    frames[:, 5:15, 5:15] = 200
    frames[6, 9, 9] = 255  # else it were a mask
    source = opened(seg_dataset(frames, [(1, (0.0, 0.0, float(z))) for z in range(10)], kind="FRACTIONAL"))
    surface = mesh_shape(source.shape(1)[0], smooth=False)
    low, high = surface.report.box
    assert np.subtract(low, (5, 5, 0)) == pytest.approx([-0.3625] * 3, abs=1e-3)
    assert np.subtract(high, (14, 14, 9)) == pytest.approx([0.3625] * 3, abs=1e-3)
    assert surface.report.closed


def test_a_segment_with_much_near_half_says_how_much_hangs_on_it() -> None:
    """Half at 10 mm, 40 % at 12 and 60 % at 8: 12³/10³ = 1.73 and 8³/10³ = 0.51."""
    (note,) = opened(fractional_ball(10, 20)).shape(1)[1]
    assert note.rank is Rank.GUESSED
    said = re.search(r"at 40% it would have (\d+)% more voxels, at 60% (\d+)% fewer", note.text)
    assert said
    assert [int(figure) for figure in said.groups()] == pytest.approx([73, 49], abs=7)


def test_fractions_that_do_not_reach_half_say_so() -> None:
    source = opened(fractional_ball(-4, 20))
    assert source.structures[0].reason == "none of its fractions is half of the maximum or more"
    with pytest.raises(InvalidInput, match="none of its fractions is half of the maximum or more"):
        source.shape(1)


def test_uneven_planes_reach_half_way_to_their_neighbours() -> None:
    places = np.concatenate(([0], np.cumsum(np.tile([3.0, 2.0, 5.0], 5)))) - 25
    frames, positions = ball_frames(CENTRE, 20, places=places.tolist())
    source = opened(seg_dataset(frames, [(1, p) for p in positions], step=None, thickness=5))
    assert source.structures[0].facts["VolumeMl"] == pytest.approx(4 / 3 * np.pi * 8, rel=0.02)
    surface = meshed(source)
    assert surface.report.volume / 1000 == pytest.approx(source.structures[0].facts["VolumeMl"], rel=1e-3)
    assert surface.report.euler_number == 2
    assert "unevenly" in notes_of(source)[0]


def test_a_step_that_no_plane_keeps_is_told() -> None:
    frames, positions = ball_frames(CENTRE, 10, places=[2.5 * n for n in range(-5, 6)])
    source = opened(seg_dataset(frames, [(1, p) for p in positions], step=1.7))
    assert notes_of(source) == ["Spacing Between Slices says 1.7 mm, but planes are 2.5 mm apart, which was taken"]


def test_groups_may_be_shared_or_of_each_frame() -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=24)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    shared = ds.SharedFunctionalGroupsSequence[0]
    for groups in ds.PerFrameFunctionalGroupsSequence:  # all of each frame, the segment shared
        groups.PixelMeasuresSequence = shared.PixelMeasuresSequence
        groups.PlaneOrientationSequence = shared.PlaneOrientationSequence
        del groups.SegmentIdentificationSequence
    del shared.PixelMeasuresSequence, shared.PlaneOrientationSequence
    shared.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=1)]
    assert opened(ds).structures[0].facts["Voxels"] == frames.sum()


def test_what_a_frame_says_itself_goes_before_what_is_shared() -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=24)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.PlanePositionSequence = [item(ImagePositionPatient=[0, 0, 0])]
    shared.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=9)]
    assert np.abs(middle(meshed(opened(ds))) - CENTRE).max() < 0.1


def test_a_group_of_a_frame_without_the_element_leaves_it_to_what_is_shared() -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=24)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    for groups in ds.PerFrameFunctionalGroupsSequence:  # each says its thickness, and no spacing of pixels
        groups.PixelMeasuresSequence = [item(SliceThickness=1)]
        groups.PlaneOrientationSequence = [Dataset()]
    surface = meshed(opened(ds))
    assert surface.report.volume == pytest.approx(frames.sum(), rel=1e-3)
    assert np.abs(middle(surface) - CENTRE).max() < 0.1


@pytest.mark.parametrize("said", ["", "YES", "NO", "UNDEFINED"])
def test_segments_may_overlap_whatever_is_said_of_it(said: str) -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=32)
    placed = [(number, position) for number in (1, 2) for position in positions]
    ds = seg_dataset(np.concatenate((frames, np.roll(frames, 4, axis=2))), placed, numbers=(1, 2))
    if said:
        ds.SegmentsOverlap = said
    assert [s.facts["Voxels"] for s in opened(ds).structures] == [frames.sum()] * 2


def test_padding_and_segment_0_are_no_structures() -> None:
    frames = np.zeros((3, 8, 8), np.uint16)
    frames[:, 1:4, 1:4], frames[:, 5:7, 5:7] = 300, 9
    placed = [(0, (0, 0, z)) for z in range(3)]
    ds = seg_dataset(frames, placed, kind="LABELMAP", numbers=(0, 300, 9))
    ds.PixelPaddingValue = 9
    ds["PixelPaddingValue"].VR = "US"
    assert [s.number for s in opened(ds).structures] == [300]


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_voxels_of_segments_that_are_not_listed_are_told(kind: str) -> None:
    frames, positions = ball_frames(CENTRE, 6, places=range(-7, 8))
    if kind == "LABELMAP":
        data = seg_dataset(
            (frames * (3 + np.arange(48) % 2)).astype(np.uint8), [(0, p) for p in positions], kind=kind, numbers=(3,)
        )
    else:
        both = [(number, position) for number in (3, 4) for position in positions]
        data = seg_dataset(np.concatenate((frames, frames)), both, numbers=(3,))
    source = opened(data)
    assert [structure.number for structure in source.structures] == [3]
    what = "voxels" if kind == "LABELMAP" else "frames"
    assert notes_of(source, 3) == [f"{what} of segments that the Segment Sequence does not list were left out: 4"]


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_an_empty_segment_tells_of_voxels_that_no_segment_lists(kind: str) -> None:
    frames, positions = ball_frames(CENTRE, 6, places=range(-7, 8))
    frames = frames.astype(np.uint8) * (4 if kind == "LABELMAP" else 1)
    ds = seg_dataset(frames, [(4, position) for position in positions], kind=kind, numbers=(3,))
    what = "voxels" if kind == "LABELMAP" else "frames"
    left_out = f"{what} of segments that the Segment Sequence does not list were left out: 4"
    assert [structure.reason for structure in opened(ds).structures] == [f"it has no voxel; {left_out}"]


def test_a_label_map_with_a_palette_keeps_its_numbers() -> None:
    frames = np.zeros((3, 8, 8), np.uint16)
    frames[:, 1:4, 1:4] = 300
    ds = seg_dataset(frames, [(0, (0, 0, z)) for z in range(3)], kind="LABELMAP", numbers=(300,))
    ds.PhotometricInterpretation = "PALETTE COLOR"
    source = opened(ds)
    assert source.structures[0].facts["Voxels"] == 27
    assert notes_of(source, 300) == [
        "the palette of the label map was left out: its pixels were taken as segment numbers"
    ]


def test_a_segment_without_a_voxel_says_so() -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=24)
    source = opened(seg_dataset(frames, [(1, p) for p in positions], numbers=(1, 2)))
    assert [s.reason for s in source.structures] == ["", "it has no voxel"]
    with pytest.raises(InvalidInput, match='segment 2 "segment 2" cannot be used: it has no voxel'):
        source.shape(2)
    with pytest.raises(InvalidInput, match="no segment 5; it has 1, 2"):
        source.shape(5)


def test_a_segment_whose_frames_are_empty_says_so() -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=24)
    placed = [(number, p) for number in (1, 2) for p in positions]
    source = opened(seg_dataset(np.concatenate((frames, 0 * frames)), placed, numbers=(1, 2)))
    assert [s.reason for s in source.structures] == ["", "it has no voxel"]


def test_a_segment_without_a_frame_says_so_where_voxels_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_stl.sources.seg.MOST_COUNTED", 0)  # as of a file of some gigabytes
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=24)
    source = opened(seg_dataset(frames, [(1, p) for p in positions], numbers=(1, 2)))
    assert [s.reason for s in source.structures] == ["", "it has no frame"]


def test_the_white_point_of_segmentations_is_d65() -> None:
    assert srgb_of_d65(41661, 41167, 40792) == (221, 130, 101)


def test_names_fall_back_to_what_there_is() -> None:
    frames, positions = ball_frames(CENTRE, 9, places=range(-10, 11), size=24)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    for more, name in (
        ({"SegmentDescription": "described", "TrackingID": "lesion 4"}, "described"),
        ({"TrackingID": "lesion 4"}, "lesion 4"),
        ({}, "segment 1"),
    ):
        ds.SegmentSequence = [segment(1, "", **more)]
        assert opened(ds).structures[0].name == name
