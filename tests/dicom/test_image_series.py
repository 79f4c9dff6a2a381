"""Frames of a series become stacks, whatever the order, and damaged attributes become sentences."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openjpeg.utils import encode_array

from orthanc_stl.dicom.image_frames import Frame, frames_of
from orthanc_stl.dicom.image_series import Encoding, Stack, encoding_of, stacks_of
from orthanc_stl.dicom.pixel_record import pack, pack_codestream, pack_failure, record_size, unpack
from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.rest.routes.images import level_size, steps_of
from orthanc_stl.sources.image_values import (
    PACKED_STRATEGY,
    FrameValues,
    gzipped,
    packed,
    shrunk,
    stored_values,
    unpacked,
)

TAGS = {
    "Modality": "MR",
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
    "SOPInstanceUID": "1.2.3",
    "FrameOfReferenceUID": "1.2.4",
    "Rows": "8",
    "Columns": "10",
    "BitsAllocated": "16",
    "BitsStored": "12",
    "PixelRepresentation": "0",
    "SamplesPerPixel": "1",
    "PhotometricInterpretation": "MONOCHROME2",
    "ImagePositionPatient": "0\\0\\0",
    "ImageOrientationPatient": "1\\0\\0\\0\\1\\0",
    "PixelSpacing": "0.5\\0.7",
}


def frame(number: int, z: float = 0.0, **more: Any) -> Frame:
    tags = TAGS | {"ImagePositionPatient": f"1\\2\\{z}", "InstanceNumber": str(number)} | more
    (found,) = frames_of(f"instance {number}", tags)
    return found


def names(stack: Stack) -> list[str]:
    return [one.path.split()[1] for one in stack.frames]


def test_pixel_spacing_is_between_rows_then_between_columns() -> None:
    (stack,) = stacks_of([frame(1, 0), frame(2, 3)])
    assert stack.affine == [[0.7, 0, 0, 1], [0, 0.5, 0, 2], [0, 0, 3, 0], [0, 0, 0, 1]]
    assert stack.size == (10, 8, 2)


def test_slices_are_ordered_by_place_and_not_by_number() -> None:
    (stack,) = stacks_of([frame(1, 6), frame(2, -3), frame(3, 0), frame(4, 3)])
    assert names(stack) == ["2", "3", "4", "1"]
    assert stack.positions == (-3, 0, 3, 6)
    assert stack.even
    # Head first or feet first: the normal is that of the image, so that no stack is mirrored.
    (stack,) = stacks_of([frame(n, z, ImageOrientationPatient="1\\0\\0\\0\\-1\\0") for n, z in ((1, 0), (2, 3))])
    assert names(stack) == ["2", "1"]
    assert np.linalg.det(np.array(stack.affine)[:3, :3]) > 0


def test_phases_echoes_and_scouts_are_stacks_of_their_own() -> None:
    dynamic = [
        frame(n, z, TemporalPositionIdentifier=str(2 - phase))
        for n, (phase, z) in enumerate(((phase, z) for phase in (0, 1) for z in (0, 2, 4)), 1)
    ]
    scout = frame(9, 0, ImageOrientationPatient="0\\1\\0\\0\\0\\-1")
    stacks = stacks_of([scout, *dynamic])
    assert [names(stack) for stack in stacks] == [["4", "5", "6"], ["1", "2", "3"], ["9"]]
    other_size = frame(7, 6, Rows="16")
    assert [len(stack.frames) for stack in stacks_of([*dynamic[:3], other_size])] == [3, 1]


def test_uneven_and_tilted_stacks_say_so() -> None:
    (stack,) = stacks_of([frame(n, z) for n, z in enumerate((0, 2, 4, 7))])
    assert not stack.even
    assert np.allclose(stack.places, [0, 6 / 7, 12 / 7, 3])
    tilted = [frame(n, ImagePositionPatient=f"0\\{n}\\{n}") for n in range(4)]
    (stack,) = stacks_of(tilted)
    assert stack.even
    assert stack.tilt == pytest.approx(45)
    assert stack.step == (0, 1, 1)


@pytest.mark.parametrize("scale", [0.01, 1, 100])
def test_micro_ct_is_one_stack(scale: float) -> None:
    """Slices of 7 micrometres were phases of one place: what is one place is judged by the pixels."""
    planes = [0.7 * scale * k for k in range(9)]
    (stack,) = stacks_of([frame(n, z, PixelSpacing=f"{scale}\\{scale}") for n, z in enumerate(planes, 1)])
    assert stack.positions == pytest.approx(planes)
    assert stack.even


@pytest.mark.timeout(30)  # work that grows with the square of the number of frames would take minutes
def test_frames_of_a_large_volume_of_nuclear_medicine() -> None:
    count = 20_000
    tags = {
        "Modality": "NM", "Columns": "64", "Rows": "64", "BitsAllocated": "16", "NumberOfFrames": str(count),
        "PixelSpacing": "4\\4", "SpacingBetweenSlices": "4", "ImageType": "ORIGINAL\\PRIMARY\\RECON TOMO",
        "DetectorInformationSequence": [
            {"ImagePositionPatient": "0\\0\\0", "ImageOrientationPatient": "1\\0\\0\\0\\1\\0"}
        ],
        "SliceVector": "\\".join(map(str, range(count, 0, -1))),
    }  # fmt: skip
    frames = frames_of("one", tags)
    assert [one.position[2] for one in (frames[0], frames[-1])] == [4 * (count - 1), 0]


def test_slices_beside_each_other_are_no_stack() -> None:
    assert stacks_of([frame(1, ImagePositionPatient="0\\0\\0"), frame(2, ImagePositionPatient="9\\0\\1"),
                      frame(3, ImagePositionPatient="0\\0\\2")]) == []  # fmt: skip


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([{}, {}], (1, 0)),
        ([{"RescaleSlope": "0.5", "RescaleIntercept": "3"}] * 2, (0.5, 3)),
        ([{"BitsStored": "16"}] * 2, (1, 32768)),
        ([{"BitsStored": "16", "PixelRepresentation": "1"}] * 2, (1, 0)),
        ([{"RescaleSlope": "1"}, {"RescaleSlope": "2"}], (2 * 4095 / 32767, 0)),
        ([{"BitsAllocated": "32", "BitsStored": "32"}] * 2, ((2**32 - 1) / 32767, 0)),
        ([{"RescaleIntercept": "100000"}, {"RescaleIntercept": "100001"}], (4096 / 65534, (204096) / 2)),
    ],
)
def test_values_fit_into_16_bits_exactly_where_they_can(more: list[Any], expected: tuple[float, float]) -> None:
    (stack,) = stacks_of([frame(n, n, **tags) for n, tags in enumerate(more)])
    found = encoding_of(stack, hounsfield=False)
    assert (found.slope, found.intercept) == pytest.approx(expected)
    assert isinstance(found, Encoding)


def test_hounsfield_units_need_no_slope() -> None:
    (stack,) = stacks_of([frame(n, n, RescaleIntercept=str(-1000 - 24 * n)) for n in range(2)])
    assert encoding_of(stack, hounsfield=True) == Encoding(1, 0)


VALUES = st.one_of(st.none(), st.integers(-5, 99999), st.text(max_size=12), st.sampled_from(
    ["1\\0\\0\\0\\1\\0", "nan", "inf\\0\\0", "1e300", "-1", "0", "0\\0", "1\\2\\3", "1\\2", "999999999"]
), st.lists(st.dictionaries(st.sampled_from(sorted(TAGS)), st.text(max_size=5), max_size=2), max_size=2))  # fmt: skip
NAMES = [*TAGS, "NumberOfFrames", "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", "RescaleSlope",
         "DetectorInformationSequence", "SpacingBetweenSlices", "WindowWidth", "WindowCenter", "ImageType"]  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3), min_size=1, max_size=4))
def test_damaged_attributes_are_a_sentence_or_a_stack(changes: list[dict[str, Any]]) -> None:
    frames, sentences = [], []
    for number, change in enumerate(changes):
        try:
            frames += frames_of(str(number), TAGS | {"ImagePositionPatient": f"0\\0\\{number}"} | change)
        except (InvalidInput, TooLarge) as error:
            sentences.append(str(error))
    assert all(len(sentence) > 10 for sentence in sentences)
    for stack in stacks_of(frames):
        encoding = encoding_of(stack, hounsfield=True)
        json.dumps([stack.affine, stack.places, stack.even, stack.tilt, encoding.slope], allow_nan=False)
        assert encoding.slope != 0


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.randoms(use_true_random=False))
def test_packed_slices_come_out_as_they_went_in(count: int, rows: int, columns: int, random: Any) -> None:
    values = np.array([random.randint(-32768, 32767) for _ in range(count * rows * columns)], np.int16)
    values = values.reshape(count, rows, columns)
    assert (unpacked(packed(values), values.shape) == values).all()


def test_a_block_at_the_end_is_the_mean_of_what_is_there() -> None:
    one = np.arange(15, dtype=np.int16).reshape(3, 5) * 10
    assert shrunk([one], 2).tolist() == [[30, 50, 65], [105, 125, 140]]
    assert shrunk([one, one + 2], 4).tolist() == [[66, 91]]
    assert shrunk([np.full((4, 4), 32767, np.int16)] * 4, 4).tolist() == [[32767]]


def test_records_have_their_size_whatever_is_in_them() -> None:
    one = frame(1)
    size = record_size(one)
    pixels = np.arange(80, dtype="<u2").tobytes()
    good = pack(size, 2, 10, 8, 20, pixels)
    assert len(good) == size
    assert bytes(unpack(good, "x").data) == pixels
    for bad, words in (
        (pack_failure(size, "Orthanc says no" * 99), "Orthanc says no"),
        (pack(size, 4, 10, 8, 30, bytes(240)), "whole numbers"),
        (pack(size, 2, 4000, 8, 8000, bytes(64000)), "4000 x 8 pixels"),
        (pack(size, 2, 10, 8, 20, pixels[:50]), "10 x 8 pixels"),
        (bytes(size), "did not reach"),
        (b"", "did not reach"),
        (good[:100], "damaged"),
        (pack_codestream(size, 10, 8, bytes(5000)), "larger than its pixels"),
    ):
        assert len(bad) in (size, 0, 100)
        with pytest.raises(InvalidInput, match=words):
            unpack(bad, "x")


def test_a_damaged_codestream_is_a_sentence() -> None:
    one, values = frame(1, Rows="64", Columns="48"), FrameValues("x", 1, 0)
    size = record_size(one)
    pixels = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)
    stream = encode_array(pixels, photometric_interpretation=2)
    good = pack_codestream(size, 48, 64, stream)
    assert stored_values(good, values, Encoding(1, 0), 48, 64).ravel().tolist() == list(range(64 * 48))
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(stream)
        for at in rng.integers(0, len(stream), 3):
            broken[at] = rng.integers(256)
        record = pack_codestream(size, 48, 64, bytes(broken[: rng.integers(1, len(broken) + 1)]))
        try:
            found = stored_values(record, values, Encoding(1, 0), 48, 64)
        except InvalidInput:
            continue
        assert found.shape == (64, 48)


def test_a_ct_of_200_slices_on_a_line_of_10_megabits() -> None:
    """By bytes, of 8 of the slices: the coarsest level, which the planes show first, and all levels."""
    size = (512, 512, 200)
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    body = np.where((x / 0.8) ** 2 + (y / 0.6) ** 2 < 1, 40.0, -1000.0)
    noise = np.random.default_rng(3).normal(0, 12, (8, 512, 512))
    slices = [np.clip(body + one, -1024, 3071).round().astype(np.int16) for one in noise]
    seconds = []
    for step in steps_of(size):
        level = [shrunk(slices[first : first + step][:2], step) for first in range(0, 8, step)]
        sent = len(gzipped(packed(np.stack(level)), PACKED_STRATEGY)) / len(level) * level_size(size, step)[2]
        seconds.append(sent * 8 / 10e6)
    assert seconds[0] < 1, "measured: 0.33 s; the planes are to be there within 3"
    assert sum(seconds) < 36, "measured: 35 s, 37 with zlib's default; all is to be there within 40"
