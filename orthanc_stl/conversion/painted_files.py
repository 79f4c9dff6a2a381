"""Painted files of scanners: GLB, and zips with an OBJ, its MTL and its pictures, read by trimesh.

trimesh passes over in silence what it does not find or cannot read; here it is told.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import trimesh
from PIL import Image

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.sources.glb_document import (
    Materials,
    checked_json,
    left_out_of,
    materials_of,
    pictures_left_out,
    textured_primitives,
)
from orthanc_stl.sources.glb_positions import for_trimesh
from orthanc_stl.sources.mesh_files import OBJ_COLORS, OBJ_LINES, obj_has_colors, obj_has_lines

MOST_UNPACKED_BYTES = 1 << 30
MOST_FILES = 1000
_MOST_TOLD = 5

_MTLLIB = re.compile(rb"^[ \t]*mtllib[ \t](.*)", re.MULTILINE)
_USED = re.compile(rb"^[ \t]*usemtl[ \t](.*)", re.MULTILINE)
_PLACES = re.compile(rb"^[ \t]*vt[ \t]", re.MULTILINE)
_VALUE = re.compile(r"[-+.\d]+|on|off|[rgbmlz]")
"""Of an option before the name of a picture: `-s 2 2 1`, `-clamp on`, `-imfchan r`."""
_ZERO = re.compile(r"[-+]?[0.]+")
_UNMOVED = {"-s": re.compile(r"\+?1(\.0*)?"), "-o": _ZERO, "-t": _ZERO}
"""Values with which a picture lies as it does without the option."""


@dataclass(frozen=True)
class PaintedFile:
    """What trimesh read, `materials` of a GLB, and sentences on what is lost. `metres_y_up`: as glTF has it."""

    scene: Any
    materials: Materials
    lost: tuple[str, ...]
    metres_y_up: bool


def read_painted(data: bytes) -> PaintedFile:
    """Raises InvalidInput for another or damaged file, TooLarge for too many unpacked bytes."""
    if data[:4] == b"glTF":
        document = checked_json(data)
        scene = _loaded(bytes(for_trimesh(data, document)), "glb", _Files({}))
        lost = [note.text for note in left_out_of(document)]
        lost += pictures_left_out(document)
        missing = textured_primitives(document) - sum(map(has_picture, scene.geometry.values()))
        if missing > 0:
            lost.append(
                f"the pictures of {missing} of the meshes of the GLB file cannot be read (PNG, JPEG and WebP can), or"
                " have no places on them: these are in the plain color of their material"
            )
        return PaintedFile(scene, materials_of(document), tuple(lost), True)
    if data[:4] == b"PK\3\4":
        files, name = _unpacked(data)
        folder = posixpath.dirname(name) or "."
        others = _Files({posixpath.relpath(key, folder): file for key, file in files.items()})
        scene = _loaded(files[name], "obj", others)
        return PaintedFile(scene, {}, tuple(_lost_of_obj(files[name], others, scene)), False)
    raise InvalidInput("this is neither a GLB file nor a zip with an OBJ file")


def has_picture(mesh: Any) -> bool:
    """Whether a mesh has a picture and says where on it."""
    visual = getattr(mesh, "visual", None)
    return picture_of(visual) is not None and getattr(visual, "uv", None) is not None


def picture_of(visual: Any) -> Image.Image | None:
    """The picture of a mesh's material. trimesh gives an OBJ without one a grey picture of its own, of no file."""
    material = getattr(visual, "material", None)
    of_glb: Image.Image | None = getattr(material, "baseColorTexture", None)
    of_obj: Image.Image | None = getattr(material, "image", None)
    return of_glb or (of_obj if of_obj is not None and "file_path" in of_obj.info else None)


def _lost_of_obj(obj: bytes, files: _Files, scene: Any) -> list[str]:
    named = {_shown(name) for name in _MTLLIB.findall(obj)} - {""}
    lost = []
    if not named and (_USED.search(obj) or _PLACES.search(obj)):
        lost.append("the OBJ file names no MTL, so that nothing is known of its colors and pictures")
    if len(named) > 1:
        lost.append(f"the OBJ file names MTL files in {len(named)} lines, of which the first is read")
    for name in list(files.missing)[:_MOST_TOLD]:
        what = "MTL" if _shown(name) in named or name.lower().endswith(".mtl") else "picture"
        lost.append(f'the {what} "{_shown(name)}" is not in the zip: the colors that it gives to the surface are lost')
    mtl = [content for name, content in files.read.items() if _shown(name) in named]
    pictures = {name: content for name, content in files.read.items() if _shown(name) not in named}
    for name, content in pictures.items():
        if not _is_picture(content):
            lost.append(f'the picture "{_shown(name)}" cannot be read: what it covers is in one color')
        elif _is_moved(name):
            lost.append(
                f'the picture "{_shown(name)}" is moved or scaled by options of the MTL, which are not read:'
                " its colors are at wrong places"
            )
    if mtl:
        lost += _lost_of_materials(obj, b"\n".join(mtl))
    if obj_has_colors(obj) and any(getattr(mesh.visual, "kind", "") == "texture" for mesh in scene.geometry.values()):
        lost.append(f"{OBJ_COLORS} where faces have a material or places in a picture")
    return [*lost, *([OBJ_LINES] if obj_has_lines(obj) else [])]


def _lost_of_materials(obj: bytes, mtl: bytes) -> list[str]:
    used = {name.strip() for name in _USED.findall(obj)} - {b""}
    keys: dict[bytes, set[bytes]] = {}
    name = b""
    for line in io.BytesIO(mtl):
        key, *words = line.split() or [b""]
        if key.lower() == b"newmtl":
            name = b" ".join(words)
        keys.setdefault(name, set()).add(key.lower())
    lost = []
    if unknown := len(used - keys.keys()):
        lost.append(f"{unknown} of the materials of the OBJ file are not in its MTL: their surfaces are grey")
    ambient = sum(b"map_ka" in keys.get(name, ()) and b"map_kd" not in keys[name] for name in used)
    if ambient:
        lost.append(f"{ambient} of the materials have a picture for ambient light alone (map_Ka), which is left out")
    return lost


def _options_of(name: str) -> tuple[list[str], str]:
    """What stands before the name of a picture in an MTL, and the name."""
    words = name.split()
    count = 0
    while words and count < len(words) - 1 and (words[count][0] == "-" or (count and _VALUE.fullmatch(words[count]))):
        count += 1
    return words[:count], name.split(None, count)[-1] if words else ""


def _is_moved(name: str) -> bool:
    """Whether options change where a picture lies."""
    option = ""
    for word in _options_of(name)[0]:
        if word[1:].isalpha():
            option = word
        elif option in _UNMOVED and not _UNMOVED[option].fullmatch(word):
            return True
    return False


def _shown(name: bytes | str) -> str:
    return one_line(name.decode("utf-8", "replace") if isinstance(name, bytes) else name)[:80]


def _is_picture(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)):
            return True
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # as Pillow says it
        return False


def _unpacked(data: bytes) -> tuple[dict[str, bytes], str]:
    """The files of a zip, and which of them is the OBJ. Their names are keys only: nothing is written by them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            size = sum(entry.file_size for entry in entries)
            if len(entries) > MOST_FILES or size > MOST_UNPACKED_BYTES:
                raise TooLarge(
                    f"the zip has {len(entries)} files of {size >> 20} MB; {MOST_FILES} files of"
                    f" {MOST_UNPACKED_BYTES >> 20} MB together are the most that are read"
                )
            files = {posixpath.normpath(entry.filename.replace("\\", "/")): archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise InvalidInput(f"the zip cannot be read: {str(error)[:100] or type(error).__name__}") from None
    names = [name for name in files if name.lower().endswith(".obj") and not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise InvalidInput(f"the zip has {len(names)} files that end in .obj; one is expected")
    return files, names[0]


class _Files(trimesh.resolvers.Resolver):
    """The other files of a zip, as the OBJ names them; capitals do not count, as on Windows, where many are made.

    `read`: what was asked for and is there, `missing`: what is not.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._lower = {name.lower(): file for name, file in files.items()}
        self.read: dict[str, bytes] = {}
        self.missing: dict[str, None] = {}

    def get(self, name: str) -> bytes:
        """By the rest of a line: a name, several of MTL files, or options and the name of a picture."""
        name = name.strip()
        names = name.split()
        if self._found(name) is not None or not all(one.lower().endswith(".mtl") for one in names):
            names = [name if self._found(name) is not None else _options_of(name)[1]]
        found = {one: self._found(one) for one in names}
        self.missing.update({one: None for one, content in found.items() if content is None})
        contents = [content for content in found.values() if content is not None]
        if not contents:
            raise KeyError(name)
        self.read[name] = contents[0] if len(contents) == 1 else b"\n".join(contents)
        return self.read[name]

    def _found(self, name: str) -> bytes | None:
        path = posixpath.normpath(name.replace("\\", "/"))
        return self._files.get(path, self._lower.get(path.lower()))

    def keys(self) -> list[str]:
        return list(self._files)

    def namespaced(self, namespace: str) -> _Files:
        return self

    def write(self, name: str, data: bytes) -> None:
        raise OSError("nothing is written")


def _loaded(data: bytes, kind: str, files: _Files) -> Any:
    try:
        return trimesh.load_scene(io.BytesIO(data), file_type=kind, process=False, resolver=files)
    except MemoryError:
        raise
    except Exception as error:  # trimesh raises whatever its steps do for a damaged file
        said = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        raise InvalidInput(f"the {kind.upper()} file cannot be read: {said}") from None
