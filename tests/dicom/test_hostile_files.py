"""Files that are damaged, hostile or no DICOM at all: a clear InvalidInput, quickly, and never anything else."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.dicom import elements
from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.dicom.structure_set import read_roi_names, read_structure_set
from orthanc_stl.dicom.study_context import read_study_context
from orthanc_stl.errors import InvalidInput, StlError, TooLarge
from testing.data import shared_files
from testing.phantoms import Study, ball, ct_slices, cylinder, structure_set
from tests.dicom.listing import listing

SOP_CLASS = struct.pack("<HH2sH30s", 8, 0x16, b"UI", 30, b"1.2.840.10008.5.1.4.1.1.481.3")
ITEM, ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF), struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def explicit(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    header = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    size = len(value) if length is None else length
    return header + (struct.pack("<HL", 0, size) if vr in (b"SQ", b"UN", b"OB") else struct.pack("<H", size)) + value


def nested(depth: int, undefined: bool) -> bytes:
    """A private sequence within itself, `depth` times."""
    if undefined:
        opened = explicit(0x00091001, b"SQ", b"", 0xFFFFFFFF) + ITEM
        return opened * depth + (ITEM_END + SEQUENCE_END) * depth
    data = b""
    for _ in range(depth):
        data = explicit(0x00091001, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(data)) + data)
    return data


def read_everything(data: bytes) -> None:
    structures = read_structure_set(data, max_contour_points=100_000)
    listing(structures)
    structures.surroundings([])
    _ = structures.source
    structures.contours([roi.number for roi in structures.rois])


READERS: dict[str, Callable[[bytes], object]] = {
    "structure set": read_everything,
    "names": read_roi_names,
    "source": read_study_context,
    "stored model": read_encapsulated_stl,
}


@pytest.mark.parametrize(("depth", "undefined"), [*product([1_000, 20_000], [False, True])])
def test_deep_nesting_is_walked_over(depth: int, undefined: bool) -> None:
    data = SOP_CLASS + nested(depth, undefined)
    assert read_structure_set(data).rois == ()


@pytest.mark.parametrize("undefined", [False, True])
def test_deep_nesting_within_the_roi_sequences_is_no_crash(undefined: bool) -> None:
    inner = nested(1_000, undefined)
    items = ITEM + inner + ITEM_END
    for tag in (0x30060010, 0x30060020, 0x30060039, 0x30060080):
        read_everything_or_stl_error(SOP_CLASS + explicit(tag, b"SQ", items))


def test_deep_nesting_in_a_sequence_that_is_copied_is_cut() -> None:
    inner = b""
    for _ in range(1_000):
        inner = explicit(0x00081032, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner)
    uids = (explicit(0x0020000D, b"UI", b"1.2.3\0"), explicit(0x0020000E, b"UI", b"1.2.4\0"))
    data = SOP_CLASS + explicit(0x00080018, b"UI", b"1.2.34") + inner + b"".join(uids)
    assert "ProcedureCodeSequence" not in read_study_context(data).study


@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_that_a_sender_did_not_know_are_read(undefined: bool) -> None:
    """PS3.5 section 6.2.2: of VR UN, their content implicit VR little endian whatever the file's is."""
    implicit = elements.open_file(structure_set([ball(radius=6, points=24)], Study(syntax="implicit")))
    data = SOP_CLASS
    for element in implicit.elements():
        if element.tag >= 0x30060010:
            value = implicit.value(element)
            end = SEQUENCE_END if undefined else b""
            data += explicit(element.tag, b"UN", value + end, 0xFFFFFFFF if undefined else None)
    structures = read_structure_set(data)
    assert structures.roi(1).name == "Sphere"
    assert structures.roi(1).box == ((-6, -6, -3), (6, 6, 3))


def test_unfinished_nesting_is_damage() -> None:
    with pytest.raises(InvalidInput, match="damaged"):
        read_structure_set(SOP_CLASS + nested(1_000, True)[:-4])


@pytest.mark.timeout(60)  # work that grows with the square of the size would take hours
def test_millions_of_empty_items_take_no_memory() -> None:
    data = SOP_CLASS + explicit(0x30060016, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 1_000_000)
    tracemalloc.start()
    read_structure_set(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_empty_rois_beyond_the_limit_are_too_large() -> None:
    data = SOP_CLASS + explicit(0x30060020, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 100_000)
    with pytest.raises(TooLarge, match="MaxRois"):
        read_structure_set(data)


def test_deflated_bomb_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "MAX_INFLATED_BYTES", 1 << 20)
    machine = zlib.compressobj(wbits=-15)
    bomb = machine.compress(bytes(50 << 20)) + machine.flush()
    meta = explicit(0x00020010, b"UI", b"1.2.840.10008.1.2.1.99")
    with pytest.raises(TooLarge, match="inflates to more than 1048576 bytes"):
        read_structure_set(meta + bomb)


def test_damaged_deflated_data_are_invalid() -> None:
    data = structure_set([ball(radius=6, points=24)], Study(syntax="deflated"))
    for spoiled in (data[:-50], data[:600] + b"\xff" * 50 + data[650:]):
        with pytest.raises(InvalidInput, match="deflated"):
            read_structure_set(spoiled)


@pytest.mark.parametrize(
    "data", [b"", b"DICM", bytes(132), bytes(128) + b"DICM", b"%PDF-1.7 not a DICOM file at all", b"solid cube\n" * 20]
)
def test_what_is_no_dicom(data: bytes) -> None:
    for read in READERS.values():
        with pytest.raises(InvalidInput, match="DICOM"):
            read(data)


def test_a_length_beyond_the_end_says_where() -> None:
    with pytest.raises(InvalidInput, match=r"\(3006,0039\) at byte 38 says 4096 bytes, 0 are left"):
        read_structure_set(SOP_CLASS + explicit(0x30060039, b"SQ", b"", 4096))


@pytest.mark.parametrize("undefined", [False, True])
def test_every_truncation_is_an_error_or_whole(undefined: bool) -> None:
    data = structure_set([ball(radius=4, points=4)], Study(undefined_lengths=undefined))
    for length in range(0, len(data), 7):
        read_everything_or_stl_error(data[:length])
    with pytest.raises(InvalidInput):
        read_structure_set(data[: data.rindex(b"\x06\x30\x50\x00") + 20])


def test_zeros_behind_the_data_set_are_padding() -> None:
    assert len(read_structure_set(structure_set([ball()]) + bytes(1000)).rois) == 1


def read_everything_or_stl_error(data: bytes) -> None:
    for read in READERS.values():
        sentence = "none"
        try:
            read(data)
        except StlError as error:
            sentence = str(error)
        assert sentence.isprintable()


SMALL = [ball(radius=4, points=6), cylinder(radius=5, planes=[0, 3], points=5)]
BASES = [
    structure_set(SMALL, Study(syntax=syntax, undefined_lengths=undefined, character_set="ISO_IR 192"))
    for syntax, undefined in product(("implicit", "explicit", "big"), (False, True))
] + ct_slices(planes=[0], size=4)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_mutated_files_raise_nothing_but_stl_errors(data: st.DataObject) -> None:
    file = bytearray(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(120, len(file) - 1))
        spoiled = data.draw(st.binary(min_size=1, max_size=4) | st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0"]))
        how = data.draw(st.sampled_from(("replace", "insert", "delete")))
        file[at : at + (0 if how == "insert" else len(spoiled))] = b"" if how == "delete" else spoiled
    read_everything_or_stl_error(bytes(file))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_behind_a_sop_class_raise_nothing_but_stl_errors(data: bytes) -> None:
    read_everything_or_stl_error(SOP_CLASS + data)


@pytest.mark.parametrize("file", [f for f in shared_files("rtstruct/**/*.dcm") if f.stat().st_size < 20_000], ids=str)
def test_mutated_real_files_raise_nothing_but_stl_errors(file: object) -> None:
    whole = file.read_bytes()  # type: ignore[attr-defined]
    random = np.random.default_rng(len(whole))
    for _ in range(40):
        spoiled = bytearray(whole)
        for at in random.integers(0, len(spoiled), random.integers(1, 6)):
            spoiled[at] = random.integers(256)
        read_everything_or_stl_error(bytes(spoiled))
