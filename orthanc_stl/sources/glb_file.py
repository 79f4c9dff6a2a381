"""GLB, read by trimesh, once its header has shown that nothing large comes of little.

It is in metres with +Y up and the face to +Z (glTF 2.0, section 3.4): it is turned to LPS mm.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import trimesh
from trimesh.util import unique_name

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput, reading
from orthanc_stl.formats.scene import linear
from orthanc_stl.model import Color, Note
from orthanc_stl.sources.glb_document import (
    Materials,
    checked_json,
    dicts,
    left_out_of,
    materials_of,
    picture_note,
    srgb,
)
from orthanc_stl.sources.glb_positions import for_trimesh
from orthanc_stl.sources.mesh_parts import (
    MeshPart,
    check_parts,
    check_triangles,
    color_of_most,
    note_on_painted,
    part_of,
)

_SRGB = np.array([srgb(step / 255) for step in range(256)], np.uint8)
"""Of linear light in bytes."""

METRES_Y_UP_TO_LPS = np.array([[1000.0, 0, 0, 0], [0, 0, -1000.0, 0], [0, 1000.0, 0, 0], [0, 0, 0, 1]])


def read_glb(data: bytes | memoryview, max_triangles: int) -> tuple[list[MeshPart], tuple[Note, ...]]:
    """A part for each node that has a mesh, at its place; and what is left out.

    Raises InvalidInput for a damaged file, for outer files, and for what would be missing without a word.
    """
    document = checked_json(data)
    with reading("the GLB file"):
        plain = io.BytesIO(for_trimesh(data, document))
        scene = trimesh.load_scene(plain, file_type="glb", process=False, resolver=None)
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
        raise InvalidInput("the GLB file has no triangle: no node of the scene that it shows has a mesh with some")
    return parts, (*left_out_of(document), *picture_note(document), *note_on_painted(painted))


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
        found.append((place, -order, name, one_line(str(shown or "")) or "part"))
    return [(name, shown) for _, _, name, shown in sorted(found)]


def _vertex_colors(mesh: trimesh.Trimesh) -> np.ndarray | None:
    if getattr(mesh.visual, "kind", "") != "vertex":
        return None
    colors = np.asarray(getattr(mesh.visual, "vertex_colors", ()))
    return colors if colors.shape == (len(mesh.vertices), 4) else None


def material_of(mesh: trimesh.Trimesh, materials: Materials) -> tuple[Color | None, float, bool]:
    """Color and opacity of a mesh of a GLB, with `materials` as of `materials_of`, and whether it has other colors too.

    The color of most of its vertices counts, if they have some, times that of the material (glTF 2.0, section 3.9.2).
    """
    colors = colors_of_glb(mesh)
    painted, alpha, several = color_of_most(None if colors is None else colors[np.unique(mesh.faces)])
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
