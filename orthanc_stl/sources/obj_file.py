"""Wavefront OBJ and its MTL, read. A part is an object (`o`), else a group (`g`), else a material (`usemtl`).

Polygons become triangles (mesh/polygons.py); indices are from 1, or negative from the last vertex on. Textures and
normals are left out.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput
from orthanc_stl.mesh.polygons import triangulated
from orthanc_stl.model import Color, Note, Rank
from orthanc_stl.sources.mesh_parts import RAS_TO_LPS, MeshPart, check_parts, check_triangles, part_of

MOST_CORNERS = 1 << 16
"""Of a polygon."""

_SPACE = re.compile(rb"SPACE\s*=\s*(LPS|RAS)")
_TRUE_NAME = re.compile(rb"#\s*-?\d+ (.+?)(?:(?<=\\) \.)?")
"""In files that are made here: the name of the object below, with a point after a backslash at its end."""
_OURS = re.compile(rb"#\s*orthanc-stl\b")


@dataclass(frozen=True)
class Material:
    color: Color | None = None
    opacity: float = 1.0


@dataclass
class _Piece:
    """Polygons that belong together, as they are met. `materials`: in the order of their first faces."""

    name: str
    materials: dict[str, None] = field(default_factory=dict)
    corners: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))


def read_obj(
    data: bytes | memoryview, mtl: bytes | memoryview | None, max_triangles: int
) -> tuple[list[MeshPart], tuple[Note, ...]]:
    """The parts of an OBJ file, in LPS mm, each with the color of its first face; and what of the MTL is left out.

    Raises InvalidInput for faces of vertices that do not exist.
    """
    points, pieces, ras = _parsed(data, max_triangles)
    materials = read_mtl(mtl) if mtl is not None else {}
    places = np.frombuffer(points, np.float64).reshape(-1, 3) * (RAS_TO_LPS if ras else 1.0)
    parts = []
    for piece in pieces:
        material = materials.get(next(iter(piece.materials)), Material())
        corners, sizes = (np.frombuffer(one, np.int64) for one in (piece.corners, piece.sizes))
        triangles, _ = triangulated(places, corners, sizes)
        part = part_of(piece.name, places, triangles, material.color, material.opacity)
        if part is not None:
            parts.append(part)
    if not parts:
        raise InvalidInput("the OBJ file has no face")
    return parts, () if mtl is None else _notes_on_materials(pieces, materials)


def _notes_on_materials(pieces: list[_Piece], materials: Mapping[str, Material]) -> tuple[Note, ...]:
    named = dict.fromkeys(name for piece in pieces for name in piece.materials if name)
    missing = [name for name in named if name not in materials]
    several = sum(len({materials.get(name) for name in piece.materials}) > 1 for piece in pieces)
    texts = []
    if missing:
        shown = ", ".join(f'"{name[:40]}"' for name in missing[:5]) + (", ..." if len(missing) > 5 else "")
        texts.append(f"the MTL has no material {shown}: what the OBJ file gives it to has no color")
    if several:
        which = "a part has" if several == 1 else f"{several} parts have"
        texts.append(f"{which} faces of several materials in the OBJ file; a part has one here, that of its first face")
    return tuple(Note(Rank.LEFT_OUT, "", text) for text in texts)


def _parsed(data: bytes | memoryview, max_triangles: int) -> tuple[array[float], list[_Piece], bool]:
    points = array("d")
    pieces: dict[str, _Piece] = {}
    names = {"o": "", "g": "", "usemtl": "", "true": "", "shown": ""}
    triangles, ras, ours = 0, False, False
    for number, line in enumerate(_lines(data), 1):
        words = line.split()
        if not words:
            continue
        keyword = words[0]
        if keyword == b"v":
            points.extend(_place(words, number))
        elif keyword == b"f":
            corners = _corners(words[1:], len(points) // 3, number)
            triangles += len(corners) - 2
            check_triangles(triangles, max_triangles)
            piece = _piece(pieces, names)
            piece.materials.setdefault(names["usemtl"])
            piece.corners.extend(corners)
            piece.sizes.append(len(corners))
        elif keyword in (b"o", b"g", b"usemtl"):
            name = one_line(line.split(None, 1)[1].decode("utf-8", "replace")) if len(words) > 1 else ""
            names[keyword.decode()] = name
            if keyword == b"o":
                names["shown"] = names["true"] or name
            names["true"] = ""
        elif keyword.startswith(b"#"):
            found = _SPACE.search(line)
            ras = ras or bool(found and found[1] == b"RAS")
            ours = ours or (number == 1 and _OURS.match(line) is not None)
            true_name = _TRUE_NAME.fullmatch(line.strip()) if ours else None
            names["true"] = one_line(true_name[1].decode("utf-8", "replace")) if true_name else ""
    return points, list(pieces.values()), ras


def _piece(pieces: dict[str, _Piece], names: dict[str, str]) -> _Piece:
    """The piece that a face belongs to."""
    name = names["o"] or names["g"] or names["usemtl"] or "part"
    piece = pieces.get(name)
    if piece is None:
        check_parts(len(pieces) + 1)
        piece = pieces[name] = _Piece(names["shown"] if names["o"] else name)
    return piece


def _lines(data: bytes | memoryview) -> Iterator[bytes]:
    """Lines, with those that end in a backslash joined to the next, but for comments."""
    held: list[bytes] = []
    size = 0
    for line in BytesIO(data):
        line = line.rstrip(b"\r\n")
        if line.endswith(b"\\") and size < 1 << 20 and (held or not line.lstrip().startswith(b"#")):
            held.append(line[:-1])
            size += len(line)
            continue
        yield b" ".join((*held, line)) if held else line
        held, size = [], 0
    if held:
        yield b" ".join(held)


def _place(words: list[bytes], number: int) -> tuple[float, float, float]:
    try:
        return float(words[1]), float(words[2]), float(words[3])
    except (ValueError, IndexError):
        raise InvalidInput(f"line {number} of the OBJ file is no vertex: three numbers are expected") from None


def _corners(words: list[bytes], count: int, number: int) -> list[int]:
    if not 3 <= len(words) <= MOST_CORNERS:
        raise InvalidInput(f"line {number} of the OBJ file is a face of {len(words)} corners")
    corners = []
    for word in words:
        text = word.partition(b"/")[0]
        if not text.lstrip(b"-").isdigit() or len(text) > 12:
            raise InvalidInput(f"line {number} of the OBJ file is a face with a corner that is no number")
        index = int(text)
        corner = index - 1 if index > 0 else count + index
        if not 0 <= corner < count:
            raise InvalidInput(f"line {number} of the OBJ file names vertex {index}; there are {count} so far")
        corners.append(corner)
    return corners


def read_mtl(data: bytes | memoryview) -> dict[str, Material]:
    """Materials by name: `Kd` is taken for sRGB, `d` is the opacity, `Tr` is 1 less that. Other lines are left out.

    MeshLab writes `Tr 1` for what is opaque, so an opacity of 0, with which nothing is seen, is taken for 1.
    """
    materials: dict[str, Material] = {}
    name = ""
    for line in BytesIO(data):
        words = line.split()
        if len(words) < 2:
            continue
        if words[0] == b"newmtl":
            name = one_line(line.split(None, 1)[1].decode("utf-8", "replace"))
            check_parts(len(materials) + 1)
            materials[name] = Material()
            continue
        values = _numbers(words[1:])
        if name not in materials or not values:
            continue
        before = materials[name]
        if words[0] == b"Kd" and len(values) >= 3:
            red, green, blue = (round(min(max(value, 0.0), 1.0) * 255) for value in values[:3])
            materials[name] = Material((red, green, blue), before.opacity)
        elif words[0] in (b"d", b"Tr"):
            opacity = values[-1] if words[0] == b"d" else 1 - values[-1]
            materials[name] = Material(before.color, min(max(opacity, 0.0), 1.0) or 1.0)
    return materials


def _numbers(words: list[bytes]) -> list[float]:
    found = []
    for word in words:
        try:
            value = float(word)
        except ValueError:
            continue
        if np.isfinite(value):
            found.append(value)
    return found
