"""PLY, read: faces of any number of corners, with colors of vertices or faces, and labels of faces.

trimesh reads no binary faces of different sizes, and loses what a face of four corners has besides: its label, its
color. PLY has no units: mm and LPS are taken unless a comment says `SPACE=RAS`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.mesh.polygons import triangulated
from orthanc_stl.model import Note
from orthanc_stl.sources.mesh_parts import (
    RAS_TO_LPS,
    MeshPart,
    check_parts,
    check_triangles,
    color_of_most,
    note_on_painted,
    part_of,
)
from orthanc_stl.sources.ply_elements import Lists, Values, read_elements

_LABEL = re.compile(rb"^comment label (-?[0-9]{1,9}) (.*)", re.MULTILINE)
_CORNERS = ("vertex_indices", "vertex_index")


@reading("the PLY file")
def read_ply(data: bytes | memoryview, max_triangles: int) -> tuple[list[MeshPart], tuple[Note, ...]]:
    """One part, or one for each `label` of the faces with the names of the comments `label 5 liver`; what is left out.

    Raises InvalidInput for a damaged file, and for one without faces.
    """
    head, found = read_elements(data, max_triangles)
    points, corners = _points(found.get("vertex", {})), _corners(found)
    check_triangles(int((corners.sizes - 2).clip(0).sum()), max_triangles)
    wrong = corners.values[(corners.values < 0) | (corners.values >= len(points))]
    if len(wrong):
        raise InvalidInput(f"a face of the PLY file names vertex {int(wrong[0])} of {len(points)}")
    whole = corners.sizes > 2
    kept = np.repeat(whole, corners.sizes)
    triangles, owners = triangulated(points, corners.values[kept], corners.sizes[whole])
    owners = np.flatnonzero(whole)[owners]
    points = points * (RAS_TO_LPS if b"SPACE=RAS" in head else 1.0)
    parts, painted = _parts(head, found, points, triangles, owners)
    if not parts:
        raise InvalidInput("the PLY file has no face with three different corners")
    return parts, note_on_painted(painted)


def _parts(
    head: bytes, found: Mapping[str, Values], points: np.ndarray, triangles: np.ndarray, owners: np.ndarray
) -> tuple[list[MeshPart], int]:
    """The parts, and how many of them have several colors. `owners`: the face of each triangle."""
    names = {int(number): one_line(name.decode("utf-8", "replace")) for number, name in _LABEL.findall(head)}
    of_vertices, of_faces = _colors(found["vertex"]), _colors(found["face"])
    labels = _labels(found["face"].get("label"), owners)
    parts: list[MeshPart] = []
    painted = 0
    for label in [None] if labels is None else np.unique(labels).tolist():
        check_parts(len(parts) + 1)
        chosen = slice(None) if labels is None else labels == label
        of_these = triangles[chosen]
        name = "part" if label is None else names.get(label) or f"label {label}"
        if of_vertices is not None:
            color, opacity, several = color_of_most(of_vertices[np.unique(of_these)])
        else:
            color, opacity, several = color_of_most(None if of_faces is None else of_faces[owners[chosen]])
        part = part_of(name, points, of_these, color, opacity)
        if part is not None:
            painted += several
            parts.append(part)
    return parts, painted


def _labels(given: np.ndarray | Lists | None, owners: np.ndarray) -> np.ndarray | None:
    """Of each triangle `(n,) int64`; None for faces without, or with labels that are no whole numbers."""
    if not isinstance(given, np.ndarray) or not np.isfinite(given).all() or (given != np.trunc(given)).any():
        return None
    return given.astype(np.int64)[owners]


def _points(vertices: Values) -> np.ndarray:
    axes = [vertices.get(axis) for axis in "xyz"]
    if not all(isinstance(axis, np.ndarray) for axis in axes):
        raise InvalidInput("the vertices of the PLY file have no x, y and z")
    with np.errstate(invalid="ignore"):  # part_of refuses what is no number
        return np.stack([np.asarray(axis, np.float64) for axis in axes], axis=1)


def _corners(found: Mapping[str, Values]) -> Lists:
    faces = found.get("face", {})
    corners = next((faces[name] for name in _CORNERS if name in faces), None)
    if not isinstance(corners, Lists) or not len(corners.sizes):
        strips = " but strips of triangles, which are not read" if "tristrips" in found else ""
        raise InvalidInput(f"the PLY file has no face{strips}")
    with np.errstate(invalid="ignore"):
        whole = corners.values.astype(np.int64)
    if (whole != corners.values).any():
        raise InvalidInput("a face of the PLY file names a vertex by no whole number")
    return Lists(corners.sizes, whole)


def _colors(values: Values) -> np.ndarray | None:
    """`(n, 4) uint8`, sRGB: of 0 to 1 if they are floating, else of 0 to 255. None without red, green and blue."""
    given = [values.get(name) for name in ("red", "green", "blue")]
    if not all(isinstance(one, np.ndarray) for one in given):
        return None
    alpha = values.get("alpha")
    channels = [one for one in (*given, alpha) if isinstance(one, np.ndarray)]
    colors = np.full((len(channels[0]), 4), 255, np.uint8)
    for place, channel in enumerate(channels):
        parts = channel.astype(np.float64) * (255 if channel.dtype.kind == "f" else 1)
        colors[:, place] = np.rint(np.nan_to_num(parts).clip(0, 255))
    return colors
