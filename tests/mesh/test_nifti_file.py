"""What is read of a NIfTI file, and what is refused before memory is spent on it."""

from __future__ import annotations

import gzip
import math
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orthanc_stl.errors import InvalidInput, StlError, TooLarge
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.nifti_file import read_nifti
from testing.nifti_phantoms import CODES, NIFTI1, nifti_file

MB = 1 << 20
DATA = np.arange(24, dtype="u1").reshape(2, 3, 4)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
OBLIQUE = np.array([[1.2, -0.5, 0.1, -30], [0.6, 1.1, -0.3, 12.5], [0.2, 0.3, 2.5, -7], [0, 0, 0, 1]])


def read(data: bytes, max_bytes: int = 10 * MB) -> Volume:
    return read_nifti(data, max_bytes=max_bytes)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [kind for kind in CODES if kind != "c8"])
def test_every_integer_and_float_type_in_both_byte_orders(kind: str, order: str, version: int) -> None:
    data = DATA.astype(kind) + (0.5 if kind[0] == "f" else 0) - (5 if kind[0] != "u" else 0)
    volume = read(nifti_file(data.astype(kind), OBLIQUE, order=order, version=version))
    np.testing.assert_array_equal(volume.stored, data)
    np.testing.assert_allclose(volume.affine, LPS @ OBLIQUE, atol=1e-5)


def test_a_file_is_read_as_nibabel_reads_it() -> None:
    made = nibabel.Nifti1Image(DATA.astype("f8") * 2.5 - 3, OBLIQUE)
    made.set_data_dtype("i2")
    file = made.to_bytes()
    theirs, ours = nibabel.Nifti1Image.from_bytes(file), read(file)
    assert ours.slope not in (0, 1)
    np.testing.assert_allclose(ours.stored * ours.slope + ours.intercept, theirs.get_fdata())
    np.testing.assert_allclose(ours.affine, LPS @ theirs.affine, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 1), (2, 3, 4, 1, 1, 1, 1), (24, 1, 1), (1, 1, 24)])
def test_further_dimensions_of_size_one(shape: tuple[int, ...]) -> None:
    assert read(nifti_file(DATA.reshape(shape))).stored.shape == shape[:3]


def test_the_voxels_stay_where_they_are() -> None:
    file = nifti_file(DATA)
    assert np.shares_memory(read(file).stored, np.frombuffer(file, "u1"))


def pieces(data: bytes) -> bytes:
    return b"".join(gzip.compress(data[i : i + 50]) for i in range(0, len(data), 50))


@pytest.mark.parametrize(
    "packed",
    [gzip.compress, pieces, lambda d: gzip.compress(d) + bytes(600), lambda d: pieces(d) + gzip.compress(b"")],
    ids=["one member", "several members", "padded with zeros", "an empty member at the end, as bgzip has it"],
)
def test_gzip(packed: Callable[[bytes], bytes]) -> None:
    np.testing.assert_array_equal(read(packed(nifti_file(DATA))).stored, DATA)


def test_extensions_are_passed_over() -> None:
    extension = (64).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"<?xml?>".ljust(56)
    np.testing.assert_array_equal(read(nifti_file(DATA, extension=extension)).stored, DATA)


@pytest.mark.parametrize(
    ("slope", "inter", "expected"),
    [(2.5, -3, (2.5, -3)), (0, 7, (1, 0)), (math.nan, 7, (1, 0)), (math.inf, 0, (1, 0)), (-1, 1024, (-1, 1024))],
)
def test_slope_and_intercept(slope: float, inter: float, expected: tuple[float, float]) -> None:
    volume = read(nifti_file(DATA, scl_slope=slope, scl_inter=inter))
    assert (volume.slope, volume.intercept) == expected
    assert [f"scl_slope of the NIfTI header is {slope:g}" in text for text in volume.warnings] == (
        [] if math.isfinite(slope) else [True]
    )


QFORM: dict[str, Any] = {
    "qform_code": 1,
    "quatern": [0, 0, math.sqrt(0.5)],
    "qoffset": [10, 20, 30],
    "pixdim": [1, 2, 3, 4, 0, 0, 0, 0],
}
TURNED = np.array([[0, -3, 0, 10], [2, 0, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1.0]])  # a quarter about the third axis


def test_the_sform_goes_before_the_qform() -> None:
    np.testing.assert_allclose(read(nifti_file(DATA, OBLIQUE, **QFORM)).affine, LPS @ OBLIQUE, atol=1e-5)


@pytest.mark.parametrize(("qfac", "side"), [(1, 1), (-1, -1), (0, 1)])
def test_the_qform_goes_before_the_voxel_sizes(qfac: float, side: int) -> None:
    fields = QFORM | {"pixdim": [qfac, *QFORM["pixdim"][1:]]}
    volume = read(nifti_file(DATA, sform_code=0, **fields))
    np.testing.assert_allclose(volume.affine, LPS @ TURNED @ np.diag([1, 1, side, 1]), atol=1e-5)
    assert not volume.warnings


def test_the_voxel_sizes_alone_are_a_warning() -> None:
    volume = read(nifti_file(DATA, np.diag([2, 3, 4, 1.0]), sform_code=0))
    np.testing.assert_allclose(volume.affine, np.diag([-2, -3, 4, 1]))
    assert "its place is not known" in volume.warnings[0]


@pytest.mark.parametrize(("units", "scale"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (2 + 8, 1)])
def test_units_of_length(units: int, scale: float) -> None:
    volume = read(nifti_file(DATA, np.diag([2, 2, 2, 1.0]), xyzt_units=units))
    np.testing.assert_allclose(volume.affine[2, 2], 2 * scale)


GOOD = nifti_file(DATA)
SINGULAR = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1.0]])
REFUSED = {
    "nothing": (b"", "Not a NIfTI file"),
    "too short for a header": (GOOD[:300], "Not a NIfTI file"),
    "another file": (b"\x89PNG\r\n" * 100, "Not a NIfTI file"),
    "wrong magic": (nifti_file(DATA, magic=b"XXXX"), "magic"),
    "no magic (Analyze)": (nifti_file(DATA, magic=b"\0\0\0\0"), "magic"),
    "half of a pair": (nifti_file(DATA, magic=b"ni1\0", vox_offset=0), "pair"),
    "cut NIfTI-2 header": (nifti_file(DATA, version=2)[:500], "540"),
    "truncated": (GOOD[:-1], "truncated: its header claims 376 bytes, got 375"),
    "truncated gzip": (gzip.compress(GOOD)[:-12], "ends in the middle"),
    "damaged gzip": (gzip.compress(GOOD)[:10] + b"\xff" * 90, "damaged"),
    "garbage after gzip": (gzip.compress(GOOD[:360]) + b"garbage", "truncated"),
    "a damaged second member": (gzip.compress(GOOD[:360]) + gzip.compress(GOOD[360:])[:-9] + b"garbage", "damaged"),
    "one dimension": (nifti_file(DATA.ravel()), "not 1 dimensions"),
    "two dimensions": (nifti_file(DATA.reshape(6, 4)), "not 2 dimensions"),
    "four dimensions": (nifti_file(DATA.reshape(2, 3, 2, 2)), "2 x 3 x 2 x 2"),
    "no dimension": (nifti_file(DATA, dim=[0, 2, 3, 4, 1, 1, 1, 1]), "0 dimensions"),
    "eight dimensions": (nifti_file(DATA, dim=[8, 2, 3, 4, 1, 1, 1, 1]), "8 dimensions"),
    "negative count": (nifti_file(DATA, dim=[-3, 2, 3, 4, 1, 1, 1, 1]), "-3 dimensions"),
    "negative size": (nifti_file(DATA, dim=[3, -2, -3, 4, 1, 1, 1, 1]), "-2 x -3 x 4"),
    "size zero": (nifti_file(DATA, dim=[3, 2, 0, 4, 1, 1, 1, 1]), "at least 1"),
    "complex": (nifti_file(DATA.astype("c8")), "complex"),
    "RGB": (nifti_file(DATA, datatype=128, bitpix=24), "colors"),
    "RGBA": (nifti_file(DATA, datatype=2304, bitpix=32), "colors"),
    "bits": (nifti_file(DATA, datatype=1, bitpix=1), "data type 1"),
    "unknown type": (nifti_file(DATA, datatype=77), "data type 77"),
    "offset inside the header": (nifti_file(DATA, vox_offset=100), "vox_offset"),
    "offset not a number": (nifti_file(DATA, vox_offset=math.nan), "vox_offset"),
    "offset of half a byte": (nifti_file(DATA, vox_offset=352.5), "vox_offset"),
    "endless intercept": (nifti_file(DATA, scl_slope=1, scl_inter=math.inf), "scl_inter"),
    "NaN affine": (nifti_file(DATA, np.where(np.eye(4), math.nan, 0)), "not finite"),
    "infinite offset": (nifti_file(DATA, np.eye(4) + [[0, 0, 0, math.inf]] * 4), "not finite"),
    "singular affine": (nifti_file(DATA, SINGULAR), "singular"),
    "affine of zeros": (nifti_file(DATA, np.zeros((4, 4))), "voxels of 0 x 0 x 0 mm"),
    "voxels of a kilometre": (nifti_file(DATA, np.diag([1e6, 1, 1, 1])), "voxels of 1000000"),
    "a kilometre away": (nifti_file(DATA, np.eye(4) + [[0, 0, 0, 2e6]] * 4), "away from the origin"),
    "a quaternion longer than 1": (nifti_file(DATA, sform_code=0, **QFORM | {"quatern": [1, 1, 1]}), "qform"),
    "a NaN quaternion": (nifti_file(DATA, sform_code=0, **QFORM | {"quatern": [math.nan, 0, 0]}), "qform"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_sentence(name: str) -> None:
    data, words = REFUSED[name]
    with pytest.raises(InvalidInput) as error:
        read(data)
    assert words in str(error.value)
    assert len(str(error.value)) < 300


PETABYTES = nifti_file(DATA, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1])
EXABYTES = nifti_file(DATA, version=2, dim=[3, 1 << 40, 1 << 40, 1 << 40, 1, 1, 1, 1])


@pytest.mark.parametrize(
    "data", [PETABYTES, EXABYTES, gzip.compress(PETABYTES, mtime=0), nifti_file(DATA, vox_offset=1e15)]
)
def test_a_header_that_claims_too_much_is_refused_before_memory_is_spent(data: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(TooLarge, match='"MaxNiftiMB"'):
        read(data)
    assert tracemalloc.get_traced_memory()[1] < MB
    tracemalloc.stop()


def test_the_limit_is_of_what_comes_out_of_gzip() -> None:
    file = gzip.compress(nifti_file(np.zeros((100, 100, 200), "u1")))
    assert len(file) < 10_000
    assert read(file, 2 * MB).stored.shape == (100, 100, 200)
    with pytest.raises(TooLarge, match="2 MB, over the 1 MB"):
        read(file, MB)


@pytest.mark.slow
def test_a_gzip_bomb_is_not_blown_up() -> None:
    """A thousand times its size, behind a header that claims one megabyte."""
    bomb = gzip.compress(nifti_file(np.zeros((100, 100, 100), "u1")) + bytes(400 * MB), 1)
    tracemalloc.start()
    assert "goes on after its voxels" in read(bomb).warnings[0]
    assert tracemalloc.get_traced_memory()[1] < 16 * MB
    tracemalloc.stop()


def test_a_header_hidden_behind_a_bomb() -> None:
    with pytest.raises(InvalidInput, match="Not a NIfTI"):
        read(gzip.compress(bytes(100 * MB), 1))


def test_a_gzip_file_that_ends_early_costs_what_it_holds() -> None:
    claims = nifti_file(np.zeros((1, 1, 1), "u1"), dim=[3, 1000, 1000, 1000, 1, 1, 1, 1])
    with pytest.raises(InvalidInput, match="truncated"):
        read(gzip.compress(claims), 2000 * MB)


@pytest.mark.timeout(60)  # work that grows with the square of the size would take hours
def test_endless_empty_members() -> None:
    member = gzip.compress(b"", 1)
    with pytest.raises(InvalidInput, match="members"):
        read(member * 200_000)


def test_members_that_end_where_a_chunk_ends() -> None:
    file = nifti_file(np.random.default_rng(0).integers(0, 255, (100, 100, 100), "u1"))
    for extra in range(-3, 4):
        first = gzip.compress(b"", 0)
        content = file[: (1 << 18) - len(first) - 5 * 8 + extra]  # stored blocks of 32 KiB have 5 bytes each
        packed = gzip.compress(content, 0) + gzip.compress(file[len(content) :])
        np.testing.assert_array_equal(read(packed).stored, read(file).stored)


def test_a_wrong_checksum() -> None:
    packed = bytearray(gzip.compress(GOOD))
    packed[-6] ^= 1
    with pytest.raises(InvalidInput, match="damaged"):
        read(bytes(packed))


def harmless(data: bytes) -> None:
    try:
        volume = read(data)
    except StlError:
        return
    assert volume.stored.ndim == 3
    assert volume.stored.nbytes <= 10 * MB
    assert np.isfinite(volume.affine).all()


@given(st.binary(max_size=700))
def test_any_bytes(data: bytes) -> None:
    harmless(data)


@pytest.mark.slow
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([1, 2]),
    st.sampled_from("<>"),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 560), st.integers(0, 255)), max_size=6),
    st.integers(-40, 40),
)
def test_mutated_files(version: int, order: str, packed: bool, changes: list[tuple[int, int]], longer: int) -> None:
    data = bytearray(nifti_file(DATA.astype("i2"), OBLIQUE, version=version, order=order, **QFORM))
    for place, value in changes:
        data[place % len(data)] = value
    data = data + bytes(longer) if longer > 0 else data[: len(data) + longer]
    harmless(zlib.compress(bytes(data), wbits=31) if packed else bytes(data))


@settings(max_examples=200)
@given(st.sampled_from(sorted(NIFTI1)), st.data())
def test_any_value_of_any_field(name: str, data: st.DataObject) -> None:
    form = NIFTI1[name][1]
    count = int(form[:-1] or 1)
    sizes = {"h": 2, "i": 4, "f": 4, "b": 1, "s": 1}
    offset, size = NIFTI1[name][0], count * sizes[form[-1]]
    file = bytearray(nifti_file(DATA, OBLIQUE, **QFORM))
    file[offset : offset + size] = data.draw(st.binary(min_size=size, max_size=size))
    harmless(bytes(file))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4), st.integers(0, 60))
def test_mutated_gzip(changes: list[tuple[int, int]], cut: int) -> None:
    packed = bytearray(gzip.compress(nifti_file(DATA, OBLIQUE)))
    for place, value in changes:
        packed[place % len(packed)] = value
    harmless(bytes(packed[: len(packed) - cut]))
