"""NIfTI files with a fault that leaves one reading: read, with a warning. And files of another kind, by their name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.volumes.build import surface_from_volume
from orthanc_stl.sources.nifti_file import read_nifti
from testing.data import shared_file
from testing.nifti_phantoms import nifti_file
from testing.phantoms import ct_slices

DATA = np.arange(24, dtype="u1").reshape(2, 3, 4)
GOOD = nifti_file(DATA)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
QFORM: dict[str, Any] = {
    "qform_code": 1,
    "quatern": [0, 0, math.sqrt(0.5)],
    "qoffset": [10, 20, 30],
    "pixdim": [1, 2, 3, 4, 0, 0, 0, 0],
}
TURNED = LPS @ np.array([[0, -3, 0, 10], [2, 0, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1.0]])

READ = {
    "bytes after the voxels": (GOOD + b"12345", "5 bytes after its voxels"),
    "bytes after the voxels in gzip": (gzip.compress(GOOD + b"12345"), "goes on after its voxels"),
    "text after the gzip data": (gzip.compress(GOOD) + b"</html>", "other bytes after its gzip data"),
    "one byte after the gzip data": (gzip.compress(GOOD) + b"\n", "other bytes after its gzip data"),
    "half of a gzip header": (gzip.compress(GOOD) + b"\0\0\x1f", "other bytes after its gzip data"),
    "dim[4] of 0": (nifti_file(DATA, dim=[4, 2, 3, 4, 0, 0, 0, 0]), "dimensions of size 0 were taken for 1"),
    "dim[5] of 0": (nifti_file(DATA, dim=[5, 2, 3, 4, 1, 0, 0, 0]), "dimensions of size 0 were taken for 1"),
    "unit 5": (nifti_file(DATA, xyzt_units=5), "unknown unit of length 5"),
    "magic of a pair": (nifti_file(DATA, magic=b"ni1\0"), "says that its voxels are in another file"),
    "magic of a pair, NIfTI-2": (
        nifti_file(DATA, version=2, magic=b"ni2\0\r\n\x1a\n"),
        "says that its voxels are in another file",
    ),
    "unit 7 of length, 1 of time": (nifti_file(DATA, xyzt_units=15), "unknown unit of length 7"),
}


@pytest.mark.parametrize("name", READ)
def test_read_with_a_warning(name: str) -> None:
    data, words = READ[name]
    volume = read_nifti(data)
    np.testing.assert_array_equal(volume.stored, DATA)
    np.testing.assert_allclose(volume.affine, LPS)
    (warning,) = volume.warnings
    assert words in warning


@pytest.mark.parametrize(
    ("unit", "side", "told"),
    [
        (1, 1.0, ["metres for its unit, which makes voxels of 1000 x 1000 x 1000 mm and a volume 2e+04 mm long"]),
        (1, 0.001, []),
        (3, 1.0, ["micrometres for its unit, which makes voxels of 0.001 x 0.001 x 0.001 mm and a volume 0.02 mm"]),
        (3, 100.0, []),
        (2, 1000.0, []),
    ],
)
def test_a_unit_that_makes_no_body_of_it(unit: int, side: float, told: list[str]) -> None:
    volume = read_nifti(nifti_file(np.ones((20, 3, 3), "u1"), np.diag([side, side, side, 1]), xyzt_units=unit))
    assert len(volume.warnings) == len(told)
    assert all(words in warning for words, warning in zip(told, volume.warnings, strict=True))


@pytest.mark.parametrize(
    "sform", [np.zeros((4, 4)), np.diag([1.0, 1, 0, 1]), np.full((4, 4), np.nan), np.diag([1e9, 1, 1, 1])]
)
def test_an_sform_of_no_use_gives_way_to_the_qform(sform: np.ndarray) -> None:
    volume = read_nifti(nifti_file(DATA, sform, **QFORM))
    np.testing.assert_allclose(volume.affine, TURNED, atol=1e-5)
    (warning,) = volume.warnings
    assert "its qform was taken instead" in warning
    assert warning.startswith("The sform of the NIfTI header")


def test_an_sform_of_zeros_without_a_qform() -> None:
    volume = read_nifti(nifti_file(DATA, np.zeros((4, 4)), pixdim=[1, 2, 3, 4, 0, 0, 0, 0]))
    np.testing.assert_allclose(volume.affine, np.diag([-2, -3, 4, 1]))
    assert "its place is not known" in volume.warnings[0]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("length", [1 + 1e-7, 1.00002, 1.004])
def test_a_quaternion_a_little_too_long_is_made_one(length: float, version: int) -> None:
    b, c, d = np.array([0.48, 0.6, 0.64]) * length
    fields = QFORM | {"quatern": [b, c, d]}
    exact = read_nifti(nifti_file(DATA, sform_code=0, version=2, **QFORM | {"quatern": [0.48, 0.6, 0.64]}))
    volume = read_nifti(nifti_file(DATA, sform_code=0, version=version, **fields))
    np.testing.assert_allclose(volume.affine, exact.affine, atol=0.01)
    assert not volume.warnings


def test_a_quaternion_much_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"no rotation: its quaternion has the length 1\.01[34]"):
        read_nifti(nifti_file(DATA, sform_code=0, **QFORM | {"quatern": [0.48, 0.6, 0.66]}))


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("mask.nii", GOOD)
    return out.getvalue()


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        entry = tarfile.TarInfo("mask.nii")
        entry.size = len(GOOD)
        packed.addfile(entry, io.BytesIO(GOOD))
    return out.getvalue()


MGH = b"\0\0\0\1" + b"\0\0\0\x20" * 3 + bytes(400)
OTHERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip": (archive, "it is a zip archive: unpack it first"),
    "NRRD": (lambda: b"NRRD0004\ntype: uint8\n" + bytes(500), "it is an NRRD file"),
    "MGH": (lambda: MGH, "it is a FreeSurfer volume"),
    "MGZ": (lambda: gzip.compress(MGH), "it is a FreeSurfer volume"),
    "DICOM": (lambda: ct_slices(planes=[0])[0], "it is a DICOM file"),
    "DICOM in gzip": (lambda: gzip.compress(ct_slices(planes=[0])[0]), "it is a DICOM file"),
    "bzip2": (lambda: bz2.compress(GOOD), "it is packed by bzip2: unpack it first"),
    "xz": (lambda: lzma.compress(GOOD), "it is packed by xz"),
    "tar": (tar, "it is a tar archive"),
    "tar in gzip": (lambda: gzip.compress(tar()), "it is a tar archive"),
    "gzip in gzip": (lambda: gzip.compress(gzip.compress(GOOD)), "it is packed twice by gzip"),
    "a page of a login": (lambda: b"<!DOCTYPE html><html>", "it is an HTML or XML page"),
    "a page after a line break": (lambda: b"\r\n<HTML><body>" + bytes(500), "it is an HTML page"),
    "an answer": (lambda: b'\xef\xbb\xbf {"error": 401}', "it is JSON text"),
    "compress": (lambda: b"\x1f\x9d\x90" + GOOD, "it is packed by compress: unpack it first"),
    "lzma": (lambda: lzma.compress(GOOD, lzma.FORMAT_ALONE), "it is packed by lzma: unpack it first"),
    "lz4": (lambda: b"\x04\x22\x4d\x18" + bytes(500), "it is packed by lz4"),
    "MATLAB": (lambda: b"MATLAB 5.0 MAT-file" + bytes(500), "it is a MATLAB file"),
    "short text": (lambda: b"404: Not Found", "a header has at least 348 bytes, got 14: '404: Not Found'"),
    "text": (
        lambda: b"no such file\n" * 40,
        "it begins with neither 348 (NIfTI-1) nor 540 (NIfTI-2), but with the text",
    ),
    "a pointer": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer of Git LFS"),
    "MetaImage": (lambda: b"ObjectType = Image\nNDims = 3\n", "it is a MetaImage header"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_came_is_named(name: str) -> None:
    build, words = OTHERS[name]
    with pytest.raises(InvalidInput) as error:
        read_nifti(build())
    assert str(error.value).startswith(f"Not a NIfTI file: {words}")


FILES = {
    ("labels117_float_in_int16_header.nii.gz", None): (80.26, ""),
    ("mask_with_ignored_-1.nii.gz", None): (24.0, "below zero, down to -1"),
    ("mask_with_ignored_-1.nii.gz", 1): (14.417, ""),
    ("quaternion_1.00002.nii.gz", None): (14.417, ""),
    ("trailing16.nii", None): (14.417, "16 bytes after its voxels"),
    ("gz_then_garbage.nii.gz", None): (14.417, "other bytes after its gzip data"),
    ("dim4_is_0.nii.gz", None): (14.417, "dimensions of size 0"),
}


@pytest.mark.parametrize(("name", "label"), FILES)
def test_files_after_public_reports(name: str, label: int | None) -> None:
    volume_ml, words = FILES[name, label]
    volume = read_nifti(shared_file(f"faults/{name}").read_bytes())
    model = surface_from_volume(volume, labels=[label] if label else None)
    assert model.report.volume / 1000 == pytest.approx(volume_ml, rel=0.002)
    assert len(model.report.warnings) == bool(words)
    assert all(words in warning for warning in model.report.warnings)
