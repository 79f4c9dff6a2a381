"""What a writer of models is. Instances stand in `registry.WRITERS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the Orthanc process, which loads no numpy, asks for suffixes and media types
    from orthanc_stl.model import Model


@dataclass(frozen=True)
class WriteOptions:
    """`compress`: smaller files that fewer programs read (GLB). `thumbnail`: a PNG in place of a picture of the model,
    where the format has room for one (3MF).
    """

    compress: bool = False
    thumbnail: bytes = b""


DEFAULT = WriteOptions()


class Writer(Protocol):
    """One format of files."""

    @property
    def suffix(self) -> str:
        """As in "/stl/scene.glb": "glb", "3mf", "obj.zip"."""

    @property
    def name(self) -> str:
        """For messages and menus: "GLB"."""

    @property
    def media_type(self) -> str: ...

    @property
    def several_parts(self) -> bool:
        """Whether parts keep their names and colors; else all become one surface."""

    @property
    def compresses(self) -> bool:
        """Whether `WriteOptions.compress` makes a difference."""

    def write(self, model: Model, options: WriteOptions = DEFAULT) -> bytes:
        """The file. Raises InvalidInput for a model without triangles, TooLarge for what the format cannot hold."""
