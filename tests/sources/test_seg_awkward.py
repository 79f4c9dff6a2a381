"""DICOM SEG as writers should not write it, against its voxels counted by numpy: right, told, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from orthanc_stl.errors import InvalidInput
from testing.source_phantoms import ball_frames, item, seg_dataset, segment
from tests.sources.test_seg import CENTRE, meshed, middle, notes_of, opened

STEP = 2.5
PLACES = [STEP * n for n in range(-8, 9)]
FRAMES, POSITIONS = ball_frames(CENTRE, 18, places=PLACES)
TRUE_ML = float(FRAMES.sum()) * STEP / 1000


def made(frames: np.ndarray, placed: list[tuple[int, list[float]]], **more: object) -> Dataset:
    return seg_dataset(frames, placed, step=STEP, thickness=STEP, **more)  # type: ignore[arg-type]


def test_numbers_with_gaps_that_the_sequence_lists_in_another_order() -> None:
    both = [(number, position) for number in (7, 300) for position in POSITIONS]
    source = opened(made(np.concatenate((FRAMES, FRAMES[:, :, ::-1] * FRAMES)), both, numbers=(300, 7)))
    assert {s.number: s.facts["Voxels"] for s in source.structures} == {7: FRAMES.sum(), 300: FRAMES.sum()}
    assert meshed(source, 300).report.volume / 1000 == pytest.approx(TRUE_ML, rel=1e-3)


def test_a_frame_twice_counts_once_and_two_that_differ_are_united_and_told() -> None:
    again = [(1, position) for position in [*POSITIONS, *POSITIONS[5:8]]]
    source = opened(made(np.concatenate((FRAMES, FRAMES[5:8])), again))
    assert source.structures[0].facts["Voxels"] == FRAMES.sum()
    assert notes_of(source) == []
    moved = np.roll(FRAMES[5:8], 3, axis=2)
    source = opened(made(np.concatenate((FRAMES, moved)), again))
    expected = FRAMES.sum() + (moved > FRAMES[5:8]).sum()
    assert source.structures[0].facts["Voxels"] == expected
    assert meshed(source).report.volume == pytest.approx(expected * STEP, rel=1e-3)
    assert notes_of(source) == ["3 planes have several frames, which differ: they were united"]


def test_frames_of_a_label_map_in_one_plane_count_in_their_order_and_are_told() -> None:
    moved = 2 * np.roll(FRAMES[8:9], 10, axis=2)
    placed = [(0, position) for position in [*POSITIONS, POSITIONS[8]]]
    source = opened(made(np.concatenate((FRAMES, moved)), placed, kind="LABELMAP", numbers=(1, 2)))
    second = int(((moved[0] > 0) & (FRAMES[8] == 0)).sum())
    assert [s.facts["Voxels"] for s in source.structures] == [FRAMES.sum(), second]
    for number, expected in ((1, FRAMES.sum()), (2, second)):
        assert meshed(source, number).report.volume == pytest.approx(expected * STEP, rel=1e-3)
        told = "a plane has several frames, which differ: they count in their order, where a number is not 0"
        assert told in notes_of(source, number)


def test_frames_that_share_one_position_make_no_volume() -> None:
    ds = made(FRAMES, [(1, position) for position in POSITIONS])
    ds.SharedFunctionalGroupsSequence[0].PlanePositionSequence = [item(ImagePositionPatient=POSITIONS[0])]
    for groups in ds.PerFrameFunctionalGroupsSequence:
        del groups.PlanePositionSequence
    with pytest.raises(InvalidInput, match="all 17 frames of segment 1 have the same plane position"):
        opened(ds)


@pytest.mark.parametrize("shift", [0.8, 1.25])
def test_segments_on_lattices_of_their_own_keep_their_thickness(shift: float) -> None:
    """Together the planes are 1.25 mm apart, or unevenly: none of the two bodies is."""
    shifted, positions = ball_frames(CENTRE, 18, places=[place + shift for place in PLACES])
    placed = [(1, position) for position in POSITIONS] + [(2, position) for position in positions]
    source = opened(made(np.concatenate((FRAMES, shifted)), placed, numbers=(1, 2)))
    for number, voxels in ((1, FRAMES.sum()), (2, shifted.sum())):
        surface = meshed(source, number)
        assert surface.report.volume == pytest.approx(voxels * STEP, rel=1e-3)
        assert source.structures[number - 1].facts["VolumeMl"] == pytest.approx(voxels * STEP / 1000, abs=1e-3)
        assert surface.report.euler_number == 2
        assert notes_of(source, number) == []


def test_fractions_above_the_maximum_are_the_maximum_and_told() -> None:
    placed = [(1, position) for position in POSITIONS]
    source = opened(made(FRAMES * np.uint8(200), placed, kind="FRACTIONAL", maximum=100))
    assert meshed(source).report.volume / 1000 == pytest.approx(TRUE_ML, rel=1e-3)
    assert notes_of(source) == ["fractions above Maximum Fractional Value were taken for that value, 100"]


def test_a_tilted_gantry_shears_the_lattice_and_not_the_ball() -> None:
    tilt = np.tan(np.radians(15))
    grid = np.arange(48) - 23.5
    across, down = np.meshgrid(grid, grid)
    frames = np.array([across**2 + (down + tilt * z) ** 2 + z**2 <= 18**2 for z in PLACES]).astype(np.uint8)
    placed = [(1, [CENTRE[0] + grid[0], CENTRE[1] + grid[0] + tilt * z, CENTRE[2] + z]) for z in PLACES]
    source = opened(made(frames, placed))
    surface = meshed(source)
    assert surface.report.volume == pytest.approx(frames.sum() * STEP, rel=1e-3)
    assert np.abs(middle(surface) - CENTRE).max() < 0.1
    assert notes_of(source) == []


def test_dimension_indices_are_not_needed_and_not_believed() -> None:
    ds = made(FRAMES, [(1, position) for position in POSITIONS])
    assert "DimensionIndexSequence" not in ds
    for number, groups in enumerate(ds.PerFrameFunctionalGroupsSequence):
        groups.FrameContentSequence = [item(DimensionIndexValues=[1, 99 - number])]
    assert np.abs(middle(meshed(opened(ds))) - CENTRE).max() < 0.1


def test_tiled_full_is_refused_with_the_reason() -> None:
    ds = made(FRAMES, [(1, position) for position in POSITIONS])
    ds.DimensionOrganizationType = "TILED_FULL"
    del ds.PerFrameFunctionalGroupsSequence
    with pytest.raises(InvalidInput, match="its frames are tiles of a slide"):
        opened(ds)


def test_a_step_that_nobody_declares_is_told_where_the_thickness_is_another() -> None:
    """Every second plane alone: two bodies a plane or one of thick planes, which the file does not say."""
    placed = [(1, position) for position in POSITIONS[::2]]
    source = opened(seg_dataset(FRAMES[::2], placed, step=None, thickness=STEP))
    assert meshed(source).report.volume == pytest.approx(FRAMES[::2].sum() * 2 * STEP, rel=1e-3)
    assert notes_of(source) == [
        "there is no Spacing Between Slices: 5 mm was taken, the smallest step of the planes, "
        "though Slice Thickness says 2.5 mm"
    ]
    assert notes_of(opened(seg_dataset(FRAMES, [(1, p) for p in POSITIONS], step=None, thickness=STEP))) == []


def test_one_plane_has_the_thickness_that_there_is_or_says_what_was_taken() -> None:
    single = FRAMES[8:9], [(1, POSITIONS[8])]
    source = opened(seg_dataset(*single, step=None, thickness=4))
    assert meshed(source).report.volume == pytest.approx(FRAMES[8].sum() * 4, rel=1e-3)
    assert notes_of(source) == []
    source = opened(seg_dataset(*single, step=None, thickness=None))
    assert notes_of(source) == ["there is a single plane without a thickness: 1 mm was taken, a pixel's side"]


def test_a_declared_step_that_no_two_planes_keep_is_told() -> None:
    """Every second plane alone under a step that says so: discs, as the standard has it, or a step that is wrong."""
    source = opened(made(FRAMES[::2], [(1, position) for position in POSITIONS[::2]]))
    assert meshed(source).report.volume == pytest.approx(FRAMES[::2].sum() * STEP, rel=1e-3)
    assert meshed(source).report.euler_number == 2 * np.count_nonzero(FRAMES[::2].any(axis=(1, 2)))
    assert notes_of(source) == [
        "Spacing Between Slices says 2.5 mm, but no two planes are nearer than 5 mm: "
        "the planes between them were taken as empty"
    ]
    placed = [(1, position) for position in [*POSITIONS[:6], *POSITIONS[8:]]]
    assert notes_of(opened(made(np.delete(FRAMES, (6, 7), axis=0), placed))) == []


@pytest.mark.parametrize(
    ("part", "parts", "said"),
    [
        (1, 2, ["this instance is part 1 of 2 of a concatenation: the frames of the other parts are missing"]),
        (3, None, ["this instance is part 3 of a concatenation: the frames of the other parts are missing"]),
        (1, 1, []),
    ],
)
def test_a_part_of_a_concatenation_says_that_there_are_others(part: int, parts: int | None, said: list[str]) -> None:
    ds = made(FRAMES, [(1, position) for position in POSITIONS])
    ds.ConcatenationUID, ds.InConcatenationNumber = "1.2.3", part
    if parts:
        ds.InConcatenationTotalNumber = parts
    assert notes_of(opened(ds)) == said


def test_entries_of_the_segment_sequence_that_nothing_leads_to_are_told() -> None:
    ds = made(FRAMES, [(1, position) for position in POSITIONS])
    ds.SegmentSequence = [segment(1, "Liver"), segment(1, "Spleen"), item(SegmentLabel="Heart")]
    source = opened(ds)
    assert [structure.name for structure in source.structures] == ["Liver"]
    assert notes_of(source) == [
        "the Segment Sequence has 2 entries of the number 1: the first counts",
        "the Segment Sequence has 1 entry without a number: left out",
    ]


@pytest.mark.parametrize("entry", [segment(0, "Background"), item(SegmentLabel="Liver")])
def test_a_sequence_without_a_segment_is_refused_with_the_reason(entry: Dataset) -> None:
    ds = made(FRAMES, [(0, position) for position in POSITIONS])
    ds.SegmentSequence = [entry]
    with pytest.raises(InvalidInput, match=r"lists background \(number 0\) or padding only, or gives no numbers"):
        opened(ds)


@pytest.mark.parametrize("maximum", [None, 0])
def test_fractions_without_a_maximum_are_refused(maximum: int | None) -> None:
    ds = seg_dataset(100 * FRAMES, [(1, position) for position in POSITIONS], kind="FRACTIONAL")
    ds.MaximumFractionalValue = maximum
    with pytest.raises(InvalidInput, match="no Maximum Fractional Value"):
        opened(ds)
