"""A format: points as text, a heading for each part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orthanc_stl.formats.base import DEFAULT, WriteOptions

if TYPE_CHECKING:  # numpy is not loaded where only the name of the format is asked for
    from orthanc_stl.model import Model


class Points:
    suffix, name, media_type, several_parts = "xyz", "Points", "text/plain", True

    def write(self, model: Model, options: WriteOptions = DEFAULT) -> bytes:
        lines: list[str] = []
        for part in model:
            lines.append(f"# {part.name}")
            lines += [f"{x:.3f} {y:.3f} {z:.3f}" for x, y, z in part.mesh.vertices.tolist()]
        return "\n".join(lines).encode()
