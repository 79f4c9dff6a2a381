"""NIfTI files made in code, by hand: every field of the header can be right or wrong. And what to expect of them."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from orthanc_stl.mesh.types import Surface
from orthanc_stl.mesh.volumes.build import surface_from_volume
from orthanc_stl.sources.nifti_file import MAX_BYTES, read_nifti

CODES = {
    "u1": 2,
    "i2": 4,
    "i4": 8,
    "f4": 16,
    "c8": 32,
    "f8": 64,
    "i1": 256,
    "u2": 512,
    "u4": 768,
    "i8": 1024,
    "u8": 1280,
}

# Byte offsets and struct formats of header fields: nifti1.h, nifti2.h.
NIFTI1 = {
    "sizeof_hdr": (0, "i"), "dim": (40, "8h"), "intent_code": (68, "h"), "datatype": (70, "h"), "bitpix": (72, "h"),
    "pixdim": (76, "8f"), "vox_offset": (108, "f"), "scl_slope": (112, "f"), "scl_inter": (116, "f"),
    "xyzt_units": (123, "b"), "qform_code": (252, "h"), "sform_code": (254, "h"), "quatern": (256, "3f"),
    "qoffset": (268, "3f"), "sform": (280, "12f"), "magic": (344, "4s"),
}  # fmt: skip
NIFTI2 = {
    "sizeof_hdr": (0, "i"), "magic": (4, "8s"), "datatype": (12, "h"), "bitpix": (14, "h"), "dim": (16, "8q"),
    "intent_code": (504, "i"), "pixdim": (104, "8d"), "vox_offset": (168, "q"), "scl_slope": (176, "d"),
    "scl_inter": (184, "d"), "xyzt_units": (500, "i"), "qform_code": (344, "i"), "sform_code": (348, "i"),
    "quatern": (352, "3d"), "qoffset": (376, "3d"), "sform": (400, "12d"),
}  # fmt: skip


def nifti_file(
    data: np.ndarray,
    affine: np.ndarray | None = None,
    *,
    version: int = 1,
    order: str = "<",
    extension: bytes = b"",
    **fields: Any,
) -> bytes:
    """A NIfTI file of `data` (x, y, z, ...) with `affine` (RAS, default: the identity) as its sform.

    `fields` are written over the header, whatever they do to it.
    """
    layout, size = (NIFTI1, 348) if version == 1 else (NIFTI2, 540)
    header = bytearray(size)
    affine = np.eye(4) if affine is None else np.asarray(affine, float)
    dim = [data.ndim, *data.shape, *[1] * (7 - data.ndim)]
    values: dict[str, Any] = {
        "sizeof_hdr": size, "magic": b"n+1\0" if version == 1 else b"n+2\0\r\n\x1a\n", "dim": dim,
        "datatype": CODES[data.dtype.str[1:]], "bitpix": 8 * data.itemsize, "vox_offset": size + 4 + len(extension),
        "pixdim": [1, *np.linalg.norm(affine[:3, :3], axis=0), 0, 0, 0, 0], "xyzt_units": 2, "sform_code": 1,
        "sform": affine[:3].ravel(),
    }  # fmt: skip
    for name, value in {**values, **fields}.items():
        offset, form = layout[name]
        several = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes) else [value]
        struct.pack_into(order + form, header, offset, *several)
    flag = bytes([bool(extension), 0, 0, 0])
    voxels = data.astype(data.dtype.newbyteorder("<" if order == "<" else ">")).tobytes(order="F")
    return bytes(header) + flag + extension + voxels


def ball_mask(
    size: Sequence[int],
    radius: float,
    spacing: Sequence[float] = (1, 1, 1),
    centre: Sequence[float] | np.ndarray | None = None,
) -> np.ndarray:
    """The voxels (x, y, z) whose middles lie in a ball, uint8. `centre` is in mm from the middle of the first voxel."""
    middle = [(n - 1) * s / 2 for n, s in zip(size, spacing, strict=True)] if centre is None else centre
    x, y, z = (np.arange(n) * s - c for n, s, c in zip(size, spacing, middle, strict=True))
    return (x[:, None, None] ** 2 + y[:, None] ** 2 + z**2 <= radius**2).astype(np.uint8)


MASKS = 117
"""Files of a folder that TotalSegmentator writes."""


def folder_of_masks() -> dict[str, tuple[bytes, int]]:
    """By name, files as TotalSegmentator writes them into a folder: a ball each, packed; and how many voxels it has."""
    found = {}
    for number in range(1, MASKS + 1):
        mask = ball_mask((16, 16, 16), 3 + number / 30)
        found[f"part_{number}.nii.gz"] = (gzip.compress(nifti_file(mask), 1), int(mask.sum()))
    return found


def nested() -> np.ndarray:
    """Labels 1, 2 and 7: a ball in a shell, and a block beside them."""
    labels = ball_mask((60, 40, 40), 15, centre=(20, 20, 20)) + ball_mask((60, 40, 40), 8, centre=(20, 20, 20))
    labels[45:55, 10:30, 10:30] = 7
    return labels


def cone(size: int = 40, radius: float = 15) -> np.ndarray:
    """Grey values from 200 in the middle of a ball of `radius` to 0 at twice the radius: 100 is at the radius."""
    x, y, z = np.ogrid[:size, :size, :size]
    far = np.sqrt((x - size / 2) ** 2 + (y - size / 2) ** 2 + (z - size / 2) ** 2)
    return np.clip(200 - 100 * far / radius, 0, 200)


def model_from_nifti(
    data: bytes, *, max_bytes: int = MAX_BYTES, **options: Any
) -> tuple[Surface, np.ndarray, tuple[int, ...]]:
    """The surface of a NIfTI file, its affine to LPS, and its size (i, j, k)."""
    volume = read_nifti(data, max_bytes=max_bytes)
    return surface_from_volume(volume, **options), volume.affine, volume.stored.shape


def model_of(data: np.ndarray, affine: np.ndarray | None = None, **options: Any) -> Surface:
    return model_from_nifti(nifti_file(data, affine), **options)[0]


def volume_of_voxels(mask: np.ndarray, affine: np.ndarray | None = None) -> float:
    return np.count_nonzero(mask) * abs(np.linalg.det(np.eye(4) if affine is None else affine))


def ball_errors(model: Surface, centre: np.ndarray, radius: float) -> tuple[float, float]:
    """Mean and largest distance (mm) of the vertices from a true ball. `centre` is in RAS."""
    far = np.abs(np.linalg.norm(model.mesh.vertices * (-1, -1, 1) - centre, axis=1) - radius)
    return float(far.mean()), float(far.max())
