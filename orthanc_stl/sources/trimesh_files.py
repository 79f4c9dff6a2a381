"""PLY and GLB, read by trimesh, once their headers have shown that nothing large comes of little.

GLB is in metres with +Y up and the face to +Z (glTF 2.0, section 3.4): it is turned to LPS mm. PLY has no units, mm and
LPS are taken unless a comment says `SPACE=RAS`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import trimesh
from trimesh.util import unique_name

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.formats.scene import linear
from orthanc_stl.model import Color, Note, Rank
from orthanc_stl.sources.glb_document import (
    Materials,
    checked_json,
    dicts,
    left_out_of,
    materials_of,
    picture_note,
    srgb,
)
from orthanc_stl.sources.mesh_parts import RAS_TO_LPS, MeshPart, check_parts, check_triangles, part_of

MOST_HEADER = 1 << 20  # bytes of a PLY header

_ELEMENT = re.compile(rb"^element\s+\S+\s+([0-9]+)\s*$", re.MULTILINE)
_LABEL = re.compile(rb"^comment label (-?[0-9]{1,9}) (.*)", re.MULTILINE)
_SRGB = np.array([srgb(step / 255) for step in range(256)], np.uint8)
"""Of linear light in bytes."""

METRES_Y_UP_TO_LPS = np.array([[1000.0, 0, 0, 0], [0, 0, -1000.0, 0], [0, 1000.0, 0, 0], [0, 0, 0, 1]])


def read_ply(data: bytes | memoryview, max_triangles: int) -> tuple[list[MeshPart], tuple[Note, ...]]:
    """One part, or one for each `label` of the faces with the names of the comments `label 5 liver`; what is left out.

    Raises InvalidInput for a damaged file, and for one without faces.
    """
    head = bytes(data[:MOST_HEADER]).partition(b"end_header")[0]
    counts = [int(count) for count in _ELEMENT.findall(head)]
    if sum(counts) > len(data):
        raise InvalidInput(f"the PLY header claims {sum(counts)} elements, the file has {len(data)} bytes")
    mesh = _loaded(data, "ply")
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        raise InvalidInput("the PLY file has no face")
    check_triangles(len(mesh.faces), max_triangles)
    points = np.asarray(mesh.vertices) * (RAS_TO_LPS if b"SPACE=RAS" in head else 1.0)
    faces, colors = np.asarray(mesh.faces), _vertex_colors(mesh)
    names = {int(number): one_line(name.decode("utf-8", "replace")) for number, name in _LABEL.findall(head)}
    labels = _face_labels(mesh)
    parts: list[MeshPart] = []
    painted = 0
    for label in [None] if labels is None else np.unique(labels).tolist():
        check_parts(len(parts) + 1)
        chosen = faces if label is None else faces[labels == label]
        name = "part" if label is None else names.get(label) or f"label {label}"
        color, opacity, several = _common(colors, chosen)
        painted += several
        part = part_of(name, points, chosen, color, opacity)
        if part is not None:
            parts.append(part)
    if not parts:
        raise InvalidInput("the PLY file has no face with three different corners")
    return parts, _of_painted(painted)


def read_glb(data: bytes | memoryview, max_triangles: int) -> tuple[list[MeshPart], tuple[Note, ...]]:
    """A part for each node that has a mesh, at its place; and what is left out.

    Raises InvalidInput for a damaged file, for outer files, and for what would be missing without a word.
    """
    document = checked_json(data)
    scene = _loaded(data, "glb")
    if not isinstance(scene, trimesh.Scene) or not scene.geometry:
        raise InvalidInput("the GLB file has no mesh")
    parts: list[MeshPart] = []
    total = painted = 0
    check_parts(len(scene.graph.nodes_geometry))
    materials = materials_of(document)
    for node, shown in _in_order(scene, document):
        matrix, name = scene.graph[node]
        mesh = scene.geometry[name]
        if not isinstance(mesh, trimesh.Trimesh):
            continue
        total += len(mesh.faces)
        check_triangles(total, max_triangles)
        place = METRES_Y_UP_TO_LPS @ matrix
        with np.errstate(all="ignore"):  # what overflows is no finite place, and refused by part_of
            points = np.asarray(mesh.vertices) @ place[:3, :3].T + place[:3, 3]
        faces = np.asarray(mesh.faces)
        faces = faces[:, ::-1] if np.linalg.det(place[:3, :3]) < 0 else faces
        color, opacity, several = material_of(mesh, materials)
        painted += several
        part = part_of(shown, points, faces, color, opacity)
        if part is not None:
            parts.append(part)
    if not parts:
        raise InvalidInput("the GLB file has no triangle")
    return parts, (*left_out_of(document), *picture_note(document), *_of_painted(painted))


def _in_order(scene: trimesh.Scene, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The nodes with a mesh in the file's order, by trimesh's unique names, and the names that they have in the file.

    trimesh goes through them from the last to the first, and gives each primitive of a mesh a node below its own.
    """
    nodes = dicts(document, "nodes")
    places: dict[str, int] = {}
    counts: dict[str | None, int] = {}
    for place, node in enumerate(nodes):
        places[unique_name(node.get("name", str(place)), places, counts=counts)] = place
    parents = scene.graph.transforms.parents
    found = []
    for order, name in enumerate(reversed(scene.graph.nodes_geometry)):
        place = places.get(name, places.get(parents.get(name, ""), len(nodes)))
        shown = nodes[place].get("name") if place < len(nodes) else name
        found.append((place, order, name, one_line(str(shown or "")) or "part"))
    return [(name, shown) for _, _, name, shown in sorted(found)]


def _loaded(data: bytes | memoryview, kind: str) -> Any:
    with reading(f"the {kind.upper()} file"):
        if kind == "glb":
            return trimesh.load_scene(io.BytesIO(data), file_type=kind, process=False, resolver=None)
        return trimesh.load_mesh(io.BytesIO(data), file_type=kind, process=False, skip_materials=True)


def _face_labels(mesh: trimesh.Trimesh) -> np.ndarray | None:
    raw = mesh.metadata.get("_ply_raw", {}).get("face", {}).get("data")
    if raw is None or getattr(raw, "dtype", None) is None or raw.dtype.names is None or "label" not in raw.dtype.names:
        return None
    labels = np.asarray(raw["label"]).reshape(-1)
    return labels if len(labels) == len(mesh.faces) else None


def _vertex_colors(mesh: trimesh.Trimesh) -> np.ndarray | None:
    if getattr(mesh.visual, "kind", "") != "vertex":
        return None
    colors = np.asarray(getattr(mesh.visual, "vertex_colors", ()))
    return colors if colors.shape == (len(mesh.vertices), 4) else None


def _of_painted(parts: int) -> tuple[Note, ...]:
    which = "a part" if parts == 1 else f"{parts} parts"
    text = f"the vertices of {which} have several colors; a part has one here, that of most of its vertices"
    return (Note(Rank.LEFT_OUT, "", text),) if parts else ()


def _common(colors: np.ndarray | None, faces: np.ndarray) -> tuple[Color | None, float, bool]:
    """Color and opacity of most vertices of these faces, and whether others have another color."""
    if colors is None or not len(faces):
        return None, 1.0, False
    found, counts = np.unique(colors[np.unique(faces)], axis=0, return_counts=True)
    red, green, blue, alpha = found[int(np.argmax(counts))].tolist()
    return (red, green, blue), alpha / 255, len(found) > 1


def material_of(mesh: trimesh.Trimesh, materials: Materials) -> tuple[Color | None, float, bool]:
    """Color and opacity of a mesh of a GLB, with `materials` as of `materials_of`, and whether it has other colors too.

    The color of most of its vertices counts, if they have some, times that of the material (glTF 2.0, section 3.9.2).
    """
    painted, alpha, several = _common(colors_of_glb(mesh), np.asarray(mesh.faces))
    color, opacity = _base_color(mesh, materials)
    if color is None:
        return painted, alpha if painted else opacity, several
    if painted is None:
        return color, opacity, False
    red, green, blue = (srgb(one * other) for one, other in zip(linear(painted), linear(color), strict=True))
    return (red, green, blue), opacity, several


def _base_color(mesh: trimesh.Trimesh, materials: Materials) -> tuple[Color | None, float]:
    material = getattr(mesh.visual, "material", None)
    if material is None:
        return None, 1.0
    name = str(getattr(material, "name", "") or "")
    if name in materials:
        return materials[name]
    factor = getattr(material, "baseColorFactor", None)
    if factor is None or len(factor) != 4:
        return None, 1.0
    red, green, blue = (srgb(float(value) / 255) for value in factor[:3])
    opaque = (getattr(material, "alphaMode", None) or "OPAQUE") == "OPAQUE"
    return (red, green, blue), 1.0 if opaque else float(factor[3]) / 255


def colors_of_glb(mesh: trimesh.Trimesh) -> np.ndarray | None:
    """The colors `(n, 4) uint8` of its vertices, sRGB: glTF has them linear. Beside a material, they are attributes."""
    found = _vertex_colors(mesh)
    if found is None:
        found = getattr(mesh.visual, "vertex_attributes", {}).get("color")
    if found is None or found.ndim != 2 or found.shape[1] not in (3, 4) or len(found) != len(mesh.vertices):
        return None
    parts = found / (1.0 if found.dtype.kind == "f" else np.iinfo(found.dtype).max)
    colors = np.full((len(found), 4), 255, np.uint8)
    steps = np.rint(np.nan_to_num(parts).clip(0, 1) * 255).astype(np.uint8)
    colors[:, :3] = _SRGB[steps[:, :3]]
    if found.shape[1] == 4:
        colors[:, 3] = steps[:, 3]
    return colors
