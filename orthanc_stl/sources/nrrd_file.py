"""Guarded reading of an NRRD file: pynrrd says what its header means, the voxels are unpacked here up to a limit.

pynrrd itself unpacks without a limit, and opens whatever file a header names as its data.
Source of the rules: https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import bz2
import io
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import nrrd
import numpy as np

from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.mesh.volumes.volume import Volume
from orthanc_stl.sources.lattices import FARTHEST, LARGEST_VOXEL, SMALLEST_VOXEL

MOST_HEADER = 8 << 20
MEGABYTE = 1 << 20

_TYPES = {
    "signed char": "i1", "int8": "i1", "int8_t": "i1", "uchar": "u1", "unsigned char": "u1", "uint8": "u1",
    "uint8_t": "u1", "short": "i2", "short int": "i2", "signed short": "i2", "signed short int": "i2", "int16": "i2",
    "int16_t": "i2", "ushort": "u2", "unsigned short": "u2", "unsigned short int": "u2", "uint16": "u2",
    "uint16_t": "u2", "int": "i4", "signed int": "i4", "int32": "i4", "int32_t": "i4", "uint": "u4",
    "unsigned int": "u4", "uint32": "u4", "uint32_t": "u4", "longlong": "i8", "long long": "i8",
    "long long int": "i8", "signed long long": "i8", "signed long long int": "i8", "int64": "i8", "int64_t": "i8",
    "ulonglong": "u8", "unsigned long long": "u8", "unsigned long long int": "u8", "uint64": "u8", "uint64_t": "u8",
    "float": "f4", "double": "f8",
}  # fmt: skip

_SPACES = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
"""Signs that make the axes of a space those of LPS."""


_MILLIMETRES = {
    "": 1.0, "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "centimeter": 10.0, "m": 1000.0, "meter": 1000.0, "um": 0.001,
    "\u00b5m": 0.001, "\u03bcm": 0.001, "micrometer": 0.001,
}  # fmt: skip
"""Of a unit of length; a file has any text there, often in the plural."""


@dataclass(frozen=True)
class NrrdFile:
    """`layers`: the volumes of a file, several if it has a list axis. `header` as pynrrd gives it."""

    layers: tuple[Volume, ...]
    header: Mapping[str, Any]


def read_nrrd(data: bytes | memoryview, max_bytes: int) -> NrrdFile:
    """Raises InvalidInput with what is wrong, TooLarge for more than `max_bytes` of voxels."""
    view = memoryview(data).cast("B")
    header, at = _header(view)
    sizes = _sizes(header)
    dtype = _dtype(header)
    size = math.prod(sizes) * dtype.itemsize
    if size > max_bytes:
        raise TooLarge(
            f"The NRRD file claims {_words(sizes)} voxels of {dtype.itemsize} bytes, {size / MEGABYTE:.0f} MB, "
            f'over the {max_bytes / MEGABYTE:.0f} MB of the option "MaxNiftiMB"'
        )
    content = _content(view[at:], str(header.get("encoding", "raw")).lower(), header, size, dtype)
    stored = np.frombuffer(content, dtype, math.prod(sizes)).reshape(sizes, order="F")
    listed = _list_axis(header, sizes)
    axes = [axis for axis in range(len(sizes)) if axis != listed]
    affine, warnings = _affine(header, axes)
    slabs = [stored] if listed is None else [stored[(slice(None),) * listed + (n,)] for n in range(sizes[listed])]
    if any(slab.ndim != 3 for slab in slabs):
        raise InvalidInput(
            f"Only 3D NRRD volumes, or lists of such, are read, not {' x '.join(map(str, sizes))} voxels"
        )
    _check_corners(affine, slabs[0].shape)
    return NrrdFile(tuple(Volume(slab, affine, warnings=warnings) for slab in slabs), header)


def _header(view: memoryview) -> tuple[dict[str, Any], int]:
    """The header, and where the data begin: behind the first empty line."""
    head = bytes(view[:MOST_HEADER])
    if head[:4] != b"NRRD":
        raise InvalidInput("Not an NRRD file: it does not begin with NRRD")
    ends = [(found, len(mark)) for mark in (b"\n\n", b"\r\n\r\n") if (found := head.find(mark)) >= 0]
    if not ends:
        raise InvalidInput("The NRRD file has no empty line after its header")
    end, length = min(ends)
    text = head[: end + length].decode("utf-8", "replace").replace("\r\n", "\n")
    with reading("the header of the NRRD file"):
        header = dict(nrrd.read_header(text.splitlines(keepends=True)))
    if "data file" in header or "datafile" in header:
        raise InvalidInput("The NRRD file has its voxels in another file; a file with both (.nrrd) is expected")
    return header, end + length


def _sizes(header: Mapping[str, Any]) -> tuple[int, ...]:
    sizes = tuple(int(size) for size in np.atleast_1d(header.get("sizes", ())))
    if header.get("dimension") != len(sizes) or len(sizes) not in (3, 4) or min(sizes, default=0) < 1:
        shown = " x ".join(map(str, sizes)) or "no"
        raise InvalidInput(
            f"The NRRD file has {shown} voxels; three dimensions, or four with a list of layers, are read"
        )
    return sizes


def _dtype(header: Mapping[str, Any]) -> np.dtype[Any]:
    name = str(header.get("type", "")).lower()
    if name not in _TYPES:
        raise InvalidInput(f"The NRRD file has the type {name[:40]!r}; an integer or float type is expected")
    dtype = np.dtype(_TYPES[name])
    endian = str(header.get("endian", "little")).lower()
    if endian not in ("little", "big"):
        raise InvalidInput(f"The NRRD file has the endian {endian[:40]!r}; little or big is expected")
    return dtype.newbyteorder("<" if endian == "little" else ">")


def _content(
    view: memoryview, encoding: str, header: Mapping[str, Any], size: int, dtype: np.dtype[Any]
) -> memoryview | bytes:
    lines, skip = (
        int(header.get(a, header.get(b, 0))) for a, b in (("line skip", "lineskip"), ("byte skip", "byteskip"))
    )
    if lines or (skip and not (skip == -1 and encoding == "raw")):
        raise InvalidInput("The NRRD file skips lines or bytes before its voxels, which is not read")
    if encoding == "raw":
        content: memoryview | bytes = view[len(view) - size :] if skip == -1 and len(view) >= size else view
    elif encoding in ("gzip", "gz"):
        content = _gunzipped(view, size)
    elif encoding in ("bzip2", "bz2"):
        content = _bunzipped(view, size)
    elif encoding in ("ascii", "text", "txt"):
        content = _from_text(view, size, dtype)
    else:
        raise InvalidInput(f"The NRRD file has the encoding {encoding[:40]!r}; raw, gzip, bzip2 or ascii is expected")
    if len(content) < size:
        raise InvalidInput(f"The NRRD file is truncated: its header claims {size} bytes of voxels, got {len(content)}")
    return content


def _gunzipped(view: memoryview, size: int) -> bytes:
    machine = zlib.decompressobj(wbits=47)
    try:
        return machine.decompress(view, size)
    except zlib.error as error:
        raise InvalidInput(f"The gzip data of the NRRD file is damaged: {error}") from None


def _bunzipped(view: memoryview, size: int) -> bytes:
    try:
        return bz2.BZ2Decompressor().decompress(bytes(view), size)
    except (OSError, EOFError) as error:
        raise InvalidInput(f"The bzip2 data of the NRRD file is damaged: {error}") from None


def _from_text(view: memoryview, size: int, dtype: np.dtype[Any]) -> bytes:
    words = io.BytesIO(view).read().split()
    if len(words) != size // dtype.itemsize:
        raise InvalidInput(f"The NRRD file has {len(words)} numbers; {size // dtype.itemsize} are expected")
    try:
        return np.array(words, dtype="S").astype(np.float64).astype(dtype).tobytes()
    except ValueError:
        raise InvalidInput("The NRRD file has voxels that are no numbers") from None


def _list_axis(header: Mapping[str, Any], sizes: tuple[int, ...]) -> int | None:
    """The axis of the layers in a four-dimensional file: it has no direction in space, or its kind is "list"."""
    if len(sizes) == 3:
        return None
    directions = header.get("space directions")
    kinds = [str(kind).lower() for kind in header.get("kinds", ())]
    for axis in range(4):
        none = directions is not None and len(directions) == 4 and _is_none(directions[axis])
        if none or (len(kinds) == 4 and kinds[axis] in ("list", "vector")):
            return axis
    raise InvalidInput(
        f"The NRRD file has {' x '.join(map(str, sizes))} voxels, and none of its axes is a list of layers"
    )


def _is_none(direction: Any) -> bool:
    return direction is None or bool(np.isnan(np.asarray(direction, np.float64)).all())


def _affine(header: Mapping[str, Any], axes: list[int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Index to LPS mm, and what was guessed."""
    space = str(header.get("space", "")).lower()
    directions, origin = header.get("space directions"), header.get("space origin")
    affine = np.eye(4)
    warnings: list[str] = []
    if directions is None:
        spacings = np.atleast_1d(header.get("spacings", ()))
        sides = [abs(float(spacings[axis])) if axis < len(spacings) else 1.0 for axis in axes]
        units = _millimetres(header.get("units"), axes, warnings)
        affine[:3, :3] = np.diag([side if math.isfinite(side) else 1.0 for side in sides] * units)
        return _checked(affine), (*warnings, "The NRRD file has no space directions: its place is not known")
    if space not in _SPACES:
        raise InvalidInput(f"The NRRD file is in the space {space[:60]!r}; LPS, RAS or LAS is expected")
    units = _millimetres(header.get("space units"), range(3), warnings)
    try:
        vectors = np.array([np.asarray(directions[axis], np.float64) for axis in axes])
        start = np.zeros(3) if origin is None else np.asarray(origin, np.float64)
        signs = np.array(_SPACES[space], np.float64) * units
        affine[:3, :3] = (vectors * signs).T
        affine[:3, 3] = start * signs
    except (ValueError, TypeError, IndexError):
        raise InvalidInput(
            "The space directions or the space origin of the NRRD file are no three numbers each"
        ) from None
    if origin is None:
        warnings.append("The NRRD file has no space origin: its place is not known")
    return _checked(affine), tuple(warnings)


def _millimetres(units: Any, axes: Iterable[int], warnings: list[str]) -> np.ndarray:
    """(3,): of the unit of each axis; mm where it is not known, which is told."""
    listed = units if isinstance(units, (list, tuple)) else []
    named = [str(unit).strip().strip('"').lower().removesuffix("s") for unit in listed]
    chosen = [named[axis] if axis < len(named) else "" for axis in axes]
    unknown = sorted({unit for unit in chosen if unit not in _MILLIMETRES})
    if unknown:
        warnings.append(f"The NRRD file has the unknown unit of length {unknown[0][:20]!r}: millimetres were taken")
    return np.array([_MILLIMETRES.get(unit, 1.0) for unit in chosen])


def _checked(affine: np.ndarray) -> np.ndarray:
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or not (sides.min() >= SMALLEST_VOXEL and sides.max() <= LARGEST_VOXEL):
        raise InvalidInput("The space directions of the NRRD file give no voxels of 0.0001 to 10000 mm")
    if abs(np.linalg.det(affine[:3, :3] / sides)) < 1e-3:
        raise InvalidInput("The space directions of the NRRD file are singular: they lie in one plane")
    return affine


def _words(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def _check_corners(affine: np.ndarray, shape: tuple[int, ...]) -> None:
    corners = affine[:3, :3] @ np.diag(shape) @ np.indices((2, 2, 2)).reshape(3, -1) + affine[:3, 3:]
    if np.abs(corners).max() > FARTHEST:
        raise InvalidInput("The NRRD file puts its volume more than a kilometre from the origin")
