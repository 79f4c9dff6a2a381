"""Every format that models are written in. A new one is one file beside this, and one line here.

Importing this loads no numpy: the module of a format is loaded when a file is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from orthanc_stl.errors import InvalidInput
from orthanc_stl.formats.base import DEFAULT, WriteOptions, Writer

if TYPE_CHECKING:
    from orthanc_stl.model import Model


@dataclass(frozen=True)
class _Format:
    """A writer: `module`, a file beside this, has `write(model, options) -> bytes`."""

    suffix: str
    name: str
    media_type: str
    module: str
    several_parts: bool = True
    compresses: bool = False

    def write(self, model: Model, options: WriteOptions = DEFAULT) -> bytes:
        content: bytes = import_module(f"orthanc_stl.formats.{self.module}").write(model, options)
        return content


WRITERS: tuple[Writer, ...] = (
    _Format("glb", "GLB", "model/gltf-binary", "glb", compresses=True),
    _Format("3mf", "3MF", "model/3mf", "threemf"),
    _Format("obj.zip", "OBJ with MTL (zip)", "application/zip", "obj"),
    _Format("obj", "OBJ", "model/obj", "obj_alone"),
    _Format("ply", "PLY", "model/ply", "ply"),
    _Format("stl", "STL", "model/stl", "stl", several_parts=False),
    _Format("stl.zip", "STL files (zip)", "application/zip", "stl_zip"),
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
