"""Mutated files of every source: read, or refused by an error of ours, with bounded work.

    python -m tests.sources.test_mutants 500

tries so many of each instead of the few of the test suite.
"""

from __future__ import annotations

import gzip
import logging
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from orthanc_stl.errors import StlError
from orthanc_stl.formats import glb, ply, threemf
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.registry import source_by_key
from testing import phantoms
from testing.data import shared_file
from testing.nifti_phantoms import nifti_file
from testing.source_phantoms import (
    ball_frames,
    compressed,
    dose_dataset,
    file_of,
    item,
    packed,
    plan_dataset,
    seg_dataset,
)
from tests.mesh.test_stl import TETRAHEDRON
from tests.sources.test_label_maps import CARET, extension, labels
from tests.sources.test_meshes import encapsulated_obj, encapsulated_stl, facets, surfaces, two_parts
from tests.sources.test_seg_encodings import RLE, rle_of

MUTANTS = 500
MOST_WORK = 3
"""Times the calls of functions that the sound file takes, and `FEW_CALLS` more."""
FEW_CALLS = 5000


def seg() -> bytes:
    frames, positions = ball_frames((1, 2, 3), 5, places=range(-6, 7), size=13)
    return file_of(seg_dataset(frames, [(1, p) for p in positions]))


def seg_rle() -> bytes:
    frames, positions = ball_frames((1, 2, 3), 5, places=range(-3, 4), size=13)
    ds = seg_dataset(frames, [(1, p) for p in positions])
    compressed(ds, [rle_of(packed(frame)[:22]) for frame in frames])
    return file_of(ds, RLE)


def seg_fractional() -> bytes:
    frames, positions = ball_frames((1, 2, 3), 5, places=range(-6, 7), size=13)
    return file_of(seg_dataset(frames * 130, [(1, p) for p in positions], kind="FRACTIONAL"))


def label_map() -> bytes:
    frames, positions = ball_frames((1, 2, 3), 5, places=range(-6, 7), size=13)
    ds = seg_dataset(frames.astype(np.uint16) * 300, [(0, p) for p in positions], kind="LABELMAP", numbers=(300,))
    return file_of(ds)


def dose() -> bytes:
    values = np.fromfunction(lambda k, j, i: 60 - abs(k - 4) - abs(j - 5) - abs(i - 5), (9, 11, 11))
    return file_of(dose_dataset(values, offsets=[3 * n for n in range(9)], position=(0, 0, 0)))


def nifti() -> bytes:
    return nifti_file(labels(), extension=extension(CARET, 0))


def packed_nifti() -> bytes:
    return gzip.compress(nifti())


def nrrd() -> bytes:
    head = (
        "NRRD0004\ntype: uint8\ndimension: 4\nspace: left-posterior-superior\nsizes: 2 4 4 4\n"
        "space directions: none (1,0,0) (0,1,0) (0,0,1)\nkinds: list domain domain domain\nencoding: gzip\n"
        "space origin: (0,0,0)\nSegment0_Name:=one\nSegment0_LabelValue:=1\nSegment0_Layer:=0\n"
        "Segment1_Name:=two\nSegment1_LabelValue:=1\nSegment1_Layer:=1\nSegment1_Color:=1 0.5 0\n\n"
    )
    return head.encode() + gzip.compress(np.ones(128, np.uint8).tobytes())


def threemf_file() -> bytes:
    return threemf.write(two_parts(), WriteOptions())


def obj() -> bytes:
    return (
        b"mtllib a\no a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1/1/1 2//1 -1\nusemtl x\nf 2 3 4\nf 1 3 4 2\n"
    )


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "seg": ("seg", seg),
    "seg-rle": ("seg", seg_rle),
    "seg-fractional": ("seg", seg_fractional),
    "seg-labelmap": ("seg", label_map),
    "rtdose": ("rtdose", dose),
    "rtstruct": ("rtstruct", lambda: phantoms.structure_set(phantoms.body_and_sphere(20.0, 12))),
    "surfaces": (
        "surface-segmentation",
        lambda: file_of(surfaces(item(FacetSequence=facets("LongPrimitivePointIndexList", "<u4")))),
    ),
    "encapsulated": ("encapsulated", lambda: file_of(encapsulated_stl())),
    "encapsulated-obj": ("encapsulated", lambda: file_of(encapsulated_obj())),
    "nifti": ("nifti", nifti),
    "nifti-gz": ("nifti", packed_nifti),
    "nrrd": ("nrrd", nrrd),
    "images": ("images", lambda: phantoms.ct_slices(size=8)[0]),
    "mtl": ("mesh", lambda: shared_file("surfaces/balls.mtl").read_bytes()),
    "stl": ("mesh", lambda: stl_bytes(TETRAHEDRON, "made")),
    "obj": ("mesh", obj),
    "ply": ("mesh", lambda: ply.write(two_parts(), WriteOptions())),
    "glb": ("mesh", lambda: glb.write(two_parts(), WriteOptions())),
    "3mf": ("mesh", threemf_file),
}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, numbers made extreme, parts cut out, doubled or swapped."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at, size = chance.randrange(len(out)), chance.choice((1, 2, 4, 8))
        kind = chance.randrange(7)
        if kind == 0:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            out[at : at + size] = chance.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * size
        elif kind == 2:
            out[at : at + size] = chance.randbytes(size)
        elif kind == 3:
            del out[at : at + chance.choice((1, 8, 64))]
        elif kind == 4:
            out[at:at] = out[at : at + chance.choice((1, 8, 64))]
        elif kind == 5:
            del out[at:]
        else:
            out[at : at + 1] = chance.choice((b"9", b"-", b"e", b".", b" ", b"\\", b"\n"))
        out = out or bytearray(b"\0")
    return bytes(out)


@contextmanager
def answered() -> Iterator[None]:
    """Errors of ours are answers, unless one hides a mistake in the code."""
    try:
        yield
    except StlError as error:
        cause = error.__cause__
        if isinstance(cause, NameError) and "trimesh" not in traceback.extract_tb(cause.__traceback__)[-1].filename:
            raise cause from error  # trimesh has mistakes of this kind, which are answered as a damaged file


AROUND: dict[str, Callable[[bytes], list[bytes]]] = {
    "rtdose": lambda data: [data, file_of(plan_dataset(50.0))],
    "images": lambda data: [data, *phantoms.ct_slices(planes=(-57, -54), size=8)],
    "mtl": lambda data: [obj(), data],
}
"""What comes with a file that is not read alone."""


def _alone(data: bytes) -> list[bytes]:
    return [data]


def tried(name: str, data: bytes) -> int:
    """Open a file and ask for everything; how many shapes there were. Errors of ours are answers."""
    key, files = FILES[name][0], AROUND.get(name, _alone)(data)
    limits = {"max_voxels": 5_000_000, "max_nifti_mb": 16, "max_triangles": 100_000}
    shapes = 0
    with answered():
        source = source_by_key(key).reader.open(files, ReadOptions(limits=limits))
        for structure in source.structures[:4]:
            with answered():
                source.shape(structure.number)
                shapes += 1
        assert source.title
        assert source.references is not None
    return shapes


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "images" else n for n in FILES])
def test_mutants_are_read_or_refused(name: str) -> None:
    logging.disable(logging.WARNING)
    made = FILES[name][1]
    data, chance = made(), random.Random(name)
    assert tried(name, data)
    most = MOST_WORK * calls_of(name, data) + FEW_CALLS
    for _ in range(MUTANTS):
        assert calls_of(name, mutated(data, chance)) <= most


def calls_of(name: str, data: bytes) -> int:
    """How many functions are called, those written in C among them."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        tried(name, data)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("name", FILES)
def test_files_that_end_early_are_read_or_refused(name: str) -> None:
    logging.disable(logging.WARNING)
    made = FILES[name][1]
    data = made()
    for place in range(0, len(data), max(1, len(data) // 40)):
        tried(name, data[:place])


def main(count: int) -> None:
    logging.disable(logging.CRITICAL)
    for name, (_, made) in FILES.items():
        data, chance, slowest, failures, used = made(), random.Random(count), 0.0, set(), 0
        for _ in range(count):
            mutant = mutated(data, chance)
            started = time.perf_counter()
            try:
                used += tried(name, mutant) > 0
            except Exception:
                failures.add(traceback.format_exc().splitlines()[-1] + " @ " + traceback.format_exc().splitlines()[-3])
            slowest = max(slowest, time.perf_counter() - started)
        print(f"{name}: {count} mutants, {used} of use, slowest {slowest:.2f} s, {len(failures)} kinds of failure")
        for failure in sorted(failures):
            print("   ", failure)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
