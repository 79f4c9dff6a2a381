"""A format: points as text, a heading for each part."""

from __future__ import annotations

from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.scene import written_parts
from orthanc_stl.model import Model


def write(model: Model, options: WriteOptions) -> bytes:
    lines: list[str] = []
    for part in written_parts(model):
        lines.append(f"# {part.name}")
        lines += [f"{x:.3f} {y:.3f} {z:.3f}" for x, y, z in part.mesh.vertices.tolist()]
    return "\n".join(lines).encode()
