"""Mesh files as sources: STL with a part for each solid, OBJ with its MTL, PLY, GLB and 3MF."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.formats.stl import HEADER_BYTES, PADDING, RECORD, is_binary, read_stl
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Note, Rank
from orthanc_stl.sources import kinds
from orthanc_stl.sources.base import ReadOptions
from orthanc_stl.sources.file_kinds import kind_of
from orthanc_stl.sources.glb_file import read_glb
from orthanc_stl.sources.mesh_parts import (
    FARTHEST,
    MAX_TRIANGLES,
    MeshPart,
    OpenMeshes,
    check_parts,
    check_triangles,
)
from orthanc_stl.sources.obj_file import read_obj
from orthanc_stl.sources.ply_file import read_ply
from orthanc_stl.sources.threemf_file import read_3mf

_BOM = b"\xef\xbb\xbf"
_SOLID = re.compile(rb"^[ \t]*solid\b([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_OBJ_LINE = re.compile(rb"^[ \t]*v[ \t]+[-+.\d]", re.MULTILINE)
_NEWMTL = re.compile(rb"^[ \t]*newmtl[ \t]", re.MULTILINE)
_MTLLIB = re.compile(rb"^[ \t]*mtllib[ \t]", re.MULTILINE)
_NO_COLORS = Note(Rank.LEFT_OUT, "", "the colors of the OBJ file are in another file, an MTL, which was not given")
_TEXTURE = Note(Rank.LEFT_OUT, "", "the OBJ file has pictures on it, which are left out: a part has one color")
OBJ_COLORS = "the OBJ file has colors of vertices, which are left out"
OBJ_LINES = "the OBJ file has points, lines or curved surfaces besides its faces, which are left out"
_PAINTED = re.compile(rb"^[ \t]*map_Kd[ \t]", re.MULTILINE)
_COLORED_VERTEX = re.compile(rb"^[ \t]*v(?:[ \t]+[-+.\deE]+){6}", re.MULTILINE)
_NO_FACES = re.compile(rb"^[ \t]*(?:p|l|curv2?|surf)[ \t]", re.MULTILINE)
_HAS_COLOR = 0x8000
_ZIP_NAMES = (b"[Content_Types].xml", b"3D/", b"_rels/")


class MeshFiles:
    """The source of mesh files. A second file is the MTL of an OBJ."""

    def recognises(self, beginning: bytes) -> bool:
        return bool(format_of(beginning))

    @reading("the mesh file")
    def open(self, files: Sequence[bytes | memoryview], options: ReadOptions) -> OpenMeshes:
        most = options.limits.get("max_triangles", MAX_TRIANGLES)
        parts, notes = read_parts(files[0], files[1] if len(files) > 1 else None, most)
        return OpenMeshes(kinds.MESH, parts, notes)


def format_of(beginning: bytes) -> str:
    """ "stl", "obj", "ply", "glb" or "3mf" by the first bytes of a file, empty for what is none of them."""
    if beginning[:4] == b"glTF":
        return "glb"
    if beginning[:4] == b"PK\3\4":
        return "3mf" if any(name in beginning for name in _ZIP_NAMES) else ""
    text = beginning.removeprefix(_BOM).lstrip()
    if text[:4] in (b"ply\n", b"ply\r"):
        return "ply"
    if text[:5].lower() == b"solid" and b"\0" not in text[:512]:
        return "stl"
    if b"\0" not in beginning and _OBJ_LINE.search(beginning):
        return "obj"
    return "stl" if _is_binary_stl(beginning) else ""


def is_mtl(beginning: bytes) -> bool:
    """Whether a file has materials of an OBJ, by its first bytes."""
    return b"\0" not in beginning and _NEWMTL.search(beginning) is not None and not _OBJ_LINE.search(beginning)


def _is_binary_stl(beginning: bytes) -> bool:
    """Whether the first triangles are such: places that are finite and near."""
    count = int.from_bytes(beginning[80:84], "little")
    shown = min(count, (len(beginning) - 84) // 50, 8)
    if len(beginning) < 84 or kind_of(beginning) not in ("", "an STL model"):
        return False
    if not shown:
        return not count and len(beginning) <= 86
    records = np.frombuffer(beginning, RECORD, shown, HEADER_BYTES + 4)["numbers"]
    return bool(np.isfinite(records).all() and (np.abs(records) < FARTHEST).all())


def read_parts(
    data: bytes | memoryview, mtl: bytes | memoryview | None, max_triangles: int, kind: str = ""
) -> tuple[list[MeshPart], tuple[Note, ...]]:
    """The parts of a mesh file in LPS mm, and what was left out. Raises InvalidInput for a file of another kind."""
    kind = kind or format_of(bytes(data[: 1 << 16]))
    if mtl is not None and kind and (kind != "obj" or not _NEWMTL.search(bytes(mtl))):
        raise InvalidInput(f"got two files, {kind.upper()} and another: two are read if they are an OBJ and its MTL")
    if kind == "stl":
        return _read_stl(bytes(data), max_triangles), _left_out_of_stl(bytes(data))
    if kind == "obj":
        parts, notes = read_obj(data, mtl, max_triangles)
        return parts, (*_left_out_of_obj(bytes(data), mtl), *notes)
    if kind == "ply":
        return read_ply(data, max_triangles)
    if kind == "glb":
        return read_glb(data, max_triangles)
    if kind == "3mf":
        return read_3mf(data, max_triangles)
    got = kind_of(bytes(data[:512])) or f"{len(data)} bytes of an unknown kind"
    raise InvalidInput(f"an STL, OBJ, PLY, GLB or 3MF file was expected; this is {got}")


def _left_out_of_obj(data: bytes, mtl: bytes | memoryview | None) -> tuple[Note, ...]:
    found = (
        (_NO_COLORS, mtl is None and _MTLLIB.search(data[: 1 << 16])),
        (_TEXTURE, mtl is not None and _PAINTED.search(bytes(mtl))),
        (Note(Rank.LEFT_OUT, "", OBJ_COLORS), obj_has_colors(data)),
        (Note(Rank.LEFT_OUT, "", OBJ_LINES), obj_has_lines(data)),
    )
    return tuple(note for note, told in found if told)


def obj_has_colors(data: bytes) -> bool:
    """Whether the first vertices of an OBJ file have colors."""
    return _COLORED_VERTEX.search(data[: 1 << 16]) is not None


def obj_has_lines(data: bytes) -> bool:
    """Whether an OBJ file has more than faces."""
    return _NO_FACES.search(data) is not None


def _read_stl(data: bytes, max_triangles: int) -> list[MeshPart]:
    """A part for each solid of an ASCII file; a binary one is a single part."""
    pieces = _solids(data)
    parts, total = [], 0
    check_parts(len(pieces))
    for number, (name, piece) in enumerate(pieces, 1):
        mesh = read_stl(piece)
        total += len(mesh.triangles)
        check_triangles(total, max_triangles)
        if len(mesh.triangles):
            parts.append(MeshPart(name or f"part {number}", _in_lps(mesh, data[:512])))
    if not parts:
        raise InvalidInput("the STL file has no triangle")
    return parts


def _left_out_of_stl(data: bytes) -> tuple[Note, ...]:
    """Colors in the attributes of triangles, of two schemes that contradict each other, and bytes after the last."""
    if not is_binary(data):
        return ()
    count = int.from_bytes(data[HEADER_BYTES : HEADER_BYTES + 4], "little")
    surplus = data[HEADER_BYTES + 4 + count * RECORD.itemsize :]
    texts = []
    attributes = np.frombuffer(data, RECORD, count, HEADER_BYTES + 4)["attribute"]
    if b"COLOR=" in data[:HEADER_BYTES] or (attributes & _HAS_COLOR).any():
        texts.append("the STL file has colors of triangles, which are left out: programs differ in what they mean")
    if len(surplus) > PADDING and surplus.strip(b"\0"):
        texts.append(f"the STL file has {len(surplus):,} bytes after its last triangle, which are left out")
    return tuple(Note(Rank.LEFT_OUT, "", text) for text in texts)


def _solids(data: bytes) -> list[tuple[str, bytes]]:
    binary = int.from_bytes(data[80:84], "little") * 50 + 84
    starts = [] if len(data) >= 84 and binary <= len(data) else list(_SOLID.finditer(data))
    if len(starts) < 2:
        name = starts[0][1] if starts and b"\0" not in data[:1024] else b""
        return [(_name(name), data)]
    ends = [found.start() for found in starts[1:]] + [len(data)]
    return [(_name(found[1]), data[found.start() : end]) for found, end in zip(starts, ends, strict=True)]


def _name(raw: bytes) -> str:
    return one_line(raw.decode("utf-8", "replace"))[:256]


def _in_lps(mesh: Mesh, head: bytes) -> Mesh:
    """3D Slicer writes `SPACE=RAS` or `SPACE=LPS` into the header; LPS is taken if nothing is said."""
    if b"SPACE=RAS" not in head:
        return mesh
    return Mesh(mesh.vertices * np.array([-1, -1, 1], np.float32), mesh.triangles)
