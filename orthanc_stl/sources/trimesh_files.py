"""PLY and GLB, read by trimesh, once their headers have shown that nothing large comes of little.

GLB is in metres with +Y up and the face to +Z (glTF 2.0, section 3.4): it is turned to LPS mm. PLY has no units, mm and
LPS are taken unless a comment says `SPACE=RAS`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import trimesh
from trimesh.util import unique_name

from orthanc_stl.dicom.text import one_line
from orthanc_stl.errors import InvalidInput, TooLarge, reading
from orthanc_stl.model import Color
from orthanc_stl.sources.mesh_parts import RAS_TO_LPS, MeshPart, check_parts, check_triangles, part_of

MOST_HEADER = 1 << 20  # bytes of a PLY header
MOST_JSON = 64 << 20  # bytes of the JSON of a GLB
MOST_ACCESSOR_VALUES = 1 << 28

_ELEMENT = re.compile(rb"^element\s+\S+\s+([0-9]+)\s*$", re.MULTILINE)
_LABEL = re.compile(rb"^comment label (-?[0-9]{1,9}) (.+?)\s*$", re.MULTILINE)
METRES_Y_UP_TO_LPS = np.array([[1000.0, 0, 0, 0], [0, 0, -1000.0, 0], [0, 1000.0, 0, 0], [0, 0, 0, 1]])
_READ = re.compile(r"KHR_(mesh_quantization|materials_\w+|texture_\w+)$|EXT_texture_webp$")
"""Extensions of glTF with which a mesh is what it is without, or which trimesh reads."""

_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}


def read_ply(data: bytes | memoryview, max_triangles: int) -> list[MeshPart]:
    """One part, or one for each `label` of the faces with the names of the comments `label 5 liver`."""
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
    for label in [None] if labels is None else np.unique(labels).tolist():
        check_parts(len(parts) + 1)
        chosen = faces if label is None else faces[labels == label]
        name = "part" if label is None else names.get(label, f"label {label}")
        color, opacity = _common(colors, chosen)
        part = part_of(name, points, chosen, color, opacity)
        if part is not None:
            parts.append(part)
    if not parts:
        raise InvalidInput("the PLY file has no face with three different corners")
    return parts


def read_glb(data: bytes | memoryview, max_triangles: int) -> list[MeshPart]:
    """A part for each node that has a mesh, at its place. Raises InvalidInput for a damaged file or outer files."""
    document = checked_json(data)
    scene = _loaded(data, "glb")
    if not isinstance(scene, trimesh.Scene) or not scene.geometry:
        raise InvalidInput("the GLB file has no mesh")
    parts: list[MeshPart] = []
    total = 0
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
        color, opacity = material_of(mesh, materials)
        part = part_of(shown, points, faces, color, opacity)
        if part is not None:
            parts.append(part)
    if not parts:
        raise InvalidInput("the GLB file has no triangle")
    return parts


def _in_order(scene: trimesh.Scene, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The nodes with a mesh in the file's order, by trimesh's unique names, and the names that they have in the file.

    trimesh goes through them from the last to the first, and gives each primitive of a mesh a node below its own.
    """
    nodes = _dicts(document, "nodes")
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


def _common(colors: np.ndarray | None, faces: np.ndarray) -> tuple[Color | None, float]:
    """The color that most vertices of these faces have."""
    if colors is None or not len(faces):
        return None, 1.0
    found, counts = np.unique(colors[np.unique(faces)], axis=0, return_counts=True)
    red, green, blue, alpha = found[int(np.argmax(counts))].tolist()
    return (red, green, blue), alpha / 255


def checked_json(data: bytes | memoryview) -> Mapping[str, Any]:
    """The JSON of a GLB. Raises InvalidInput for outer files, for claims beyond its size, and for circles."""
    head = bytes(data[:20])
    length = int.from_bytes(head[12:16], "little")
    if len(head) < 20 or head[:4] != b"glTF" or int.from_bytes(head[4:8], "little") != 2 or head[16:20] != b"JSON":
        raise InvalidInput("the GLB file is not of glTF 2.0, or has no JSON in it")
    if length > min(len(data) - 20, MOST_JSON):
        raise InvalidInput(f"the GLB file claims {length} bytes of JSON, {len(data) - 20} are there")
    try:
        document = json.loads(bytes(data[20 : 20 + length]))
    except (ValueError, RecursionError):
        raise InvalidInput("the JSON of the GLB file cannot be read") from None
    if not isinstance(document, dict):
        raise InvalidInput("the JSON of the GLB file is no object")
    if any("uri" in buffer for buffer in _dicts(document, "buffers")):
        raise InvalidInput("the GLB file has its data in other files, which are not read")
    required = document.get("extensionsRequired") or []
    unread = [str(one)[:60] for one in (required if isinstance(required, list) else []) if not _READ.match(str(one))]
    if "KHR_draco_mesh_compression" in unread:
        raise InvalidInput("the GLB file is compressed by Draco, which is not read: store it without compression")
    if unread:
        raise InvalidInput(f"the GLB file needs the extension {unread[0]}, which is not read: store it without")
    if any("sparse" in accessor for accessor in _dicts(document, "accessors")):
        raise InvalidInput("the GLB file has sparse accessors, which are not read: store it without them")
    values = 0
    for accessor in _dicts(document, "accessors"):
        count = accessor.get("count")
        if not isinstance(count, int) or count < 0:
            raise InvalidInput("the GLB file has an accessor without a count")
        values += count * _COMPONENTS.get(accessor.get("type", ""), 16)
    if values > MOST_ACCESSOR_VALUES:
        raise TooLarge(f"the GLB file claims {values} values, {MOST_ACCESSOR_VALUES} are the most that are read")
    _check_nodes(document)
    return document


def _dicts(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = document.get(key) or []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _check_nodes(document: Mapping[str, Any]) -> None:
    """Each node has one parent at most (glTF 2.0, section 3.5.1): no circles, and no multiplication."""
    nodes = _dicts(document, "nodes")
    check_parts(len(nodes))
    seen: set[int] = set()
    for node in nodes:
        children = node.get("children") or []
        for child in children if isinstance(children, list) else []:
            if not isinstance(child, int) or child in seen:
                raise InvalidInput("the GLB file has a node with two parents, or a child that is no node")
            seen.add(child)
    if nodes and len(seen) >= len(nodes):
        raise InvalidInput("the nodes of the GLB file go round in a circle")


def materials_of(document: Mapping[str, Any]) -> dict[str, tuple[Color | None, float]]:
    """Base colors by the name of the material: linear in the file, sRGB here. A name that several have is left out."""
    found: dict[str, tuple[Color | None, float]] = {}
    several: set[str] = set()
    for material in _dicts(document, "materials"):
        rough = material.get("pbrMetallicRoughness")
        factor = rough.get("baseColorFactor") if isinstance(rough, dict) else None
        if isinstance(factor, list) and len(factor) == 4 and all(isinstance(v, (int, float)) for v in factor):
            red, green, blue = (_srgb(float(value)) for value in factor[:3])
            opaque = material.get("alphaMode", "OPAQUE") == "OPAQUE"  # then glTF's readers pass the alpha over
            each = (red, green, blue), 1.0 if opaque else min(max(float(factor[3]), 0.0), 1.0)
            name = str(material.get("name", ""))
            if found.setdefault(name, each) != each:
                several.add(name)
    return {name: each for name, each in found.items() if name not in several}


def _srgb(linear: float) -> int:
    value = min(max(linear, 0.0), 1.0)
    return round(255 * (value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))


def material_of(
    mesh: trimesh.Trimesh, materials: Mapping[str, tuple[Color | None, float]]
) -> tuple[Color | None, float]:
    """Color and opacity of a mesh of a GLB, with `materials` as of `materials_of`."""
    material = getattr(mesh.visual, "material", None)
    name = str(getattr(material, "name", "") or "")
    if name in materials:
        return materials[name]
    factor = getattr(material, "baseColorFactor", None)
    if factor is not None and len(factor) == 4:
        red, green, blue = (_srgb(float(value) / 255) for value in factor[:3])
        opaque = (getattr(material, "alphaMode", None) or "OPAQUE") == "OPAQUE"
        return (red, green, blue), 1.0 if opaque else float(factor[3]) / 255
    return _common(_vertex_colors(mesh), np.asarray(mesh.faces))
