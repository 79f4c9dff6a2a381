"""Small NIfTI files for the tests of the routes, made here: a ball in 24 voxels of 1.5 mm, in many forms."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from typing import Literal

import numpy as np


def nifti_files() -> Iterator[tuple[str, bytes]]:
    """Names and files, such as the original was given."""
    grid = np.mgrid[:24, :24, :24] - 11.5
    mask = (np.sqrt((grid**2).sum(0)) < 8).astype(np.uint8)
    yield "sphere_u8.nii", nifti(mask)
    yield "sphere_u8.nii.gz", gzip.compress(nifti(mask))
    yield "sphere_f32.nii", nifti(mask.astype("<f4"))
    yield "sphere_f64.nii", nifti(mask.astype("<f8"))
    yield "sphere_i16.nii", nifti(mask.astype("<i2"))
    yield "sphere_i8.nii", nifti(mask.astype("i1"))
    yield "sphere_u8_255_aniso.nii", nifti(mask * 255, zooms=(1, 1.5, 3))
    yield "big_endian_u8.nii", nifti(mask, order=">")
    yield "empty_u8.nii", nifti(mask * 0)
    yield "full_u8.nii", nifti(mask * 0 + 1)
    yield "nan_f32.nii", nifti(np.where(grid[0] < -11, np.nan, mask).astype("<f4"))
    yield "noise_f32.nii", nifti(np.random.default_rng(1).random((24, 24, 24)).astype("<f4"))
    yield "slice_2d.nii", nifti(mask[:, :, 12:13])
    yield "slope_u8.nii", nifti(mask, slope=2.0)
    yield "sphere_4d.nii", nifti(np.stack([mask, mask], 3))
    yield "sphere_4d1.nii", nifti(mask[..., None])
    yield "nifti2_u8.nii", nifti2(mask)
    yield "truncated", nifti(mask)[:-1000]
    yield "trailing", nifti(mask) + bytes(10)
    yield "truncated.gz", gzip.compress(nifti(mask))[:-100]
    yield "garbage", bytes(range(256)) * 4


_CODES = {"u1": 2, "i2": 4, "f4": 16, "f8": 64, "i1": 256}

ByteOrder = Literal["<", ">"]


def nifti(
    data: np.ndarray, zooms: tuple[float, ...] = (1.5, 1.5, 1.5), slope: float = 0.0, order: ByteOrder = "<"
) -> bytes:
    """A NIfTI-1 file. NIfTI-1 header: nifti1.h of the NIfTI Data Format Working Group."""
    header = np.zeros((), np.dtype(_NIFTI1).newbyteorder(order))
    header["sizeof_hdr"], header["vox_offset"], header["magic"] = 348, 352, b"n+1"
    header["dim"][: data.ndim + 1] = [data.ndim, *data.shape]
    header["pixdim"][:4] = [1, *zooms]
    header["datatype"], header["bitpix"] = _CODES[data.dtype.str[1:]], 8 * data.dtype.itemsize
    header["scl_slope"] = slope
    return header.tobytes() + bytes(4) + data.tobytes(order="F")


def nifti2(data: np.ndarray) -> bytes:
    header = np.zeros((), _NIFTI2)
    header["sizeof_hdr"], header["magic"], header["vox_offset"] = 540, b"n+2\0\r\n\x1a\n", 544
    header["dim"][:4] = [3, *data.shape]
    header["pixdim"][:4] = 1
    header["datatype"], header["bitpix"] = 2, 8
    return header.tobytes() + bytes(4) + data.tobytes(order="F")


_NIFTI1 = [
    ("sizeof_hdr", "i4"), ("unused1", "V36"), ("dim", "i2", 8), ("intent", "V14"), ("datatype", "i2"), ("bitpix", "i2"),
    ("slice_start", "i2"), ("pixdim", "f4", 8), ("vox_offset", "f4"), ("scl_slope", "f4"), ("scl_inter", "f4"),
    ("unused2", "V224"), ("magic", "S4"),
]  # fmt: skip
_NIFTI2 = [
    ("sizeof_hdr", "<i4"), ("magic", "S8"), ("datatype", "<i2"), ("bitpix", "<i2"), ("dim", "<i8", 8),
    ("intent", "V24"), ("pixdim", "<f8", 8), ("vox_offset", "<i8"), ("unused", "V364"),
]  # fmt: skip


def data_uri(file: bytes, mime: str = "application/octet-stream") -> str:
    return f"data:{mime};base64," + base64.b64encode(file).decode()
