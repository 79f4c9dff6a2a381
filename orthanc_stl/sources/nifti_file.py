"""Guarded reading of one NIfTI file that a stranger sent: nothing is allocated before the header and the limits agree.

nibabel says what a header means; the checks here say which headers are followed, and the voxels stay where the file
has them (a view of its bytes, in the file's own type), so that a file of a gigabyte is not turned into eight.

Source of the rules: NIfTI-1 (nifti1.h) and NIfTI-2 (nifti2.h) of the NIfTI data format working group.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.file_kinds import first_words, kind_of
from orthanc_stl.sources.nifti_bytes import GZIP_MAGIC, GzipFile, PlainFile

MEGABYTE = 1 << 20
MAX_BYTES = 1536 * MEGABYTE  # of a file, decompressed: a volume of 1 GB and the file itself fit into a worker
INTENT_LABEL = 1002  # NIFTI_INTENT_LABEL: every value is an index into a list of labels
METRES, MICROMETRES = 1, 3
SMALLEST_BODY, LARGEST_BODY = 1.0, 1e4  # mm: a volume beyond is told where the unit is one of these
MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # xyzt_units: unknown (every reader takes mm), m, mm, um
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SMALLEST_VOXEL, LARGEST_VOXEL = 1e-4, 1e4  # mm: a side outside is a mistake of units or a damaged header
SMALLEST_ANGLE = 1e-3  # sine of the angle between an axis and the plane of the other two
FARTHEST = 1e6  # mm from the origin; beyond, float32 vertices have less than 0.1 mm left
LONGEST_QUATERNION = 1.01  # the square of its length: what is a little more than 1 is rounded, and made 1


@reading("the NIfTI file")
def read_nifti(data: bytes | memoryview, *, max_bytes: int = MAX_BYTES) -> Volume:
    """Read a NIfTI-1 or NIfTI-2 file, gzip or plain. What was guessed is among the volume's warnings.

    Raises `InvalidInput` with what is wrong, `TooLarge` for a file of more than `max_bytes` when decompressed.
    """
    view = memoryview(data).cast("B")
    source = GzipFile(view) if view[:2] == GZIP_MAGIC else PlainFile(view)
    header = _header(source.first(_BLOCK[2]))
    warnings: list[str] = []
    shape = _shape(header, warnings)
    dtype = _dtype(header)
    offset = _offset(header, warnings)
    size = offset + math.prod(shape) * dtype.itemsize
    if size > max_bytes:
        raise TooLarge(
            f"The NIfTI file claims {_words(shape)} voxels of {dtype.itemsize} bytes, {size / MEGABYTE:.0f} MB, "
            f'over the {max_bytes / MEGABYTE:.0f} MB of the option "MaxNiftiMB"'
        )
    affine = _affine(header, shape, warnings)
    _warn_of_unit(header, affine, shape, warnings)
    slope, inter = _scaling(header, warnings)
    content = source.whole(size, warnings)
    raw = np.frombuffer(content, dtype, math.prod(shape), offset).reshape(shape, order="F")
    return Volume(raw, affine, slope, inter, int(header["intent_code"]) == INTENT_LABEL, tuple(warnings))


_BLOCK = {1: 348, 2: 540}
_SINGLE = {1: b"n+1\0", 2: b"n+2\0\r\n\x1a\n"}
_PAIR = {1: b"ni1\0", 2: b"ni2\0\r\n\x1a\n"}


def _header(block: bytes) -> Nifti1Header | Nifti2Header:
    """The header in the first bytes of a file, with the byte order found by its own size field."""
    other = kind_of(block)
    if other:
        raise InvalidInput(f"Not a NIfTI file: it is {other}")
    if len(block) < _BLOCK[1]:
        words = first_words(block)
        raise InvalidInput(
            f"Not a NIfTI file: a header has at least {_BLOCK[1]} bytes, got {len(block)}{words and f': {words!r}'}"
        )
    for endianness, order in (("<", "little"), (">", "big")):
        for version, size in _BLOCK.items():
            if int.from_bytes(block[:4], order) == size:  # type: ignore[arg-type]
                return _checked(block, version, endianness)
    words = first_words(block)
    but = f", but with the text {words!r}" if words else ""
    raise InvalidInput(f"Not a NIfTI file: it begins with neither 348 (NIfTI-1) nor 540 (NIfTI-2){but}")


def _checked(block: bytes, version: int, endianness: str) -> Nifti1Header | Nifti2Header:
    size = _BLOCK[version]
    magic = block[344:348] if version == 1 else block[4:12]
    if magic != _SINGLE[version] and magic != _PAIR[version]:
        raise InvalidInput(f"Not a NIfTI file: its magic is {magic!r}, {_SINGLE[version]!r} is expected")
    if len(block) < size:
        raise InvalidInput(f"The NIfTI-2 header has {len(block)} bytes, {size} are expected")
    kind = Nifti1Header if version == 1 else Nifti2Header
    return kind(block[:size], endianness=endianness, check=False)  # type: ignore[no-untyped-call]


def _shape(header: Nifti1Header, warnings: list[str]) -> tuple[int, int, int]:
    dim = [int(n) for n in header["dim"]]
    count = dim[0]
    if not 1 <= count <= 7:
        raise InvalidInput(f"The NIfTI header claims {count} dimensions, 1 to 7 are possible")
    shape = dim[1 : count + 1]
    if min(shape[:3]) > 0 and min(shape) == 0:
        warnings.append(f"The NIfTI header claims the size {_words(shape)}: dimensions of size 0 were taken for 1")
        shape = [n or 1 for n in shape]
    if any(n < 1 for n in shape):
        raise InvalidInput(f"The NIfTI header claims the size {_words(shape)}; each dimension must be at least 1")
    if count < 3:
        raise InvalidInput(f"Only 3D NIfTI volumes are allowed, not {count} dimensions ({_words(shape)})")
    if any(n > 1 for n in shape[3:]):
        raise InvalidInput(
            f"Only 3D NIfTI volumes are allowed, not {_words(shape)} voxels: further dimensions must be 1"
        )
    return shape[0], shape[1], shape[2]


def _dtype(header: Nifti1Header) -> np.dtype:
    """The type of a voxel. Complex numbers and colors have no inside and outside."""
    code = int(header["datatype"])
    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError):
        raise InvalidInput(f"The NIfTI header has the unknown data type {code}") from None
    if dtype.names:
        raise InvalidInput("The NIfTI file has colors (RGB) as voxels, one number a voxel is expected")
    if dtype.kind == "c":
        raise InvalidInput("The NIfTI file has complex numbers as voxels, real ones are expected")
    if dtype.kind not in "iuf":
        raise InvalidInput(f"The NIfTI data type {code} is not supported, an integer or float type is expected")
    return dtype


def _offset(header: Nifti1Header, warnings: list[str]) -> int:
    """Where the voxels begin: behind the header, its four flag bytes and the extensions. Some writers leave 0."""
    least = int(header["sizeof_hdr"]) + 4
    value = float(header["vox_offset"])
    if bytes(header["magic"].tobytes())[:2] == b"ni":
        if not value >= least:
            raise InvalidInput("The NIfTI file is one half of a .hdr/.img pair; a single .nii or .nii.gz is expected")
        warnings.append("The NIfTI header says that its voxels are in another file: those behind it were taken")
    if value == 0:
        return least
    if not (math.isfinite(value) and value >= least and value == int(value)):
        raise InvalidInput(f"The NIfTI header has the vox_offset {value:g}, an integer from {least} on is expected")
    return int(value)


def _scaling(header: Nifti1Header, warnings: list[str]) -> tuple[float, float]:
    """scl_slope and scl_inter; a slope of 0 (or none) means that the values are as stored."""
    stated = float(header["scl_slope"])
    if not math.isfinite(stated):
        warnings.append(f"The scl_slope of the NIfTI header is {stated:g}, no number: the values were taken as stored")
    try:
        slope, inter = header.get_slope_inter()
    except HeaderDataError as e:
        raise InvalidInput(f"The NIfTI header has an unusable scl_slope or scl_inter: {e}") from None
    return (1.0, 0.0) if slope is None else (slope, inter)


def _affine(header: Nifti1Header, shape: tuple[int, int, int], warnings: list[str]) -> np.ndarray:
    """The affine to LPS millimetres: sform, else qform, else the voxel sizes alone (nifti1.h, methods 3, 2 and 1).

    An sform that cannot be used (of zeros, say, as some writers leave it) gives way to a qform that can.
    """
    to_lps = RAS_TO_LPS @ np.diag([*[_millimetres(header, warnings)] * 3, 1.0])
    has_qform = int(header["qform_code"]) > 0
    if int(header["sform_code"]) > 0:
        sform = np.asarray(header.get_sform(), np.float64)
        if sform[:3, :3].any() or has_qform:
            try:
                return _checked_affine(to_lps, sform, shape, "sform")
            except InvalidInput as unusable:
                if not has_qform:
                    raise
                affine = _checked_affine(to_lps, _qform(header), shape, "qform")
                warnings.append(f"{unusable}: its qform was taken instead")
                return affine
    if has_qform:
        return _checked_affine(to_lps, _qform(header), shape, "qform")
    ras = np.diag([*(abs(float(p)) for p in header["pixdim"][1:4]), 1.0])
    affine = _checked_affine(to_lps, ras, shape, "pixdim")
    warnings.append("The NIfTI file has neither an sform nor a qform: its size is right, its place is not known")
    return affine


def _millimetres(header: Nifti1Header, warnings: list[str]) -> float:
    """Of the unit of length (xyzt_units, bits 0 to 2)."""
    units = int(header["xyzt_units"]) & 7
    if units not in MILLIMETRES:
        warnings.append(f"The NIfTI header has the unknown unit of length {units}: millimetres were taken")
    return MILLIMETRES.get(units, 1.0)


def _warn_of_unit(header: Nifti1Header, affine: np.ndarray, shape: tuple[int, int, int], warnings: list[str]) -> None:
    """Some writers say metres or micrometres where their voxels are in millimetres."""
    units = int(header["xyzt_units"]) & 7
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    longest = float((sides * shape).max())
    for unit, name, strange in (
        (METRES, "metres", longest > LARGEST_BODY),
        (MICROMETRES, "micrometres", longest < SMALLEST_BODY),
    ):
        if units == unit and strange:
            warnings.append(
                f"The NIfTI header has {name} for its unit, which makes voxels of {_words(sides)} mm and a volume"
                f" {longest:.3g} mm long: millimetres seem to be meant"
            )


def _qform(header: Nifti1Header) -> np.ndarray:
    sided = header.copy()
    if float(sided["pixdim"][0]) not in (-1.0, 1.0):
        sided["pixdim"][0] = 1.0  # nifti1.h: a qfac of 0, from old writers, stands for 1
    sided["pixdim"][1:4] = np.abs(sided["pixdim"][1:4])  # nifti1.h: they are positive; nibabel mends them so as well
    quaternion = np.array([float(sided[name]) for name in ("quatern_b", "quatern_c", "quatern_d")])
    square = float(quaternion @ quaternion)
    if square > LONGEST_QUATERNION:
        length = math.sqrt(square)
        raise InvalidInput(f"The qform of the NIfTI header is no rotation: its quaternion has the length {length:.4g}")
    if square > 1:
        # A little less than 1, since float32 rounds: nibabel refuses more, and finds the fourth number by itself.
        for name, value in zip(("quatern_b", "quatern_c", "quatern_d"), quaternion, strict=True):
            sided[name] = value / math.sqrt(square) * (1 - 2e-7)
    try:
        return np.asarray(sided.get_qform(), np.float64)
    except (HeaderDataError, ValueError) as e:
        raise InvalidInput(f"The qform of the NIfTI header is unusable: {e}") from None


def _checked_affine(to_lps: np.ndarray, ras: np.ndarray, shape: tuple[int, int, int], name: str) -> np.ndarray:
    with np.errstate(all="ignore"):  # what overflows is not finite, and refused
        affine: np.ndarray = to_lps @ ras
    _check_affine(affine, shape, name)
    return affine


def _check_affine(affine: np.ndarray, shape: tuple[int, int, int], name: str) -> None:
    if not np.isfinite(affine).all():
        raise InvalidInput(f"The {name} of the NIfTI header has values that are not finite numbers")
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    if not (sides.min() >= SMALLEST_VOXEL and sides.max() <= LARGEST_VOXEL):
        raise InvalidInput(
            f"The {name} of the NIfTI header gives voxels of {_words(sides)} mm, "
            f"sides from {SMALLEST_VOXEL:g} to {LARGEST_VOXEL:g} mm are expected"
        )
    if abs(np.linalg.det(affine[:3, :3] / sides)) < SMALLEST_ANGLE:
        raise InvalidInput(f"The {name} of the NIfTI header is singular: its axes lie in one plane")
    corners = affine[:3, :3] @ np.diag(shape) @ np.indices((2, 2, 2)).reshape(3, -1) + affine[:3, 3:]
    farthest = np.abs(corners).max()
    if farthest > FARTHEST:
        raise InvalidInput(f"The {name} of the NIfTI header puts the volume {farthest:.3g} mm away from the origin")


def _words(numbers: Sequence[float] | np.ndarray) -> str:
    return " x ".join(f"{n:.10g}" for n in numbers)
