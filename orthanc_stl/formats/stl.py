"""STL bytes: written in binary, read in binary and ASCII.

Binary STL: 80 bytes of header, the number of triangles as `<u4`, then 50 bytes a triangle: normal, three vertices
(`<f4` each), an attribute of two bytes. Only this form is allowed in DICOM (PS3.3 C.24.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from orthanc_stl import __version__
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.scene import written_parts
from orthanc_stl.mesh.threads import in_order
from orthanc_stl.mesh.triangles import CHUNK, corners_of, merged, unit_normals
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model

STL_HEADER = f"orthanc-stl {__version__} UNITS=mm SPACE=LPS"
"""3D Slicer reads `SPACE=LPS` there."""

HEADER_BYTES = 80
TRIANGLE_BYTES = 50
RECORD = np.dtype([("numbers", "<f4", 12), ("attribute", "<u2")])

NUMBER = rb"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
VERTEX = re.compile(rb"\bvertex\s+(" + rb")\s+(".join([NUMBER] * 3) + rb")(?=\s|$)", re.IGNORECASE)
KEYWORD = re.compile(rb"\b(vertex|endloop|endfacet)\b", re.IGNORECASE)
_LINE = rb"(?:\A|(?<=[\r\n]))[ \t]*"
NAMES = re.compile(
    _LINE + rb"(?:solid\b(?:(?!\bfacet\s+normal\b)[^\r\n])*"
    rb"|endsolid\b(?:(?!\bfacet\b|[\r\n][ \t]*solid\b)[\s\S])*)",
    re.IGNORECASE,
)
"""What may hold any word: the line of a solid's name (some files go on in it), and what follows its end, up to the next
solid or facet."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

PADDING = 2
"""Bytes after the last triangle that are none: DICOM pads to an even length."""

MOST_SURPLUS = 1 << 16
"""Bytes after the last triangle that are passed over, if they are not more than the triangles take: some programs put a
table of colors there. A count of triangles that is too small would leave more."""


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
        corners = corners_of(mesh.vertices, mesh.triangles[start : start + CHUNK])
        part = numbers[start : start + CHUNK]
        part[:, 3:] = corners.T
        part[:, :3] = unit_normals(corners)

    for _ in in_order(write, range(0, count, CHUNK)):
        pass
    return bytes(out)


@reading("the STL")
def read_stl(data: bytes | memoryview) -> Mesh:
    """The mesh of an STL file, binary or ASCII; vertices at exactly the same place become one.

    What is one is decided as in the browser (webassets/app/shared/stl.js): tests/stl_files.json holds both to the same
    files. Raises InvalidInput for anything else, for a length that does not fit the number of triangles, for polygons
    that are no triangles, and for coordinates that are not finite.
    """
    corners = _binary_corners(data) if is_binary(data) else _ascii_corners(bytes(data))
    if not np.isfinite(corners).all():
        raise InvalidInput("the STL has coordinates that are not finite numbers")
    return merged(corners)


def is_binary(data: bytes | memoryview) -> bool:
    """Whether an STL is binary: by its length, not by its first word, since binary ones with "solid" are common."""
    if len(data) < HEADER_BYTES + 4:
        return False
    size = TRIANGLE_BYTES * int.from_bytes(data[HEADER_BYTES : HEADER_BYTES + 4], "little")
    end = HEADER_BYTES + 4 + size
    surplus = len(data) - end
    if 0 <= surplus <= PADDING:
        return True
    if size and surplus > 0 and data[end] == 0 and not bytes(data[end:]).strip(b"\0"):  # others to blocks
        return True
    return 0 < surplus <= min(size, MOST_SURPLUS) and not _is_text(bytes(data))


def _is_text(data: bytes) -> bool:
    """Whether it begins with "solid" and has no NUL, but for those at its end: DICOM pads to an even length."""
    beginning = data[:HEADER_BYTES].removeprefix(BYTE_ORDER_MARK).lstrip()
    return beginning[:5].lower() == b"solid" and b"\0" not in data.rstrip(b"\0")


def _binary_corners(data: bytes | memoryview) -> np.ndarray:
    count = int.from_bytes(data[HEADER_BYTES : HEADER_BYTES + 4], "little")
    return np.frombuffer(data, RECORD, count, HEADER_BYTES + 4)["numbers"][:, 3:].reshape(-1, 3, 3)


def _ascii_corners(data: bytes) -> np.ndarray:
    if not _is_text(data):
        raise InvalidInput(
            f"{len(data)} bytes that are no STL: neither is their length that of a binary STL, nor do they begin with"
            ' "solid" and go on as text'
        )
    text = NAMES.sub(b"", data.rstrip(b"\0").removeprefix(BYTE_ORDER_MARK))
    found = VERTEX.findall(text)
    _check_triangles(KEYWORD.findall(text), len(found))
    if not found and b"endsolid" not in data.lower():
        raise InvalidInput('an ASCII STL without triangles and without "endsolid"')
    with np.errstate(over="ignore"):
        return np.array(found, dtype="S").astype(np.float64).astype(np.float32).reshape(-1, 3, 3)


def _check_triangles(keywords: list[bytes], readable: int) -> None:
    """Whether each loop has three vertices, all of which are numbers."""
    words = [word.lower() for word in keywords]
    vertices = words.count(b"vertex")
    if readable != vertices:
        raise InvalidInput(
            f"an ASCII STL with {vertices} vertices, of which {vertices - readable} are not three numbers"
        )
    end = b"endloop" if b"endloop" in words else b"endfacet"
    marks = b"".join(b"v" if word == b"vertex" else b"|" for word in words if word in (b"vertex", end))
    loops = {len(loop) for loop in marks.split(b"|")} if end in words else {vertices % 3}
    if loops - {0, 3}:
        raise InvalidInput(f"an ASCII STL with a facet of {max(loops - {0, 3})} vertices: triangles have three")
