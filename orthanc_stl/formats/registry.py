"""Every format that models are written in. A new one is one file beside this, and one line here.

Importing this loads no numpy: the module of a format is loaded when a file is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.base import DEFAULT, WriteOptions, Writer

if TYPE_CHECKING:
    from orthanc_stl.model import Model


@dataclass(frozen=True)
class Format:
    """A writer. `function`, as "module:function", is `write(model, options) -> bytes`."""

    suffix: str
    name: str
    media_type: str
    function: str
    several_parts: bool = True
    compresses: bool = False

    def write(self, model: Model, options: WriteOptions = DEFAULT) -> bytes:
        content: bytes = resolve_name(self.function)(model, options)
        return content


WRITERS: tuple[Writer, ...] = (
    Format("glb", "GLB", "model/gltf-binary", "orthanc_stl.formats.glb:write", compresses=True),
    Format("3mf", "3MF", "model/3mf", "orthanc_stl.formats.threemf:write"),
    Format("obj.zip", "OBJ with MTL (zip)", "application/zip", "orthanc_stl.formats.obj:write"),
    Format("obj", "OBJ", "model/obj", "orthanc_stl.formats.obj_alone:write"),
    Format("ply", "PLY", "model/ply", "orthanc_stl.formats.ply:write"),
    Format("stl", "STL", "model/stl", "orthanc_stl.formats.stl:write", several_parts=False),
    Format("stl.zip", "STL files (zip)", "application/zip", "orthanc_stl.formats.stl_zip:write"),
)


def writer_of(suffix: str) -> Writer | None:
    """The writer of files that end so, without the first point: "glb", "obj.zip"."""
    return next((writer for writer in WRITERS if writer.suffix == suffix), None)


def writer_of_name(name: str) -> Writer | None:
    """The writer for a file of that name, by the longest suffix that fits."""
    fitting = [writer for writer in WRITERS if name.lower().endswith(f".{writer.suffix}")]
    return max(fitting, key=lambda writer: len(writer.suffix), default=None)


def how_to_write(writer: Writer, *, compress: bool) -> WriteOptions:
    """Raises InvalidInput if files of this format cannot be compressed."""
    if compress and not writer.compresses:
        able = ", ".join(one.name for one in WRITERS if one.compresses)
        raise InvalidInput(f"compress makes files of {able} smaller, not those of {writer.name}")
    return WriteOptions(compress=compress)
