"""PLY, binary little endian: one surface with colored vertices, whose faces say which structure they are of.

`property int label` of the faces and the comments `label 5 liver` are what tools for teeth and for learning read; the
format has no names and no units of its own, which stand in comments as 3D Slicer reads them (`SPACE=LPS`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orthanc_stl import __version__
from orthanc_stl.errors import TooLarge
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.scene import color_of, labels_of, plain, written_parts
from orthanc_stl.mesh.triangles import vertex_normals
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Model, Part

_VERTEX = np.dtype([("place", "<f4", 3), ("normal", "<f4", 3), ("color", "u1", 4)])
_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3), ("label", "<i4")])
_MOST_VERTICES = (1 << 31) - 1
_COMMENTS = (f"orthanc-stl {__version__}", "UNITS=mm", "SPACE=LPS")


def write(model: Model, options: WriteOptions) -> bytes:
    """Raises InvalidInput for no triangles, TooLarge for more vertices than its indices of 32 bits can name."""
    parts = written_parts(model)
    vertices = sum(len(part.mesh.vertices) for part in parts)
    faces = sum(len(part.mesh.triangles) for part in parts)
    if vertices > _MOST_VERTICES:
        raise TooLarge(f"a PLY file of {vertices} vertices; its indices go to {_MOST_VERTICES}")
    labels = labels_of(parts)
    head = _header(model, parts, labels, vertices, faces)
    out = bytearray(len(head) + vertices * _VERTEX.itemsize + faces * _FACE.itemsize)
    out[: len(head)] = head
    points = np.frombuffer(out, _VERTEX, vertices, len(head))
    triangles = np.frombuffer(out, _FACE, faces, len(head) + points.nbytes)
    first_vertex = first_face = 0
    for part, label in zip(parts, labels, strict=True):
        place = points[first_vertex : first_vertex + len(part.mesh.vertices)]
        place["place"], place["normal"] = part.mesh.vertices, vertex_normals(part.mesh)
        place["color"] = (*color_of(part), round(part.opacity * 255))
        face = triangles[first_face : first_face + len(part.mesh.triangles)]
        face["count"], face["label"] = 3, label
        np.add(part.mesh.triangles, first_vertex, out=face["corners"])
        first_vertex += len(place)
        first_face += len(face)
    return bytes(out)


def colored_ply(mesh: Mesh, colors: np.ndarray, comments: Sequence[str]) -> bytes:
    """One surface with a color `(n, 3) uint8` for each vertex."""
    points = np.empty(len(mesh.vertices), _VERTEX)
    points["place"], points["normal"] = mesh.vertices, vertex_normals(mesh)
    points["color"][:, :3], points["color"][:, 3] = colors, 255
    faces = np.empty(len(mesh.triangles), _FACE)
    faces["count"], faces["label"], faces["corners"] = 3, 1, mesh.triangles
    head = _head([*_COMMENTS, *(plain(text) for text in comments)], len(points), len(faces))
    return head + points.tobytes() + faces.tobytes()


def _header(model: Model, parts: Sequence[Part], labels: Sequence[int], vertices: int, faces: int) -> bytes:
    comments = [*_COMMENTS]
    if model.frame_of_reference_uid:
        comments.append(f"FrameOfReferenceUID={plain(model.frame_of_reference_uid)}")
    comments += [f"label {label} {part.name}" for part, label in zip(parts, labels, strict=True)]
    return _head(comments, vertices, faces)


def _head(comments: Sequence[str], vertices: int, faces: int) -> bytes:
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        *(f"comment {text}" for text in comments),
        f"element vertex {vertices}",
        *(f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")),
        *(f"property uchar {name}" for name in ("red", "green", "blue", "alpha")),
        f"element face {faces}",
        "property list uchar int vertex_indices",
        "property int label",
        "end_header",
        "",
    ]
    return "\n".join(lines).encode()
