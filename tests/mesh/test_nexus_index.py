from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.nexus_index import NexusIndex, read_index
from testing.data import shared_files
from tests.nexus_writer import box, levels, write_nexus

MODEL = write_nexus(levels([(4, 6), (12, 18)]))
INDEX_END = 88 + 3 * 44 + 2 * 12


def with_u32(at: int, value: int) -> bytes:
    changed = bytearray(MODEL)
    struct.pack_into("<I", changed, at, value)
    return bytes(changed)


def test_what_is_in_a_file() -> None:
    index = read_index(write_nexus([box()]))
    assert index == NexusIndex(vertices=8, triangles=12, nodes=1, textures=0, compression="", size=512)
    assert read_index(memoryview(MODEL)).nodes == 2
    assert read_index(MODEL + b"more").size == len(MODEL)


@pytest.mark.parametrize("path", shared_files("nexus/*.nx[sz]"), ids=lambda path: path.name)
def test_files_made_by_others(path: Path) -> None:
    data = path.read_bytes()
    assert read_index(data).size == len(data)
    with pytest.raises(InvalidInput, match="cut off"):
        read_index(data[:-1])


WRONG = {
    "empty": (b"", "magic"),
    "three bytes": (b"\x20sx", "magic"),
    "another magic": (with_u32(0, 5), "magic"),
    "the magic alone": (MODEL[:4], "cut off"),
    "cut in the index": (MODEL[: INDEX_END - 1], "cut off"),
    "cut in the last node": (MODEL[:-1], "cut off"),
    "another version": (with_u32(4, 3), "version 3"),
    "many files": (with_u32(56, 8), "deepzoom"),
    "no nodes": (with_u32(60, 0), "0 nodes"),
    "2^32 nodes": (with_u32(60, 0xFFFFFFFF), "cut off"),
    "2^32 patches": (with_u32(64, 0xFFFFFFFF), "cut off"),
    "2^32 textures": (with_u32(68, 0xFFFFFFFF), "cut off"),
    "no positions": (with_u32(24, 0), "no positions"),
    "a sphere that is none": (with_u32(84, 0xFFC00000), "sphere"),
    "a node in the index": (with_u32(88, 0), "inside the index"),
    "a node behind the next": (with_u32(88, 0x00FFFFFF), "out of order"),
    "patches that are not there": (with_u32(88 + 44 + 40, 9), "has no patches"),
    "a node refined by itself": (with_u32(88 + 3 * 44, 0), "refined by node 0"),
    "patches that end early": (with_u32(88 + 3 * 44 + 4, 1), "do not end"),
    "a texture that is not there": (with_u32(88 + 3 * 44 + 8, 0), "texture 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str) -> None:
    data, words = WRONG[case]
    with pytest.raises(InvalidInput, match=words):
        read_index(data)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(0, INDEX_END - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(MODEL)))
def test_whatever_comes_is_read_or_refused(changes: list[tuple[int, int]], length: int) -> None:
    changed = bytearray(MODEL)
    for at, value in changes:
        changed[at] = value
    for data in (bytes(changed), bytes(changed[:length])):
        with contextlib.suppress(InvalidInput):
            assert read_index(data).size <= len(data)


@given(st.binary(max_size=400))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_index(MODEL[:60] + noise[: 88 - 60])
