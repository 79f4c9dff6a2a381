"""STL bytes: written in binary, read in binary and ASCII.

Binary STL: 80 bytes of header, the number of triangles as `<u4`, then 50 bytes a triangle: normal, three vertices
(`<f4` each), an attribute of two bytes. Only this form is allowed in DICOM (PS3.3 C.24.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from orthanc_stl import __version__
from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.scene import written_parts
from orthanc_stl.mesh.threads import in_order
from orthanc_stl.mesh.triangles import CHUNK, merged, unit_normals
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model

STL_HEADER = f"orthanc-stl {__version__} UNITS=mm SPACE=LPS"
"""3D Slicer reads `SPACE=LPS` there."""

HEADER_BYTES = 80
TRIANGLE_BYTES = 50
RECORD = np.dtype([("numbers", "<f4", 12), ("attribute", "<u2")])

NUMBER = rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
VERTEX = re.compile(rb"\bvertex\s+(" + rb")\s+(".join([NUMBER] * 3) + rb")(?=\s|$)", re.IGNORECASE)
ANY_VERTEX = re.compile(rb"\bvertex\b", re.IGNORECASE)


def write(model: Model, options: WriteOptions) -> bytes:
    """The triangles of all parts one after the other; parts that overlap are not united.

    Raises InvalidInput for a model without triangles.
    """
    meshes = [part.mesh for part in written_parts(model)]
    return stl_bytes(joined(meshes), STL_HEADER)


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several, with the triangles of all."""
    if len(meshes) == 1:
        return meshes[0]
    firsts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.triangles + np.int32(first) for mesh, first in zip(meshes, firsts, strict=True)]),
    )


def stl_bytes(mesh: Mesh, header: str) -> bytes:
    """`mesh` as a binary STL file.

    `header` is ASCII of at most 80 bytes that does not begin with "solid" (readers take that for the ASCII form).
    """
    first = header.encode("ascii")
    if len(first) > HEADER_BYTES or first.lstrip().lower().startswith(b"solid"):
        raise ValueError(f'an STL header has at most 80 bytes and does not begin with "solid", not {header!r}')
    count = len(mesh.triangles)
    out = bytearray(HEADER_BYTES + 4 + TRIANGLE_BYTES * count)
    out[:HEADER_BYTES] = first.ljust(HEADER_BYTES, b" ")
    out[HEADER_BYTES : HEADER_BYTES + 4] = count.to_bytes(4, "little")
    numbers = np.frombuffer(out, RECORD, count, HEADER_BYTES + 4)["numbers"]

    def write(start: int) -> None:
        corners = mesh.vertices[mesh.triangles[start : start + CHUNK]].reshape(-1, 9)
        part = numbers[start : start + CHUNK]
        part[:, 3:] = corners
        part[:, :3] = unit_normals(corners)

    for _ in in_order(write, range(0, count, CHUNK)):
        pass
    return bytes(out)


def read_stl(data: bytes) -> Mesh:
    """The mesh of an STL file, binary or ASCII; vertices at exactly the same place become one.

    Raises InvalidInput for anything else, for a length that does not fit the number of triangles (up to two bytes
    more are let pass: DICOM pads to even length), and for coordinates that are not finite.
    """
    corners = _binary_corners(data) if _is_binary(data) else _ascii_corners(data)
    if not np.isfinite(corners).all():
        raise InvalidInput("the STL has coordinates that are not finite numbers")
    return merged(corners)


def _is_binary(data: bytes) -> bool:
    """By the length, not by the first word: binary files that begin with "solid" are common."""
    if len(data) < HEADER_BYTES + 4:
        return False
    count = int.from_bytes(data[HEADER_BYTES : HEADER_BYTES + 4], "little")
    return 0 <= len(data) - (HEADER_BYTES + 4 + TRIANGLE_BYTES * count) <= 2


def _binary_corners(data: bytes) -> np.ndarray:
    count = int.from_bytes(data[HEADER_BYTES : HEADER_BYTES + 4], "little")
    return np.frombuffer(data, RECORD, count, HEADER_BYTES + 4)["numbers"][:, 3:].reshape(-1, 3, 3)


def _ascii_corners(data: bytes) -> np.ndarray:
    text = data.lstrip()
    if text[:5].lower() != b"solid" or (b"\0" in text):
        raise InvalidInput(
            f"{len(data)} bytes that are no STL: neither is their length that of a binary STL, nor do they begin with"
            ' "solid"'
        )
    found = VERTEX.findall(text)
    if len(found) % 3 or len(found) != len(ANY_VERTEX.findall(text)):
        raise InvalidInput(f"an ASCII STL with {len(found)} readable vertices, which do not make up its triangles")
    if not found and b"endsolid" not in text.lower():
        raise InvalidInput('an ASCII STL without triangles and without "endsolid"')
    with np.errstate(over="ignore"):
        return np.array(found, dtype="S").astype(np.float64).astype(np.float32).reshape(-1, 3, 3)
