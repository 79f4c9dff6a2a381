"""Wavefront OBJ and its MTL: in a zip for files, each by itself for DICOM, the OBJ alone for who wants one file.

Coordinates are LPS mm, which OBJ cannot say otherwise than in a comment (3D Slicer reads `SPACE=LPS`). One `o` and one
material a structure; names have no blanks, since readers cut there, and the true name stands in a comment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orthanc_stl import __version__
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.scene import color_of, plain, shown_name, single_names, write_rows, written_parts
from orthanc_stl.formats.zipped import Zip
from orthanc_stl.model import Model, Part

OBJ_NAME, MTL_NAME = "model.obj", "model.mtl"


def write(model: Model, options: WriteOptions) -> bytes:
    """Coordinates are written so that they read back the same. Raises InvalidInput for no triangles."""
    parts = written_parts(model)
    archive = Zip()
    with archive.entry(OBJ_NAME) as write:
        _write_obj(write, model, parts, MTL_NAME)
    archive.add(MTL_NAME, _mtl(parts))
    return archive.content()


def obj_and_mtl(model: Model, mtl_name: str = MTL_NAME) -> tuple[bytes, bytes]:
    """The two files; `mtl_name` is what the OBJ calls the other (`mtllib`)."""
    parts = written_parts(model)
    pieces: list[bytes] = []
    _write_obj(pieces.append, model, parts, mtl_name)
    return b"".join(pieces), _mtl(parts)


def obj_alone(model: Model) -> bytes:
    """The OBJ without an MTL, and so without colours."""
    pieces: list[bytes] = []
    _write_obj(pieces.append, model, written_parts(model), "")
    return b"".join(pieces)


def _write_obj(write: Callable[[bytes], object], model: Model, parts: Sequence[Part], mtl_name: str) -> None:
    """`mtl_name` empty: without materials."""
    head = [f"# orthanc-stl {__version__}", "# UNITS=mm", "# SPACE=LPS"]
    if model.frame_of_reference_uid:
        head.append(f"# FrameOfReferenceUID={plain(model.frame_of_reference_uid)}")
    if mtl_name:
        head.append(f"mtllib {mtl_name}")
    write("\n".join([*head, ""]).encode())
    first = 1
    for part, name in zip(parts, single_names(parts), strict=True):
        write(f"{_comment(part)}\no {name}\n".encode())
        write_rows(write, "v %.9g %.9g %.9g\n", part.mesh.vertices)
        if mtl_name:
            write(f"usemtl {name}\n".encode())
        write_rows(write, "f %d %d %d\n", part.mesh.triangles, add=first)
        first += len(part.mesh.vertices)


def _comment(part: Part) -> str:
    """The true name. A backslash at the end of a line would join the next one to it, in comments, too."""
    name = shown_name(part)
    return f"# {part.number} {name}" + (" ." if name.endswith("\\") else "")


def _mtl(parts: Sequence[Part]) -> bytes:
    lines = [f"# orthanc-stl {__version__}"]
    for part, name in zip(parts, single_names(parts), strict=True):
        red, green, blue = (f"{value / 255:.6f}" for value in color_of(part))
        lines += [
            _comment(part),
            f"newmtl {name}",
            f"Kd {red} {green} {blue}",
            "Ka 0 0 0",
            "Ks 0 0 0",
            f"d {part.opacity:g}",
            "illum 1",
        ]
    return "\n".join([*lines, ""]).encode()
